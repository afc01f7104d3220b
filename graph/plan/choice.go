package plan

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Choice is what the planner weighed for one field of the operation on one
// object type: the ways that it looked at, and which it took.
type Choice struct {
	Path  string // the field's place, response keys joined by dots
	Field string // Type.field
	Ways  []Way
}

// Way is one way to resolve a field.
type Way struct {
	Subgraph string // the join__Graph enum value
	// Key is the key by which the subgraph is entered, "" where it answers there
	// already or the field is of a root type.
	Key string
	// Through are the subgraphs that are entered on the way, this one included;
	// none where it answers there already.
	Through []string
	// Cost of the field and all below it, with the fetches that are opened on
	// the way, as if nothing else were asked at the place.
	Cost int
	// Impossible is set where something below can not be resolved from there.
	Impossible bool
	Taken      bool
}

// Choices plans an operation as Plan does and tells what was weighed, in the
// order of the operation. Fields for which there was one way only are left out.
// A way that needs no fetch ends the search for others, so that those are not
// told. The costs are of each way alone: the planner takes the cheapest set for
// all fields of a place, where the ways that share a fetch pay for it once, so a
// dearer way may be taken.
func (pl *Planner) Choices(document *ast.QueryDocument, operation *ast.OperationDefinition) ([]Choice, error) {
	p, root, err := pl.built(document, operation, Caller{})
	if err != nil {
		return nil, err
	}
	var list []Choice
	p.explored = 0 // the budget again, for weighing anew
	p.weigh(root, nil, &list)
	return list, nil
}

func (p *planning) weigh(n *node, path []string, list *[]Choice) {
	for _, w := range n.wants.list {
		at := append(path[:len(path):len(path)], w.slot.client)
		for i, t := range n.types {
			if !w.types.has(i) || n.parent == nil && isIntrospection(w.slot.name) {
				continue
			}
			var seats []seat
			for _, pl := range n.entered {
				if pl.types.has(i) {
					seats = append(seats, p.seatFor(pl, i))
				}
			}
			if len(seats) == 0 && n.parent != nil {
				continue
			}
			c := p.choices(w, t, seats)
			if len(c.options) < 2 {
				continue
			}
			choice := Choice{Path: strings.Join(at, "."), Field: t.Name + "." + w.slot.name}
			for _, o := range c.options {
				choice.Ways = append(choice.Ways, p.way(n, i, w, o, seats))
			}
			*list = append(*list, choice)
		}
		if w.slot.child != nil && w.slot.client != "" {
			p.weigh(w.slot.child, at, list)
		}
	}
}

func (p *planning) way(n *node, i int, w *want, o *option, seats []seat) Way {
	made := Way{Cost: o.cost}
	subgraph := 0
	if o.route == nil {
		subgraph = seats[o.seat].subgraph
	} else {
		subgraph = o.route.subgraph
		made.Key = keyText(o.route.key)
		made.Cost = add(made.Cost, p.opening(o.route, nil))
		for _, s := range p.super.Subgraphs {
			if o.route.chain.has(s.Index) {
				made.Through = append(made.Through, s.ID)
			}
		}
		if len(o.in.Requires) > 0 {
			opened := o.route.chain.clone()
			_, more := p.decide(p.needsOf(n, i, o.in.Requires), i, seats, &opened)
			made.Cost = add(made.Cost, more)
		}
	}
	made.Subgraph = p.super.Subgraphs[subgraph].ID
	made.Impossible = made.Cost >= costImpossible
	for _, e := range p.suppliers(n, w) {
		// Of one subgraph the place that is there and an entity fetch are told apart.
		there := e.place.parent != nil
		if e.types.has(i) && e.place.fetch.subgraph == subgraph && (o.route == nil) == there {
			made.Taken = true
		}
	}
	return made
}

// suppliers are the entries that bring the want. Those of a mutation's root
// fields are not noted with the want: each has one.
func (p *planning) suppliers(n *node, w *want) []*entry {
	if len(w.supplied) > 0 || n.parent != nil {
		return w.supplied
	}
	for _, f := range p.fetches {
		if f.node == n {
			if e := f.place.entry(w.slot); e != nil {
				return []*entry{e}
			}
		}
	}
	return nil
}

func keyText(set supergraph.FieldSet) string {
	var parts []string
	for _, item := range set {
		text := item.Name
		if item.Name == "" {
			text = "..."
			if item.On != "" {
				text += " on " + item.On
			}
		}
		if len(item.Fields) > 0 {
			text += " {" + keyText(item.Fields) + "}"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}
