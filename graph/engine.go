// Package graph is the gateway: it answers GraphQL operations over a
// supergraph. It knows schemas, and no business.
//
// Start reading at Engine: Prepare takes an operation from text to a plan
// (parse, validate, plan, compile), Execute and Subscribe run it.
package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
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
	// Limits of depth, cost and size; see validate.Limits.
	Limits any
}

// Engine runs operations over one supergraph generation. It is immutable but
// for its caches and safe for concurrent use.
type Engine struct {
	dispatcher dispatch.Dispatcher
	options    Options
}

// New readies an engine over the supergraph; d reaches its subgraphs.
func New(super any, d dispatch.Dispatcher, o Options) (*Engine, error) {
	return &Engine{dispatcher: d, options: o}, nil
}

// Operation is a prepared operation, shared by all requests that run it.
type Operation struct {
	plan *plan.Plan
}

// Kind is query, mutation or subscription.
func (o *Operation) Kind() ast.Operation { return o.plan.Operation }

// Name is the operation's name, "" when it has none.
func (o *Operation) Name() string { return o.plan.Name }

// Plan is the plan that is run.
func (o *Operation) Plan() *plan.Plan { return o.plan }

// Prepare parses, checks, plans and compiles the operation of query that
// operationName names ("" when there is only one). Results are cached, and
// concurrent identical preparations are done once.
func (e *Engine) Prepare(query, operationName string) (*Operation, gqlerror.List) {
	return nil, gqlerror.List{gqlerror.Errorf("not ready")}
}

// Call is what differs between two requests that run the same operation.
type Call struct {
	// Variables is the client's JSON object of variables; nil for none.
	Variables json.RawMessage
	// Header holds the client's headers, of which dispatch.Forwarded reach the subgraphs.
	Header http.Header
	// View names what the caller may see. It is part of every sharing key;
	// "" means that this call shares nothing with any other.
	View string
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
}

// Release gives the body's memory back; the response may not be used after it.
func (r *Response) Release() {}

// Failure is the response to a request that was not run.
func Failure(list gqlerror.List) *Response {
	body, _ := json.Marshal(struct {
		Errors gqlerror.List `json:"errors"`
	}{list})
	return &Response{Body: body, Errors: len(list)}
}

// Execute runs a query or a mutation. It always returns a response, which the
// caller releases. Nothing of the call is kept.
func (e *Engine) Execute(ctx context.Context, op *Operation, call Call) *Response {
	return Failure(gqlerror.List{gqlerror.Errorf("not ready")})
}

// ErrSlow ends the stream of a subscriber that did not keep up.
var ErrSlow = errors.New("subscriber too slow")

// Stream is a running subscription of one client.
type Stream interface {
	// Next waits for the next event's complete response, which the caller
	// releases. The error is io.EOF after the last event, ErrSlow when the
	// subscriber was dropped because it did not keep up, or ctx's.
	Next(ctx context.Context) (*Response, error)
	// Close leaves the subscription; the last one to leave ends it upstream.
	Close()
}

// Subscribe starts a subscription for one client, joining a running identical
// one of the same authorisation view. It ends with ctx.
func (e *Engine) Subscribe(ctx context.Context, op *Operation, call Call) (Stream, gqlerror.List) {
	return nil, gqlerror.List{gqlerror.Errorf("not ready")}
}
