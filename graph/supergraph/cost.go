package supergraph

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Costs are the weights and list sizes that a supergraph carries (@cost and
// @listSize of the cost specification), by schema coordinate: "Type",
// "Type.field", "Type.field(argument:)"; fields of input types are "Type.field" too.
type Costs struct {
	Weights map[string]float64
	Lists   map[string]*ListSize
}

// ListSize is what @listSize says of a field.
type ListSize struct {
	// Assumed is how many elements come where no slicing argument is given; -1
	// where the directive does not say.
	Assumed float64
	// Slicing are the arguments that say how many elements come; each a path into
	// an argument, such as {"first"} or {"page", "size"}.
	Slicing [][]string
	// Sized are the fields of the field's type that have this size, as paths;
	// without any the field itself has it.
	Sized [][]string
	// RequireOne says that exactly one of the slicing arguments must be given.
	RequireOne bool
}

// ReadCosts reads @cost and @listSize, whatever the supergraph's links call
// them. The error names the element whose directive cannot be understood.
func (s *Supergraph) ReadCosts() (*Costs, error) {
	r := costReader{&Costs{Weights: map[string]float64{}, Lists: map[string]*ListSize{}}, s.namesOf("cost", "cost"), s.namesOf("cost", "listSize")}
	for name, t := range s.types {
		if err := r.weight(t.Definition.Directives, name); err != nil {
			return nil, err
		}
		for _, field := range t.Definition.Fields {
			at := name + "." + field.Name
			if err := r.weight(field.Directives, at); err != nil {
				return nil, err
			}
			if err := r.list(field.Directives, at); err != nil {
				return nil, err
			}
			for _, argument := range field.Arguments {
				if err := r.weight(argument.Directives, at+"("+argument.Name+":)"); err != nil {
					return nil, err
				}
			}
		}
	}
	return r.costs, nil
}

type costReader struct {
	costs      *Costs
	cost, size []string // the names of the directives
}

func applied(directives ast.DirectiveList, names []string) *ast.Directive {
	for _, name := range names {
		if directive := directives.ForName(name); directive != nil {
			return directive
		}
	}
	return nil
}

func (r costReader) weight(directives ast.DirectiveList, at string) error {
	directive := applied(directives, r.cost)
	if directive == nil {
		return nil
	}
	weight, err := strconv.ParseFloat(text(directive, "weight"), 64) // the first form of the specification has strings
	if err != nil || math.IsInf(weight, 0) || math.IsNaN(weight) {
		return fmt.Errorf("supergraph: %s: @%s: weight is no number", at, directive.Name)
	}
	r.costs.Weights[at] = weight
	return nil
}

func (r costReader) list(directives ast.DirectiveList, at string) error {
	directive := applied(directives, r.size)
	if directive == nil {
		return nil
	}
	made := &ListSize{Assumed: -1, RequireOne: flag(directive, "requireOneSlicingArgument", true)}
	if assumed := text(directive, "assumedSize"); assumed != "" {
		size, err := strconv.Atoi(assumed)
		if err != nil || size < 0 {
			return fmt.Errorf("supergraph: %s: @%s: assumedSize is no size", at, directive.Name)
		}
		made.Assumed = float64(size)
	}
	var err error
	if made.Slicing, err = paths(directive, "slicingArguments"); err == nil {
		made.Sized, err = paths(directive, "sizedFields")
	}
	if err != nil {
		return fmt.Errorf("supergraph: %s: @%s: %w", at, directive.Name, err)
	}
	r.costs.Lists[at] = made
	return nil
}

func paths(directive *ast.Directive, name string) ([][]string, error) {
	argument := directive.Arguments.ForName(name)
	if argument == nil || argument.Value.Kind == ast.NullValue {
		return nil, nil
	}
	var list [][]string
	for _, item := range items(argument.Value) {
		if item.Kind != ast.StringValue && item.Kind != ast.BlockValue || item.Raw == "" {
			return nil, fmt.Errorf("%s is no list of names", name)
		}
		list = append(list, strings.Split(item.Raw, "."))
	}
	return list, nil
}
