// Package reference executes operations the slow and obvious way: field by
// field, as the GraphQL specification's execution section is written, over one
// schema. It shares no code with the planner and the executor, so that tests can
// hold their answers against it. It is not used when serving.
//
// Start reading at Execute. Random (random.go) writes what to ask.
package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Object is a value of a composite type; Value is the source's own handle.
type Object struct {
	Type  string
	Value any
}

// Source gives the values of fields.
type Source interface {
	// Resolve gives the value of one field: nil, a json-like scalar, *Object,
	// or []any of these. fields are all the selections under one response key;
	// parent is nil for a root field.
	Resolve(ctx context.Context, parent *Object, fields []*ast.Field) (any, error)
}

// Execute answers a query or a mutation: the data as JSON (null included) and
// the errors with their paths. Variables are coerced already.
func Execute(ctx context.Context, schema *ast.Schema, operation *ast.OperationDefinition, variables map[string]any, source Source) ([]byte, gqlerror.List) {
	e := &execution{schema: schema, variables: variables, source: source}
	root := schema.Query
	if operation.Operation == ast.Mutation {
		root = schema.Mutation
	}
	data, ok := e.selectionSet(ctx, root, &Object{Type: root.Name}, true, operation.SelectionSet, nil)
	if !ok {
		data = []byte("null")
	}
	return data, e.errors
}

type execution struct {
	schema    *ast.Schema
	variables map[string]any
	source    Source
	errors    gqlerror.List
}

// group is the selections under one response key, in the order of the document.
type group struct {
	key    string
	fields []*ast.Field
}

func (e *execution) collect(object *ast.Definition, set ast.SelectionSet, groups []group) []group {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if !e.included(s.Directives) {
				continue
			}
			i := slices.IndexFunc(groups, func(g group) bool { return g.key == s.Alias })
			if i < 0 {
				groups, i = append(groups, group{key: s.Alias}), len(groups)
			}
			groups[i].fields = append(groups[i].fields, s)
		case *ast.InlineFragment:
			if e.included(s.Directives) && e.applies(object, s.TypeCondition) {
				groups = e.collect(object, s.SelectionSet, groups)
			}
		case *ast.FragmentSpread:
			if e.included(s.Directives) && e.applies(object, s.Definition.TypeCondition) {
				groups = e.collect(object, s.Definition.SelectionSet, groups)
			}
		}
	}
	return groups
}

func (e *execution) included(directives ast.DirectiveList) bool {
	if d := directives.ForName("skip"); d != nil && d.ArgumentMap(e.variables)["if"] == true {
		return false
	}
	if d := directives.ForName("include"); d != nil && d.ArgumentMap(e.variables)["if"] != true {
		return false
	}
	return true
}

func (e *execution) applies(object *ast.Definition, condition string) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	return slices.ContainsFunc(e.schema.GetPossibleTypes(e.schema.Types[condition]), func(d *ast.Definition) bool { return d.Name == object.Name })
}

// selectionSet writes the object; false when a null must bubble past it.
func (e *execution) selectionSet(ctx context.Context, object *ast.Definition, parent *Object, root bool, set ast.SelectionSet, path ast.Path) ([]byte, bool) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, g := range e.collect(object, set, nil) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(strconv.Quote(g.key) + ":")
		at := append(slices.Clone(path), ast.PathName(g.key))
		if g.fields[0].Name == "__typename" {
			out.WriteString(strconv.Quote(object.Name))
			continue
		}
		from := parent
		if root {
			from = nil
		}
		definition := object.Fields.ForName(g.fields[0].Name)
		value, err := e.source.Resolve(ctx, from, g.fields)
		if err != nil {
			e.fail(at, err)
			value = nil
		}
		text, ok := e.complete(ctx, definition.Type, value, g, at, err != nil)
		if !ok {
			return nil, false
		}
		out.Write(text)
	}
	out.WriteByte('}')
	return out.Bytes(), true
}

func (e *execution) fail(path ast.Path, err error) {
	e.errors = append(e.errors, &gqlerror.Error{Message: err.Error(), Path: path})
}

// complete writes a value of the type; explained says that an error for a null
// at this place is noted already.
func (e *execution) complete(ctx context.Context, t *ast.Type, value any, g group, path ast.Path, explained bool) ([]byte, bool) {
	null := func() ([]byte, bool) {
		if t.NonNull {
			if !explained {
				e.fail(path, fmt.Errorf("null for %s", t))
			}
			return nil, false
		}
		return []byte("null"), true
	}
	if value == nil {
		return null()
	}
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			e.fail(path, fmt.Errorf("no list"))
			explained = true
			return null()
		}
		var out bytes.Buffer
		out.WriteByte('[')
		for i, item := range list {
			if i > 0 {
				out.WriteByte(',')
			}
			text, ok := e.complete(ctx, t.Elem, item, g, append(slices.Clone(path), ast.PathIndex(i)), false)
			if !ok {
				explained = true
				return null()
			}
			out.Write(text)
		}
		out.WriteByte(']')
		return out.Bytes(), true
	}
	if object, ok := value.(*Object); ok {
		var set ast.SelectionSet
		for _, field := range g.fields {
			set = append(set, field.SelectionSet...)
		}
		text, ok := e.selectionSet(ctx, e.schema.Types[object.Type], object, false, set, path)
		if !ok {
			explained = true
			return null()
		}
		return text, true
	}
	text, err := json.Marshal(value)
	if err != nil {
		e.fail(path, err)
		explained = true
		return null()
	}
	return text, true
}
