package plan

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// build turns the wants of a node into entries of fetches, deciding for each
// object type how its fields are resolved. The places are where the objects
// come from: a node may have several populations of objects that come from
// different fetches, by the types of the objects that hold them.
func (p *planning) build(ws *wants, places []*place) error {
	if ws == nil || !ws.begin(places) {
		return nil
	}
	n := ws.node
	below := map[*want][][]*place{}
	for i, t := range n.types {
		var here []*place
		var seats []seat
		for _, pl := range places {
			if pl.types.has(i) {
				here = append(here, pl)
				seats = append(seats, p.seatFor(pl, i))
			}
		}
		if len(seats) == 0 && n.parent != nil {
			continue // no subgraph returns the type here
		}
		opened := p.opened(n)
		decisions, _ := p.decide(ws, i, seats, &opened)
		if n.parent == nil && p.operation == ast.Mutation {
			return p.inOrder(n, decisions)
		}
		for pass := range 2 { // what needs nothing first: others may join its fetches
			for _, d := range decisions {
				if (pass == 1) != d.requires() {
					continue
				}
				if len(d.options) == 0 {
					return fmt.Errorf("plan: %s.%s: no subgraph can resolve the field here", t.Name, d.want.slot.name)
				}
				var children []*place
				for _, o := range d.options {
					e, err := p.realise(n, i, d.want, o, here)
					if err != nil {
						return err
					}
					if e.child != nil {
						children = append(children, e.child)
					}
				}
				if d.want.inner != nil {
					below[d.want] = append(below[d.want], children)
				}
			}
		}
	}
	for _, w := range ws.list {
		for _, children := range below[w] {
			if err := p.build(w.inner, children); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin says whether the wants have not been built for these places yet.
func (ws *wants) begin(places []*place) bool {
	var key strings.Builder
	for _, pl := range places {
		fmt.Fprintf(&key, "%p ", pl)
	}
	if ws.built[key.String()] {
		return false
	}
	if ws.built == nil {
		ws.built = map[string]bool{}
	}
	ws.built[key.String()] = true
	return true
}

// inOrder realises the root fields of a mutation: each after the former and all
// below it; neighbours of one subgraph share a fetch, which runs them in order.
func (p *planning) inOrder(n *node, decisions []decision) error {
	var last *fetch
	var open []*entry
	var wanted []*want
	for _, d := range decisions {
		if len(d.options) == 0 {
			return fmt.Errorf("plan: %s.%s: no subgraph can resolve the field", n.typ.Name, d.want.slot.name)
		}
		r := d.options[0].route
		if last == nil || last.subgraph != r.subgraph {
			if err := p.buildBelow(open, wanted); err != nil {
				return err
			}
			last, open, wanted = p.rootFetch(n, r), nil, nil
		}
		last.place.types = n.all()
		e := p.ask(last.place, d.want.slot, 0, d.options[0].in, d.options[0].provided)
		e.widen(d.want.when)
		open, wanted = append(open, e), append(wanted, d.want)
	}
	return p.buildBelow(open, wanted)
}

func (p *planning) buildBelow(entries []*entry, wanted []*want) error {
	for k, e := range entries {
		if e.child == nil {
			continue
		}
		if err := p.build(wanted[k].inner, []*place{e.child}); err != nil {
			return err
		}
	}
	return nil
}

// rootFetch makes a fetch of root fields that waits for all fetches so far.
func (p *planning) rootFetch(n *node, r *route) *fetch {
	f := &fetch{subgraph: r.subgraph, operation: p.operation, node: n, number: len(p.fetches)}
	f.place = &place{fetch: f, node: n, as: r.as}
	f.after = append(f.after, p.fetches...)
	p.fetches = append(p.fetches, f)
	return f
}

func (d decision) requires() bool {
	for _, o := range d.options {
		if o.in != nil && len(o.in.Requires) > 0 && o.route != nil {
			return true
		}
	}
	return false
}

// seatFor is the place's seat for the node's i-th object type; where the
// position's type differs by the holder, the object type itself stands for it.
func (p *planning) seatFor(pl *place, i int) seat {
	s := pl.seat()
	if s.as == nil {
		s.as = pl.node.types[i]
	}
	return s
}

// opened are the subgraphs that are fetched from at the node already.
func (p *planning) opened(n *node) mask {
	var m mask
	for _, f := range n.hops {
		m = m.with(f.subgraph)
	}
	return m
}

// realise asks a wanted field of one object type as the option says.
func (p *planning) realise(n *node, i int, w *want, o *option, places []*place) (*entry, error) {
	var pl *place
	if o.seat >= 0 {
		pl = places[o.seat]
	} else {
		f, err := p.hop(n, i, o.route, o.in.Requires, places)
		if err != nil {
			return nil, err
		}
		pl = f.place
	}
	e := p.ask(pl, w.slot, i, o.in, o.provided)
	e.widen(w.when)
	w.supply(e)
	return e, nil
}

// supply notes that the entry brings the want.
func (w *want) supply(e *entry) {
	for _, other := range w.supplied {
		if other == e {
			return
		}
	}
	w.supplied = append(w.supplied, e)
}

func appendFetch(list []*fetch, f *fetch) []*fetch {
	for _, other := range list {
		if other == f {
			return list
		}
	}
	return append(list, f)
}

// ask adds a field for the node's i-th object type to a place.
func (p *planning) ask(pl *place, s *slot, i int, in *supergraph.FieldIn, provided supergraph.FieldSet) *entry {
	e := pl.entry(s)
	if e == nil {
		e = &entry{place: pl, slot: s, when: never}
		pl.entries = append(pl.entries, e)
	}
	if e.types.has(i) {
		return e
	}
	e.types = e.types.with(i)
	if s.child == nil || in == typename {
		return e
	}
	as := p.super.Type(in.Type.Name())
	if as == nil {
		return e
	}
	view := as.For(pl.fetch.subgraph)
	var members []*supergraph.Type
	if view != nil {
		members = view.Members
	}
	if e.child == nil {
		e.child = &place{fetch: pl.fetch, node: s.child, as: as, parent: e, provided: provided}
		e.child.object = view != nil && view.InterfaceObject
		s.child.entered = append(s.child.entered, e.child)
	} else if e.child.as != as {
		e.child.as = nil
		e.child.provided = append(e.child.provided[:len(e.child.provided):len(e.child.provided)], provided...)
	}
	e.child.types = e.child.types.union(s.child.mask(members))
	if s.child.abstract() && !e.child.object {
		for k := range s.child.types {
			if e.child.types.has(k) {
				p.ask(e.child, s.child.internal(k, "__typename", nil), k, typename, nil).always = true
			}
		}
	}
	return e
}

// hop finds or makes the entity (or root) fetch at the node that enters a
// subgraph for the i-th object type by the route, after what @requires asks
// for. The fetch must not wait for any of those to avoid.
func (p *planning) hop(n *node, i int, r *route, requires supergraph.FieldSet, places []*place, avoid ...*fetch) (*fetch, error) {
	var needs *wants
	var before []*fetch
	if len(requires) > 0 {
		needs = p.needsOf(n, i, requires)
		if err := p.build(needs, places); err != nil {
			return nil, err
		}
		before = suppliers(needs, nil)
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
	in := f.inputs[i]
	if in == nil {
		return true
	}
	if in.as != r.as || in.key[0] != r.key[0] || len(in.key) != len(r.key) {
		return false
	}
	return needs == nil || in.agrees(needs)
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
			if w.inner != nil && e.child != nil {
				p.askAll(e.child, w.inner)
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
