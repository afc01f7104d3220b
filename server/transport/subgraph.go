package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/span"
)

// SubgraphOptions of a subgraph served alone; only Schema must be given.
type SubgraphOptions struct {
	Schema graphql.ExecutableSchema
	// Context readies the context of one operation for the resolvers, with
	// their loaders; nil changes nothing.
	Context func(context.Context) context.Context
	// Authenticator finds out who asks, from the Authorization header that
	// the gateway passes on; nil lets all in as nobody.
	Authenticator guard.Authenticator
	// Gateways are the addresses whose X-Forwarded-For is believed; nil means
	// this machine's own.
	Gateways []netip.Prefix
	Ready    func() error
	// Observe and Tracer are as in Options. Operations are named by their first
	// root field: the gateway's documents have no name.
	Observe func(Observation)
	Tracer  trace.Tracer
	Logger  *slog.Logger
}

// mostOfSubgraph bounds a fetch: the representations of a whole list.
const mostOfSubgraph = 16 << 20

// Gateways are the networks of the gateways before a subgraph; this machine's
// own where none are given.
func Gateways(given []netip.Prefix) []netip.Prefix {
	if given == nil {
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	return given
}

// NewSubgraph serves one gqlgen schema over HTTP as a federated subgraph: POST
// /graphql, with _service and _entities, and subscriptions as server-sent
// events at the same URL. It is a Server in all else, and trusts its network:
// every operation may run.
func NewSubgraph(o SubgraphOptions) *Server {
	o.Gateways = Gateways(o.Gateways)
	if o.Context == nil {
		o.Context = func(ctx context.Context) context.Context { return ctx }
	}
	local := &localEngine{schema: o.Schema, ready: o.Context, documents: newRecent[*ast.QueryDocument](1000), executor: executor.New(o.Schema)}
	local.executor.SetErrorPresenter(fault.Present)
	local.executor.SetRecoverFunc(fault.Recover)
	local.executor.SetQueryCache(local.documents)
	return New(Options{
		Engine: local, Authenticator: o.Authenticator, MaxBody: mostOfSubgraph,
		TrustedProxies: o.Gateways, Ready: o.Ready, Logger: o.Logger,
		Observe: o.Observe, Tracer: o.Tracer, Label: firstField,
	})
}

// localEngine runs operations on one executable schema.
type localEngine struct {
	schema    graphql.ExecutableSchema
	executor  *executor.Executor
	documents *recent[*ast.QueryDocument] // parsed and validated, by text
	ready     func(context.Context) context.Context
}

// Prepare implements Engine.
func (e *localEngine) Prepare(_ context.Context, query, operationName string) (Operation, gqlerror.List) {
	document, known := e.documents.Get(context.Background(), query)
	if !known {
		parsed, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			return nil, coded("GRAPHQL_PARSE_FAILED", gqlerror.List{gqlerror.WrapIfUnwrapped(err)})
		}
		if errs := validator.ValidateWithRules(e.schema.Schema(), parsed, rules.NewDefaultRules()); len(errs) > 0 {
			return nil, coded("GRAPHQL_VALIDATION_FAILED", errs)
		}
		document = parsed
		e.documents.Add(context.Background(), query, document)
	}
	operation := document.Operations.ForName(operationName)
	if operation == nil {
		return nil, coded("OPERATION_RESOLUTION_FAILURE", gqlerror.List{gqlerror.Errorf("没有名为 %q 的操作", operationName)})
	}
	return &localOperation{e, query, operation}, nil
}

// coded gives every error the code.
func coded(code string, errs gqlerror.List) gqlerror.List {
	for _, err := range errs {
		err.Extensions = map[string]any{"code": code}
	}
	return errs
}

type localOperation struct {
	engine     *localEngine
	query      string
	definition *ast.OperationDefinition
}

// Kind implements Operation.
func (o *localOperation) Kind() ast.Operation { return o.definition.Operation }

// Name implements Operation.
func (o *localOperation) Name() string { return o.definition.Name }

// start coerces the variables and begins the operation.
func (o *localOperation) start(ctx context.Context, call graph.Call) (graphql.ResponseHandler, context.Context, gqlerror.List) {
	ctx = graphql.StartOperationTrace(o.engine.ready(ctx))
	params := &graphql.RawParams{Query: o.query, OperationName: o.definition.Name, Headers: call.Header}
	if call.Variables != nil {
		decoder := json.NewDecoder(bytes.NewReader(call.Variables))
		decoder.UseNumber()
		if err := decoder.Decode(&params.Variables); err != nil {
			return nil, nil, coded("BAD_USER_INPUT", gqlerror.List{gqlerror.Errorf("变量不是合法的 JSON 对象")})
		}
	}
	operation, errs := o.engine.executor.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return nil, nil, coded("BAD_USER_INPUT", errs)
	}
	operation.DisableIntrospection = !o.asksForSDL()
	if call.Trace != "" && span.Recorded(ctx) {
		operation.ResolverMiddleware = span.Fields(operation.ResolverMiddleware)
	}
	handler, ctx := o.engine.executor.DispatchOperation(ctx, operation)
	return handler, ctx, nil
}

// firstField names an operation by what it asks first; the schema has only so many.
func firstField(o Operation) string {
	for _, selection := range o.(*localOperation).definition.SelectionSet {
		if field, ok := selection.(*ast.Field); ok {
			return field.Name
		}
	}
	return Other
}

// asksForSDL says whether the operation is `{ _service { sdl } }` and nothing
// else; gqlgen counts that as introspection, which is closed otherwise.
func (o *localOperation) asksForSDL() bool {
	for _, selection := range o.definition.SelectionSet {
		if field, ok := selection.(*ast.Field); !ok || field.Name != "_service" {
			return false
		}
	}
	return true
}

// Execute implements Operation.
func (o *localOperation) Execute(ctx context.Context, call graph.Call) *graph.Response {
	handler, ctx, errs := o.start(ctx, call)
	if len(errs) > 0 {
		return graph.Failure(errs)
	}
	response := handler(ctx)
	if response == nil { // cancelled: nobody listens
		return graph.Failure(coded(codeInternal, gqlerror.List{gqlerror.Errorf("请求已取消")}))
	}
	return encode(response)
}

// encode writes the answer. Data that is absent is null: the operation ran.
func encode(response *graphql.Response) *graph.Response {
	body := make([]byte, 0, len(response.Data)+64)
	body = append(body, `{"data":`...)
	if response.Data == nil {
		body = append(body, `null`...)
	}
	body = append(body, response.Data...)
	if len(response.Errors) > 0 {
		body = append(body, `,"errors":`...)
		body = appendErrors(body, response.Errors)
	}
	return &graph.Response{Body: append(body, '}'), HasData: true, Errors: len(response.Errors)}
}

// Subscribe implements Operation.
func (o *localOperation) Subscribe(ctx context.Context, call graph.Call) (graph.Stream, gqlerror.List) {
	if call.Trace != "" {
		ctx, call.Trace = span.Without(ctx), "" // it outlives the request's span
	}
	handler, ctx, errs := o.start(ctx, call)
	if len(errs) > 0 {
		return nil, errs
	}
	return &localStream{ctx, handler}, nil
}

// localStream reads a subscription's events as they come.
type localStream struct {
	ctx     context.Context
	handler graphql.ResponseHandler
}

// Next implements graph.Stream; the subscription's own context ends it.
func (s *localStream) Next(context.Context) (*graph.Response, error) {
	response := s.handler(s.ctx)
	if response == nil {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return encode(response), nil
}

// Close implements graph.Stream.
func (s *localStream) Close() {}
