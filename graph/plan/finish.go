package plan

import "github.com/citizencloud/citizencloud/graph/supergraph"

// finish settles the conditions of all entries, drops the fetches that nothing
// needs, and gives the others their levels.
func (p *planning) finish() {
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
	p.separate()
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

// basic says whether the entry can be asked on the position's own type, not
// only inside fragments on object types.
func (e *entry) basic() bool {
	pl := e.place
	switch {
	case pl.entity:
		return false
	case pl.object:
		return true
	case pl.as == nil || len(e.slot.keys) > 0 || !e.types.covers(pl.types):
		return false
	case pl.as.Kind == "OBJECT" || e.slot.name == "__typename":
		return true
	}
	field := pl.as.Field(e.slot.name)
	return field != nil && field.For(pl.fetch.subgraph) != nil
}

// fieldIn is the field as the place's subgraph defines it: on the position's
// own type (i < 0), or on the i-th object type.
func (e *entry) fieldIn(i int) *supergraph.FieldIn {
	pl := e.place
	if e.slot.name == "__typename" {
		return nil
	}
	holder := pl.as
	if pl.entity && i >= 0 {
		holder = pl.node.types[i]
		if in := pl.fetch.inputs[i]; in != nil && in.object {
			holder = in.as
		}
	} else if i >= 0 {
		holder = pl.node.types[i]
	}
	if field := holder.Field(e.slot.name); field != nil {
		return field.For(pl.fetch.subgraph)
	}
	return nil
}
