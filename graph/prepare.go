package graph

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/span"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// codePlan says that no plan was found for a valid operation: the supergraph is at fault.
const codePlan = "GRAPHQL_PLANNING_FAILED"

// Prepare parses, checks, plans and compiles the operation of query that
// operationName names ("" when there is only one). Results are cached, and
// concurrent identical preparations are done once.
func (e *Engine) Prepare(query, operationName string) (*Operation, gqlerror.List) {
	return e.PrepareContext(context.Background(), query, operationName)
}

// PrepareContext is Prepare within the trace that ctx carries. It does not end
// with ctx: others may wait for the same operation.
func (e *Engine) PrepareContext(ctx context.Context, query, operationName string) (*Operation, gqlerror.List) {
	return e.cache.get(document{query, operationName}, func() (*Operation, gqlerror.List) {
		var p Preparation
		made, errs := e.prepare(ctx, query, operationName, &p)
		p.Refused = made == nil
		if made != nil {
			made.preparation, made.prepared = p, time.Now()
		}
		if e.options.Prepared != nil {
			e.options.Prepared(p)
		}
		return made, errs
	})
}

var numbers atomic.Uint64

func (e *Engine) prepare(ctx context.Context, query, operationName string, p *Preparation) (*Operation, gqlerror.List) {
	s := stages{ctx: ctx, recorded: span.Recorded(ctx)}
	s.begin("parse")
	parsed, errs := validate.Parse(query, e.options.Limits)
	var operation *ast.OperationDefinition
	if len(errs) == 0 {
		operation, errs = validate.Operation(parsed, operationName)
	}
	s.end(&p.Parse, len(errs) > 0)
	if len(errs) > 0 {
		return nil, errs
	}
	s.begin("validate")
	errs = validate.Document(e.public, parsed, e.options.Limits)
	s.end(&p.Validate, len(errs) > 0)
	if len(errs) > 0 {
		return nil, errs
	}
	s.begin("plan")
	planned, err := e.planner.Plan(parsed, operation)
	s.end(&p.Plan, err != nil)
	if err != nil {
		return nil, coded(codePlan, gqlerror.List{gqlerror.Wrap(err)})
	}
	s.begin("compile")
	program, err := execute.Compile(planned, &e.names, e.dispatcher)
	s.end(&p.Compile, err != nil)
	if err != nil { // the reason is about subgraphs, which is for the log
		return nil, coded(codePlan, gqlerror.List{{Err: err, Message: "该操作暂时无法执行"}})
	}
	op := &Operation{
		plan: planned, program: program, definition: operation, document: parsed, number: numbers.Add(1),
		audience: audienceOf(e.super, operation.SelectionSet),
		latest:   operation.Operation == ast.Subscription && latest(e.super, operation.SelectionSet),
	}
	op.permits = e.permitsOf(op)
	op.rollout = e.rolloutOf(op)
	return op, nil
}

// coded gives errors a code where they have none.
func coded(code string, errs gqlerror.List) gqlerror.List {
	for _, err := range errs {
		if err.Extensions == nil {
			err.Extensions = map[string]any{}
		}
		if _, ok := err.Extensions["code"]; !ok {
			err.Extensions["code"] = code
		}
	}
	return errs
}

// document is what operations are cached by: the whole text, so that two never meet.
type document struct{ query, operationName string }

// cache keeps the operations that were used last.
type cache struct {
	size int

	mu      sync.Mutex
	entries map[document]*list.Element
	order   *list.List // of *entry, the one used last in front
	stats   Stats
}

type entry struct {
	key   document
	ready chan struct{}
	op    *Operation
	errs  gqlerror.List
}

func newCache(size int) *cache {
	return &cache{size: size, entries: map[document]*list.Element{}, order: list.New()}
}

// get returns the cached operation or makes it, once for all who ask meanwhile. Refusals are not kept.
func (c *cache) get(key document, prepare func() (*Operation, gqlerror.List)) (*Operation, gqlerror.List) {
	c.mu.Lock()
	if element, ok := c.entries[key]; ok {
		c.order.MoveToFront(element)
		c.stats.Hits++
		c.mu.Unlock()
		e := element.Value.(*entry)
		<-e.ready
		return e.op, e.errs
	}
	e := &entry{key: key, ready: make(chan struct{})}
	element := c.order.PushFront(e)
	c.entries[key] = element
	c.stats.Misses++
	if c.order.Len() > c.size {
		c.remove(c.order.Back())
	}
	c.mu.Unlock()
	done := false
	defer func() {
		if !done { // a panic must not leave others waiting
			e.errs = gqlerror.List{{Message: "系统内部错误", Extensions: map[string]any{"code": "INTERNAL"}}}
		}
		if e.op == nil {
			c.mu.Lock()
			c.stats.Refused++
			if c.entries[key] == element {
				c.remove(element)
			}
			c.mu.Unlock()
		}
		close(e.ready)
	}()
	e.op, e.errs = prepare()
	done = true
	return e.op, e.errs
}

func (c *cache) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.entries, element.Value.(*entry).key)
}
