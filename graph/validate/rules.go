package validate

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// intRange refuses Int literals beyond 32 bits (the specification's section on
// Int), which the library's rule lets through.
var intRange = validator.Rule{
	Name: "IntRange",
	RuleFunc: func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnValue(func(_ *core.Walker, value *ast.Value) {
			if value.Kind != ast.IntValue || value.Definition == nil || value.Definition.Name != "Int" {
				return
			}
			if _, err := strconv.ParseInt(value.Raw, 10, 32); err != nil {
				addError(core.Message("Int cannot represent non 32-bit signed integer value: %s", value.Raw), core.At(value.Position))
			}
		})
	},
}

// fieldsMerge checks the specification's "Field Selection Merging": fields that
// share a response key must be the same field, or be of the same shape where
// their parents can never be the same object. Instead of comparing pairs of
// fields it looks once at each group of selection sets that merge, so that its
// work is bounded by the expanded fields.
func fieldsMerge(schema *ast.Schema, document *ast.QueryDocument) gqlerror.List {
	c := &mergeCheck{schema: schema, seen: map[string]bool{}, ids: map[*ast.Selection]int{}}
	for _, operation := range document.Operations {
		c.parents([]ast.SelectionSet{operation.SelectionSet})
		c.shapes([]ast.SelectionSet{operation.SelectionSet})
	}
	return c.errs
}

type mergeCheck struct {
	schema *ast.Schema
	seen   map[string]bool // groups of selection sets already checked
	ids    map[*ast.Selection]int
	errs   gqlerror.List
}

// maxMergeErrors bounds the errors of one document.
const maxMergeErrors = 20

// first says whether the group is met for the first time.
func (c *mergeCheck) first(kind string, sets []ast.SelectionSet) bool {
	ids := make([]int, 0, len(sets))
	for _, set := range sets {
		if len(set) == 0 {
			continue
		}
		id, ok := c.ids[&set[0]]
		if !ok {
			id = len(c.ids) + 1
			c.ids[&set[0]] = id
		}
		ids = append(ids, id)
	}
	sort.Ints(ids)
	ids = slices.Compact(ids)
	key := kind + fmt.Sprint(ids)
	if len(ids) == 0 || c.seen[key] || len(c.errs) >= maxMergeErrors {
		return false
	}
	c.seen[key] = true
	return true
}

// collect gathers the fields of merging sets by response key.
func collect(sets []ast.SelectionSet) ([]string, map[string][]*ast.Field) {
	var order []string
	byKey := map[string][]*ast.Field{}
	visited := map[*ast.FragmentDefinition]bool{}
	var add func(set ast.SelectionSet)
	add = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				key := responseKey(selection)
				if byKey[key] == nil {
					order = append(order, key)
				}
				byKey[key] = append(byKey[key], selection)
			case *ast.InlineFragment:
				add(selection.SelectionSet)
			case *ast.FragmentSpread:
				if selection.Definition != nil && !visited[selection.Definition] {
					visited[selection.Definition] = true
					add(selection.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		add(set)
	}
	return order, byKey
}

func responseKey(field *ast.Field) string {
	if field.Alias != "" {
		return field.Alias
	}
	return field.Name
}

func innerSets(fields []*ast.Field) []ast.SelectionSet {
	var sets []ast.SelectionSet
	for _, field := range fields {
		if len(field.SelectionSet) > 0 {
			sets = append(sets, field.SelectionSet)
		}
	}
	return sets
}

// shapes checks that fields of one key have one shape, whatever their parents.
func (c *mergeCheck) shapes(sets []ast.SelectionSet) {
	if !c.first("shape", sets) {
		return
	}
	order, byKey := collect(sets)
	for _, key := range order {
		fields := byKey[key]
		for _, field := range fields[1:] {
			if a, b := fields[0].Definition, field.Definition; a != nil && b != nil && !c.sameShape(a.Type, b.Type) {
				c.conflict(key, fmt.Sprintf("they return conflicting types %q and %q", a.Type, b.Type), fields[0], field)
				break
			}
		}
		c.shapes(innerSets(fields))
	}
}

func (c *mergeCheck) sameShape(a, b *ast.Type) bool {
	if a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return c.sameShape(a.Elem, b.Elem)
	}
	if a.NamedType == b.NamedType {
		return true
	}
	da, db := c.schema.Types[a.NamedType], c.schema.Types[b.NamedType]
	return da != nil && db != nil && !da.IsLeafType() && !db.IsLeafType()
}

// parents checks that fields of one key whose parents can be one object are
// the same field with the same arguments.
func (c *mergeCheck) parents(sets []ast.SelectionSet) {
	if !c.first("parent", sets) {
		return
	}
	order, byKey := collect(sets)
	for _, key := range order {
		for _, group := range byParent(byKey[key]) {
			for _, field := range group[1:] {
				if reason := difference(group[0], field); reason != "" {
					c.conflict(key, reason, group[0], field)
					break
				}
			}
			c.parents(innerSets(group))
		}
	}
}

// byParent groups fields: those on each object type with those on interfaces
// and unions, which any object may be.
func byParent(fields []*ast.Field) [][]*ast.Field {
	var abstract []*ast.Field
	var order []string
	objects := map[string][]*ast.Field{}
	for _, field := range fields {
		parent := field.ObjectDefinition
		if parent == nil || parent.Kind != ast.Object {
			abstract = append(abstract, field)
			continue
		}
		if objects[parent.Name] == nil {
			order = append(order, parent.Name)
		}
		objects[parent.Name] = append(objects[parent.Name], field)
	}
	if len(order) == 0 {
		return [][]*ast.Field{abstract}
	}
	groups := make([][]*ast.Field, 0, len(order))
	for _, name := range order {
		groups = append(groups, append(objects[name], abstract...))
	}
	return groups
}

func difference(a, b *ast.Field) string {
	if a.Name != b.Name {
		return fmt.Sprintf("%q and %q are different fields", a.Name, b.Name)
	}
	if printArguments(a.Arguments) != printArguments(b.Arguments) {
		return "they have differing arguments"
	}
	return ""
}

// printArguments prints arguments so that equal ones print alike: order is free.
func printArguments(arguments ast.ArgumentList) string {
	parts := make([]string, 0, len(arguments))
	for _, argument := range arguments {
		parts = append(parts, argument.Name+":"+printValue(argument.Value))
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

func printValue(value *ast.Value) string {
	if value.Kind != ast.ObjectValue && value.Kind != ast.ListValue {
		return value.String()
	}
	parts := make([]string, 0, len(value.Children))
	for _, child := range value.Children {
		parts = append(parts, child.Name+":"+printValue(child.Value))
	}
	if value.Kind == ast.ObjectValue {
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (c *mergeCheck) conflict(key, reason string, a, b *ast.Field) {
	for _, known := range c.errs {
		if len(known.Locations) == 2 && a.Position != nil && b.Position != nil &&
			known.Locations[0].Line == a.Position.Line && known.Locations[0].Column == a.Position.Column &&
			known.Locations[1].Line == b.Position.Line && known.Locations[1].Column == b.Position.Column {
			return // said already for another reason
		}
	}
	err := &gqlerror.Error{
		Rule:    "OverlappingFieldsCanBeMerged",
		Message: fmt.Sprintf("Fields %q conflict because %s. Use different aliases on the fields to fetch both if this was intentional.", key, reason),
	}
	for _, field := range []*ast.Field{a, b} {
		if field.Position != nil {
			err.Locations = append(err.Locations, gqlerror.Location{Line: field.Position.Line, Column: field.Position.Column})
		}
	}
	c.errs = append(c.errs, err)
}
