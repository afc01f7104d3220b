package graph

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/plan"
)

// A label `percent(x)` of a progressive override (@override) is active for x of a
// hundred requests: each request rolls once for each label that its operation
// touches. A plan tells on which labels it depends, so an operation has as many
// plans as there are states of those, made when they are first rolled.

// percentOf is the x of `percent(x)`; ok is false for other labels, which are
// active when plan.Options say so, and for those that need no roll.
func percentOf(label string) (percent float64, ok bool) {
	inner, found := strings.CutPrefix(label, "percent(")
	if !found || !strings.HasSuffix(inner, ")") {
		return 0, false
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(inner, ")")), 64)
	return percent, err == nil && percent > 0 && percent < 100
}

// mostRolls bounds the plans of one operation that are kept, by its labels.
const mostRolls = 64

// rollout is the plans of an operation that touches labels.
type rollout struct {
	plans  atomic.Pointer[[]*Operation]
	making sync.Mutex
}

// rolls are the labels of one request.
type rolls struct {
	random func() float64
	active map[string]bool
}

// of rolls for a label, once.
func (r *rolls) of(label string) bool {
	percent, ok := percentOf(label)
	if !ok {
		return false
	}
	active, known := r.active[label]
	if !known {
		active = r.random()*100 < percent
		r.active[label] = active
	}
	return active
}

// fits says whether a plan is for these rolls. It rolls for the labels that the
// plan depends on.
func (r *rolls) fits(p *plan.Plan) bool {
	for _, label := range p.Labels {
		if _, rolled := percentOf(label.Name); rolled && r.of(label.Name) != label.Active {
			return false
		}
	}
	return true
}

// rolloutOf is nil for an operation that no roll decides about.
func (e *Engine) rolloutOf(op *Operation) *rollout {
	fixed := map[string]bool{}
	for _, label := range e.options.Plan.Labels {
		fixed[label] = true
	}
	for _, label := range op.plan.Labels {
		if _, rolled := percentOf(label.Name); rolled && !fixed[label.Name] {
			r := new(rollout)
			r.plans.Store(&[]*Operation{op})
			return r
		}
	}
	return nil
}

// choose gives the operation as this request runs it.
func (e *Engine) choose(op *Operation, call *Call) (*Operation, gqlerror.List) {
	op, errs := e.rolled(op)
	if len(errs) > 0 {
		return nil, errs
	}
	return e.permit(op, call)
}

// rolled gives the operation as the rolls of one request have it. One that
// touches no label is given at once.
func (e *Engine) rolled(op *Operation) (*Operation, gqlerror.List) {
	if op.rollout == nil {
		return op, nil
	}
	random := e.options.Random
	if random == nil {
		random = rand.Float64
	}
	r := &rolls{random, map[string]bool{}}
	for _, label := range e.options.Plan.Labels {
		r.active[label] = true
	}
	known := op.rollout.plans.Load()
	for _, other := range *known {
		if r.fits(other.plan) {
			return other, nil
		}
	}
	op.rollout.making.Lock()
	defer op.rollout.making.Unlock()
	if now := op.rollout.plans.Load(); now != known { // made meanwhile, perhaps
		known = now
		for _, other := range *known {
			if r.fits(other.plan) {
				return other, nil
			}
		}
	}
	made, errs := e.planRolled(op, r)
	if len(errs) > 0 {
		return nil, errs
	}
	kept := *known
	if len(kept) >= mostRolls {
		kept = append([]*Operation{kept[0]}, kept[2:]...)
	}
	kept = append(kept[:len(kept):len(kept)], made)
	op.rollout.plans.Store(&kept)
	return made, nil
}

// planRolled plans the operation for these rolls.
func (e *Engine) planRolled(op *Operation, r *rolls) (*Operation, gqlerror.List) {
	planned, err := e.planner.PlanFor(op.document, op.definition, plan.Caller{Active: r.of})
	if err != nil {
		return nil, coded(codePlan, gqlerror.List{gqlerror.Wrap(err)})
	}
	program, err := execute.Compile(planned, &e.names, e.dispatcher)
	if err != nil {
		return nil, coded(codePlan, gqlerror.List{{Err: err, Message: "该操作暂时无法执行"}})
	}
	made := *op
	made.plan, made.program, made.number = planned, program, numbers.Add(1)
	made.permits = e.permitsOf(&made)
	return &made, nil
}

// labels says which labels are active for who gets this plan of the operation.
func (o *Operation) labels(label string) bool {
	for _, known := range o.plan.Labels {
		if known.Name == label {
			return known.Active
		}
	}
	return false
}
