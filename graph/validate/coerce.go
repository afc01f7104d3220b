package validate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/valyala/fastjson"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxCoercionErrors bounds the errors of one request.
const maxCoercionErrors = 20

// Coerce turns the request's variables into the values that the operation's
// definitions say (the specification's "Coercing Variable Values"). Raw is a
// JSON object, empty or null for none. Strings, IDs and enum values come out as
// string, numbers as json.Number, custom scalars as json.RawMessage just as
// they came, lists as []any, input objects as map[string]any with their
// defaults. Variables that are neither given nor have a default are left out.
func Coerce(schema *ast.Schema, operation *ast.OperationDefinition, raw json.RawMessage) (map[string]any, gqlerror.List) {
	values := make(map[string]any, len(operation.VariableDefinitions))
	given, err := variables(raw)
	if err != nil {
		return nil, failure(CodeVariables, nil, "%s", err)
	}
	c := coercion{schema: schema}
	for _, definition := range operation.VariableDefinitions {
		c.variable, c.position, c.path = definition.Variable, definition.Position, c.path[:0]
		value := given.Get(definition.Variable)
		switch {
		case value != nil:
			if coerced, ok := c.value(definition.Type, value); ok {
				values[definition.Variable] = coerced
			}
		case definition.DefaultValue != nil:
			values[definition.Variable] = c.literal(definition.Type, definition.DefaultValue)
		case definition.Type.NonNull:
			c.fail("of required type %q was not provided", definition.Type)
		}
	}
	if len(c.errs) > 0 {
		return nil, coded(c.errs, CodeVariables)
	}
	return values, nil
}

func variables(raw json.RawMessage) (*fastjson.Value, error) {
	if len(raw) == 0 {
		return &fastjson.Value{}, nil
	}
	value, err := fastjson.ParseBytes(raw)
	if err != nil || !json.Valid(raw) { // fastjson alone lets some bad numbers through
		return nil, fmt.Errorf("The variables are not valid JSON.") //nolint:staticcheck // shown to the client as it is
	}
	switch value.Type() {
	case fastjson.TypeNull, fastjson.TypeObject:
		return value, nil
	default:
		return nil, fmt.Errorf("The variables must be a JSON object.") //nolint:staticcheck // shown to the client as it is
	}
}

type coercion struct {
	schema   *ast.Schema
	variable string
	position *ast.Position
	path     []string // from the variable to the value
	errs     gqlerror.List
}

func (c *coercion) fail(format string, arguments ...any) {
	if len(c.errs) >= maxCoercionErrors {
		return
	}
	at := "$" + c.variable
	for _, part := range c.path {
		at += part
	}
	err := &gqlerror.Error{Message: fmt.Sprintf("Variable %q "+format+".", append([]any{at}, arguments...)...)}
	if c.position != nil {
		err.Locations = []gqlerror.Location{{Line: c.position.Line, Column: c.position.Column}}
	}
	c.errs = append(c.errs, err)
}

// value coerces a JSON value; false after a failure.
func (c *coercion) value(t *ast.Type, value *fastjson.Value) (any, bool) {
	if value.Type() == fastjson.TypeNull {
		if t.NonNull {
			c.fail("of non-null type %q must not be null", t)
			return nil, false
		}
		return nil, true
	}
	if t.Elem != nil {
		return c.list(t, value)
	}
	definition := c.schema.Types[t.NamedType]
	if definition == nil {
		c.fail("has the unknown type %q", t.NamedType)
		return nil, false
	}
	switch definition.Kind {
	case ast.InputObject:
		return c.object(definition, value)
	case ast.Enum:
		if value.Type() == fastjson.TypeString {
			name := string(value.GetStringBytes())
			if definition.EnumValues.ForName(name) != nil {
				return name, true
			}
			c.fail("has the value %q, which does not exist in %q enum", name, definition.Name)
			return nil, false
		}
		c.fail("must be a value of the enum %q, as a string", definition.Name)
		return nil, false
	case ast.Scalar:
		return c.scalar(definition.Name, value)
	}
	c.fail("has the type %q, which is no input type", t)
	return nil, false
}

// list coerces a list; a single value stands for a list of one.
func (c *coercion) list(t *ast.Type, value *fastjson.Value) (any, bool) {
	if value.Type() != fastjson.TypeArray {
		single, ok := c.value(t.Elem, value)
		return []any{single}, ok
	}
	items := value.GetArray()
	list := make([]any, 0, len(items))
	good := true
	for i, item := range items {
		c.path = append(c.path, "["+strconv.Itoa(i)+"]")
		coerced, ok := c.value(t.Elem, item)
		c.path = c.path[:len(c.path)-1]
		list, good = append(list, coerced), good && ok
	}
	return list, good
}

