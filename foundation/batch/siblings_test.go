package batch

import (
	"context"
	"testing"
)

type row struct {
	id, other int
	list      *Siblings[*row]
}

func siblingsOf(r *row) *Siblings[*row] { return r.list }

// TestSiblingsAreOneCall: one after the other, with all the time in between
// that a busy machine may need, the rows of a list make one call for each kind
// of thing; a row without siblings makes its own.
func TestSiblingsAreOneCall(t *testing.T) {
	calls := map[string]int{}
	load := func(name string) *Loader[int, int] {
		return New(func(_ context.Context, keys []int) (map[int]int, error) {
			calls[name]++
			found := map[int]int{}
			for _, key := range keys {
				found[key] = key * 10
			}
			return found, nil
		})
	}
	first, second := load("first"), load("second")
	rows := []*row{{id: 1, other: 7}, {id: 2, other: 7}, {id: 3, other: 8}}
	list := NewSiblings(rows)
	for _, r := range rows {
		r.list = list
	}
	rows = append(rows, &row{id: 4, other: 9})
	for _, r := range rows {
		values, err := Among(t.Context(), first, []*row{r}, siblingsOf, func(r *row) (int, bool) { return r.id, r.id != 2 })
		want := r.id * 10
		if r.id == 2 {
			want = 0
		}
		if err != nil || len(values) != 1 || values[0] != want {
			t.Errorf("row %d: first = %v, %v, want %d", r.id, values, err, want)
		}
		values, err = Among(t.Context(), second, []*row{r}, siblingsOf, func(r *row) (int, bool) { return r.other, true })
		if err != nil || len(values) != 1 || values[0] != r.other*10 {
			t.Errorf("row %d: second = %v, %v, want %d", r.id, values, err, r.other*10)
		}
	}
	if calls["first"] != 2 || calls["second"] != 2 {
		t.Errorf("calls %v, want 2 each: the list and the row that is alone", calls)
	}
}

// What stands in many places asks once, though it is alone in its list.
func TestOneInManyPlacesIsOneCall(t *testing.T) {
	calls := 0
	l := New(func(_ context.Context, keys []int) (map[int]int, error) {
		calls++
		return map[int]int{keys[0]: 70}, nil
	})
	r := &row{id: 7}
	r.list = NewSiblings([]*row{r})
	for range 5 {
		values, err := Among(t.Context(), l, []*row{r}, siblingsOf, func(r *row) (int, bool) { return r.id, true })
		if err != nil || len(values) != 1 || values[0] != 70 {
			t.Errorf("%v, %v", values, err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}
