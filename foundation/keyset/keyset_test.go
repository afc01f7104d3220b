package keyset_test

import (
	"strconv"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

func TestPagesMeetWithoutGapOrOverlap(t *testing.T) {
	all := make([]int, 45)
	for i := range all {
		all[i] = i
	}
	key := func(i int) []string { return []string{strconv.Itoa(i)} }
	var seen []int
	var after *string
	for range 10 {
		page, err := keyset.Parse(nil, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		from := 0
		if page.After != nil {
			last, _ := strconv.Atoi(page.After[0])
			from = last + 1
		}
		rows, info := keyset.Of(page, all[from:min(from+page.Limit(), len(all))], key)
		seen = append(seen, rows...)
		if after = info.EndCursor; !info.HasNextPage {
			break
		}
	}
	if len(seen) != len(all) {
		t.Fatalf("saw %d rows of %d", len(seen), len(all))
	}
	for i, row := range seen {
		if row != i {
			t.Fatalf("row %d is %d", i, row)
		}
	}
}

func TestBadPagesAreRefusedWithTheirField(t *testing.T) {
	zero, many, rubbish, short := 0, keyset.MaxSize+1, "%%", keyset.Cursor("1")
	for _, c := range []struct {
		first *int
		after *string
		field string
	}{{&zero, nil, "first"}, {&many, nil, "first"}, {nil, &rubbish, "after"}, {nil, &short, "after"}} {
		_, err := keyset.Parse(c.first, c.after, 2)
		f, ok := err.(*fault.Fault)
		if !ok || f.Code != fault.InvalidInput || f.Field != c.field {
			t.Errorf("got %v, want a refusal of %s", err, c.field)
		}
	}
}
