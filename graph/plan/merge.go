package plan

// merge joins entity fetches that ask one subgraph the same of objects at
// different places: one call brings them all, if that makes nothing later.
func (p *planning) merge(out map[*fetch]*Fetch) {
	groups := map[string][]*fetch{}
	var order []string
	for _, f := range p.fetches {
		o := out[f]
		if o.Inputs == nil || len(o.When) > 0 || o.Contexts != nil {
			continue
		}
		key := o.Subgraph + "\n" + o.Document
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], f)
	}
	for _, key := range order {
		group := groups[key]
		for a := 0; a < len(group); a++ {
			for b := a + 1; b < len(group); b++ {
				if group[a].mergedInto != nil || group[b].mergedInto != nil {
					continue
				}
				p.mergePair(group[a], group[b], out)
			}
		}
	}
}

// mergePair merges b into a where neither waits for the other and the merged
// fetch would delay no fetch that waits for either.
func (p *planning) mergePair(a, b *fetch, out map[*fetch]*Fetch) {
	if a.isBefore(b) || b.isBefore(a) {
		return
	}
	latest := p.latest()
	if max(a.level, b.level) > min(latest[a], latest[b]) {
		return
	}
	target := out[a]
	target.Places = append(target.Places, &Place{Path: out[b].Path, Inputs: out[b].Inputs})
	target.Places = append(target.Places, out[b].Places...)
	for _, before := range b.after {
		a.waitFor(before)
	}
	b.mergedInto = a
	kept := p.fetches[:0]
	for _, f := range p.fetches {
		if f == b {
			continue
		}
		for k, before := range f.after {
			if before == b {
				f.after = append(f.after[:k:k], f.after[k+1:]...)
				f.waitFor(a)
				break
			}
		}
		kept = append(kept, f)
	}
	p.fetches = kept
	p.levels()
}

// latest is the last level at which each fetch can run without making the
// whole operation take longer.
func (p *planning) latest() map[*fetch]int {
	last := 0
	for _, f := range p.fetches {
		last = max(last, f.level)
	}
	latest := make(map[*fetch]int, len(p.fetches))
	for _, f := range p.fetches {
		latest[f] = last
	}
	for k := len(p.fetches) - 1; k >= 0; k-- {
		f := p.fetches[k]
		for _, before := range f.after {
			latest[before] = min(latest[before], latest[f]-1)
		}
	}
	return latest
}
