package plan

import "sort"

// search is a branch-and-bound over the open choices of one object type.
type search struct {
	p      *planning
	n      *node
	i      int
	seats  []seat
	open   []*choice
	rest   []int // least cost of the choices from here on
	picked []*option
	chosen []*option
	opened mask
	best   int
}

// cover takes a first solution: again and again the subgraph that resolves the
// most of what is left. The search then has something to beat.
func (s *search) cover(opened mask) {
	if len(s.open) < 3 {
		return
	}
	picked := make([]*option, len(s.open))
	start := opened
	for left := len(s.open); left > 0; {
		counts := map[int]int{}
		var best *option
		bestRate := 0
		for k, c := range s.open {
			if picked[k] != nil {
				continue
			}
			for _, o := range c.options {
				if o.route == nil {
					continue
				}
				counts[o.route.subgraph]++
				// Wants for each fetch, in hundredths.
				if rate := counts[o.route.subgraph] * 100 / max(1, opened.missing(o.route.chain)); rate > bestRate {
					best, bestRate = o, rate
				}
			}
		}
		for k, c := range s.open {
			if picked[k] != nil {
				continue
			}
			for _, o := range c.options {
				if best == nil || o.route != nil && o.route.subgraph == best.route.subgraph {
					picked[k] = o
					left--
					break
				}
			}
		}
		if best != nil {
			opened = opened.union(best.route.chain)
		}
	}
	cost := 0
	opened = start
	for _, o := range picked {
		price, after := s.price(o, opened)
		cost, opened = add(cost, add(price, o.cost)), after
	}
	s.best, s.opened, s.chosen = cost, opened, picked
}

func (s *search) run(k int, opened mask, cost int) {
	if s.best >= 0 && add(cost, s.rest[k]) >= s.best {
		return
	}
	if k == len(s.open) {
		s.best, s.opened = cost, opened
		s.chosen = append(s.chosen[:0], s.picked...)
		return
	}
	type step struct {
		option *option
		cost   int
		opened mask
	}
	steps := make([]step, 0, len(s.open[k].options))
	for _, o := range s.open[k].options {
		price, after := s.price(o, opened)
		steps = append(steps, step{o, add(price, o.cost), after})
	}
	sort.SliceStable(steps, func(a, b int) bool { return steps[a].cost < steps[b].cost })
	for j, next := range steps {
		s.p.explored++
		if j > 0 && s.best >= 0 && s.p.explored > s.p.options.Budget {
			return // out of budget: the greedy choice stands
		}
		s.picked[k] = next.option
		s.run(k+1, next.opened, add(cost, next.cost))
		if next.cost <= s.open[k].least() && next.opened.equal(opened) {
			return // nothing else can be better
		}
	}
}

// price is what the option opens beside what is open already.
func (s *search) price(o *option, opened mask) (int, mask) {
	if o.route == nil {
		return 0, opened
	}
	cost := s.p.opening(o.route, opened)
	after := opened.union(o.route.chain)
	if o.in == nil || len(o.in.Requires) == 0 {
		return cost, after
	}
	// What @requires asks for is resolved first.
	if s.p.explored > s.p.options.Budget {
		return cost + costFetch, after
	}
	needs := s.p.needsOf(s.n, s.i, o.in.Requires)
	if needs.busy {
		return add(cost, costImpossible), after
	}
	needs.busy = true
	_, more := s.p.decide(needs, s.i, s.seats, &after)
	needs.busy = false
	return add(cost, more), after
}

func (p *planning) opening(r *route, opened mask) int {
	count := opened.missing(r.chain)
	if count == 0 {
		return 0
	}
	return count*costFetch + r.level*costLevel
}
