package demand

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// size is how many elements a list may have.
type size struct {
	field      string  // for the refusal
	assumed    float64 // where no slicing argument is given
	given      []slice
	requireOne bool
}

// slice is one slicing argument as the operation gives it.
type slice struct {
	value    *ast.Value // nil: not given
	path     []string   // from the value on
	standard float64    // the schema's default; negative for none
}

// sizeOf readies the size that a field's directive describes.
func sizeOf(directive *supergraph.ListSize, holder *ast.Definition, field *ast.Field) *size {
	made := &size{field: field.Name, assumed: directive.Assumed, requireOne: directive.RequireOne && len(directive.Slicing) > 0}
	if made.assumed < 0 {
		made.assumed = ListSize
	}
	for _, path := range directive.Slicing {
		one := slice{path: path[1:], standard: -1}
		if argument := field.Arguments.ForName(path[0]); argument != nil {
			one.value = argument.Value
		}
		if definition := field.Definition.Arguments.ForName(path[0]); definition != nil && definition.DefaultValue != nil && one.value == nil {
			if standard := at(definition.DefaultValue, one.path); standard != nil && standard.Kind == ast.IntValue {
				one.standard = number(json.Number(standard.Raw))
			}
		}
		made.given = append(made.given, one)
	}
	return made
}

// of is the size with these variables. Of several slicing arguments the
// greatest counts; defaults count where the operation gives none.
func (s *size) of(variables map[string]any) (float64, error) {
	count, most, standard := 0, -1.0, -1.0
	for _, one := range s.given {
		if n, ok := one.of(variables); ok {
			count++
			most = max(most, n)
		} else {
			standard = max(standard, one.standard)
		}
	}
	if s.requireOne && count != 1 && !(count == 0 && standard >= 0) {
		return 0, &Slicing{s.field}
	}
	switch {
	case count > 0:
		return most, nil
	case standard >= 0:
		return standard, nil
	}
	return s.assumed, nil
}

// of is the argument's value; a negative one is none, for what a subgraph makes
// of it nobody knows.
func (s slice) of(variables map[string]any) (float64, bool) {
	value := s.value
	path := s.path
	for value != nil && value.Kind == ast.ObjectValue && len(path) > 0 {
		value, path = value.Children.ForName(path[0]), path[1:]
	}
	if value == nil {
		return 0, false
	}
	var n float64
	switch value.Kind {
	case ast.IntValue:
		n = number(json.Number(value.Raw))
	case ast.Variable:
		found := variables[value.Raw]
		for _, name := range path {
			object, _ := found.(map[string]any)
			found = object[name]
		}
		if found == nil {
			return 0, false
		}
		n = number(found)
	default:
		return 0, false
	}
	return n, n >= 0
}

// number is a coerced value as a number; what is none counts as negative.
func number(value any) float64 {
	text := ""
	switch v := value.(type) {
	case json.Number:
		text = string(v)
	case json.RawMessage: // a custom scalar
		text = string(v)
	case string:
		text = v
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) {
		return -1
	}
	return n
}

// at is what a literal holds at a path.
func at(value *ast.Value, path []string) *ast.Value {
	for _, name := range path {
		if value == nil || value.Kind != ast.ObjectValue {
			return nil
		}
		value = value.Children.ForName(name)
	}
	return value
}

func (s *size) names(into map[string]bool) {
	for _, one := range s.given {
		if value := at(one.value, one.path); value != nil {
			variablesOf(value, into)
		} else if one.value != nil {
			variablesOf(one.value, into)
		}
	}
}

func (s *size) constant() bool {
	names := map[string]bool{}
	s.names(names)
	return len(names) == 0
}

func variablesOf(value *ast.Value, into map[string]bool) {
	if value == nil {
		return
	}
	if value.Kind == ast.Variable {
		into[value.Raw] = true
	}
	for _, child := range value.Children {
		variablesOf(child.Value, into)
	}
}
