package token

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLinks(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	links := NewLinks([]byte("a secret of this installation"), func() time.Time { return now })
	signed := links.Sign("/files/1", "citizen 1", now.Add(time.Minute))
	check := func(text string, want bool) {
		t.Helper()
		path, query, _ := strings.Cut(text, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		audience, ok := links.Check(path, values)
		if ok != want || ok && audience != "citizen 1" {
			t.Errorf("%s: %v %q, want %v", text, ok, audience, want)
		}
	}
	check(signed, true)
	check(strings.Replace(signed, "/files/1", "/files/2", 1), false)
	check(strings.Replace(signed, "citizen+1", "citizen+2", 1), false)
	check(strings.Replace(signed, "until=1", "until=2", 1), false)
	check(strings.Replace(signed, "signature=", "signature=x", 1), false)
	check("/files/1", false)
	// Path and audience cannot flow into one another.
	check(strings.Replace(links.Sign("/files/1\x00citizen 1", "", now.Add(time.Minute)), "\x00citizen 1", "", 1), false)
	if other := NewLinks([]byte("another"), links.now); true {
		if _, ok := other.Check("/files/1", url.Values{"until": {"1000060"}, "for": {"citizen 1"}}); ok {
			t.Error("no signature counts")
		}
	}
	now = now.Add(time.Minute)
	check(signed, false)
}
