package demand

import (
	"maps"
	"slices"

	"github.com/citizencloud/citizencloud/graph/plan"
)

// Estimate is the cost of one operation, as far as it is known without
// variables. It is immutable.
type Estimate struct {
	root *expression
	// fixed is the cost where no variable has a part in it.
	fixed     float64
	constant  bool
	err       error
	variables []string
}

// Cost is the cost with these variables, coerced by the operation's
// definitions; +Inf at most. The error is a *Slicing. Where no variable has a
// part in the cost this is a look-up.
func (e *Estimate) Cost(variables map[string]any) (float64, error) {
	if e.constant {
		return e.fixed, e.err
	}
	return e.root.cost(variables)
}

// Variables are those that have a part in the cost, sorted.
func (e *Estimate) Variables() []string { return e.variables }

// expression is size × (fixed + all of sum + the greatest of most), or 0 where
// its condition does not hold.
type expression struct {
	when  plan.Alternative
	size  *size // nil: once
	fixed float64
	sum   []*expression
	most  []*expression
	input *inputs // what arguments weigh whose values are variables; nil mostly
}

func (x *expression) cost(variables map[string]any) (float64, error) {
	if len(x.when) > 0 && !(plan.Condition{x.when}).Holds(variables) {
		return 0, nil
	}
	total := x.fixed
	for _, part := range x.sum {
		cost, err := part.cost(variables)
		if err != nil {
			return 0, err
		}
		total += cost
	}
	greatest := 0.0
	for _, part := range x.most {
		cost, err := part.cost(variables)
		if err != nil {
			return 0, err
		}
		greatest = max(greatest, cost)
	}
	total += greatest
	if x.input != nil {
		total += x.input.weight(variables)
	}
	total = max(total, 0) // no weight, however negative, pays for another field
	if x.size == nil || total == 0 {
		return total, x.checkSize(variables)
	}
	times, err := x.size.of(variables)
	if err != nil || times == 0 {
		return 0, err
	}
	return times * total, nil
}

func (x *expression) checkSize(variables map[string]any) error {
	if x.size == nil {
		return nil
	}
	_, err := x.size.of(variables)
	return err
}

// free says that it costs nothing whatever the variables, and refuses nothing.
func (x *expression) free() bool {
	return x.fixed == 0 && x.input == nil && len(x.sum) == 0 && len(x.most) == 0 && (x.size == nil || !x.size.requireOne)
}

// names adds the variables that have a part in the cost.
func (x *expression) names(into map[string]bool) {
	for _, literal := range x.when {
		into[literal.Variable] = true
	}
	if x.size != nil {
		x.size.names(into)
	}
	if x.input != nil {
		for _, given := range x.input.given {
			variablesOf(given.value, into)
		}
	}
	for _, part := range append(slices.Clone(x.sum), x.most...) {
		part.names(into)
	}
}

// fold replaces parts without variables by their cost. It says whether the
// whole is one of them.
func (x *expression) fold() bool {
	constant := len(x.when) == 0 && x.input == nil && (x.size == nil || x.size.constant())
	var kept []*expression
	for _, part := range x.sum {
		if cost, err := part.cost(nil); part.fold() && err == nil {
			x.fixed += cost
			continue
		}
		kept = append(kept, part)
	}
	x.sum = kept
	for _, part := range x.most {
		constant = part.fold() && constant
	}
	return constant && len(kept) == 0
}

func finish(root *expression) *Estimate {
	names := map[string]bool{}
	root.names(names)
	e := &Estimate{root: root, variables: slices.Sorted(maps.Keys(names)), constant: len(names) == 0}
	if e.constant {
		e.fixed, e.err = root.cost(nil)
		e.root = nil
	} else {
		root.fold()
	}
	return e
}
