package plan

import (
	"sort"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// path is one way from the root to a node, and the object types to which it
// leads.
type path struct {
	steps []Step
	types mask
}

// paths lead from the root to the node: one, or more where a field on the way
// bears different keys by the type of its holder.
func (p *planning) paths(n *node) []path {
	if n.parent == nil {
		return []path{{nil, n.all()}}
	}
	s := n.parent
	holder := s.holder
	var found []path
	for _, before := range p.paths(holder) {
		byKey := map[string]mask{}
		var order []string
		for i := range holder.types {
			if !before.types.has(i) || !s.asked.has(i) {
				continue
			}
			key := s.keyFor(i)
			if byKey[key] == nil {
				order = append(order, key)
			}
			byKey[key] = byKey[key].with(i)
		}
		sort.Strings(order)
		for _, key := range order {
			steps := append(append(make([]Step, 0, len(before.steps)+1), before.steps...), Step{Key: key})
			if len(before.steps) > 0 && holder.ambiguous(s, key) {
				steps[len(before.steps)-1].Types = holder.names(byKey[key])
			}
			found = append(found, path{steps, n.from(s, byKey[key])})
		}
	}
	return found
}

// from are the object types to which the field leads from the holder's types.
func (n *node) from(s *slot, holders mask) mask {
	var types mask
	var last *supergraph.Type
	for i, holder := range s.holder.types {
		if holders.has(i) {
			if target := holder.Target(s.name); target != nil && target != last {
				last = target
				types = types.union(n.mask(target.Members))
			}
		}
	}
	return types
}

// ambiguous says whether another field of the node bears the key for other object types.
func (n *node) ambiguous(s *slot, key string) bool {
	for _, other := range n.slots {
		if other == s {
			continue
		}
		if other.key == key {
			return true
		}
		for _, otherKey := range other.keys {
			if otherKey == key {
				return true
			}
		}
	}
	return false
}

// keys are the keys of the merged data that fetches bring, as a tree.
type keys map[string]keys

func (k keys) add(selections []*Selection) {
	if k == nil {
		return
	}
	for _, s := range selections {
		if s.Name == "" {
			k.add(s.Selections)
			continue
		}
		below := k[s.Key()]
		if below == nil {
			below = keys{}
			k[s.Key()] = below
		}
		below.add(s.Selections)
	}
}

// at is the tree below a path; nil where no fetch brings a key of it.
func (k keys) at(steps []Step) keys {
	for _, step := range steps {
		k = k[step.Key]
	}
	return k
}

// real keeps the paths that lead to something: by the types alone a path may
// seem possible that no fetch asks for. One is kept in any case.
func (k keys) real(paths []path) []path {
	if len(paths) < 2 {
		return paths
	}
	var kept []path
	for _, path := range paths {
		if k.at(path.steps) != nil {
			kept = append(kept, path)
		}
	}
	if kept == nil {
		return paths[:1]
	}
	return kept
}
