package plan

import (
	"fmt"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// occurrence is one place of the operation that asks for a field, after
// fragments are inlined.
type occurrence struct {
	field *ast.Field
	types mask        // object types of the node for which it asks
	when  Alternative // the conditions on the way to it, all of them
	// number counts the occurrences of the node.
	number int
	denied bool // to these object types: null stands for the field
}

// collection gathers the occurrences of one node by response key.
type collection struct {
	node    *node
	order   []string
	byKey   map[string][]occurrence
	visited map[string]bool // fragments already spread here, by name, types and condition
}

// collect fills a node with the slots of the selections that lead to it.
func (p *planning) collect(n *node, sets []selectionUnder) error {
	c := &collection{node: n, byKey: map[string][]occurrence{}, visited: map[string]bool{}}
	for _, set := range sets {
		if err := p.collectSet(c, set.set, n.all(), set.when); err != nil {
			return err
		}
	}
	for _, key := range c.order {
		if err := p.addSlots(n, key, c.byKey[key]); err != nil {
			return err
		}
	}
	sort.SliceStable(n.slots, func(i, j int) bool { return n.slots[i].positions[0].number < n.slots[j].positions[0].number })
	n.wants = &wants{node: n}
	n.typeWhen = never
	if n.withheld = p.withheld(n); n.withheld != nil {
		n.typeWhen = nil // always
	}
	for _, s := range n.slots {
		if s.denied {
			if n.abstract() && !s.types.covers(n.all()) {
				n.typeWhen = n.typeWhen.or(s.when)
			}
			continue
		}
		w := &want{slot: s, types: s.types, when: s.when}
		if s.child != nil {
			w.inner = s.child.wants
		}
		n.wants.list = append(n.wants.list, w)
		if n.abstract() && (s.name == "__typename" || !s.types.covers(n.all())) {
			n.typeWhen = n.typeWhen.or(s.when)
		}
	}
	return nil
}

// selectionUnder is a selection set and the conditions on the way to it.
type selectionUnder struct {
	set  ast.SelectionSet
	when Alternative
}

func (p *planning) collectSet(c *collection, set ast.SelectionSet, types mask, when Alternative) error {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			inner, asked := p.condition(selection.Directives, when)
			if !asked {
				continue
			}
			key := selection.Alias
			if key == "" {
				key = selection.Name
			}
			if c.byKey[key] == nil {
				c.order = append(c.order, key)
			}
			c.byKey[key] = append(c.byKey[key], occurrence{field: selection, types: types, when: inner, number: p.fields})
			if p.fields++; p.fields > p.options.MaxFields {
				return fmt.Errorf("plan: more than %d fields after fragments are inlined", p.options.MaxFields)
			}
		case *ast.InlineFragment:
			inner, asked := p.condition(selection.Directives, when)
			if !asked {
				continue
			}
			narrowed := p.narrow(c.node, types, selection.TypeCondition)
			if narrowed.empty() {
				continue
			}
			if err := p.collectSet(c, selection.SelectionSet, narrowed, inner); err != nil {
				return err
			}
		case *ast.FragmentSpread:
			inner, asked := p.condition(selection.Directives, when)
			if !asked {
				continue
			}
			fragment := p.fragments[selection.Name]
			if fragment == nil {
				return fmt.Errorf("plan: unknown fragment %q", selection.Name)
			}
			narrowed := p.narrow(c.node, types, fragment.TypeCondition)
			if narrowed.empty() {
				continue
			}
			visit := fmt.Sprint(selection.Name, narrowed, inner)
			if c.visited[visit] {
				continue
			}
			c.visited[visit] = true
			if err := p.collectSet(c, fragment.SelectionSet, narrowed, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// narrow keeps the object types that satisfy a fragment's type condition.
func (p *planning) narrow(n *node, types mask, condition string) mask {
	if condition == "" || condition == n.typ.Name && !n.mixed {
		return types
	}
	t := p.super.Type(condition)
	if t == nil {
		return nil
	}
	return types.intersect(n.mask(t.Members))
}

// condition adds @skip and @include to the conditions on the way; false where
// the selection can never be asked.
func (p *planning) condition(directives ast.DirectiveList, when Alternative) (Alternative, bool) {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		argument := directive.Arguments.ForName("if")
		if argument == nil {
			continue
		}
		is := directive.Name == "include"
		if argument.Value.Kind != ast.Variable {
			if (argument.Value.Raw == "true") != is {
				return nil, false
			}
			continue
		}
		joined, possible := when.and(Literal{Variable: argument.Value.Raw, Is: is})
		if !possible {
			return nil, false
		}
		when = joined
	}
	return when, true
}

// addSlots makes the slots of one response key: one for each group of object
// types that the same occurrences ask for.
func (p *planning) addSlots(n *node, key string, occurrences []occurrence) error {
	occurrences, err := p.deny(n, key, occurrences)
	if err != nil || len(occurrences) == 0 {
		return err
	}
	return p.group(n, key, occurrences)
}

// group makes the slots for occurrences that are all denied, or none.
func (p *planning) group(n *node, key string, occurrences []occurrence) error {
	all := n.all()
	whole := true
	for _, o := range occurrences {
		whole = whole && o.types.covers(all)
	}
	if whole {
		return p.addSlot(n, key, all, occurrences)
	}
	var order []string
	groups := map[string]mask{}
	for i := range n.types {
		var asking strings.Builder
		for _, o := range occurrences {
			if o.types.has(i) {
				asking.WriteByte('1')
			} else {
				asking.WriteByte('0')
			}
		}
		signature := asking.String()
		if !strings.Contains(signature, "1") {
			continue
		}
		if groups[signature] == nil {
			order = append(order, signature)
		}
		groups[signature] = groups[signature].with(i)
	}
	sort.Strings(order)
	for _, signature := range order {
		var asking []occurrence
		for i, o := range occurrences {
			if signature[i] == '1' {
				asking = append(asking, o)
			}
		}
		if err := p.addSlot(n, key, groups[signature], asking); err != nil {
			return err
		}
	}
	return nil
}

// addSlot adds the slot that the occurrences ask for. In a mutation's root, where
// the order is that of the changes, each position is a slot of its own.
func (p *planning) addSlot(n *node, key string, types mask, occurrences []occurrence) error {
	positions, starts := positionsOf(occurrences)
	if n.parent == nil && p.operation == ast.Mutation && len(positions) > 1 {
		for k, at := range positions {
			own := under(occurrences[starts[k]:], at.when)
			if err := p.addSlotAt(n, key, types, own, []position{at}); err != nil {
				return err
			}
		}
		return nil
	}
	return p.addSlotAt(n, key, types, occurrences, positions)
}

// under are the occurrences where the condition holds too.
func under(occurrences []occurrence, when Condition) []occurrence {
	if when == nil {
		return occurrences
	}
	var list []occurrence
	for _, o := range occurrences {
		for _, alternative := range when.andAlternative(o.when) {
			copied := o
			copied.when = alternative
			list = append(list, copied)
		}
	}
	return list
}

// positionsOf are the positions that a field takes by its occurrences, and for
// each the occurrence that it begins with.
func positionsOf(occurrences []occurrence) ([]position, []int) {
	var positions []position
	var starts []int
	var rest Condition  // that no earlier occurrence holds
	var begun Condition // rest at the start of the last position
	possible := true
	end := -1 // the last occurrence of the run in which the last position begins
	for k, o := range occurrences {
		here := rest.andAlternative(o.when)
		if o.number == end+1 && len(positions) > 0 {
			// Nothing stands between them.
			end = o.number
			last := len(positions) - 1
			positions[last].when = positions[last].when.or(begun.andAlternative(o.when))
		} else if !here.never() {
			end, begun = o.number, rest
			positions, starts = append(positions, position{o.number, here}), append(starts, k)
		}
		if len(o.when) == 0 {
			break
		}
		if rest, possible = rest.without(o.when); !possible {
			// Too many conditions: the first position must do.
			either := never
			for _, o := range occurrences {
				either = either.orAlternative(o.when)
			}
			return []position{{occurrences[0].number, either}}, []int{0}
		}
		if rest.never() {
			break
		}
	}
	return positions, starts
}

func (p *planning) addSlotAt(n *node, key string, types mask, occurrences []occurrence, positions []position) error {
	first := occurrences[0].field
	s := &slot{
		holder: n, key: key, client: key, name: first.Name,
		arguments: first.Arguments, printed: printArguments(first.Arguments),
		types: types, when: never, positions: positions, denied: occurrences[0].denied,
	}
	if n.parent == nil && p.operation == ast.Mutation && n.keyTaken(key) {
		s.key = n.freeKey(key)
	}
	sets := make([]selectionUnder, 0, len(occurrences))
	for _, o := range occurrences {
		s.when = s.when.orAlternative(o.when)
		if len(o.field.SelectionSet) > 0 {
			sets = append(sets, selectionUnder{o.field.SelectionSet, o.when})
		}
	}
	n.slots = append(n.slots, s)
	if s.denied || s.name == "__typename" {
		return nil
	}
	if n.parent == nil && isIntrospection(s.name) {
		merged := *first
		merged.SelectionSet = nil
		for _, o := range occurrences {
			merged.SelectionSet = append(merged.SelectionSet, o.field.SelectionSet...)
		}
		s.merged = &merged
		return nil
	}
	if s.child = p.childNode(s, types, true); s.child == nil {
		return nil
	}
	if len(p.nodes) > p.options.MaxFields {
		return fmt.Errorf("plan: more than %d fields after fragments are inlined", p.options.MaxFields)
	}
	return p.collect(s.child, sets)
}

// childNode makes the node that a field of the holder's types leads to; nil
// for a leaf field.
func (p *planning) childNode(s *slot, types mask, client bool) *node {
	child := &node{parent: s}
	p.widenNode(child, s, types, client)
	if child.typ == nil {
		return nil
	}
	p.nodes = append(p.nodes, child)
	return child
}

// widenNode adds to a node what the field leads to from the holder's types.
func (p *planning) widenNode(child *node, s *slot, types mask, client bool) {
	members := make(map[*supergraph.Type]bool, len(child.types)+1)
	for _, member := range child.types {
		members[member] = true
	}
	var previous *supergraph.Type
	for i, holder := range s.holder.types {
		if !types.has(i) {
			continue
		}
		t := holder.Target(s.name)
		if t == nil || t == previous {
			continue
		}
		previous = t
		if child.typ == nil {
			child.typ = t
		} else if child.typ != t {
			// Covariant field types: the holder's own type says what is common. Where that
			// is a union, or mixed itself, nothing does.
			if common := s.holder.typ.Target(s.name); common != nil && !s.holder.mixed {
				child.typ = common
			} else {
				child.mixed = true
			}
		}
		for _, member := range t.Members {
			if !members[member] && !(client && member.Inaccessible) {
				members[member] = true
				child.types = append(child.types, member)
			}
		}
	}
}
