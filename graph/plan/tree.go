package plan

import (
	"sort"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// node is a position in the merged data: the objects that one field leads to
// (or the root). The tree of nodes is the client's selection, fragments
// inlined, and what keys and @requires ask for beside it.
type node struct {
	typ *supergraph.Type // the field's type in the supergraph
	// mixed is set where the holders' fields lead to different types that no type
	// of the holder has in common: typ is only the first of them.
	mixed bool
	// types are the object types that can stand here; masks of the node count by
	// their position. The list may grow at its end, it never shrinks.
	types  []*supergraph.Type
	parent *slot // nil at the root
	slots  []*slot
	wants  *wants // what the client asks for here
	// typeWhen says when the true type of the objects must be known.
	typeWhen Condition
	// withheld are the object types whose objects the client may not see.
	withheld []string

	// What has been built so far.
	entered   []*place // places that reach the node through the parent's field
	typenames []*entry // who asks __typename here
	hops      []*fetch // entity fetches at this node
	// populations are the places of each population of objects, see build.
	populations [][]*place
	needs       map[needKey]*wants // what field sets ask for here, see wants.go
}

// slot is one field of a node.
type slot struct {
	holder *node
	// key is the field's key in the merged data; a client's slot starts with its response key.
	key       string
	client    string // the client's response key; "" of an internal slot
	name      string
	arguments ast.ArgumentList
	printed   string // the arguments as text
	types     mask   // object types of the holder for which the client asked; nil of an internal slot
	// positions are where the field stands in the answer: the first of its
	// occurrences whose condition holds. Several exclude each other.
	positions []position
	asked     mask // object types for which some fetch asks it
	when      Condition
	child     *node // nil for a leaf
	leaf      bool  // of an internal slot: whether it is for holders whose field is a leaf
	// keys holds the key for some object types where it must differ from key
	// (their subgraph types cannot be asked under one key); nil mostly.
	keys   map[int]string
	fields []*Output // what the client asks below, once emitted
	// merged, of a root introspection field, is the field with all its selections.
	merged *ast.Field
	// denied says that the client may not see the field: nothing is fetched for it.
	denied bool
}

// position is a place in the order of the answer, and when it is taken.
type position struct {
	number int
	when   Condition
}

// keyFor is the key under which an object of the holder's i-th type carries the slot.
func (s *slot) keyFor(i int) string {
	if key, ok := s.keys[i]; ok {
		return key
	}
	return s.key
}

func (n *node) all() mask { return fullMask(len(n.types)) }

// index is the position of an object type; -1 when it cannot stand here.
func (n *node) index(t *supergraph.Type) int {
	for i, other := range n.types {
		if other == t {
			return i
		}
	}
	return -1
}

// abstract says whether objects of different types can stand here.
func (n *node) abstract() bool { return n.typ.Abstract() || len(n.types) > 1 }

// mask is the set of the given object types, as far as they can stand here.
func (n *node) mask(types []*supergraph.Type) mask {
	if len(n.types) == 1 {
		for _, t := range types {
			if t == n.types[0] {
				return mask{1}
			}
		}
		return mask{0}
	}
	m := make(mask, (len(n.types)+63)/64)
	// Members are sorted by name; the node's list almost is.
	in := make(map[*supergraph.Type]bool, len(types))
	for _, t := range types {
		in[t] = true
	}
	for i, t := range n.types {
		if in[t] {
			m = m.with(i)
		}
	}
	return m
}

// names are the names of the object types in the mask, sorted.
func (n *node) names(m mask) []string {
	var names []string
	for i, t := range n.types {
		if m.has(i) {
			names = append(names, t.Name)
		}
	}
	sort.Strings(names)
	return names
}

// internal finds or adds the slot of a field that the gateway itself needs of
// the holder's i-th type.
func (n *node) internal(i int, name string, arguments ast.ArgumentList) *slot {
	printed := printArguments(arguments)
	target := n.types[i].Target(name)
	for _, s := range n.slots {
		if name == "__typename" && s.name == name && s.key == name {
			return s // one for all types: what the client did not ask is not shown
		}
		if s.name == name && !s.denied && s.printed == printed && (s.types == nil && s.leaf == (target == nil) || s.types.has(i)) {
			return s
		}
	}
	s := &slot{holder: n, name: name, arguments: arguments, printed: printed, key: n.freeKey(name), when: never, leaf: target == nil}
	n.slots = append(n.slots, s)
	return s
}

// freeKey is the name, or with a number the first like it that no slot of the node bears.
func (n *node) freeKey(name string) string {
	key := name
	for number := 1; n.keyTaken(key); number++ {
		key = strings.TrimLeft(name, "_") + "_" + strconv.Itoa(number)
	}
	return key
}

func (n *node) keyTaken(key string) bool {
	for _, s := range n.slots {
		if s.key == key {
			return true
		}
		for _, other := range s.keys {
			if other == key {
				return true
			}
		}
	}
	return false
}

// printArguments prints arguments as they stand in a document, with parentheses.
func printArguments(arguments ast.ArgumentList) string {
	if len(arguments) == 0 {
		return ""
	}
	var b strings.Builder
	writeArguments(&b, arguments)
	return b.String()
}

func writeArguments(b *strings.Builder, arguments ast.ArgumentList) {
	for i, argument := range arguments {
		if i == 0 {
			b.WriteByte('(')
		} else {
			b.WriteByte(',')
		}
		b.WriteString(argument.Name)
		b.WriteByte(':')
		b.WriteString(argument.Value.String())
	}
	if len(arguments) > 0 {
		b.WriteByte(')')
	}
}
