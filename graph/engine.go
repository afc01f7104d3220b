// Package graph is the gateway: it answers GraphQL operations over a
// supergraph. It knows schemas, and no business.
//
// Start reading at Engine: Prepare (prepare.go) takes an operation from text
// to a program, Execute and Subscribe (stream.go) run it.
package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/authorize"
	"github.com/citizencloud/citizencloud/graph/demand"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/flight"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/subscribe"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/tree"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// Dedupe says which identical work in flight is done once. Nothing is ever
// shared between different authorisation views, and no mutation is.
type Dedupe int

const (
	// DedupeNone sends every fetch of every request.
	DedupeNone Dedupe = iota
	// DedupeSubgraph shares identical fetches to subgraphs that are in flight.
	DedupeSubgraph
	// DedupeAll shares, besides, identical client requests that are in flight.
	DedupeAll
)

// Options of an Engine; the zero value is usable.
type Options struct {
	Dedupe Dedupe
	// Timeout bounds one operation and one event of a subscription; 0 means 30 s.
	Timeout time.Duration
	// PlanCacheSize is the number of prepared operations kept; 0 means 2,000.
	PlanCacheSize int
	// Limits bound the documents that are prepared.
	Limits validate.Limits
	// Authorization says whether the schema's access rules are enforced here.
	Authorization Authorization
	// Demand estimates what operations cost, for Call.MaxCost.
	Demand bool
	// Plan steers the planner.
	Plan plan.Options
	// Random rolls for the percentages of progressive overrides, in [0,1) and safe for
	// concurrent use; nil is rand.Float64.
	Random func() float64
	// Prepared is told of every preparation, those that were refused too; nil
	// for nobody.
	Prepared func(Preparation)
	// Failed is told of every fetch that brought no usable answer; nil for nobody.
	// It must be quick.
	Failed func(context.Context, FailedFetch)
}

// Engine runs operations over one supergraph generation. It is immutable but
// for its caches and safe for concurrent use.
type Engine struct {
	dispatcher dispatch.Dispatcher
	options    Options
	super      *supergraph.Supergraph
	public     *ast.Schema
	planner    *plan.Planner
	access     *authorize.Rules // nil where no rules are enforced
	demand     *demand.Model    // nil where no costs are estimated
	names      execute.Names
	cache      *cache
	flights    flight.Group[*Response]
	hub        subscribe.Hub
}

