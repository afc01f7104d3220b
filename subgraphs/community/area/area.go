// Package area is the community's view of an administrative division: the
// entity Area that the platform owns, and what of the tree is needed to count
// over it. Start reading at Area.
package area

import (
	"sync"

	"github.com/citizencloud/citizencloud/foundation/division"
)

// Area refers to the platform's Area; its ID is the twelve digit code.
type Area struct{ ID string }

// IsEntity marks the type as an entity of the federation.
func (Area) IsEntity() {}

// Ref refers to the area.
func Ref(code string) *Area { return &Area{ID: code} }

type tree struct {
	known    map[string]bool
	children map[string][]string // in the order of the codes
}

// divisions leaves the functional zones out: they lie across districts, and no
// case carries their code.
var divisions = sync.OnceValue(func() tree {
	t := tree{known: map[string]bool{}, children: map[string][]string{}}
	for _, a := range division.Chengdu() {
		if a.Internal {
			continue
		}
		t.known[a.Code] = true
		if parent := division.Parent(a.Code); parent != "" {
			t.children[parent] = append(t.children[parent], a.Code)
		}
	}
	return t
})

// Exists says whether the code is one of Chengdu's divisions.
func Exists(code string) bool { return divisions().known[code] }

// Children are the codes one level below. Shared: do not change.
func Children(code string) []string { return divisions().children[code] }

// Counted are the areas whose roll-ups add up to the area: the districts for
// the city, else the area itself.
func Counted(code string) []string {
	if division.LevelOf(code) == division.City {
		return Children(code)
	}
	return []string{code}
}
