package plan

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// hop finds or makes the entity (or root) fetch at the node that enters a
// subgraph for the i-th object type by the route, after what @requires asks
// or a context of the field asks for; the field is nil where only a key is
// wanted. The fetch must not wait for any of those to avoid.
func (p *planning) hop(n *node, i int, r *route, in *supergraph.FieldIn, places []*place, avoid ...*fetch) (*fetch, error) {
	var needs *wants
	var before []*fetch
	if in != nil && len(in.Requires) > 0 {
		needs = p.needsOf(n, i, in.Requires)
		if err := p.build(needs, places); err != nil {
			return nil, err
		}
		before = suppliers(needs, nil)
	}
	var filled []*filled
	if in != nil && len(in.Context) > 0 {
		var err error
		if filled, err = p.fill(n, in); err != nil {
			return nil, fmt.Errorf("plan: %s: %w", n.types[i].Name, err)
		}
		for _, variable := range filled {
			for _, s := range variable.sources {
				before = suppliers(s.needs, before)
			}
		}
	}
candidates:
	for _, f := range n.hops {
		if f.subgraph != r.subgraph || !p.joins(f, i, r, needs, before, places) {
			continue
		}
		for _, other := range avoid {
			if other.isBefore(f) {
				continue candidates
			}
		}
		f.fill(filled)
		return f, p.complete(f, n, i, r, needs, before, places, avoid)
	}
	f := &fetch{subgraph: r.subgraph, operation: ast.Query, node: n, number: len(p.fetches)}
	f.place = &place{fetch: f, node: n, entity: true}
	if r.root {
		if n.parent == nil {
			f.operation = p.operation
		} else {
			f.waitFor(places[0].fetch)
		}
		f.place = &place{fetch: f, node: n, as: r.as}
	} else {
		f.inputs = map[int]*input{}
	}
	p.fetches = append(p.fetches, f)
	n.hops = append(n.hops, f)
	f.fill(filled)
	return f, p.complete(f, n, i, r, needs, before, places, avoid)
}

// joins says whether an entity fetch can serve the i-th object type by the
// route too, and carry what is required, without waiting for itself.
func (p *planning) joins(f *fetch, i int, r *route, needs *wants, before []*fetch, places []*place) bool {
	if r.root {
		return f.inputs == nil
	}
	for _, other := range before {
		if f.isBefore(other) {
			return false
		}
	}
	for _, s := range r.suppliers {
		if s.route != nil && s.route.subgraph == f.subgraph {
			return false
		}
		if s.route == nil && f.isBefore(places[s.seat].fetch) {
			return false
		}
	}
	if r.object && !f.alike(i, r, needs) {
		return false
	}
	in := f.inputs[i]
	if in == nil {
		return true
	}
	if in.as != r.as || in.key[0] != r.key[0] || len(in.key) != len(r.key) {
		return false
	}
	return (needs == nil || in.agrees(needs)) && p.brings(f, in, needs, places)
}

// brings says whether the objects of every population, with that of the places,
// carry all that the input then needs when the fetch is sent: an object that
// lacked a part of it would not be sent at all.
func (p *planning) brings(f *fetch, in *input, needs *wants, places []*place) bool {
	if needs != nil && !in.carries(needs) {
		for _, other := range in.populations {
			if !slices.Equal(other, places) && !needs.builtFor(other) {
				return false
			}
		}
	}
	for _, carried := range in.needs {
		if carried == needs {
			continue
		}
		// The same field is asked of the same type, so most likely wanted here too.
		if p.build(carried, places) != nil || !carried.builtFor(places) {
			return false
		}
		for _, other := range suppliers(carried, nil) {
			if f.isBefore(other) {
				return false
			}
		}
	}
	return true
}

// alike says whether all object types that the fetch asks of as one interface
// object still carry the same required fields when the i-th carries the needs:
// what is asked of the interface object is asked of them all.
func (f *fetch) alike(i int, r *route, needs *wants) bool {
	for k := range f.node.types {
		other := f.inputs[k]
		if k == i || other == nil || other.as != r.as {
			continue
		}
		if needs != nil && !other.carries(needs) {
			return false
		}
		for _, carried := range other.needs {
			if (needs == nil || carried.of != needs.of) && (f.inputs[i] == nil || !f.inputs[i].carries(carried)) {
				return false
			}
		}
	}
	return true
}

// serve notes that objects of the places are sent.
func (in *input) serve(places []*place) {
	for _, other := range in.populations {
		if slices.Equal(other, places) {
			return
		}
	}
	in.populations = append(in.populations, places)
}

