package plan

import (
	"fmt"
	"slices"
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
	n.populated(places)
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
		for pass := range 2 { // what requires something first: the rest may join its fetches
			for _, d := range decisions {
				if (pass == 0) != d.requires() {
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
					if child := e.child(i); child != nil {
						children = append(children, child)
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
	if !ws.builtFor(places) {
		ws.finished = append(ws.finished, places)
	}
	return nil
}

// populated notes the places of a population of the node.
func (n *node) populated(places []*place) {
	for _, other := range n.populations {
		if slices.Equal(other, places) {
			return
		}
	}
	n.populations = append(n.populations, places)
}

// begin says whether the wants have not been built for these places yet.
func (ws *wants) begin(places []*place) bool {
	var key strings.Builder
	for _, pl := range places {
		fmt.Fprintf(&key, "%p %x ", pl, []uint64(pl.types)) // which may have grown since
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
		child := e.child(0)
		if child == nil {
			continue
		}
		if err := p.build(wanted[k].inner, []*place{child}); err != nil {
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
		if o.in != nil && len(o.in.Requires)+len(o.in.Context) > 0 && o.route != nil {
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
		f, err := p.hop(n, i, o.route, o.in, places)
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
		if s.name == "__typename" {
			pl.node.typenames = append(pl.node.typenames, e)
		}
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
	child := e.branch(i, provided)
	if child.as == as && child.size == len(s.child.types) {
		return e // the same for this type as for those before
	}
	child.size = len(s.child.types)
	if child.as == nil && child.types == nil {
		child.as = as
		child.object = view != nil && view.InterfaceObject
		s.child.entered = append(s.child.entered, child)
	} else if child.as != as {
		child.as = nil
	}
	child.types = child.types.union(s.child.mask(members))
	if s.child.abstract() && !child.object {
		p.askType(child)
	}
	return e
}
