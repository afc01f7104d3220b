package conformance

import (
	"context"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Monolith answers every field from the universe.
type Monolith struct {
	Universe  *Universe
	Variables map[string]any
	// Roots are the root fields that were resolved, in order.
	Roots []string
}

// held is a thing and the one whose field led to it.
type held struct {
	Thing
	above *held
}

// Resolve implements reference.Source.
func (m *Monolith) Resolve(_ context.Context, parent *reference.Object, fields []*ast.Field) (any, error) {
	of := &held{}
	if parent == nil {
		of.Thing = Thing{Type: m.Universe.Super.Type(fields[0].ObjectDefinition.Name)}
		m.Roots = append(m.Roots, fields[0].Name)
	} else {
		of = parent.Value.(*held)
	}
	arguments := fields[0].ArgumentMap(m.Variables)
	for _, in := range of.Type.Field(fields[0].Name).In {
		for _, argument := range in.Context {
			if arguments == nil {
				arguments = map[string]any{}
			}
			arguments[argument.Argument] = m.given(of.above, argument)
		}
	}
	if err := m.Universe.fails(of.Thing, fields[0].Name, arguments); err != nil {
		return nil, err
	}
	return wrap(m.Universe.Value(of.Thing, fields[0].Name, arguments), func(thing Thing) *reference.Object {
		return &reference.Object{Type: thing.Type.Name, Value: &held{thing, of}}
	}), nil
}

// given is the value that the nearest thing above sets.
func (m *Monolith) given(above *held, argument *supergraph.ContextArgument) any {
	for ; above != nil; above = above.above {
		if above.Type.Sets(argument.Context) {
			return m.Universe.selected(above.Thing, argument.Selection)
		}
	}
	return nil
}

// selected is the one value that a selection leads to.
func (u *Universe) selected(thing Thing, set supergraph.FieldSet) any {
	for _, item := range set {
		switch {
		case item.Name == "" && (item.On == "" || item.On == thing.Type.Name || u.isMember(item.On, thing.Type)):
			return u.selected(thing, item.Fields)
		case item.Name != "":
			field := &ast.Field{Name: item.Name, Arguments: item.Arguments, Definition: thing.Type.Field(item.Name).Definition}
			return u.below(u.Value(thing, item.Name, field.ArgumentMap(nil)), item.Fields)
		}
	}
	return nil
}

func (u *Universe) below(value any, set supergraph.FieldSet) any {
	switch value := value.(type) {
	case Thing:
		return u.selected(value, set)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = u.below(value[i], set)
		}
		return list
	}
	return value
}
