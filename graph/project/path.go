package project

import "github.com/citizencloud/citizencloud/graph/tree"

// Branch is a way into the outputs: a client path and what is read there. The zero Branch is
// nowhere, a place that the client did not ask for.
type Branch struct {
	Path  []Step
	below *selection
	lost  bool
}

// Start is the branch of the root.
func (p *Projection) Start() Branch { return Branch{Path: []Step{}, below: p.response} }

// Down follows a slot of an object of the given type, None for any; where the client
// did not ask for it the branch stays where it is and leads nowhere more.
func (b Branch) Down(slot int, id tree.TypeID, holds []bool) Branch {
	if b.below == nil {
		return Branch{Path: b.Path, lost: true}
	}
	for _, f := range b.below.fields {
		if f.slot != slot || f.typename || f.when >= 0 && !holds[f.when] || id != tree.None && !f.types.Has(id) {
			continue
		}
		return Branch{Path: append(b.Path[:len(b.Path):len(b.Path)], Step{Key: f.name}), below: f.below}
	}
	return Branch{Path: b.Path, lost: true}
}

// At goes to an element of a list.
func (b Branch) At(index int) Branch {
	if b.lost {
		return b
	}
	return Branch{Path: append(b.Path[:len(b.Path):len(b.Path)], Step{Index: index}), below: b.below}
}
