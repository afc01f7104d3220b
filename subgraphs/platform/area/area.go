// Package area holds the administrative divisions 行政区划: the tree from the
// city over districts and streets down to communities, with validity dates and
// the functional zones that run streets of other districts. It is public.
//
// Start reading at Area, then Tree and Service; the SQL is in store.go.
package area

import (
	"strings"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Area is one division.
type Area struct {
	Code     string         `db:"code"` // twelve digits, GB/T 2260 extended
	Name     string         `db:"name"`
	FullName string         `db:"full_name"` // with the names of all levels above
	Level    division.Level `db:"level"`
	// ParentCode is "" for the city.
	ParentCode string `db:"parent_code"`
	// ZoneCode is the functional zone that runs the street or community; "" where its district does.
	ZoneCode string `db:"zone_code"`
	// Internal marks a functional zone, which has no GB code of its own.
	Internal  bool    `db:"internal"`
	ValidFrom string  `db:"valid_from"` // YYYY-MM-DD
	ValidTo   *string `db:"valid_to"`   // the first day on which it is no longer valid; nil while it is
}

// IsEntity makes Area a federation entity.
func (*Area) IsEntity() {}

// ID is the area's code.
func (a *Area) ID() string { return a.Code }

// validOn says whether the area is valid on the day (YYYY-MM-DD).
func (a *Area) validOn(day string) bool {
	return a.ValidFrom <= day && (a.ValidTo == nil || day < *a.ValidTo)
}

// Filter chooses areas; its zero value chooses all.
type Filter struct {
	ParentCode string
	Level      division.Level
	Search     string // part of the name
}

// maxSearch bounds a search word, in characters.
const maxSearch = 20

// Check tidies the filter, and refuses what cannot be.
func (f Filter) Check() (Filter, error) {
	if f.ParentCode != "" && !division.Valid(f.ParentCode) {
		return f, fault.Invalid("parentId", "区划代码须为十二位数字")
	}
	f.Search = strings.TrimSpace(f.Search)
	if utf8.RuneCountInString(f.Search) > maxSearch {
		return f, fault.Invalid("search", "搜索关键字不能超过 %d 个字", maxSearch)
	}
	return f, nil
}
