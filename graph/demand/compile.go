package demand

import (
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/plan"
)

// mostVisits bounds the fields that are looked at while object types are told
// apart. An operation that is made to exceed it is estimated as if every
// fragment applied: never too low.
const mostVisits = 50_000

// Estimate readies the estimate of an operation whose document was validated
// against the public schema.
func (m *Model) Estimate(operation *ast.OperationDefinition) *Estimate {
	root, base := m.public.Query, 0.0
	switch operation.Operation {
	case ast.Mutation:
		root, base = m.public.Mutation, WeightMutation
	case ast.Subscription:
		root = m.public.Subscription
	}
	c := &compiler{model: m}
	top := c.set(root, []under{{set: operation.SelectionSet}}, nil)
	if c.visits > mostVisits {
		c = &compiler{model: m, coarse: true}
		top = c.set(root, []under{{set: operation.SelectionSet}}, nil)
	}
	top.fixed += base
	return finish(top)
}

type compiler struct {
	model  *Model
	coarse bool // every fragment applies
	visits int
}

// under is a selection set, and the condition on the way to it.
type under struct {
	set  ast.SelectionSet
	when plan.Alternative
}

// occurrence is one place that asks for a field.
type occurrence struct {
	field *ast.Field
	when  plan.Alternative
	// types are the object types for which it asks; nil means all.
	types map[string]bool
}

// sized are the sizes that a field hands on to fields below it.
type sized []handed

type handed struct {
	path []string
	size *size
}

// set is the cost of selections on a type, fragments inlined and equal response
// keys merged.
func (c *compiler) set(holder *ast.Definition, sets []under, hand sized) *expression {
	if !c.coarse && c.visits > mostVisits {
		return &expression{} // the work begins anew
	}
	var order []string
	byKey := map[string][]occurrence{}
	typed := false
	spread := map[string]bool{}
	var collect func(set ast.SelectionSet, when plan.Alternative, types map[string]bool)
	collect = func(set ast.SelectionSet, when plan.Alternative, types map[string]bool) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if strings.HasPrefix(s.Name, "__") || s.Definition == nil || s.ObjectDefinition == nil {
					continue
				}
				c.visits++
				if inner, asked := condition(s.Directives, when); asked {
					key := s.Alias
					if key == "" {
						key = s.Name
					}
					if c.coarse { // fields of different types may share the key there
						key += " " + s.ObjectDefinition.Name
					}
					if byKey[key] == nil {
						order = append(order, key)
					}
					byKey[key] = append(byKey[key], occurrence{s, inner, types})
					typed = typed || types != nil
				}
			case *ast.InlineFragment:
				if inner, asked := condition(s.Directives, when); asked {
					collect(s.SelectionSet, inner, c.narrow(holder, types, s.TypeCondition))
				}
			case *ast.FragmentSpread:
				inner, asked := condition(s.Directives, when)
				if !asked || s.Definition == nil {
					continue
				}
				narrowed := c.narrow(holder, types, s.Definition.TypeCondition)
				visit := s.Name + printed(inner)
				if narrowed == nil && spread[visit] {
					continue // the same once more adds nothing
				}
				if narrowed == nil {
					spread[visit] = true
				}
				collect(s.Definition.SelectionSet, inner, narrowed)
			}
		}
	}
	for _, one := range sets {
		collect(one.set, one.when, nil)
	}
	total := &expression{}
	if !typed {
		for _, key := range order {
			if part := c.field(byKey[key], hand); !part.free() {
				total.sum = append(total.sum, part)
			}
		}
		return total
	}
	known := map[string]*expression{}
	alternatives := map[string]bool{}
	for _, object := range c.model.public.GetPossibleTypes(holder) {
		var signature strings.Builder
		var parts []*expression
		for _, key := range order {
			var applies []occurrence
			mark := key + ":"
			for i, o := range byKey[key] {
				if o.types == nil || o.types[object.Name] {
					applies = append(applies, o)
					mark += strconv.Itoa(i) + ","
				}
			}
			if applies == nil {
				continue
			}
			signature.WriteString(mark)
			part := known[mark]
			if part == nil {
				part = c.field(applies, hand)
				known[mark] = part
			}
			if !part.free() {
				parts = append(parts, part)
			}
		}
		if text := signature.String(); !alternatives[text] && len(parts) > 0 {
			alternatives[text] = true
			total.most = append(total.most, &expression{sum: parts})
		}
	}
	return total
}

