package condition

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhere(t *testing.T) {
	w := new(Where)
	if w.String() != "true" {
		t.Errorf("empty: %s", w)
	}
	w.Add("state = ?", "OPEN")
	limit := w.Arg(10)
	w.Add("(at, id) < (?, ?)", "t", "i")
	w.Add("offered")
	if got, want := w.String(), "state = $1 AND (at, id) < ($3, $4) AND offered"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if limit != "$2" {
		t.Errorf("placeholder %s, want $2", limit)
	}
	if diff := cmp.Diff([]any{"OPEN", 10, "t", "i"}, w.Args()); diff != "" {
		t.Error(diff)
	}
}
