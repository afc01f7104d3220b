// Package post holds the posts 岗位 of organisation units: a name, the roles
// that a holder gets, and how far they reach. A system administrator makes
// posts, a security administrator alone sets their roles and data scope.
//
// Start reading at Post and DataScope, then Service; the SQL is in store.go.
package post

import (
	"slices"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// DataScope is how far the roles of a post reach.
type DataScope string

// The data scopes.
const (
	All          DataScope = "ALL"            // 全市
	Custom       DataScope = "CUSTOM"         // chosen areas, each with all below
	OfUnit       DataScope = "UNIT"           // the unit's area alone, without those below
	UnitAndBelow DataScope = "UNIT_AND_BELOW" // the unit's area and all below
	Self         DataScope = "SELF"           // no area: only what is one's own
)

// DataScopes are all data scopes, from wide to narrow. Do not change.
var DataScopes = []DataScope{All, Custom, UnitAndBelow, OfUnit, Self}

// Name is the data scope in Chinese.
func (s DataScope) Name() string {
	return map[DataScope]string{All: "全市", Custom: "指定区划", OfUnit: "仅本级", UnitAndBelow: "本级及下级", Self: "仅本人"}[s]
}

// Prefixes gives the data scope in the form of access.Principal.Prefixes. area
// is the unit's; zoneStreets are the codes of the streets that a functional zone
// among the areas runs. Nil is the area and all below.
func (s DataScope) Prefixes(area string, areas, zoneStreets []string) []string {
	prefixes := []string{}
	switch s {
	case All:
		return append(prefixes, division.Prefix(division.CityCode))
	case OfUnit:
		return append(prefixes, area)
	case Self:
		return prefixes
	case Custom:
		for _, code := range areas {
			prefixes = append(prefixes, division.Prefix(code))
		}
	default:
		if len(zoneStreets) == 0 {
			return nil
		}
		prefixes = append(prefixes, division.Prefix(area))
	}
	for _, code := range zoneStreets {
		prefixes = append(prefixes, division.Prefix(code))
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// State is whether a post can be held.
type State string

// The states: ACTIVE→ABOLISHED.
const (
	Active    State = "ACTIVE"
	Abolished State = "ABOLISHED"
)

// Post is one post.
type Post struct {
	ID         string
	UnitID     string
	AreaCode   string
	Name       string
	Roles      []access.Role
	DataScope  DataScope
	ScopeAreas []string // codes, of CUSTOM alone
	State      State
	Version    int
}

// maxAreas bounds the areas of a CUSTOM scope: a token carries them.
const maxAreas = 50

// Permission is what a post gives.
type Permission struct {
	Roles     []access.Role
	DataScope DataScope
	AreaCodes []string
}

// check tidies the permission and refuses what cannot be, or reaches further
// than whoever grants it.
func (g Permission) check(by *access.Principal, unitArea string) (Permission, error) {
	roles := slices.Clone(g.Roles)
	slices.Sort(roles)
	g.Roles = slices.Compact(roles)
	for _, role := range g.Roles {
		if !role.Known() {
			return g, fault.Invalid("input.roles", "没有角色 %s", role)
		}
	}
	if held := access.Administrators(g.Roles); len(held) > 1 {
		return g, fault.Invalid("input.roles", "三员分离：系统管理员、安全保密管理员、安全审计员不得由同一岗位兼任")
	}
	areas := slices.Clone(g.AreaCodes)
	slices.Sort(areas)
	g.AreaCodes = slices.Compact(areas)
	switch {
	case g.DataScope == Custom && (len(g.AreaCodes) == 0 || len(g.AreaCodes) > maxAreas):
		return g, fault.Invalid("input.areaIds", "请选择 1 到 %d 个区划", maxAreas)
	case g.DataScope != Custom && len(g.AreaCodes) > 0:
		return g, fault.Invalid("input.areaIds", "只有“指定区划”可以选择区划")
	}
	reach := g.AreaCodes
	switch g.DataScope {
	case All:
		reach = []string{division.CityCode}
	case UnitAndBelow, OfUnit:
		reach = []string{unitArea}
	}
	for _, code := range reach {
		if !division.Valid(code) {
			return g, fault.Invalid("input.areaIds", "区划代码须为十二位数字")
		}
		if !by.Covers(code) {
			return g, fault.Invalid("input.areaIds", "不能授予超出您自己管辖范围的数据范围")
		}
	}
	return g, nil
}
