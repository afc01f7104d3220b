package demand

import "github.com/vektah/gqlparser/v2/ast"

// inputs weigh the arguments of one field whose weight depends on what is given.
type inputs struct {
	model *Model
	given []input
}

type input struct {
	typ   *ast.Type
	value *ast.Value
}

func (in *inputs) weight(variables map[string]any) float64 {
	total := 0.0
	for _, one := range in.given {
		total += in.model.literal(one.typ, one.value, variables)
	}
	return total
}

// literal is the weight of the fields of input objects in a literal.
func (m *Model) literal(t *ast.Type, value *ast.Value, variables map[string]any) float64 {
	total := 0.0
	switch value.Kind {
	case ast.Variable:
		return m.value(t, variables[value.Raw])
	case ast.ListValue:
		for _, child := range value.Children {
			total += m.literal(elementOf(t), child.Value, variables)
		}
	case ast.ObjectValue:
		definition := m.public.Types[t.Name()]
		for _, child := range value.Children {
			if definition == nil {
				break
			}
			if field := definition.Fields.ForName(child.Name); field != nil {
				total += m.costs.Weights[definition.Name+"."+field.Name] + m.literal(field.Type, child.Value, variables)
			}
		}
	}
	return total
}

// value is the same of a coerced variable.
func (m *Model) value(t *ast.Type, value any) float64 {
	total := 0.0
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			total += m.value(elementOf(t), element)
		}
	case map[string]any:
		definition := m.public.Types[t.Name()]
		for name, inner := range v {
			if definition == nil {
				break
			}
			if field := definition.Fields.ForName(name); field != nil {
				total += m.costs.Weights[definition.Name+"."+field.Name] + m.value(field.Type, inner)
			}
		}
	}
	return total
}

func elementOf(t *ast.Type) *ast.Type {
	if t.Elem != nil {
		return t.Elem
	}
	return t
}
