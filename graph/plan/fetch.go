package plan

import (
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// fetch is a Fetch while it is built.
type fetch struct {
	subgraph  int
	operation ast.Operation
	node      *node // the objects that it completes
	place     *place
	after     []*fetch
	// inputs, for an entity fetch, by the node's object type.
	inputs map[int]*input
	number int // order of creation
	level  int
	when   Condition
	// tells are the entries that tell the types on which the path depends.
	tells []*entry
	// filled are the variables that are filled from contexts.
	filled []*filled
	// mergedInto is set where this one was merged into another.
	mergedInto *fetch
}

// input is how an entity fetch finds the object of one type.
type input struct {
	as     *supergraph.Type // what the representation's __typename says
	object bool
	// untyped is set where the true type of some objects is not known yet: then
	// the interface object serves them all.
	untyped bool
	key     supergraph.FieldSet
	keys    []*wants // one for each field of the key
	needs   []*wants // what @requires asks for
	// populations are those of which objects are sent; all of them bring the needs.
	populations [][]*place
	// typeFrom are the entries that tell the true type, where the key's suppliers cannot.
	typeFrom []*entry
}

// place is a node as one fetch reaches it.
type place struct {
	fetch *fetch
	node  *node
	// as is the type of the position in the subgraph; nil where it differs for
	// the holder's types, and at the root of an entity fetch.
	as *supergraph.Type
	// object is set where as is an interface object.
	object   bool
	entity   bool // the root of an entity fetch
	types    mask // object types that can come from the subgraph here
	size     int  // how many types the node had when they were last computed
	provided supergraph.FieldSet
	parent   *entry
	entries  []*entry
}

// entry is a field that a fetch asks at a place.
type entry struct {
	place *place
	slot  *slot
	types mask // object types for which it is asked
	when  Condition
	// always marks __typename: asked whenever anything is asked at the place.
	always bool
	// branches are the places below: one for each set of fields that is provided
	// there, by the holder's types.
	branches []branch
}

// branch is a place below an entry, for some of the holder's object types.
type branch struct {
	types mask
	place *place
}

// child is the place below for the holder's i-th object type; nil for a leaf.
func (e *entry) child(i int) *place {
	for _, b := range e.branches {
		if b.types.has(i) {
			return b.place
		}
	}
	return nil
}

// branch finds or makes the place below, where the fields are provided, and
// adds the holder's i-th object type to it.
func (e *entry) branch(i int, provided supergraph.FieldSet) *place {
	for k := range e.branches {
		if slices.Equal(e.branches[k].place.provided, provided) {
			e.branches[k].types = e.branches[k].types.with(i)
			return e.branches[k].place
		}
	}
	made := &place{fetch: e.place.fetch, node: e.slot.child, parent: e, provided: provided}
	e.branches = append(e.branches, branch{mask(nil).with(i), made})
	return made
}

// seat is the place as the search for routes sees it.
func (p *place) seat() seat {
	return seat{subgraph: p.fetch.subgraph, as: p.as, object: p.object, provided: p.provided}
}

func (p *place) entry(s *slot) *entry {
	for _, e := range p.entries {
		if e.slot == s {
			return e
		}
	}
	return nil
}

// widen makes the entry, and what leads to it, be asked also where the
// condition holds.
func (e *entry) widen(when Condition) {
	for ; e != nil; e = e.place.parent {
		e.when = e.when.or(when)
	}
}

// reaches says whether f must be merged before, or is, the other fetch.
func (f *fetch) reaches(other *fetch, seen map[*fetch]bool) bool {
	if f == other {
		return true
	}
	for _, before := range other.after {
		if !seen[before] {
			seen[before] = true
			if f.reaches(before, seen) {
				return true
			}
		}
	}
	return false
}

func (f *fetch) isBefore(other *fetch) bool { return f.reaches(other, map[*fetch]bool{}) }

func (f *fetch) waitFor(before *fetch) {
	if before == f {
		return
	}
	for _, other := range f.after {
		if other == before {
			return
		}
	}
	f.after = append(f.after, before)
}

func sortFetches(fetches []*fetch) {
	sort.SliceStable(fetches, func(i, j int) bool {
		if fetches[i].level != fetches[j].level {
			return fetches[i].level < fetches[j].level
		}
		return fetches[i].number < fetches[j].number
	})
}
