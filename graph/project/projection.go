// Package project writes the client's answer out of the merged data: one
// pass over the outputs of the plan, in the client's order, with aliases,
// conditions, runtime types, checked leaves and the propagation of nulls.
//
// Start reading at New (what is made of a plan once) and Writer (what is done
// for each answer).
package project

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/introspect"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// Projection is the compiled response of a plan. It is immutable.
type Projection struct {
	types      *tree.Types
	schema     *ast.Schema
	response   *selection
	conditions []plan.Condition
	root       tree.TypeID
}

// selection is what is written of an object.
type selection struct {
	fields []*field
	// varies says that the order of the fields depends on variables or the runtime type.
	varies bool
	number uint32
}

// field is one output.
type field struct {
	key    []byte // with quotes and colon, as it is written
	name   string // the client's key
	schema string // the field's name in the schema, for messages
	slot   int    // 0 when no fetch brings it
	number uint32 // tells fields apart
	types  tree.Set
	when   int // index of its condition, -1 for always
	typ    *typ
	plain  uint16 // the kinds of values that are copied without a look
	below  *selection
	order  []occurrence

	denied        bool
	withheld      tree.Set // runtime types whose objects may not be seen; nil mostly
	typename      bool
	introspection *introspect.Field
}

// typ is a public type as the projection needs it.
type typ struct {
	nonNull bool
	elem    *typ // of a list
	leaf    leafKind
	values  map[string]struct{} // of an enum
	// possible are the runtime types that may stand here, for objects, interfaces and unions.
	possible tree.Set
	// only is the one possible type, else None.
	only tree.TypeID
}

// isLeaf says whether no objects stand below the type's lists.
func (t *typ) isLeaf() bool {
	for t.elem != nil {
		t = t.elem
	}
	return t.possible == nil
}

// New compiles the response of a plan; root is the position of the merged data's root, schema the public schema.
func New(p *plan.Plan, root *tree.Position, types *tree.Types, schema *ast.Schema) (*Projection, error) {
	c := &compiler{types: types, schema: schema, named: map[string]*typ{}}
	response, err := c.selection(p.Response, root)
	if err != nil {
		return nil, err
	}
	return &Projection{types: types, schema: schema, response: response, conditions: c.conditions, root: types.ID(p.RootType)}, nil
}

// Conditions evaluates the plan's conditions into holds, which it returns grown.
func (p *Projection) Conditions(holds []bool, variables map[string]any) []bool {
	for _, condition := range p.conditions {
		holds = append(holds, condition.Holds(variables))
	}
	return holds
}

type compiler struct {
	types      *tree.Types
	schema     *ast.Schema
	named      map[string]*typ
	conditions []plan.Condition
	count      uint32
	selections uint32
}

func (c *compiler) selection(outputs []*plan.Output, position *tree.Position) (*selection, error) {
	made := &selection{fields: make([]*field, 0, len(outputs)), number: c.selections}
	c.selections++
	for _, output := range outputs {
		f := &field{
			key:      append(appendString(nil, output.Key), ':'),
			name:     output.Key,
			schema:   output.Name,
			types:    c.types.NewSet(output.Types),
			withheld: c.types.NewSet(output.Withheld),
			when:     c.condition(output.When),
			number:   c.count,
		}
		c.count++
		for _, o := range output.Order {
			f.order = append(f.order, occurrence{o.At, c.types.NewSet(o.Types), c.condition(o.When)})
		}
		made.varies = made.varies || len(f.order) > 0
		made.fields = append(made.fields, f)
		switch {
		case output.Introspection != nil:
			introspection, err := introspect.New(c.schema, output.Introspection)
			if err != nil {
				return nil, fmt.Errorf("project: %s: %w", output.Key, err)
			}
			f.introspection = introspection
			continue
		case output.Name == "__typename":
			f.typename = true
			continue
		}
		if position != nil {
			f.slot = position.Find(output.From)
		}
		var err error
		if f.typ, err = c.typ(output.Type); err != nil {
			return nil, fmt.Errorf("project: %s: %w", output.Key, err)
		}
		if output.Denied {
			f.denied, f.slot = true, 0
			continue
		}
		f.plain = f.typ.plain()
		if f.typ.isLeaf() {
			continue
		}
		var child *tree.Position
		if position != nil {
			child = position.Child(f.slot)
		}
		if f.below, err = c.selection(output.Fields, child); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// condition numbers a condition, equal ones alike.
func (c *compiler) condition(when plan.Condition) int {
	if when == nil {
		return -1
	}
	for i, have := range c.conditions {
		if equal(have, when) {
			return i
		}
	}
	c.conditions = append(c.conditions, when)
	return len(c.conditions) - 1
}

func equal(a, b plan.Condition) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j := range a[i] {
			if a[i][j] != b[i][j] {
				return false
			}
		}
	}
	return true
}

func (c *compiler) typ(t *ast.Type) (*typ, error) {
	if t == nil {
		return nil, fmt.Errorf("output without a type")
	}
	if cached := c.named[t.String()]; cached != nil {
		return cached, nil
	}
	made := &typ{nonNull: t.NonNull}
	c.named[t.String()] = made
	if t.Elem != nil {
		elem, err := c.typ(t.Elem)
		made.elem = elem
		return made, err
	}
	definition := c.schema.Types[t.NamedType]
	if definition == nil {
		return nil, fmt.Errorf("type %s is not public", t.NamedType)
	}
	switch definition.Kind {
	case ast.Enum:
		made.leaf = leafEnum
		made.values = make(map[string]struct{}, len(definition.EnumValues))
		for _, value := range definition.EnumValues {
			made.values[value.Name] = struct{}{}
		}
	case ast.Scalar:
		made.leaf = scalars[t.NamedType]
	case ast.Object:
		made.only = c.types.ID(t.NamedType)
		made.possible = tree.Set{made.only}
	default:
		names := []string{}
		for _, possible := range c.schema.GetPossibleTypes(definition) {
			names = append(names, possible.Name)
		}
		made.possible = c.types.NewSet(names)
	}
	return made, nil
}