func (in *input) carries(needs *wants) bool {
	for _, other := range in.needs {
		if other.of == needs.of {
			return true
		}
	}
	return false
}

// agrees says whether the representation can carry the needs beside what it
// carries: one name has one value.
func (in *input) agrees(needs *wants) bool {
	for _, list := range [][]*wants{in.keys, in.needs} {
		for _, other := range list {
			if !other.agrees(needs) {
				return false
			}
		}
	}
	return true
}

func (ws *wants) agrees(other *wants) bool {
	for _, a := range ws.list {
		for _, b := range other.list {
			if a.slot.name != b.slot.name {
				continue
			}
			if a.slot != b.slot && !a.types.intersect(b.types).empty() {
				return false
			}
			if a.slot == b.slot && a.inner != nil && b.inner != nil && !a.inner.agrees(b.inner) {
				return false
			}
		}
	}
	return true
}

// complete gives the fetch its input for the i-th object type.
func (p *planning) complete(f *fetch, n *node, i int, r *route, needs *wants, before []*fetch, places []*place, avoid []*fetch) error {
	f.place.types = f.place.types.with(i)
	for _, other := range before {
		f.waitFor(other)
	}
	if r.root {
		return nil
	}
	in := f.inputs[i]
	made := in == nil
	if made {
		in = &input{as: r.as, object: r.object, key: r.key}
		f.inputs[i] = in
	}
	typed := false
	for _, pl := range places {
		typed = typed || !pl.object
	}
	in.untyped = in.untyped || !typed && r.typeFrom == nil
	in.serve(places)
	for _, carried := range in.needs {
		for _, other := range suppliers(carried, nil) {
			f.waitFor(other)
		}
	}
	// Each population of objects gets its key from its own places.
	avoid = append(avoid[:len(avoid):len(avoid)], f)
	if r.typeFrom != nil {
		via, err := p.hop(n, i, r.typeFrom, nil, places, avoid...)
		if err != nil {
			return err
		}
		f.waitFor(via)
		in.typeFrom = append(in.typeFrom, via.place.entry(n.internal(i, "__typename", nil)))
	}
	for k, item := range r.key {
		ws, err := p.supplyKey(f, n, i, r.suppliers[k], item, places, avoid)
		if err != nil {
			return err
		}
		if made {
			in.keys = append(in.keys, ws)
		}
	}
	if made {
		if r.as.Abstract() && !r.object {
			// The fetch tells the true type.
			for k, t := range n.types {
				if view := r.as.For(r.subgraph); view.Member(t) {
					f.place.types = f.place.types.with(k)
					p.ask(f.place, n.internal(k, "__typename", nil), k, typename, nil).always = true
				}
			}
		}
	}
	if needs != nil {
		for _, other := range in.needs {
			if other == needs {
				return nil
			}
		}
		in.needs = append(in.needs, needs)
	}
	return nil
}

// supplyKey asks the supplier for one field of the key.
func (p *planning) supplyKey(f *fetch, n *node, i int, s supplier, item *supergraph.FieldSelection, places []*place, avoid []*fetch) (*wants, error) {
	var pl *place
	if s.route != nil {
		via, err := p.hop(n, i, s.route, nil, places, avoid...)
		if err != nil {
			return nil, err
		}
		pl = via.place
	} else {
		pl = places[s.seat]
	}
	f.waitFor(pl.fetch)
	ws := p.needsOf(n, i, supergraph.FieldSet{item})
	p.askAll(pl, ws)
	return ws, nil
}

// askAll adds the wants to the place, all in the same fetch.
func (p *planning) askAll(pl *place, ws *wants) {
	for _, w := range ws.list {
		for i, t := range pl.node.types {
			if !w.types.has(i) || !pl.types.has(i) {
				continue
			}
			s := p.seatFor(pl, i)
			if pl.entity {
				s = seat{subgraph: pl.fetch.subgraph, as: t}
				if in := pl.fetch.inputs[i]; in != nil && in.object {
					s.as, s.object = in.as, true
				}
			}
			in, provided := p.direct(s, t, w.slot.name, true)
			if in == nil {
				continue
			}
			e := p.ask(pl, w.slot, i, in, provided)
			w.supply(e)
			if child := e.child(i); w.inner != nil && child != nil {
				p.askAll(child, w.inner)
			}
		}
	}
}

// suppliers are the fetches that bring the wants and what is below them.
func suppliers(ws *wants, list []*fetch) []*fetch {
	for _, w := range ws.list {
		for _, e := range w.supplied {
			list = appendFetch(list, e.place.fetch)
		}
		if w.inner != nil {
			list = suppliers(w.inner, list)
		}
	}
	return list
}