func (c *coercion) object(definition *ast.Definition, value *fastjson.Value) (any, bool) {
	if value.Type() != fastjson.TypeObject {
		c.fail("must be an object of the input type %q", definition.Name)
		return nil, false
	}
	good := true
	given := 0
	value.GetObject().Visit(func(key []byte, inner *fastjson.Value) {
		given++
		if definition.Fields.ForName(string(key)) == nil {
			c.fail("has the field %q, which is not defined by type %q", string(key), definition.Name)
			good = false
		}
	})
	object := make(map[string]any, given)
	for _, field := range definition.Fields {
		c.path = append(c.path, "."+field.Name)
		inner := value.Get(field.Name)
		switch {
		case inner != nil:
			coerced, ok := c.value(field.Type, inner)
			object[field.Name], good = coerced, good && ok
		case field.DefaultValue != nil:
			object[field.Name] = c.literal(field.Type, field.DefaultValue)
		case field.Type.NonNull:
			c.fail("of required type %q was not provided", field.Type)
			good = false
		}
		c.path = c.path[:len(c.path)-1]
	}
	if definition.Directives.ForName("oneOf") != nil && good {
		if given != 1 {
			c.fail("must specify exactly one field of %q", definition.Name)
			return nil, false
		}
		for name, inner := range object {
			if inner == nil {
				c.fail("must give the field %q of %q a value that is not null", name, definition.Name)
				return nil, false
			}
		}
	}
	return object, good
}

func (c *coercion) scalar(name string, value *fastjson.Value) (any, bool) {
	kind := value.Type()
	switch name {
	case "Int":
		if kind == fastjson.TypeNumber {
			if n, ok := integer(value.String()); ok && n.IsInt64() && n.Int64() >= math.MinInt32 && n.Int64() <= math.MaxInt32 {
				return json.Number(n.String()), true
			}
			c.fail("has the value %s: Int cannot represent what is not a 32-bit signed integer", value.String())
			return nil, false
		}
	case "Float":
		if kind == fastjson.TypeNumber {
			if f, err := strconv.ParseFloat(value.String(), 64); err == nil && !math.IsInf(f, 0) {
				return json.Number(value.String()), true
			}
		}
	case "String":
		if kind == fastjson.TypeString {
			return string(value.GetStringBytes()), true
		}
	case "Boolean":
		if kind == fastjson.TypeTrue || kind == fastjson.TypeFalse {
			return kind == fastjson.TypeTrue, true
		}
	case "ID":
		if kind == fastjson.TypeString {
			return string(value.GetStringBytes()), true
		}
		if kind == fastjson.TypeNumber {
			if n, ok := integer(value.String()); ok {
				return n.String(), true
			}
		}
	default:
		return json.RawMessage(value.MarshalTo(nil)), true
	}
	text := value.String()
	if len(text) > 60 {
		text = text[:57] + "..."
	}
	c.fail("has the value %s, which is no %s", text, name)
	return nil, false
}

// integer reads a JSON number without a fractional part: 3, 3.0, 3e2.
func integer(text string) (*big.Int, bool) {
	if len(text) > 40 {
		return nil, false
	}
	if n, ok := new(big.Int).SetString(text, 10); ok {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return nil, false
	}
	return big.NewInt(int64(f)), true
}

// literal is a default value, which validation has checked against its type.
func (c *coercion) literal(t *ast.Type, value *ast.Value) any {
	if value.Kind == ast.NullValue {
		return nil
	}
	if t.Elem != nil {
		if value.Kind != ast.ListValue {
			return []any{c.literal(t.Elem, value)}
		}
		list := make([]any, 0, len(value.Children))
		for _, child := range value.Children {
			list = append(list, c.literal(t.Elem, child.Value))
		}
		return list
	}
	definition := c.schema.Types[t.NamedType]
	if definition != nil && definition.Kind == ast.InputObject && value.Kind == ast.ObjectValue {
		object := make(map[string]any, len(definition.Fields))
		for _, field := range definition.Fields {
			if child := value.Children.ForName(field.Name); child != nil {
				object[field.Name] = c.literal(field.Type, child)
			} else if field.DefaultValue != nil {
				object[field.Name] = c.literal(field.Type, field.DefaultValue)
			}
		}
		return object
	}
	switch value.Kind {
	case ast.BooleanValue:
		return value.Raw == "true"
	case ast.IntValue, ast.FloatValue:
		if t.NamedType == "ID" {
			return value.Raw
		}
		return json.Number(value.Raw)
	case ast.ListValue, ast.ObjectValue:
		return plain(value)
	default:
		return value.Raw
	}
}

// plain is a literal of a custom scalar.
func plain(value *ast.Value) any {
	switch value.Kind {
	case ast.ListValue:
		list := make([]any, 0, len(value.Children))
		for _, child := range value.Children {
			list = append(list, plain(child.Value))
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(value.Children))
		for _, child := range value.Children {
			object[child.Name] = plain(child.Value)
		}
		return object
	case ast.NullValue:
		return nil
	case ast.BooleanValue:
		return value.Raw == "true"
	case ast.IntValue, ast.FloatValue:
		return json.Number(value.Raw)
	default:
		return value.Raw
	}
}