// New readies an engine over the supergraph; d reaches its subgraphs.
func New(super *supergraph.Supergraph, d dispatch.Dispatcher, o Options) (*Engine, error) {
	if super == nil || d == nil {
		return nil, fmt.Errorf("graph: an engine needs a supergraph and a dispatcher")
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.PlanCacheSize == 0 {
		o.PlanCacheSize = 2000
	}
	if o.Dedupe >= DedupeSubgraph {
		d = dispatch.NewShare(d)
	}
	types := tree.NewTypes()
	for _, schema := range []*ast.Schema{super.Full, super.Public} {
		for name, definition := range schema.Types {
			types.Add(name, definition.Kind == ast.Object)
		}
	}
	services := make(map[string]string, len(super.Subgraphs))
	for _, subgraph := range super.Subgraphs {
		services[subgraph.ID] = subgraph.Name
	}
	e := &Engine{
		dispatcher: d,
		options:    o,
		super:      super,
		public:     super.Public,
		planner:    plan.New(super, o.Plan),
		names:      execute.Names{Types: types, Public: super.Public, Services: services, Failed: tell(o.Failed)},
		cache:      newCache(o.PlanCacheSize),
		flights:    flight.Group[*Response]{Free: (*Response).Release},
	}
	return e, e.readPermits()
}

// Operation is a prepared operation, shared by all requests that run it.
type Operation struct {
	plan       *plan.Plan
	program    *execute.Program
	definition *ast.OperationDefinition
	document   *ast.QueryDocument
	number     uint64   // tells operations apart in sharing keys
	audience   audience // among whom answers may be shared
	latest     bool     // a subscription whose events replace each other
	permits
	// rollout is nil where no label of a progressive override decides about it.
	rollout *rollout

	preparation Preparation
	prepared    time.Time // when it was ready
}

// Kind is query, mutation or subscription.
func (o *Operation) Kind() ast.Operation { return o.plan.Operation }

// Name is the operation's name, "" when it has none.
func (o *Operation) Name() string { return o.plan.Name }

// Plan is the plan that is run.
func (o *Operation) Plan() *plan.Plan { return o.plan }

// Call is what differs between two requests that run the same operation.
type Call struct {
	// Variables is the client's JSON object of variables; nil for none.
	Variables json.RawMessage
	// Header holds the client's headers, of which dispatch.Forwarded reach the subgraphs.
	Header http.Header
	// View names what the caller may see. It is part of every sharing key;
	// "" means that this call shares nothing with any other, but for what the
	// schema's tags open (TagPublic, TagScope).
	View string
	// Scope names the caller's data scope; "" for none.
	Scope string
	// Claims are what is known of the caller, for the schema's access rules; nil
	// satisfies none of them.
	Claims authorize.Claims
	// MaxCost is the most that the operation may be estimated to cost; 0 for any.
	MaxCost float64
	// Latest says for a subscription that only the newest event matters: a slow client
	// misses those in between. Otherwise it is ended with ErrSlow.
	Latest bool
	// ID names the request in the subgraphs' logs; "" for none.
	ID string
	// Trace is the W3C traceparent of the span that the context carries, recorded
	// or not; "" where nothing is traced, and the client's own header goes on.
	Trace string
	// Explain adds to a query's or mutation's answer how it was made.
	Explain Explain
}

// Response is one complete answer.
type Response struct {
	// Body is the answer as JSON: {"data":…,"errors":…}. It is valid until Release.
	Body []byte
	// HasData is false when the request failed before it was run, so that
	// there is no data entry at all.
	HasData bool
	// Errors is the number of entries of errors.
	Errors int

	writer *project.Writer
	shared *flight.Shared[*Response]
}

// Release gives the body's memory back; the response may not be used after it.
func (r *Response) Release() {
	switch {
	case r.shared != nil:
		r.shared.Release()
	case r.writer != nil:
		r.writer.Release()
	}
	r.Body, r.writer, r.shared = nil, nil, nil
}

// Failure is the response to a request that was not run.
func Failure(list gqlerror.List) *Response {
	body, err := json.Marshal(struct {
		Errors gqlerror.List `json:"errors"`
	}{list})
	if err != nil {
		body = []byte(`{"errors":[{"message":"系统内部错误","extensions":{"code":"INTERNAL"}}]}`)
	}
	return &Response{Body: body, Errors: len(list)}
}

// Execute runs a query or a mutation. It always returns a response, which the
// caller releases. Nothing of the call is kept.
func (e *Engine) Execute(ctx context.Context, prepared *Operation, call Call) *Response {
	op, errs := e.choose(prepared, &call)
	if len(errs) > 0 {
		return Failure(errs)
	}
	explained := call.Explain.wanted()
	if explained && call.Explain.Only {
		return e.explained(op, &call)
	}
	request := execute.Request{Header: call.Header, View: call.View, ID: call.ID, Trace: call.Trace}
	if op.Kind() == ast.Mutation {
		request.View = "" // what it reads afterwards may not come from a fetch that was sent before its change
	}
	if errs := e.variables(op, call.Variables, &request); len(errs) > 0 {
		return Failure(errs)
	}
	if errs := e.admit(op, &call, request.Values); len(errs) > 0 {
		return Failure(errs)
	}
	key := ""
	if e.options.Dedupe >= DedupeAll && op.Kind() == ast.Query && !explained {
		key = op.key(call)
	}
	var w *watch
	if explained || call.Trace != "" {
		w = e.watch(ctx, op, &call, &request)
	}
	if key == "" {
		r := e.run(ctx, op, &request)
		if explained {
			e.explain(r, op, &call, w)
		}
		return r
	}
	shared, err := e.flights.Do(ctx, key, func(ctx context.Context) (*Response, error) {
		return e.run(ctx, op, &request), nil
	})
	if err != nil {
		return Failure(gqlerror.List{interrupted()})
	}
	r := shared.Value
	return &Response{Body: r.Body, HasData: r.HasData, Errors: r.Errors, shared: shared}
}

func (e *Engine) run(ctx context.Context, op *Operation, request *execute.Request) *Response {
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	w := project.NewWriter()
	op.program.Run(ctx, request, w)
	return &Response{Body: w.Body, HasData: true, Errors: len(w.Errors), writer: w}
}

// interrupted is told to a client that has, in all likelihood, left.
func interrupted() *gqlerror.Error {
	return &gqlerror.Error{Message: "请求已取消", Extensions: map[string]any{"code": project.CodeSubrequestFailed}}
}