// field is the cost of one response key.
func (c *compiler) field(occurrences []occurrence, hand sized) *expression {
	first := occurrences[0]
	m := c.model
	weight := math.Inf(-1)
	var size *size
	var below sized
	when := first.when
	sets := make([]under, 0, len(occurrences))
	for _, o := range occurrences {
		weight = max(weight, m.fieldWeight(o.field.ObjectDefinition, o.field.Definition))
		if directive := m.listSize(o.field.ObjectDefinition, o.field.Name); directive != nil && size == nil && below == nil {
			said := sizeOf(directive, o.field.ObjectDefinition, o.field)
			for _, path := range directive.Sized {
				below = append(below, handed{path, said})
			}
			if len(directive.Sized) == 0 {
				size = said
			}
		}
		if len(o.when) == 0 || printed(o.when) != printed(when) {
			when = nil // asked one way or another
		}
		if len(o.field.SelectionSet) > 0 {
			sets = append(sets, under{set: o.field.SelectionSet, when: o.when})
		}
	}
	for _, h := range hand {
		if h.path[0] != first.field.Name {
			continue
		}
		if len(h.path) > 1 {
			below = append(below, handed{h.path[1:], h.size})
		} else if first.field.Definition.Type.Elem != nil {
			size = h.size
		}
	}
	made := &expression{fixed: weight}
	if len(sets) > 0 {
		if definition := m.public.Types[first.field.Definition.Type.Name()]; definition != nil {
			if part := c.set(definition, sets, below); !part.free() {
				made.sum = append(made.sum, part)
			}
		}
	}
	made = c.times(made, first.field.Definition.Type, size)
	arguments := c.arguments(first.field)
	if len(when) == 0 && arguments == nil {
		return made
	}
	outer := &expression{when: when}
	if !made.free() {
		outer.sum = append(outer.sum, made)
	}
	if arguments != nil {
		outer.fixed, outer.input = arguments.fixed, arguments.input
	}
	return outer
}

// times multiplies by the size of a list, and of the lists in it by the standard size.
func (c *compiler) times(one *expression, t *ast.Type, known *size) *expression {
	if t.Elem == nil {
		if known != nil && known.requireOne {
			return &expression{sum: []*expression{one, {size: known}}} // the size of nothing, but it must be said
		}
		return one
	}
	if t.Elem.Elem != nil {
		one = c.times(one, t.Elem, nil)
	}
	if known == nil {
		known = &size{assumed: ListSize}
	}
	if one.free() && !known.requireOne {
		return one
	}
	return &expression{size: known, sum: []*expression{one}}
}

// arguments is what the arguments that are given weigh; nil for nothing.
func (c *compiler) arguments(f *ast.Field) *expression {
	m, total := c.model, 0.0
	made := &expression{}
	for _, argument := range f.Arguments {
		definition := f.Definition.Arguments.ForName(argument.Name)
		if definition == nil || argument.Value.Kind == ast.NullValue {
			continue
		}
		weight, ok := m.costs.Weights[f.ObjectDefinition.Name+"."+f.Name+"("+argument.Name+":)"]
		if ok {
			total += weight
		}
		if m.weighty[definition.Type.Name()] {
			if made.input == nil {
				made.input = &inputs{model: m}
			}
			made.input.given = append(made.input.given, input{definition.Type, argument.Value})
		}
	}
	made.fixed = total
	if total == 0 && made.input == nil {
		return nil
	}
	return made
}

// narrow keeps the object types that satisfy a fragment's condition; nil where
// all of the holder's do.
func (c *compiler) narrow(holder *ast.Definition, types map[string]bool, name string) map[string]bool {
	if c.coarse || name == "" || name == holder.Name || holder.Kind == ast.Object {
		return types
	}
	definition := c.model.public.Types[name]
	if definition == nil {
		return types
	}
	narrowed := map[string]bool{}
	for _, member := range c.model.public.GetPossibleTypes(definition) {
		if types == nil || types[member.Name] {
			narrowed[member.Name] = true
		}
	}
	return narrowed
}

// condition adds @skip and @include to the conditions on the way; false where
// the selection can never be asked.
func condition(directives ast.DirectiveList, when plan.Alternative) (plan.Alternative, bool) {
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
		when = append(when[:len(when):len(when)], plan.Literal{Variable: argument.Value.Raw, Is: is})
	}
	return when, true
}

func printed(when plan.Alternative) string {
	text := ""
	for _, literal := range when {
		text += literal.Variable + strconv.FormatBool(literal.Is) + ","
	}
	return text
}
