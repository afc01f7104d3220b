package area

import (
	"cmp"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Tree is all areas at one moment. It is immutable: share it, do not change it.
type Tree struct {
	ordered []*Area // by code
	byCode  map[string]*Area
	below   map[string][]*Area // by parent, and by zone the streets that it runs; ordered by code
}

// newTree builds the tree of areas that are ordered by code.
func newTree(ordered []*Area) *Tree {
	t := &Tree{ordered: ordered, byCode: make(map[string]*Area, len(ordered)), below: map[string][]*Area{}}
	for _, a := range ordered {
		t.byCode[a.Code] = a
		if a.ParentCode != "" {
			t.below[a.ParentCode] = append(t.below[a.ParentCode], a)
		}
		if a.ZoneCode != "" && a.Level == division.Street {
			t.below[a.ZoneCode] = append(t.below[a.ZoneCode], a)
		}
	}
	return t
}

// ByCode gives the area; nil when there is none.
func (t *Tree) ByCode(code string) *Area { return t.byCode[code] }

// Path gives the areas from the city down to the area itself.
func (t *Tree) Path(a *Area) []*Area {
	var path []*Area
	for ; a != nil; a = t.byCode[a.ParentCode] {
		path = append(path, a)
	}
	slices.Reverse(path)
	return path
}

// Children gives a page of the areas right below the area that are valid on
// the day (YYYY-MM-DD), ordered by code; for a functional zone these are the
// streets that it runs.
func (t *Tree) Children(code string, page keyset.Page, day string) ([]*Area, *keyset.PageInfo) {
	return cut(t.below[code], page, func(a *Area) bool { return a.validOn(day) })
}

// List gives a page of the areas that the checked filter chooses and that are
// valid on the day, ordered by code.
func (t *Tree) List(f Filter, page keyset.Page, day string) ([]*Area, *keyset.PageInfo) {
	from := t.ordered
	if f.ParentCode != "" {
		from = t.below[f.ParentCode]
	}
	return cut(from, page, func(a *Area) bool {
		return a.validOn(day) && (f.Level == "" || a.Level == f.Level) && strings.Contains(a.Name, f.Search)
	})
}

// cut gives the page of those that fit, of areas that are ordered by code.
func cut(ordered []*Area, page keyset.Page, fits func(*Area) bool) ([]*Area, *keyset.PageInfo) {
	if page.After != nil {
		i, found := slices.BinarySearchFunc(ordered, page.After[0], func(a *Area, code string) int { return cmp.Compare(a.Code, code) })
		if found {
			i++
		}
		ordered = ordered[i:]
	}
	var rows []*Area
	for _, a := range ordered {
		if len(rows) == page.Limit() {
			break
		}
		if fits(a) {
			rows = append(rows, a)
		}
	}
	return keyset.Of(page, rows, func(a *Area) []string { return []string{a.Code} })
}
