// Package orgunit holds the organisation units 组织机构 of the four levels:
// government, community, company and social organisation. A unit works for an
// area; that area is the data scope of its workers. Units are public.
//
// Start reading at OrgUnit, then Service; what changes units is in change.go,
// the SQL in store.go and write.go.
package orgunit

import (
	"strings"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Kind is what sort of organisation a unit is.
type Kind string

// The kinds.
const (
	PartyGovernment Kind = "PARTY_GOVERNMENT" // 党政机构
	Community       Kind = "COMMUNITY"        // 社区组织
	Enterprise      Kind = "ENTERPRISE"       // 企业
	SocialOrg       Kind = "SOCIAL_ORG"       // 社会组织
)

// State is where a unit stands in its life.
type State string

// The states: ACTIVE↔SUSPENDED→DISSOLVED.
const (
	Active    State = "ACTIVE"
	Suspended State = "SUSPENDED"
	Dissolved State = "DISSOLVED" // names a successor
)

// OrgUnit is one organisation unit.
type OrgUnit struct {
	ID          string `db:"id"`
	Name        string `db:"name"`
	Kind        Kind   `db:"kind"`
	State       State  `db:"state"`
	AreaCode    string `db:"area_code"`
	ParentID    string `db:"parent_id"`    // "" at the top
	SuccessorID string `db:"successor_id"` // "" if none
	Version     int    `db:"version"`
}

// IsEntity makes OrgUnit a federation entity.
func (*OrgUnit) IsEntity() {}

// Filter chooses units.
type Filter struct {
	AreaCode string // "" is the city
	Below    bool   // also those of the areas below
	Kinds    []Kind
	States   []State // none is all but DISSOLVED
	Search   string  // part of the name
}

// maxSearch bounds a search word, in characters.
const maxSearch = 20

// Check tidies the filter, and refuses what cannot be.
func (f Filter) Check() (Filter, error) {
	if f.AreaCode == "" {
		f.AreaCode = division.CityCode
	}
	if !division.Valid(f.AreaCode) {
		return f, fault.Invalid("areaId", "区划代码须为十二位数字")
	}
	f.Search = strings.TrimSpace(f.Search)
	if utf8.RuneCountInString(f.Search) > maxSearch {
		return f, fault.Invalid("search", "搜索关键字不能超过 %d 个字", maxSearch)
	}
	return f, nil
}
