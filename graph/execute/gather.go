package execute

import (
	"hash/maphash"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// target is an object that a fetch completes, and the number of its representation.
type target struct {
	object tree.Value
	entity uint32
}

// gathering is one fetch's targets and representations.
type gathering struct {
	targets []target
	spans   [][2]int // of the distinct representations in body
	body    []byte   // the variables as they are sent
	table   []uint32 // open addressing: 1 + index into spans
	explain bool     // the last object was not representable for a reason that is reported already
	// grouping is there where objects are told apart by the contexts that they are in.
	grouping *grouping
}

var seed = maphash.MakeSeed()

// gather walks to the fetch's objects and writes their representations.
func (r *run) gather(f *fetch, g *gathering) {
	g.targets, g.spans = g.targets[:0], g.spans[:0]
	clear(g.table)
	if f.contexts != nil {
		g.startGroups()
	}
	if f.entity != nil {
		g.body = append(g.body[:0], f.opening...)
	} else {
		g.body = g.body[:0]
	}
	for i := range f.places {
		r.walk(f, g, &f.places[i], 0, r.tree.Root)
	}
}

// walk follows a place's steps from the n-th on.
func (r *run) walk(f *fetch, g *gathering, p *place, n int, v tree.Value) {
	switch v.Kind {
	case tree.List:
		for _, element := range r.tree.Elements(v) {
			r.walk(f, g, p, n, element)
		}
	case tree.Object:
		id := r.tree.Type(v)
		if n > 0 && !p.steps[n-1].types.Has(id) {
			return
		}
		if g.grouping != nil {
			g.grouping.way = append(g.grouping.way[:n], v)
		}
		if n < len(p.steps) {
			if step := &p.steps[n]; r.tree.Visit(v, step.mark) {
				r.walk(f, g, p, n+1, r.tree.Slot(v, step.slot))
			}
			return
		}
		if r.tree.Visit(v, p.mark) {
			r.target(f, g, p, v, id)
		}
	}
}

// target adds an object at the end of a path.
func (r *run) target(f *fetch, g *gathering, p *place, v tree.Value, id tree.TypeID) {
	if f.entity == nil {
		g.targets = append(g.targets, target{object: v})
		return
	}
	for i := range p.inputs {
		in := &p.inputs[i]
		if !in.types.Has(id) {
			continue
		}
		start := len(g.body)
		if len(g.spans) > 0 {
			g.body = append(g.body, ',')
		}
		first := len(g.body)
		g.explain = false
		if !r.represent(g, in, v, id) {
			g.body = g.body[:start]
			if g.explain {
				r.tree.Explain(v, f.fields)
			}
			return
		}
		if g.grouping != nil {
			r.group(f, g, p, v, first)
			g.body = g.body[:start]
			return
		}
		entity, fresh := g.dedupe(first)
		if !fresh {
			g.body = g.body[:start]
		}
		g.targets = append(g.targets, target{object: v, entity: entity})
		return
	}
}

// dedupe finds the representation that ends the body among those before it, by hash and comparison.
func (g *gathering) dedupe(start int) (uint32, bool) {
	if 2*(len(g.spans)+1) > len(g.table) {
		g.rehash()
	}
	fresh := g.body[start:]
	mask := uint64(len(g.table) - 1)
	for i := maphash.Bytes(seed, fresh) & mask; ; i = (i + 1) & mask {
		entry := g.table[i]
		if entry == 0 {
			g.spans = append(g.spans, [2]int{start, len(g.body)})
			g.table[i] = uint32(len(g.spans))
			return uint32(len(g.spans) - 1), true
		}
		if span := g.spans[entry-1]; string(g.body[span[0]:span[1]]) == string(fresh) {
			return entry - 1, false
		}
	}
}

func (g *gathering) rehash() {
	size := max(64, 2*len(g.table))
	if cap(g.table) >= size {
		g.table = g.table[:size]
		clear(g.table)
	} else {
		g.table = make([]uint32, size)
	}
	mask := uint64(size - 1)
	for n, span := range g.spans {
		i := maphash.Bytes(seed, g.body[span[0]:span[1]]) & mask
		for g.table[i] != 0 {
			i = (i + 1) & mask
		}
		g.table[i] = uint32(n + 1)
	}
}
