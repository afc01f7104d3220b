package authorize

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// gathering finds out what each object type and each of its fields requires.
type gathering struct {
	access  *supergraph.AccessRules
	rules   *Rules
	numbers map[string]int // of the rules, by what they say
	objects []*supergraph.Type
}

// gather fills the rules. Everything is said of object types: what comes at run
// time is an object, whatever interface, union or fragment it was asked through.
func (g *gathering) gather() {
	var objects []*supergraph.Type
	for _, definition := range g.rules.super.Full.Types {
		if t := g.rules.super.Type(definition.Name); t != nil && t.Kind == ast.Object {
			objects = append(objects, t)
		}
	}
	// In a fixed order, so that a rule has the same number at each start.
	slices.SortFunc(objects, func(a, b *supergraph.Type) int { return strings.Compare(a.Name, b.Name) })
	g.objects = objects
	for _, object := range objects {
		if set := g.object(object); set != nil {
			g.rules.objects[object] = set
		}
	}
	for _, object := range objects {
		for _, definition := range object.Definition.Fields {
			if set := g.field(object, definition.Name); set != nil {
				g.rules.fields[fieldOf{object, definition.Name}] = set
			}
		}
	}
	for _, object := range objects {
		for _, definition := range object.Definition.Fields {
			g.required(object, definition.Name)
		}
	}
}

// object is what objects of the type require: the type's own rules, and those
// of its interfaces that say more than their implementations.
func (g *gathering) object(t *supergraph.Type) Set {
	set := g.number(g.access.Type(t.Name))
	for _, parent := range t.Interfaces {
		if own := g.access.Type(parent.Name); own != nil {
			set = set.union(g.number(g.beyond(own, func(member *supergraph.Type) []supergraph.Access {
				return g.access.Type(member.Name)
			}, parent)))
		}
	}
	return set
}

// field is what the field requires besides its holder: its own rules, those of
// the interfaces that have it and say more than their implementations, and
// those of the type that it leads to.
func (g *gathering) field(t *supergraph.Type, name string) Set {
	set := g.number(g.access.Field(t.Name, name))
	for _, parent := range t.Interfaces {
		if own := g.access.Field(parent.Name, name); own != nil {
			set = set.union(g.number(g.beyond(own, func(member *supergraph.Type) []supergraph.Access {
				return append(slices.Clone(g.access.Type(member.Name)), g.access.Field(member.Name, name)...)
			}, parent)))
		}
	}
	target := g.rules.super.Type(t.Field(name).Definition.Type.Name())
	switch {
	case target == nil:
	case target.Kind == ast.Object:
		set = set.union(g.rules.objects[target])
	case target.Kind == ast.Scalar || target.Kind == ast.Enum:
		set = set.union(g.number(g.access.Type(target.Name)))
	}
	return set
}

// beyond are the rules of an interface that do not follow from those of its
// implementations. Newer compositions give an interface what all its
// implementations require together; that is said already, type by type. What
// goes beyond was written at the interface, and holds for whatever implements
// it: else a fragment on the object type would be a way around it.
func (g *gathering) beyond(own []supergraph.Access, of func(*supergraph.Type) []supergraph.Access, parent *supergraph.Type) []supergraph.Access {
	var said []supergraph.Access
	for _, member := range parent.Members {
		said = append(said, of(member)...)
	}
	var beyond []supergraph.Access
	for _, rule := range own {
		if !follows(rule, said) {
			beyond = append(beyond, rule)
		}
	}
	return beyond
}

// mostAlternatives bounds the comparison of rules; what is beyond it counts as
// not following, which is the stricter side.
const mostAlternatives = 1024

// follows says whether whoever satisfies all the rules said satisfies rule.
func follows(rule supergraph.Access, said []supergraph.Access) bool {
	if len(said) == 0 {
		return false
	}
	together := supergraph.Access{nil}
	var seen []string
	for _, other := range said {
		if text := textOf(other); slices.Contains(seen, text) {
			continue
		} else {
			seen = append(seen, text)
		}
		var next supergraph.Access
		for _, left := range together {
			for _, right := range other {
				next = append(next, append(slices.Clone(left), right...))
			}
		}
		if together = next; len(together) > mostAlternatives {
			return false
		}
	}
	for _, alternative := range together {
		if !slices.ContainsFunc(rule, func(rights []supergraph.Right) bool {
			for _, right := range rights {
				if !slices.Contains(alternative, right) {
					return false
				}
			}
			return true
		}) {
			return false
		}
	}
	return true
}

// required adds to a field what the fields require that its subgraph wants to
// be given (@requires, @fromContext): its value may be made of theirs.
func (g *gathering) required(t *supergraph.Type, name string) {
	set := g.rules.fields[fieldOf{t, name}]
	seen := map[fieldOf]bool{{t, name}: true}
	for _, in := range t.Field(name).In {
		set = set.union(g.given(t, in, seen))
	}
	if set != nil {
		g.rules.fields[fieldOf{t, name}] = set
	}
}

// given is what the subgraph's wishes for one field require.
func (g *gathering) given(t *supergraph.Type, in *supergraph.FieldIn, seen map[fieldOf]bool) Set {
	set := g.fieldSet(t, in.Requires, seen)
	for _, argument := range in.Context {
		for _, setter := range g.objects {
			if setter.Sets(argument.Context) {
				set = set.union(g.fieldSet(setter, argument.Selection, seen))
			}
		}
	}
	return set
}

func (g *gathering) fieldSet(t *supergraph.Type, fields supergraph.FieldSet, seen map[fieldOf]bool) Set {
	var set Set
	for _, item := range fields {
		if item.Name == "" {
			on := t
			if item.On != "" {
				on = g.rules.super.Type(item.On)
			}
			if on != nil {
				set = set.union(g.fieldSet(on, item.Fields, seen))
			}
			continue
		}
		for _, object := range t.Members {
			field := object.Field(item.Name)
			if field == nil {
				continue
			}
			set = set.union(g.rules.objects[object]).union(g.rules.fields[fieldOf{object, item.Name}])
			if target := object.Target(item.Name); target != nil {
				set = set.union(g.fieldSet(target, item.Fields, seen))
			}
			if seen[fieldOf{object, item.Name}] {
				continue
			}
			seen[fieldOf{object, item.Name}] = true
			for _, in := range field.In {
				set = set.union(g.given(object, in, seen))
			}
		}
	}
	return set
}

// number gives each rule its number, equal ones the same.
func (g *gathering) number(rules []supergraph.Access) Set {
	var set Set
	for _, rule := range rules {
		text := textOf(rule)
		i, known := g.numbers[text]
		if !known {
			i = len(g.rules.list)
			g.numbers[text] = i
			g.rules.list = append(g.rules.list, rule)
		}
		set = set.with(i)
	}
	return set
}

// textOf is what a rule says, whatever the order in which it says it.
func textOf(rule supergraph.Access) string {
	alternatives := make([]string, 0, len(rule))
	for _, rights := range rule {
		names := make([]string, 0, len(rights))
		for _, right := range rights {
			names = append(names, string('0'+byte(right.Kind))+right.Name)
		}
		slices.Sort(names)
		alternatives = append(alternatives, strings.Join(slices.Compact(names), "\x00"))
	}
	slices.Sort(alternatives)
	return strings.Join(slices.Compact(alternatives), "\x01")
}
