package plan

import (
	"slices"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// wants is a list of fields that one node must provide: the client's, or those
// of one field set (a key or @requires) for one object type.
type wants struct {
	node *node
	list []*want
	of   *supergraph.FieldSelection // tells the field set; nil of the client's wants
	// costs remembers what the list costs from given seats, see choose.go.
	costs map[string]int
	busy  bool            // its cost is being computed: a circular @requires
	built map[string]bool // the places for which building has begun
	// finished are the populations for which it is built, see builtFor.
	finished [][]*place
}

// want is one field of the list.
type want struct {
	slot  *slot
	types mask // object types of the node for which it is wanted
	when  Condition
	inner *wants // nil for a leaf
	// supplied lists the entries that bring the field, once built.
	supplied []*entry
}

type needKey struct {
	typ   int // the node's object type by position
	first *supergraph.FieldSelection
	size  int
}

// builtFor says whether all wants have been built for the population: not while
// that goes on, as a circular @requires finds.
func (ws *wants) builtFor(places []*place) bool {
	for _, other := range ws.finished {
		if slices.Equal(other, places) {
			return true
		}
	}
	return false
}

// needsOf are the wants of a field set for the node's i-th object type.
func (p *planning) needsOf(n *node, i int, set supergraph.FieldSet) *wants {
	key := needKey{i, set[0], len(set)}
	if w := n.needs[key]; w != nil {
		return w
	}
	w := &wants{node: n, of: set[0]}
	p.addNeeds(w, mask(nil).with(i), set)
	if n.needs == nil {
		n.needs = map[needKey]*wants{}
	}
	n.needs[key] = w
	return w
}

// addNeeds adds the fields of a set for the given object types of the node.
func (p *planning) addNeeds(w *wants, types mask, set supergraph.FieldSet) {
	n := w.node
	for _, item := range set {
		if item.Name == "" {
			narrowed := types
			if item.On != "" {
				if on := p.super.Type(item.On); on != nil {
					narrowed = types.intersect(n.mask(on.Members))
				}
			}
			if !narrowed.empty() {
				p.addNeeds(w, narrowed, item.Fields)
			}
			continue
		}
		for i := range n.types {
			if types.has(i) {
				p.addNeed(w, i, item)
			}
		}
	}
}

func (p *planning) addNeed(w *wants, i int, item *supergraph.FieldSelection) {
	n := w.node
	if item.Name != "__typename" && n.types[i].Field(item.Name) == nil {
		return
	}
	s := n.internal(i, item.Name, item.Arguments)
	var need *want
	for _, other := range w.list {
		if other.slot == s {
			need = other
		}
	}
	if need == nil {
		need = &want{slot: s, when: never}
		w.list = append(w.list, need)
	}
	need.types = need.types.with(i)
	if len(item.Fields) == 0 {
		return
	}
	if s.child == nil {
		if s.child = p.childNode(s, mask(nil).with(i), false); s.child == nil {
			return
		}
	} else {
		p.widenNode(s.child, s, mask(nil).with(i), s.client != "")
	}
	if need.inner == nil {
		need.inner = &wants{node: s.child}
	}
	below := s.child.from(s, mask(nil).with(i))
	if n.types[i].Target(s.name).Abstract() {
		// The subgraph that gets the representation must know the true type.
		p.addNeeds(need.inner, below, supergraph.FieldSet{{Name: "__typename"}})
	}
	p.addNeeds(need.inner, below, item.Fields)
}
