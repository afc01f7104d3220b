package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/citizencloud/citizencloud/graph/span"
)

// Local is a subgraph in the process, as gqlgen's handler would be told of it; only Schema is needed.
type Local struct {
	Schema         graphql.ExecutableSchema
	Fields         graphql.FieldMiddleware     // around every field
	RootFields     graphql.RootFieldMiddleware // around every root field
	Operations     graphql.OperationMiddleware // around every operation
	ErrorPresenter graphql.ErrorPresenterFunc
	Recover        graphql.RecoverFunc
}

// InProcess reaches subgraphs that are gqlgen schemas in this process. A
// document is parsed and validated once, when it is prepared; at run time the
// schema executes it at once: no HTTP, no parsing, no validation.
type InProcess struct {
	locals map[string]Local
}

// NewInProcess returns a dispatcher to the subgraphs, by the enum value.
func NewInProcess(locals map[string]Local) *InProcess {
	made := &InProcess{locals: map[string]Local{}}
	for subgraph, l := range locals {
		if l.Fields == nil {
			l.Fields = func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }
		}
		if l.RootFields == nil {
			l.RootFields = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }
		}
		if l.Operations == nil {
			l.Operations = func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler { return next(ctx) }
		}
		if l.ErrorPresenter == nil {
			l.ErrorPresenter = graphql.DefaultErrorPresenter
		}
		if l.Recover == nil {
			l.Recover = func(context.Context, any) error { return errors.New("系统内部错误") }
		}
		made.locals[subgraph] = l
	}
	return made
}

// Prepare implements Dispatcher.
func (p *InProcess) Prepare(d *Document) (Prepared, error) {
	local, ok := p.locals[d.Subgraph]
	if !ok {
		return nil, fmt.Errorf("dispatch: no subgraph %s in the process", d.Subgraph)
	}
	document, err := parser.ParseQuery(&ast.Source{Name: d.Subgraph, Input: d.Text})
	if err != nil {
		return nil, fmt.Errorf("dispatch: document for %s: %w", d.Subgraph, err)
	}
	if list := validator.ValidateWithRules(local.Schema.Schema(), document, rules.NewDefaultRules()); len(list) > 0 {
		return nil, fmt.Errorf("dispatch: document for %s: %w", d.Subgraph, list)
	}
	if len(document.Operations) != 1 {
		return nil, fmt.Errorf("dispatch: document for %s holds %d operations", d.Subgraph, len(document.Operations))
	}
	return &localPrepared{local: local, document: document, operation: document.Operations[0], text: d.Text, subgraph: d.Subgraph}, nil
}

// localPrepared is a parsed and validated document.
type localPrepared struct {
	local     Local
	subgraph  string
	text      string
	document  *ast.QueryDocument
	operation *ast.OperationDefinition
}

// start builds the operation's context and hands it to the schema.
func (p *localPrepared) start(ctx context.Context, request *Request) (context.Context, graphql.ResponseHandler, gqlerror.List) {
	variables, err := p.variables(request.Variables)
	if err != nil {
		return ctx, nil, gqlerror.List{err}
	}
	operation := &graphql.OperationContext{
		RawQuery:               p.text,
		Variables:              variables,
		OperationName:          p.operation.Name,
		Doc:                    p.document,
		Operation:              p.operation,
		Headers:                request.Header,
		DisableIntrospection:   true,
		RecoverFunc:            p.local.Recover,
		ResolverMiddleware:     p.local.Fields,
		RootResolverMiddleware: p.local.RootFields,
	}
	if request.Trace != "" && span.Recorded(ctx) {
		operation.ResolverMiddleware = span.Fields(p.local.Fields)
	}
	ctx = graphql.WithOperationContext(ctx, operation)
	var failed gqlerror.List
	handler := p.local.Operations(ctx, func(inner context.Context) graphql.ResponseHandler {
		ctx = inner
		begin := graphql.WithResponseContext(inner, p.local.ErrorPresenter, p.local.Recover)
		responses := p.local.Schema.Exec(begin)
		failed = graphql.GetErrors(begin)
		return func(ctx context.Context) *graphql.Response {
			ctx = graphql.WithResponseContext(ctx, p.local.ErrorPresenter, p.local.Recover)
			response := responses(ctx)
			if response != nil {
				response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
			}
			return response
		}
	})
	return ctx, handler, failed
}

// variables decodes and coerces the variables, as gqlgen's executor does.
func (p *localPrepared) variables(raw []byte) (map[string]any, *gqlerror.Error) {
	given, err := values(raw)
	if err != nil {
		return nil, gqlerror.Wrap(err)
	}
	coerced, err := validator.VariableValues(p.local.Schema.Schema(), p.operation, given)
	if err != nil {
		var graphError *gqlerror.Error
		if errors.As(err, &graphError) {
			return nil, graphError
		}
		return nil, gqlerror.Wrap(err)
	}
	return coerced, nil
}

// Fetch implements Prepared.
func (p *localPrepared) Fetch(ctx context.Context, request *Request) (reply *Reply, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			reply, err = nil, fmt.Errorf("dispatch: %s %w: %v", p.subgraph, errPanic, p.local.Recover(ctx, recovered))
		}
	}()
	ctx, handler, failed := p.start(ctx, request)
	if len(failed) > 0 {
		return &Reply{Errors: failed}, nil
	}
	response := handler(ctx)
	if response == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("dispatch: %s gave no response", p.subgraph)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Reply{Data: response.Data, Errors: response.Errors}, nil
}

// Subscribe implements Prepared.
func (p *localPrepared) Subscribe(ctx context.Context, request *Request) (Source, error) {
	ctx, cancel := context.WithCancel(ctx)
	ctx, handler, failed := p.start(ctx, request)
	if len(failed) > 0 {
		cancel()
		return &once{reply: &Reply{Errors: failed}}, nil
	}
	return &localSource{ctx: ctx, cancel: cancel, handler: handler}, nil
}

// localSource is a running subscription of a schema in the process.
type localSource struct {
	ctx     context.Context
	cancel  context.CancelFunc
	handler graphql.ResponseHandler
}

// Next implements Source.
func (s *localSource) Next(ctx context.Context) (*Reply, error) {
	stop := context.AfterFunc(ctx, s.cancel)
	defer stop()
	response := s.handler(s.ctx)
	if response == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return &Reply{Data: response.Data, Errors: response.Errors}, nil
}

// Close implements Source.
func (s *localSource) Close() { s.cancel() }

// once is a source of one reply.
type once struct{ reply *Reply }

// Next implements Source.
func (o *once) Next(context.Context) (*Reply, error) {
	if o.reply == nil {
		return nil, io.EOF
	}
	reply := o.reply
	o.reply = nil
	return reply, nil
}

// Close implements Source.
func (o *once) Close() {}
