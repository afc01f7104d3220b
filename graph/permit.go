package graph

import (
	"math"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/authorize"
	"github.com/citizencloud/citizencloud/graph/demand"
	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/project"
)

// Authorization says what becomes of an operation that asks what the schema's
// access rules (@authenticated, @requiresScopes, @policy) do not let the caller
// see.
type Authorization int

const (
	// AuthorizationOff leaves the rules to the subgraphs.
	AuthorizationOff Authorization = iota
	// AuthorizationFilter fetches nothing of it; null stands in its place, with an
	// error, and is passed upward where the schema allows none.
	AuthorizationFilter
	// AuthorizationReject runs no operation that asks for a field which is denied.
	// Objects of a denied type that come in a list are null, as with Filter:
	// nobody knows of them beforehand.
	AuthorizationReject
)

// permits is what of an operation is decided for each request.
type permits struct {
	// touched are the access rules that decide about it; nil for none.
	touched authorize.Set
	// variants are the same operation for callers who fail some of them.
	variants *variants
	// denied marks such a variant.
	denied bool
	// estimate is nil where costs are not estimated.
	estimate *demand.Estimate
}

// readPermits readies the access rules and weights that the options ask for.
func (e *Engine) readPermits() (err error) {
	if e.options.Authorization != AuthorizationOff {
		if e.access, err = authorize.New(e.super); err != nil {
			return err
		}
	}
	if e.options.Demand {
		e.demand, err = demand.New(e.super)
	}
	return err
}

// permitsOf is what requests for the operation will have to pass.
func (e *Engine) permitsOf(op *Operation) permits {
	var p permits
	if e.access != nil {
		if p.touched = e.access.Touched(op.definition); p.touched != nil {
			p.variants = &variants{}
		}
	}
	if e.demand != nil {
		p.estimate = e.demand.Estimate(op.definition)
	}
	return p
}

// permit gives the operation as this caller may run it. An operation that no
// rule touches is given at once.
func (e *Engine) permit(op *Operation, call *Call) (*Operation, gqlerror.List) {
	if op.touched == nil {
		return op, nil
	}
	failed := e.access.Failed(op.touched, call.Claims)
	if failed == nil {
		return op, nil
	}
	return op.variants.get(failed.Key(), func() (*Operation, gqlerror.List) { return e.without(op, failed) })
}

// without plans the operation for callers who fail these rules.
func (e *Engine) without(op *Operation, failed authorize.Set) (*Operation, gqlerror.List) {
	planned, err := e.planner.PlanFor(op.document, op.definition, plan.Caller{Denial: e.access.Without(failed), Active: op.labels})
	if err != nil {
		return nil, coded(codePlan, gqlerror.List{gqlerror.Wrap(err)})
	}
	program, err := execute.Compile(planned, &e.names, e.dispatcher)
	if err != nil {
		return nil, coded(codePlan, gqlerror.List{{Err: err, Message: "该操作暂时无法执行"}})
	}
	variant := *op
	variant.plan, variant.program, variant.number = planned, program, numbers.Add(1)
	variant.permits = permits{denied: true, estimate: op.estimate}
	return &variant, nil
}

// admit decides, now that the variables are known, whether the operation runs.
func (e *Engine) admit(op *Operation, call *Call, variables map[string]any) gqlerror.List {
	if op.denied && (e.options.Authorization == AuthorizationReject || op.definition.Operation == ast.Subscription && len(op.plan.Fetches) == 0) {
		if errs := denials(nil, nil, op.plan.Response, variables); len(errs) > 0 {
			return errs
		}
	}
	if op.estimate == nil || call.MaxCost <= 0 {
		return nil
	}
	cost, err := op.estimate.Cost(variables)
	if err != nil {
		return gqlerror.List{{Message: err.Error(), Extensions: map[string]any{"code": demand.CodeSlicing}}}
	}
	if cost <= call.MaxCost {
		return nil
	}
	return gqlerror.List{{
		Message: demand.TooExpensive(cost, call.MaxCost),
		Extensions: map[string]any{
			"code": demand.CodeTooExpensive,
			"cost": map[string]any{"estimated": rounded(cost), "max": rounded(call.MaxCost)},
		},
	}}
}

// rounded is a cost as a whole number, which infinity is not in JSON.
func rounded(cost float64) int64 { return int64(math.Ceil(min(cost, 1<<53))) }

// mostDenials bounds the errors of one refusal.
const mostDenials = 20

// denials are errors for the fields of the answer that are denied and asked
// with these variables.
func denials(errs gqlerror.List, path []string, outputs []*plan.Output, variables map[string]any) gqlerror.List {
	for _, o := range outputs {
		if len(errs) >= mostDenials || !o.When.Holds(variables) {
			continue
		}
		here := append(path[:len(path):len(path)], o.Key)
		if o.Denied {
			err := &gqlerror.Error{Message: "没有访问该内容的权限", Extensions: map[string]any{"code": project.CodeUnauthorized}}
			for _, key := range here {
				err.Path = append(err.Path, ast.PathName(key))
			}
			errs = append(errs, err)
			continue
		}
		errs = denials(errs, here, o.Fields, variables)
	}
	return errs
}

// Cost estimates what the operation costs with these variables. ok is false
// where the engine estimates no costs, or the variables are refused; they are
// told when it is executed.
func (e *Engine) Cost(op *Operation, call *Call) (cost float64, ok bool) {
	if op.estimate == nil {
		return 0, false
	}
	var request execute.Request
	if errs := e.variables(op, call.Variables, &request); len(errs) > 0 {
		return 0, false
	}
	cost, err := op.estimate.Cost(request.Values)
	return cost, err == nil
}

// CostVariables are the variables that have a part in what the operation is
// estimated to cost, sorted.
func (o *Operation) CostVariables() []string {
	if o.estimate == nil {
		return nil
	}
	return o.estimate.Variables()
}

// mostVariants bounds the plans of one operation that are kept beside the one
// for callers who may see everything.
const mostVariants = 16

// variants keeps the last made ones, by the rules that fail.
type variants struct {
	mu    sync.Mutex
	byKey map[string]*variant
	order []string
}

type variant struct {
	once sync.Once
	op   *Operation
	errs gqlerror.List
}

// get returns the variant, or makes it, once for all who ask meanwhile.
func (v *variants) get(key string, make func() (*Operation, gqlerror.List)) (*Operation, gqlerror.List) {
	v.mu.Lock()
	found := v.byKey[key]
	if found == nil {
		found = &variant{errs: gqlerror.List{{Message: "系统内部错误", Extensions: map[string]any{"code": "INTERNAL"}}}} // after a panic
		if v.byKey == nil {
			v.byKey = map[string]*variant{}
		}
		if len(v.order) >= mostVariants {
			delete(v.byKey, v.order[0])
			v.order = v.order[1:]
		}
		v.byKey[key] = found
		v.order = append(v.order, key)
	}
	v.mu.Unlock()
	found.once.Do(func() { found.op, found.errs = make() })
	return found.op, found.errs
}
