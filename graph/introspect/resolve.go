package introspect

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

func (w *writer) schemaField(s selected) {
	switch s.field.Name {
	case "description":
		w.optional(w.schema.Description)
	case "types":
		w.list(len(w.types), func(i int) { w.named(w.types[i], s.selections) })
	case "queryType":
		w.named(w.schema.Query, s.selections)
	case "mutationType":
		w.named(w.schema.Mutation, s.selections)
	case "subscriptionType":
		w.named(w.schema.Subscription, s.selections)
	case "directives":
		names := make([]string, 0, len(w.schema.Directives))
		for name := range w.schema.Directives {
			names = append(names, name)
		}
		slices.Sort(names)
		w.list(len(names), func(i int) {
			w.directive(w.schema.Directives[names[i]], s.selections)
		})
	default:
		w.null()
	}
}

// wrapped writes a type reference: lists and non-null types wrap a named one.
func (w *writer) wrapped(t *ast.Type, sets []ast.SelectionSet) {
	kind, inner := "LIST", t.Elem
	switch {
	case t.NonNull:
		bare := *t
		bare.NonNull = false
		kind, inner = "NON_NULL", &bare
	case t.Elem == nil:
		w.named(w.schema.Types[t.NamedType], sets)
		return
	}
	w.object("__Type", sets, func(s selected) {
		switch s.field.Name {
		case "kind":
			w.text(kind)
		case "ofType":
			w.wrapped(inner, s.selections)
		default:
			w.null()
		}
	})
}

func (w *writer) named(d *ast.Definition, sets []ast.SelectionSet) {
	if d == nil {
		w.null()
		return
	}
	w.object("__Type", sets, func(s selected) { w.typeField(d, s) })
}

func (w *writer) typeField(d *ast.Definition, s selected) {
	switch name := s.field.Name; {
	case name == "kind":
		w.text(string(d.Kind))
	case name == "name":
		w.text(d.Name)
	case name == "description":
		w.optional(d.Description)
	case name == "specifiedByURL" && d.Kind == ast.Scalar:
		if directive := d.Directives.ForName("specifiedBy"); directive != nil && directive.Arguments.ForName("url") != nil {
			w.text(directive.Arguments.ForName("url").Value.Raw)
		} else {
			w.null()
		}
	case name == "fields" && (d.Kind == ast.Object || d.Kind == ast.Interface):
		var fields []*ast.FieldDefinition
		for _, field := range d.Fields {
			if !strings.HasPrefix(field.Name, "__") && w.shown(field.Directives, s.field) {
				fields = append(fields, field)
			}
		}
		w.list(len(fields), func(i int) { w.field(fields[i], s.selections) })
	case name == "interfaces" && (d.Kind == ast.Object || d.Kind == ast.Interface):
		w.list(len(d.Interfaces), func(i int) { w.named(w.schema.Types[d.Interfaces[i]], s.selections) })
	case name == "possibleTypes" && d.IsAbstractType():
		possible := slices.Clone(w.schema.GetPossibleTypes(d))
		if d.Kind == ast.Interface {
			slices.SortFunc(possible, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
		}
		w.list(len(possible), func(i int) { w.named(possible[i], s.selections) })
	case name == "enumValues" && d.Kind == ast.Enum:
		var values []*ast.EnumValueDefinition
		for _, value := range d.EnumValues {
			if w.shown(value.Directives, s.field) {
				values = append(values, value)
			}
		}
		w.list(len(values), func(i int) { w.enumValue(values[i], s.selections) })
	case name == "inputFields" && d.Kind == ast.InputObject:
		var inputs []input
		for _, field := range d.Fields {
			if w.shown(field.Directives, s.field) {
				inputs = append(inputs, input{field.Name, field.Description, field.Type, field.DefaultValue, field.Directives})
			}
		}
		w.list(len(inputs), func(i int) { w.input(inputs[i], s.selections) })
	case name == "isOneOf" && d.Kind == ast.InputObject:
		w.bool(d.Directives.ForName("oneOf") != nil)
	default:
		w.null()
	}
}

func (w *writer) shown(directives ast.DirectiveList, f *ast.Field) bool {
	_, deprecated := deprecation(directives)
	return !deprecated || w.deprecatedToo(f)
}

func (w *writer) field(d *ast.FieldDefinition, sets []ast.SelectionSet) {
	w.object("__Field", sets, func(s selected) {
		switch s.field.Name {
		case "name":
			w.text(d.Name)
		case "description":
			w.optional(d.Description)
		case "args":
			w.arguments(d.Arguments, s)
		case "type":
			w.wrapped(d.Type, s.selections)
		case "isDeprecated":
			w.bool(d.Directives.ForName("deprecated") != nil)
		case "deprecationReason":
			w.reason(d.Directives)
		default:
			w.null()
		}
	})
}

// input is an argument or an input field.
type input struct {
	name, description string
	typ               *ast.Type
	defaultValue      *ast.Value
	directives        ast.DirectiveList
}

func (w *writer) arguments(arguments ast.ArgumentDefinitionList, s selected) {
	var inputs []input
	for _, a := range arguments {
		if w.shown(a.Directives, s.field) {
			inputs = append(inputs, input{a.Name, a.Description, a.Type, a.DefaultValue, a.Directives})
		}
	}
	w.list(len(inputs), func(i int) { w.input(inputs[i], s.selections) })
}

func (w *writer) input(in input, sets []ast.SelectionSet) {
	w.object("__InputValue", sets, func(s selected) {
		switch s.field.Name {
		case "name":
			w.text(in.name)
		case "description":
			w.optional(in.description)
		case "type":
			w.wrapped(in.typ, s.selections)
		case "defaultValue":
			if in.defaultValue == nil {
				w.null()
			} else {
				w.text(print(in.defaultValue))
			}
		case "isDeprecated":
			w.bool(in.directives.ForName("deprecated") != nil)
		case "deprecationReason":
			w.reason(in.directives)
		default:
			w.null()
		}
	})
}

func (w *writer) enumValue(d *ast.EnumValueDefinition, sets []ast.SelectionSet) {
	w.object("__EnumValue", sets, func(s selected) {
		switch s.field.Name {
		case "name":
			w.text(d.Name)
		case "description":
			w.optional(d.Description)
		case "isDeprecated":
			w.bool(d.Directives.ForName("deprecated") != nil)
		case "deprecationReason":
			w.reason(d.Directives)
		default:
			w.null()
		}
	})
}

func (w *writer) directive(d *ast.DirectiveDefinition, sets []ast.SelectionSet) {
	w.object("__Directive", sets, func(s selected) {
		switch s.field.Name {
		case "name":
			w.text(d.Name)
		case "description":
			w.optional(d.Description)
		case "isRepeatable":
			w.bool(d.IsRepeatable)
		case "locations":
			w.list(len(d.Locations), func(i int) { w.text(string(d.Locations[i])) })
		case "args":
			w.arguments(d.Arguments, s)
		default:
			w.null()
		}
	})
}
