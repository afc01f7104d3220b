package plan

import (
	"fmt"
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

// join lets entity fetches of one subgraph that ask differing things travel in
// one request, each as an `_entities` field under an alias of its own. They must
// wait for the same fetches, so that none is sent later than alone, and the same
// fetches must wait for them, so that a slow one holds up nothing that needs only
// the others.
func (p *planning) join(plan *Plan) {
	next := make([][]int, len(plan.Fetches))
	for id, f := range plan.Fetches {
		for _, before := range f.After {
			next[before] = append(next[before], id)
		}
	}
	groups := map[string][]*Fetch{}
	joined := false
	for id, f := range plan.Fetches {
		if f.Inputs == nil || f.Contexts != nil {
			continue
		}
		key := fmt.Sprint(f.Subgraph, f.After, next[id])
		groups[key] = append(groups[key], f)
		joined = joined || len(groups[key]) > 1
	}
	if !joined {
		return
	}
	numbers := make([]int, len(plan.Fetches))
	var kept []*Fetch
	for id, f := range plan.Fetches {
		group := groups[fmt.Sprint(f.Subgraph, f.After, next[id])]
		switch {
		case f.Inputs == nil || f.Contexts != nil || len(group) == 1:
			numbers[id] = len(kept)
			kept = append(kept, f)
		case group[0] == f:
			whole := p.whole(group)
			for _, part := range group {
				numbers[part.ID] = len(kept)
			}
			kept = append(kept, whole)
		}
	}
	for id, f := range kept {
		f.ID = id
		for i, before := range f.After {
			f.After[i] = numbers[before]
		}
		slices.Sort(f.After)
		f.After = slices.Compact(f.After)
		for _, part := range f.Parts {
			part.ID, part.After = 0, nil
		}
	}
	plan.Fetches = kept
}

// whole is the request that carries the parts.
func (p *planning) whole(parts []*Fetch) *Fetch {
	f := &Fetch{Subgraph: parts[0].Subgraph, Operation: ast.Query, After: parts[0].After, Parts: parts, When: never}
	used := map[string]bool{}
	for _, part := range parts {
		f.When = f.When.or(part.When)
		for _, name := range part.UsedVariables {
			used[name] = true
		}
	}
	for name := range used {
		f.UsedVariables = append(f.UsedVariables, name)
	}
	sort.Strings(f.UsedVariables)
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = representationsVariable(fmt.Sprint("r", i), used)
		part.Representations = names[i]
		part.Document = asked(p.variables, part.UsedVariables, part)
		part.Alias = fmt.Sprint("e", i)
	}
	f.Document = asked(p.variables, f.UsedVariables, parts...)
	return f
}
