package plan

import (
	"sort"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Costs: a fetch outweighs any number of fields, a later level breaks ties
// between fetches, and what cannot be resolved outweighs everything.
const (
	costField      = 1
	costLevel      = 50
	costFetch      = 10_000
	costImpossible = 1 << 40
)

// option is one way to resolve a wanted field for one object type.
type option struct {
	seat  int    // the seat that resolves it directly; -1 for a route
	route *route // the entity (or root) fetch that resolves it
	in    *supergraph.FieldIn
	// provided is what the subgraph resolves below beside its own.
	provided supergraph.FieldSet
	cost     int // the field and everything below it
	needs    *wants
}

// decision is how one want is resolved: by one option mostly, by several where
// no single subgraph reaches everything below the field.
type decision struct {
	want    *want
	options []*option
}

// cost is the least that resolving the wants costs, as far as the search saw,
// when the seats stand at their node.
func (p *planning) cost(ws *wants, seats []seat) int {
	if ws == nil || len(ws.list) == 0 {
		return 0
	}
	if ws.busy {
		return costImpossible // a circle of @requires
	}
	key := seatsKey(seats)
	if known, ok := ws.costs[key]; ok {
		return known
	}
	ws.busy = true
	total := 0
	var opened mask
	for i, t := range ws.node.types {
		var here []seat
		for _, s := range seats {
			if s.holds(t) {
				here = append(here, s)
			}
		}
		if len(here) == 0 {
			continue
		}
		_, cost := p.decide(ws, i, here, &opened)
		total = add(total, cost)
	}
	ws.busy = false
	if ws.costs == nil {
		ws.costs = map[string]int{}
	}
	ws.costs[key] = total
	return total
}

func add(a, b int) int { return min(a+b, costImpossible*1000) }

// decide chooses how the wants of one object type are resolved from the seats.
// Opened are the subgraphs that are fetched from at the node already; those
// that the choice opens are added.
func (p *planning) decide(ws *wants, i int, seats []seat, opened *mask) ([]decision, int) {
	n := ws.node
	t := n.types[i]
	var decisions []decision
	var open []*choice
	total := 0
	list := ws.list
	if ws == n.wants && !n.typeWhen.never() && n.parent != nil && !typedSeat(seats) {
		s := n.internal(i, "__typename", nil)
		list = append(list[:len(list):len(list)], &want{slot: s, types: mask(nil).with(i), when: n.typeWhen})
	}
	for _, w := range list {
		if !w.types.has(i) {
			continue
		}
		if n.parent == nil && isIntrospection(w.slot.name) {
			continue
		}
		c := p.choices(w, t, seats)
		if best := c.settled(); best != nil {
			decisions = append(decisions, decision{w, []*option{best}})
			total = add(total, best.cost)
			continue
		}
		open = append(open, c)
	}
	if len(open) == 0 {
		return decisions, total
	}
	sort.SliceStable(open, func(a, b int) bool { return len(open[a].options) < len(open[b].options) })
	s := search{p: p, n: n, i: i, seats: seats, open: open, best: -1}
	s.rest = make([]int, len(open)+1)
	for k := len(open) - 1; k >= 0; k-- {
		s.rest[k] = add(s.rest[k+1], open[k].least())
	}
	s.picked = make([]*option, len(open))
	s.cover(*opened)
	s.run(0, *opened, 0)
	for k, c := range open {
		options := []*option{s.chosen[k]}
		if c.together != nil && c.togetherCost < s.chosen[k].cost {
			options = c.together
			s.best += c.togetherCost - s.chosen[k].cost
		}
		if s.chosen[k].in == nil {
			options = nil
		}
		for _, o := range options {
			if o.route != nil {
				s.opened = s.opened.union(o.route.chain)
			}
		}
		decisions = append(decisions, decision{c.want, options})
	}
	*opened = s.opened
	order := make(map[*want]int, len(list))
	for k, w := range list {
		order[w] = k
	}
	sort.SliceStable(decisions, func(a, b int) bool { return order[decisions[a].want] < order[decisions[b].want] })
	return decisions, add(total, s.best)
}

func typedSeat(seats []seat) bool {
	for _, s := range seats {
		if !s.object {
			return true
		}
	}
	return false
}

// choice is a want with its options.
type choice struct {
	want    *want
	options []*option
	// together resolves the field in several subgraphs at once.
	together     []*option
	togetherCost int
}

func (c *choice) least() int {
	least := costImpossible
	for _, o := range c.options {
		least = min(least, o.cost)
	}
	if c.together != nil {
		least = min(least, c.togetherCost)
	}
	return least
}

// settled is an option that no other can beat: direct, and no fetch below it.
func (c *choice) settled() *option {
	for _, o := range c.options {
		if o.seat >= 0 && o.cost < costFetch {
			return o
		}
	}
	return nil
}

// choices lists the options of a want for one object type.
func (p *planning) choices(w *want, t *supergraph.Type, seats []seat) *choice {
	c := &choice{want: w}
	for k, s := range seats {
		in, provided := p.direct(s, t, w.slot.name, w.slot.client == "")
		if in == nil {
			continue
		}
		o := &option{seat: k, in: in, provided: provided}
		o.cost = p.optionCost(w, o, s.subgraph)
		c.options = append(c.options, o)
		if o.cost < costFetch {
			return c
		}
	}
	for _, r := range p.routes(t, seats) {
		in := p.routed(r, t, w.slot.name)
		if in == nil {
			continue
		}
		o := &option{seat: -1, route: r, in: in, provided: in.Provides}
		o.cost = p.optionCost(w, o, r.subgraph)
		c.options = append(c.options, o)
	}
	if len(c.options) > 1 && w.inner != nil && p.together(w) && c.least() >= costImpossible {
		p.combine(c, seats)
	}
	if len(c.options) == 0 {
		c.options = []*option{{seat: -1, cost: costImpossible}}
	}
	return c
}

// together says whether the field may be asked of several subgraphs at once: a
// mutation must run once, a subscription has one source.
func (p *planning) together(w *want) bool {
	return p.operation == "query" || w.slot.holder.parent != nil
}

// routed is the field as the subgraph resolves it after entering by the route.
func (p *planning) routed(r *route, t *supergraph.Type, name string) *supergraph.FieldIn {
	holder := t
	if r.object {
		holder = r.as
	}
	if name == "__typename" {
		if r.object || r.root {
			return nil
		}
		return typename
	}
	field := holder.Field(name)
	if field == nil {
		return nil
	}
	in := field.For(r.subgraph)
	if in == nil || !p.usable(in, false) {
		return nil
	}
	return in
}

// optionCost is the cost of the field and all below it when the subgraph resolves it.
func (p *planning) optionCost(w *want, o *option, subgraph int) int {
	p.explored++
	cost := costField
	if w.inner != nil && o.in != typename {
		if as := p.super.Type(o.in.Type.Name()); as != nil {
			cost = add(cost, p.cost(w.inner, []seat{p.newSeat(subgraph, as, o.provided)}))
		}
	}
	return cost
}

// combine looks for a set of subgraphs that together reach everything below
// the field: their objects are merged. Subgraphs that add nothing are dropped.
func (p *planning) combine(c *choice, seats []seat) {
	cost := func(options []*option) int {
		var inner []seat
		for _, o := range options {
			subgraph := 0
			if o.seat >= 0 {
				subgraph = seats[o.seat].subgraph
			} else {
				subgraph = o.route.subgraph
			}
			if as := p.super.Type(o.in.Type.Name()); as != nil {
				inner = append(inner, p.newSeat(subgraph, as, o.provided))
			}
		}
		return add(costField*len(options), p.cost(c.want.inner, inner))
	}
	// A subgraph that answers directly makes the route to it needless.
	var set []*option
	for _, o := range c.options {
		repeated := false
		for _, other := range set {
			repeated = repeated || o.route != nil && other.seat >= 0 && seats[other.seat].subgraph == o.route.subgraph
		}
		if !repeated {
			set = append(set, o)
		}
	}
	total := cost(set)
	for k := len(set) - 1; k >= 0 && len(set) > 1; k-- {
		fewer := append(append([]*option{}, set[:k]...), set[k+1:]...)
		if less := cost(fewer); less <= total {
			set, total = fewer, less
		}
	}
	if len(set) > 1 {
		c.together, c.togetherCost = set, total
	}
}
