package plan

import (
	"math"
	"sort"
)

// finish settles the conditions of all entries, drops the fetches that nothing
// needs, and gives the others their levels.
func (p *planning) finish() {
	for _, f := range p.fetches {
		p.askTypes(f.place)
	}
	p.awaitTypes()
	p.levels()
	for k := len(p.fetches) - 1; k >= 0; k-- {
		p.settle(p.fetches[k])
	}
	kept := p.fetches[:0]
	for _, f := range p.fetches {
		if f.when.never() {
			continue
		}
		after := f.after[:0]
		for _, before := range f.after {
			if !before.when.never() {
				after = append(after, before)
			}
		}
		f.after = after
		kept = append(kept, f)
	}
	p.fetches = kept
	p.levels()
	for _, f := range p.fetches {
		f.place.note()
	}
	p.separate()
}

// askTypes asks __typename wherever objects of several types can stand: a node
// may have got more of them after a fetch was asked for it.
func (p *planning) askTypes(pl *place) {
	for _, e := range pl.entries {
		for _, b := range e.branches {
			if child := b.place; child.node.abstract() && !child.object {
				p.askType(child)
			}
			p.askTypes(b.place)
		}
	}
}

// askType asks __typename at a place.
func (p *planning) askType(pl *place) {
	for k := range pl.node.types {
		if pl.types.has(k) {
			p.ask(pl, pl.node.internal(k, "__typename", nil), k, typename, nil).always = true
		}
	}
}

// awaitTypes lets fetches whose path depends on the true type of objects on the
// way wait for who tells it: an interface object does not.
func (p *planning) awaitTypes() {
	for _, f := range p.fetches {
		for s := f.node.parent; s != nil && s.holder.parent != nil; s = s.holder.parent {
			if s.types == nil || s.types.covers(s.holder.all()) || !s.holder.ambiguous(s, s.key) {
				continue
			}
			var tells *entry
			for _, e := range s.holder.typenames {
				if e.place.fetch.isBefore(f) {
					tells = e
					break
				}
				if tells == nil && !f.isBefore(e.place.fetch) {
					tells = e
				}
			}
			if tells != nil {
				f.waitFor(tells.place.fetch)
				f.tells = append(f.tells, tells)
			}
		}
	}
}

// settle computes when a fetch is needed, and makes what it needs be asked then too.
func (p *planning) settle(f *fetch) {
	f.when = never
	for _, e := range f.place.entries {
		f.when = f.when.or(e.when)
	}
	if f.when.never() {
		return
	}
	for _, e := range f.tells {
		if e.place.fetch != f {
			e.widen(f.when)
		}
	}
	for _, variable := range f.filled {
		for _, s := range variable.sources {
			widenAll(s.needs, f.when)
		}
	}
	if f.inputs == nil && f.node.parent != nil {
		f.node.entered[0].parent.widen(f.when)
	}
	for i := range f.node.types {
		in := f.inputs[i]
		if in == nil {
			continue
		}
		for _, e := range in.typeFrom {
			e.widen(f.when)
		}
		for _, list := range [][]*wants{in.keys, in.needs} {
			for _, ws := range list {
				widenAll(ws, f.when)
			}
		}
	}
}

func widenAll(ws *wants, when Condition) {
	for _, w := range ws.list {
		for _, e := range w.supplied {
			e.widen(when)
		}
		if w.inner != nil {
			widenAll(w.inner, when)
		}
	}
}

// rank orders entries: the gateway's own __typename, which tells a reader the
// type before the fields; the client's fields in the client's order; the others.
func (e *entry) rank() int {
	switch {
	case e.slot.positions != nil:
		return e.slot.positions[0].number
	case e.slot.name == "__typename":
		return -1
	}
	return math.MaxInt
}

// note tells the slots for which object types they are asked, and sorts the
// entries.
func (pl *place) note() {
	sort.SliceStable(pl.entries, func(i, j int) bool { return pl.entries[i].rank() < pl.entries[j].rank() })
	for _, e := range pl.entries {
		if e.when.never() && !e.always {
			continue
		}
		e.slot.asked = e.slot.asked.union(e.types)
		for _, b := range e.branches {
			b.place.note()
		}
	}
}

// levels numbers the fetches by their longest chain of predecessors and sorts
// them so that each comes after those it waits for.
func (p *planning) levels() {
	done := map[*fetch]bool{}
	var level func(f *fetch) int
	level = func(f *fetch) int {
		if done[f] {
			return f.level
		}
		done[f] = true
		f.level = 0
		for _, before := range f.after {
			f.level = max(f.level, level(before)+1)
		}
		return f.level
	}
	for _, f := range p.fetches {
		level(f)
	}
	sortFetches(p.fetches)
}
