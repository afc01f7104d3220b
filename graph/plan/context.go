package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// filled is a variable of an entity fetch that an ancestor of its objects fills
// (@fromContext): one for each context, selection and type that its fields want.
type filled struct {
	argument *supergraph.ContextArgument
	sources  []source
}

// source is a node above, some of whose objects set the context.
type source struct {
	types mask
	needs *wants // the selection, for those types
}

type fillKey struct {
	node    *node
	context string
	first   *supergraph.FieldSelection
}

// fill asks for what the contexts of a field at the node select: of the nearest
// ancestor that sets it, and where only some of its object types do, of those
// above too.
func (p *planning) fill(n *node, in *supergraph.FieldIn) ([]*filled, error) {
	list := make([]*filled, 0, len(in.Context))
	for _, argument := range in.Context {
		made := &filled{argument: argument}
		for s := n.parent; s != nil; s = s.holder.parent {
			holder := s.holder
			var types mask
			for i, t := range holder.types {
				if t.Sets(argument.Context) {
					types = types.with(i)
				}
			}
			if types.empty() {
				continue
			}
			key := fillKey{holder, argument.Context, argument.Selection[0]}
			needs := p.fills[key]
			if needs == nil {
				needs = &wants{node: holder}
				p.addNeeds(needs, types, argument.Selection)
				if p.fills == nil {
					p.fills = map[fillKey]*wants{}
				}
				p.fills[key] = needs
			}
			for _, places := range holder.populations {
				if err := p.build(needs, places); err != nil {
					return nil, err
				}
			}
			made.sources = append(made.sources, source{types, needs})
			if types.covers(holder.all()) {
				break
			}
		}
		if len(made.sources) == 0 {
			return nil, fmt.Errorf("nothing above sets the context %s for the argument %s", argument.Context, argument.Argument)
		}
		list = append(list, made)
	}
	return list, nil
}

// fill adds variables to the fetch, each once.
func (f *fetch) fill(list []*filled) {
	for _, variable := range list {
		if f.variable(variable.argument) < 0 {
			f.filled = append(f.filled, variable)
		}
	}
}

// variable is the number of the variable that an argument takes.
func (f *fetch) variable(argument *supergraph.ContextArgument) int {
	for i, other := range f.filled {
		a := other.argument
		if a.Context == argument.Context && a.Selection[0] == argument.Selection[0] && a.Type.String() == argument.Type.String() {
			return i
		}
	}
	return -1
}

// given are the arguments of a field that contexts fill.
func (p *planning) given(f *fetch, in *supergraph.FieldIn) ast.ArgumentList {
	list := make(ast.ArgumentList, 0, len(in.Context))
	for _, argument := range in.Context {
		list = append(list, &ast.Argument{
			Name:  argument.Argument,
			Value: &ast.Value{Kind: ast.Variable, Raw: p.contextVariable(f.variable(argument))},
		})
	}
	return list
}

func (p *planning) contextVariable(number int) string {
	return fmt.Sprint(p.freshPrefix("context_"), number)
}

// freshPrefix is the prefix, or one like it with which no variable of the client begins.
func (p *planning) freshPrefix(prefix string) string {
	for i := 0; i < len(p.variables); i++ {
		if strings.HasPrefix(p.variables[i].Variable, prefix) {
			prefix, i = "_"+prefix, -1
		}
	}
	return prefix
}

// contextual says whether the field has arguments, for some object type, that a
// context fills.
func (e *entry) contextual() bool {
	for i, t := range e.place.node.types {
		if !e.types.has(i) {
			continue
		}
		if field := t.Field(e.slot.name); field != nil {
			if in := field.For(e.place.fetch.subgraph); in != nil && len(in.Context) > 0 {
				return true
			}
		}
	}
	return false
}

// contexts says how a fetch's variables are filled.
func (p *planning) contexts(f *fetch) []*Context {
	var list []*Context
	for number, variable := range f.filled {
		c := &Context{Variable: p.contextVariable(number), Type: variable.argument.Type}
		for _, s := range variable.sources {
			n := s.needs.node
			made := &Source{Fields: p.inputFields(nil, s.needs, -1, false)}
			for up := n.parent; up != nil; up = up.holder.parent {
				made.Depth++
			}
			if !s.types.covers(n.all()) {
				made.Types = n.names(s.types)
			}
			c.Sources = append(c.Sources, made)
		}
		list = append(list, c)
	}
	return list
}

// Groups prints the document that a fetch with contexts sends for so many
// groups of objects: the variables of the n-th group, and the alias of its
// entities, end in n. One group is sent by the fetch's own Document.
func (plan *Plan) Groups(f *Fetch, groups int) string {
	variables := map[string]bool{}
	for _, c := range f.Contexts {
		variables[c.Variable] = true
	}
	list := make([]*Fetch, groups)
	for n := range list {
		suffix := GroupSuffix(n)
		of := *f
		of.Alias, of.Representations, of.Contexts = "e"+suffix, cmp.Or(f.Representations, representations)+suffix, nil
		for _, c := range f.Contexts {
			copied := *c
			copied.Variable += suffix
			of.Contexts = append(of.Contexts, &copied)
		}
		of.Selection = suffixed(f.Selection, variables, suffix)
		list[n] = &of
	}
	return asked(plan.Variables, f.UsedVariables, list...)
}

// GroupSuffix is what the names of the n-th group end in.
func GroupSuffix(n int) string { return fmt.Sprint("_", n) }

// suffixed copies selections with other names for some variables.
func suffixed(selections []*Selection, variables map[string]bool, suffix string) []*Selection {
	list := make([]*Selection, len(selections))
	for i, s := range selections {
		copied := *s
		copied.Arguments = append(ast.ArgumentList(nil), s.Arguments...)
		for k, argument := range copied.Arguments {
			if argument.Value.Kind == ast.Variable && variables[argument.Value.Raw] {
				copied.Arguments[k] = &ast.Argument{Name: argument.Name, Value: &ast.Value{Kind: ast.Variable, Raw: argument.Value.Raw + suffix}}
			}
		}
		copied.Selections = suffixed(s.Selections, variables, suffix)
		list[i] = &copied
	}
	return list
}
