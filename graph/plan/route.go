package plan

import (
	"fmt"
	"strings"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// seat is a subgraph that stands at a node already: it answers there through
// the parent's field.
type seat struct {
	subgraph int
	// as is the type of the position in the subgraph.
	as *supergraph.Type
	// object is set where the subgraph knows the type as an interface object: it
	// cannot tell the true type.
	object bool
	// provided are fields that the subgraph resolves here beside its own (@provides).
	provided supergraph.FieldSet
}

func (p *planning) newSeat(subgraph int, as *supergraph.Type, provided supergraph.FieldSet) seat {
	s := seat{subgraph: subgraph, as: as, provided: provided}
	if in := as.For(subgraph); in != nil {
		s.object = in.InterfaceObject
	}
	return s
}

// holds says whether an object of the type can come from the seat.
func (s seat) holds(t *supergraph.Type) bool {
	if s.as == t {
		return true
	}
	in := s.as.For(s.subgraph)
	return in != nil && in.Member(t)
}

func seatsKey(seats []seat) string {
	var b strings.Builder
	for _, s := range seats {
		fmt.Fprintf(&b, "%d %s", s.subgraph, s.as.Name)
		if len(s.provided) > 0 {
			fmt.Fprintf(&b, " %p", s.provided[0])
		}
		b.WriteByte(';')
	}
	return b.String()
}

// usable says whether the subgraph resolves the field; for a key also where it
// has moved away. Composition leaves external what the subgraph cannot resolve,
// fields of its keys too (those of extended types, which it can, are not left
// external); only where that leaves no plan are they taken to be resolved.
func (p *planning) usable(in *supergraph.FieldIn, forKey bool) bool {
	if in.External && !p.lenient {
		return false
	}
	if in.InKey && forKey {
		return true
	}
	if in.Label != "" && (in.Override != "") != p.active(in.Label) {
		return false
	}
	if in.Overridden && in.Label == "" {
		return false
	}
	return !in.External || in.InKey
}

// provides finds a field among the provided ones of an object type.
func (p *planning) provides(set supergraph.FieldSet, t *supergraph.Type, name string) (supergraph.FieldSet, bool) {
	var inner supergraph.FieldSet
	found := false
	for _, item := range set {
		if item.Name == name {
			inner, found = append(inner[:len(inner):len(inner)], item.Fields...), true
		}
		if item.Name == "" && (item.On == "" || item.On == t.Name || p.member(item.On, t)) {
			if deeper, ok := p.provides(item.Fields, t, name); ok {
				inner, found = append(inner[:len(inner):len(inner)], deeper...), true
			}
		}
	}
	return inner, found
}

func (p *planning) member(abstract string, t *supergraph.Type) bool {
	a := p.super.Type(abstract)
	if a == nil {
		return false
	}
	for _, member := range a.Members {
		if member == t {
			return true
		}
	}
	return false
}

// typename stands for the __typename field, which every subgraph resolves.
var typename = &supergraph.FieldIn{}

// direct is the field as the seat's subgraph resolves it for an object type
// without any further fetch, and what it provides below; nil when it does not.
func (p *planning) direct(s seat, t *supergraph.Type, name string, forKey bool) (*supergraph.FieldIn, supergraph.FieldSet) {
	holder := t
	if s.object {
		holder = s.as
	}
	if name == "__typename" {
		if s.object {
			return nil, nil
		}
		return typename, nil
	}
	field := holder.Field(name)
	if field == nil {
		return nil, nil
	}
	in := field.For(s.subgraph)
	if in == nil || len(in.Context) > 0 {
		return nil, nil // what a context fills in is a variable of an entity fetch
	}
	inner, provided := p.provides(s.provided, t, name)
	if provided {
		return in, append(inner[:len(inner):len(inner)], in.Provides...)
	}
	if !p.usable(in, forKey) || len(in.Requires) > 0 {
		return nil, nil
	}
	return in, in.Provides
}

// route is a way to enter a subgraph at a node, for one object type.
type route struct {
	subgraph int
	as       *supergraph.Type // the object type, an interface object, or the interface by which the true type is found
	object   bool             // as is an interface object
	key      supergraph.FieldSet
	// suppliers say, for each field of the key, who brings it.
	suppliers []supplier
	// typeFrom is the route that tells the true type first, where the seats cannot.
	typeFrom *route
	level    int
	root     bool // root fields need no key
	chain    mask // subgraphs that are entered on the way, this one included
}

// supplier is a seat (by position), or the route by which the supplying
// subgraph is entered first.
type supplier struct {
	seat  int
	route *route
}

// routes finds for one object type how each subgraph is entered from the seats.
func (p *planning) routes(t *supergraph.Type, seats []seat) []*route {
	key := t.Name + "|" + seatsKey(seats)
	if found, ok := p.routeMemo[key]; ok {
		return found
	}
	found := p.findRoutes(t, seats)
	p.routeMemo[key] = found
	return found
}

func (p *planning) findRoutes(t *supergraph.Type, seats []seat) []*route {
	var found []*route
	// A subgraph is entered once by each type: the interface objects of several interfaces have fields of their own.
	type entrance struct {
		subgraph int
		as       *supergraph.Type
	}
	entered := map[entrance]bool{}
	if len(seats) == 0 || t.Name == p.super.RootType("query") {
		for _, in := range t.In {
			found = append(found, &route{subgraph: in.Subgraph.Index, as: t, root: true, chain: mask(nil).with(in.Subgraph.Index)})
		}
		return found
	}
	typed := false
	for _, s := range seats {
		typed = typed || !s.object
	}
	for level := 1; ; level++ {
		var added []*route
		for _, candidate := range p.candidates(t, seats, typed) {
			if entered[entrance{candidate.subgraph, candidate.as}] {
				continue
			}
			if best := p.enter(t, candidate, seats, found, level); best != nil {
				added = append(added, best)
				entered[entrance{best.subgraph, best.as}] = true
			}
		}
		if len(added) == 0 {
			return found
		}
		for _, r := range added {
			typed = typed || !r.object
		}
		found = append(found, added...)
	}
}

// candidate is a subgraph and the type by which it may be entered.
type candidate struct {
	subgraph int
	as       *supergraph.Type
	object   bool
	keys     []*supergraph.Key
}

func (p *planning) candidates(t *supergraph.Type, seats []seat, typed bool) []candidate {
	var list []candidate
	if typed {
		for _, in := range t.In {
			if len(in.Keys) > 0 {
				list = append(list, candidate{in.Subgraph.Index, t, false, in.Keys})
			}
		}
	}
	for _, abstract := range t.Interfaces {
		if !typed && !seatedAs(seats, abstract) {
			continue
		}
		for _, in := range abstract.In {
			if len(in.Keys) == 0 || !in.InterfaceObject && (typed || !in.Member(t)) {
				continue
			}
			list = append(list, candidate{in.Subgraph.Index, abstract, in.InterfaceObject, in.Keys})
		}
	}
	return list
}

// enter picks the key by which the candidate is entered: the one that opens
// the fewest subgraphs on the way, the first of equals.
func (p *planning) enter(t *supergraph.Type, c candidate, seats []seat, found []*route, level int) *route {
	var best *route
	for _, key := range c.keys {
		if !key.Resolvable || len(key.Fields) == 0 {
			continue
		}
		r := &route{subgraph: c.subgraph, as: c.as, object: c.object, key: key.Fields, level: level}
		if !p.supply(t, r, seats, found) {
			continue
		}
		if !typedSeat(seats) && !seatedAs(seats, c.as) {
			for _, via := range found {
				if !via.object {
					r.typeFrom = via
					r.chain = r.chain.union(via.chain)
					break
				}
			}
		}
		r.chain = r.chain.with(c.subgraph)
		if best == nil || r.chain.count() < best.chain.count() {
			best = r
		}
	}
	return best
}

// seatedAs says whether the type of one of the seats' positions is this one.
func seatedAs(seats []seat, as *supergraph.Type) bool {
	for _, s := range seats {
		if s.as == as {
			return true
		}
	}
	return false
}

// supply finds who brings each field of the route's key.
func (p *planning) supply(t *supergraph.Type, r *route, seats []seat, found []*route) bool {
fields:
	for _, item := range r.key {
		set := supergraph.FieldSet{item}
		for i, s := range seats {
			if p.suppliesAll(s, t, set) {
				r.suppliers = append(r.suppliers, supplier{seat: i})
				continue fields
			}
		}
		for _, via := range found {
			s := seat{subgraph: via.subgraph, as: via.as, object: via.object}
			if p.suppliesAll(s, t, set) {
				r.suppliers = append(r.suppliers, supplier{seat: -1, route: via})
				r.chain = r.chain.union(via.chain)
				continue fields
			}
		}
		return false
	}
	return true
}

// suppliesAll says whether the seat's subgraph alone resolves a field set.
func (p *planning) suppliesAll(s seat, t *supergraph.Type, set supergraph.FieldSet) bool {
	for _, item := range set {
		if item.Name == "" {
			if item.On != "" && item.On != t.Name && !p.member(item.On, t) {
				continue
			}
			if !p.suppliesAll(s, t, item.Fields) {
				return false
			}
			continue
		}
		in, provided := p.direct(s, t, item.Name, true)
		if in == nil {
			return false
		}
		if len(item.Fields) == 0 {
			continue
		}
		as := p.super.Type(in.Type.Name())
		if as == nil {
			return false
		}
		inner := p.newSeat(s.subgraph, as, provided)
		for _, member := range as.Members {
			if inner.holds(member) && !p.suppliesAll(inner, member, item.Fields) {
				return false
			}
		}
	}
	return true
}
