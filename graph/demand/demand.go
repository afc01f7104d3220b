// Package demand estimates what an operation costs before anything is fetched,
// by the cost directive specification (@cost, @listSize). All that does not
// depend on a request's variables is computed when the operation is prepared.
//
// An operation costs its own weight (a mutation 10, else 0) and what its fields
// cost. A field costs its weight, or that of the type it leads to (objects,
// interfaces and unions 1, leaves 0), and what is selected below, as many times
// as objects may come; and once the weights of its arguments. Where different
// types of objects may come the most expensive one counts; a field that is
// asked several times under one key counts once.
//
// Start reading at Model.Estimate (compile.go); how lists are sized is in size.go.
package demand

import (
	"fmt"
	"math"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// The weights of what bears no @cost.
const (
	WeightMutation  = 10
	WeightComposite = 1 // an object, interface or union
	WeightLeaf      = 0
	// ListSize is how many elements a list is taken to have where nothing says.
	ListSize = 10
)

// The codes of refusals (extensions.code).
const (
	CodeTooExpensive = "COST_ESTIMATED_TOO_EXPENSIVE"
	CodeSlicing      = "COST_SLICING_ARGUMENT_REQUIRED"
)

// Model knows the weights of one supergraph. It is immutable.
type Model struct {
	super  *supergraph.Supergraph
	public *ast.Schema
	costs  *supergraph.Costs
	// weighty are the input types in which some field has a weight.
	weighty map[string]bool
}

// New reads the weights. The error names the element whose directive cannot be
// understood.
func New(super *supergraph.Supergraph) (*Model, error) {
	costs, err := super.ReadCosts()
	if err != nil {
		return nil, fmt.Errorf("demand: %w", err)
	}
	m := &Model{super: super, public: super.Public, costs: costs, weighty: map[string]bool{}}
	for changed := true; changed; { // input types may contain each other
		changed = false
		for name, definition := range super.Full.Types {
			if definition.Kind != ast.InputObject || m.weighty[name] {
				continue
			}
			for _, field := range definition.Fields {
				if _, weighs := costs.Weights[name+"."+field.Name]; weighs || m.weighty[field.Type.Name()] {
					m.weighty[name], changed = true, true
				}
			}
		}
	}
	return m, nil
}

// Slicing refuses an operation that does not say how much it wants of a list
// whose size it must say.
type Slicing struct{ Field string }

// Error implements error.
func (s *Slicing) Error() string {
	return "字段 " + s.Field + " 必须且只能给出一个限定数量的参数"
}

// TooExpensive is what to tell of an operation that costs more than it may.
func TooExpensive(cost, most float64) string {
	return fmt.Sprintf("操作的估算成本为 %.0f，超过上限 %.0f，请减少字段或每页数量", math.Ceil(cost), most)
}

// typeWeight is the weight of one value of a type.
func (m *Model) typeWeight(name string) float64 {
	if weight, ok := m.costs.Weights[name]; ok {
		return weight
	}
	definition := m.public.Types[name]
	if definition == nil {
		return WeightLeaf
	}
	switch definition.Kind {
	case ast.Object:
		return WeightComposite
	case ast.Interface, ast.Union:
		most := 0.0
		for i, member := range m.public.GetPossibleTypes(definition) {
			if weight := m.typeWeight(member.Name); i == 0 || weight > most {
				most = weight
			}
		}
		return max(most, 0)
	}
	return WeightLeaf
}

// fieldWeight is the weight of one value of a field; of an interface's field
// the greatest of all implementations.
func (m *Model) fieldWeight(holder *ast.Definition, field *ast.FieldDefinition) float64 {
	if weight, ok := m.costs.Weights[holder.Name+"."+field.Name]; ok {
		return weight
	}
	weight := m.typeWeight(field.Type.Name())
	if holder.Kind == ast.Interface {
		for _, member := range m.public.GetPossibleTypes(holder) {
			if own, ok := m.costs.Weights[member.Name+"."+field.Name]; ok {
				weight = max(weight, own)
			}
		}
	}
	return weight
}

// listSize is what is said of a field's size; of an interface's field what one
// of the implementations says, where it says nothing itself.
func (m *Model) listSize(holder *ast.Definition, field string) *supergraph.ListSize {
	if size := m.costs.Lists[holder.Name+"."+field]; size != nil || holder.Kind != ast.Interface {
		return size
	}
	for _, member := range m.public.GetPossibleTypes(holder) {
		if size := m.costs.Lists[member.Name+"."+field]; size != nil {
			return size
		}
	}
	return nil
}
