// Package introspect answers __schema and __type from the public schema, as
// the GraphQL specification of October 2021 and its later drafts describe
// (specifiedByURL, isOneOf, deprecated arguments and input fields).
//
// Start reading at Field.
package introspect

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Field is one __schema or __type field of an operation. It is immutable.
type Field struct {
	schema *ast.Schema
	field  *ast.Field
	types  []*ast.Definition // in a fixed order
}

// New readies a validated field named __schema or __type.
func New(schema *ast.Schema, field *ast.Field) (*Field, error) {
	if field.Name != "__schema" && field.Name != "__type" {
		return nil, fmt.Errorf("introspect: no field %s", field.Name)
	}
	return &Field{schema: schema, field: field, types: sortedTypes(schema)}, nil
}

func sortedTypes(schema *ast.Schema) []*ast.Definition {
	types := make([]*ast.Definition, 0, len(schema.Types))
	for _, definition := range schema.Types {
		types = append(types, definition)
	}
	slices.SortFunc(types, func(a, b *ast.Definition) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return types
}

// Append appends the field's value as JSON.
func (f *Field) Append(b []byte, variables map[string]any) []byte {
	w := &writer{schema: f.schema, types: f.types, variables: variables, b: b}
	selections := []ast.SelectionSet{f.field.SelectionSet}
	if f.field.Name == "__schema" {
		w.object("__Schema", selections, w.schemaField)
		return w.b
	}
	name, _ := f.field.ArgumentMap(variables)["name"].(string)
	w.named(f.schema.Types[name], selections)
	return w.b
}

// writer writes one answer.
type writer struct {
	schema    *ast.Schema
	types     []*ast.Definition
	variables map[string]any
	b         []byte
}

// selected is one response key of an object, with the selection sets of all fields that share it.
type selected struct {
	field      *ast.Field
	selections []ast.SelectionSet
}

// object writes an object of an introspection type; resolve writes the value of a field.
func (w *writer) object(typename string, sets []ast.SelectionSet, resolve func(selected)) {
	var fields []selected
	for _, set := range sets {
		fields = w.collect(fields, typename, set)
	}
	w.b = append(w.b, '{')
	for i, s := range fields {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text(s.field.Alias)
		w.b = append(w.b, ':')
		if s.field.Name == "__typename" {
			w.text(typename)
			continue
		}
		resolve(s)
	}
	w.b = append(w.b, '}')
}

func (w *writer) collect(fields []selected, typename string, set ast.SelectionSet) []selected {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			if !w.included(selection.Directives) {
				continue
			}
			at := slices.IndexFunc(fields, func(s selected) bool { return s.field.Alias == selection.Alias })
			if at < 0 {
				at = len(fields)
				fields = append(fields, selected{field: selection})
			}
			fields[at].selections = append(fields[at].selections, selection.SelectionSet)
		case *ast.InlineFragment:
			if w.included(selection.Directives) && (selection.TypeCondition == "" || selection.TypeCondition == typename) {
				fields = w.collect(fields, typename, selection.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(selection.Directives) && selection.Definition != nil && selection.Definition.TypeCondition == typename {
				fields = w.collect(fields, typename, selection.Definition.SelectionSet)
			}
		}
	}
	return fields
}

func (w *writer) included(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		condition, _ := directive.Arguments.ForName("if").Value.Value(w.variables)
		if holds, _ := condition.(bool); holds == (directive.Name == "skip") {
			return false
		}
	}
	return true
}

// list writes a list of n values.
func (w *writer) list(n int, each func(i int)) {
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		each(i)
	}
	w.b = append(w.b, ']')
}

func (w *writer) null() { w.b = append(w.b, "null"...) }

func (w *writer) bool(value bool) {
	if value {
		w.b = append(w.b, "true"...)
	} else {
		w.b = append(w.b, "false"...)
	}
}

// optional writes a text, null when it is empty.
func (w *writer) optional(s string) {
	if s == "" {
		w.null()
	} else {
		w.text(s)
	}
}

func (w *writer) deprecatedToo(f *ast.Field) bool {
	included, _ := f.ArgumentMap(w.variables)["includeDeprecated"].(bool)
	return included
}

// deprecation is the reason of a deprecation, and whether there is one.
func deprecation(directives ast.DirectiveList) (string, bool) {
	directive := directives.ForName("deprecated")
	if directive == nil {
		return "", false
	}
	if reason := directive.Arguments.ForName("reason"); reason != nil && reason.Value != nil {
		return reason.Value.Raw, true
	}
	return "No longer supported", true
}

func (w *writer) reason(directives ast.DirectiveList) {
	if reason, deprecated := deprecation(directives); deprecated {
		w.text(reason)
	} else {
		w.null()
	}
}
