package validate

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// saturated is the largest value of a measure: sums and products stop there.
const saturated = 1 << 30

// Measures of an operation or of one fragment, after fragments are expanded.
type Measures struct {
	Depth, Fields, Aliases, RootFields int
	// Cost counts each field that leads to objects once for each object that
	// may come: a list counts as many as its argument `first`, `last` or `limit`
	// says, else as ten.
	Cost int
}

// Measure measures an operation of a document that need not be valid. Each
// fragment is looked at once, however often it is spread.
func Measure(schema *ast.Schema, document *ast.QueryDocument, operation *ast.OperationDefinition) Measures {
	return newMeter(schema, document).operation(operation)
}

type meter struct {
	schema    *ast.Schema
	fragments map[string]*ast.FragmentDefinition
	known     map[string]Measures
	busy      map[string]bool
}

func newMeter(schema *ast.Schema, document *ast.QueryDocument) *meter {
	m := &meter{
		schema: schema, fragments: make(map[string]*ast.FragmentDefinition, len(document.Fragments)),
		known: map[string]Measures{}, busy: map[string]bool{},
	}
	for _, fragment := range document.Fragments {
		m.fragments[fragment.Name] = fragment
	}
	return m
}

func (m *meter) operation(operation *ast.OperationDefinition) Measures {
	root := m.schema.Query
	switch operation.Operation {
	case ast.Mutation:
		root = m.schema.Mutation
	case ast.Subscription:
		root = m.schema.Subscription
	}
	return m.set(root, operation.SelectionSet)
}

// fragment measures a fragment once. A fragment that spreads itself counts as
// nothing there; the rules refuse it afterwards.
func (m *meter) fragment(name string) Measures {
	if known, ok := m.known[name]; ok {
		return known
	}
	fragment := m.fragments[name]
	if fragment == nil || m.busy[name] {
		return Measures{}
	}
	m.busy[name] = true
	measured := m.set(m.schema.Types[fragment.TypeCondition], fragment.SelectionSet)
	m.busy[name] = false
	m.known[name] = measured
	return measured
}

// set sums up a selection set. RootFields counts its own fields only.
func (m *meter) set(parent *ast.Definition, set ast.SelectionSet) Measures {
	var total Measures
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			total.add(m.field(parent, selection))
		case *ast.InlineFragment:
			inner := parent
			if selection.TypeCondition != "" {
				inner = m.schema.Types[selection.TypeCondition]
			}
			total.add(m.set(inner, selection.SelectionSet))
		case *ast.FragmentSpread:
			total.add(m.fragment(selection.Name))
		}
	}
	return total
}

func (m *meter) field(parent *ast.Definition, field *ast.Field) Measures {
	var inner Measures
	if len(field.SelectionSet) > 0 {
		var definition *ast.FieldDefinition
		if parent != nil {
			definition = parent.Fields.ForName(field.Name)
		}
		var of *ast.Definition
		times := 1
		if definition != nil {
			of = m.schema.Types[definition.Type.Name()]
			if definition.Type.Elem != nil {
				times = listSize(field)
			}
		}
		inner = m.set(of, field.SelectionSet)
		inner.Cost = multiply(times, sum(1, inner.Cost))
	}
	inner.Depth = sum(inner.Depth, 1)
	inner.Fields = sum(inner.Fields, 1)
	if field.Alias != "" && field.Alias != field.Name {
		inner.Aliases = sum(inner.Aliases, 1)
	}
	inner.RootFields = 1
	return inner
}

// assumedList is how many objects a list is taken to have where nothing says.
const assumedList = 10

func listSize(field *ast.Field) int {
	for _, name := range []string{"first", "last", "limit"} {
		if argument := field.Arguments.ForName(name); argument != nil && argument.Value.Kind == ast.IntValue {
			if size, err := strconv.Atoi(argument.Value.Raw); err == nil && size >= 0 {
				return min(size, saturated)
			}
		}
	}
	return assumedList
}

func (t *Measures) add(other Measures) {
	t.Depth = max(t.Depth, other.Depth)
	t.Fields = sum(t.Fields, other.Fields)
	t.Aliases = sum(t.Aliases, other.Aliases)
	t.RootFields = sum(t.RootFields, other.RootFields)
	t.Cost = sum(t.Cost, other.Cost)
}

func sum(a, b int) int { return min(a+b, saturated) }

func multiply(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	if a > saturated/b {
		return saturated
	}
	return a * b
}
