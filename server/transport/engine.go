package transport

import (
	"context"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph"
)

// Engine is what transport needs of the gateway.
type Engine interface {
	// Prepare takes an operation from text to something that runs.
	Prepare(ctx context.Context, query, operationName string) (Operation, gqlerror.List)
}

// Operation is a prepared operation.
type Operation interface {
	Kind() ast.Operation
	Name() string
	// Execute runs a query or a mutation; the caller releases the response.
	Execute(ctx context.Context, call graph.Call) *graph.Response
	// Subscribe starts a subscription, which ends with ctx.
	Subscribe(ctx context.Context, call graph.Call) (graph.Stream, gqlerror.List)
}

// Generation is an Engine that hands every request to the graph.Engine set
// last; requests that run keep the one that they started with.
type Generation struct {
	current atomic.Pointer[graph.Engine]
}

// NewGeneration starts with that engine.
func NewGeneration(engine *graph.Engine) *Generation {
	g := &Generation{}
	g.Set(engine)
	return g
}

// Set hands all requests from now on to the engine.
func (g *Generation) Set(engine *graph.Engine) { g.current.Store(engine) }

// Prepare implements Engine.
func (g *Generation) Prepare(ctx context.Context, query, operationName string) (Operation, gqlerror.List) {
	engine := g.current.Load()
	operation, errs := engine.PrepareContext(ctx, query, operationName)
	if len(errs) > 0 {
		return nil, errs
	}
	return &prepared{operation, engine}, nil
}

// prepared is an operation together with the engine that prepared it.
type prepared struct {
	*graph.Operation
	engine *graph.Engine
}

// Execute implements Operation.
func (p *prepared) Execute(ctx context.Context, call graph.Call) *graph.Response {
	return p.engine.Execute(ctx, p.Operation, call)
}

// Subscribe implements Operation.
func (p *prepared) Subscribe(ctx context.Context, call graph.Call) (graph.Stream, gqlerror.List) {
	return p.engine.Subscribe(ctx, p.Operation, call)
}
