package graph

import (
	"bytes"
	"context"
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/attribute"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/span"
	"github.com/citizencloud/citizencloud/graph/subscribe"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// ErrSlow ends the stream of a subscriber that did not keep up.
var ErrSlow = subscribe.ErrSlow

// Stream is a running subscription of one client.
type Stream interface {
	// Next waits for the next event's complete response, which the caller
	// releases. The error is io.EOF after the last event, ErrSlow when the
	// subscriber was dropped because it did not keep up, ctx's, or says that the
	// subgraph's stream broke off.
	Next(ctx context.Context) (*Response, error)
	// Close leaves the subscription; the last one to leave ends it upstream.
	Close()
}

// Subscribe starts a subscription for one client, joining a running identical
// one of the same authorisation view. It ends with ctx.
func (e *Engine) Subscribe(ctx context.Context, prepared *Operation, call Call) (Stream, gqlerror.List) {
	if prepared.Kind() != ast.Subscription {
		return nil, coded(validate.CodeOperation, gqlerror.List{gqlerror.Errorf("该操作不是订阅")})
	}
	op, errs := e.choose(prepared, &call)
	if len(errs) > 0 {
		return nil, errs
	}
	// The request outlives this call, so it must not point into the caller's memory.
	call.Variables = bytes.Clone(call.Variables)
	call.Header = call.Header.Clone()
	request := &execute.Request{Header: call.Header, View: call.View, ID: call.ID, Trace: call.Trace}
	if errs := e.variables(op, call.Variables, request); len(errs) > 0 {
		return nil, errs
	}
	if errs := e.admit(op, &call, request.Values); len(errs) > 0 {
		return nil, errs
	}
	subscriber, err := e.hub.Join(ctx, op.key(call), func(ctx context.Context) (subscribe.Feed, error) {
		var origin *span.Origin
		if request.Trace != "" { // the subscription outlives the span of who asked for it first
			origin = span.OriginOf(ctx)
			ctx, request.Trace = span.Without(ctx), ""
		}
		source, err := op.program.Source(ctx, request)
		if err != nil {
			if e.names.Failed != nil {
				e.names.Failed(ctx, execute.Failure{Operation: op.plan.Name, Service: e.names.Services[op.plan.Fetches[0].Subgraph], Err: err})
			}
			return nil, err
		}
		return &feed{engine: e, op: op, request: request, source: source, origin: origin}, nil
	}, subscribe.Options{Latest: call.Latest || op.latest})
	if err != nil {
		if ctx.Err() != nil {
			return nil, gqlerror.List{interrupted()}
		}
		return nil, gqlerror.List{{
			Message:    "暂时无法开始订阅，请稍后重试",
			Extensions: map[string]any{"code": project.CodeSubrequestFailed},
		}}
	}
	return &stream{subscriber}, nil
}

// feed turns the events of a subgraph into complete responses.
type feed struct {
	engine  *Engine
	op      *Operation
	request *execute.Request
	source  dispatch.Source
	origin  *span.Origin // of the request that began it; nil when that is not recorded
}

// Next implements subscribe.Feed.
func (f *feed) Next(ctx context.Context) (subscribe.Event, error) {
	reply, err := f.source.Next(ctx)
	if err != nil {
		return subscribe.Event{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.engine.options.Timeout)
	defer cancel()
	w := project.NewWriter()
	defer w.Release()
	ctx, request, end := f.record(ctx)
	f.op.program.RunEvent(ctx, request, reply, w)
	end(len(w.Errors))
	// The bytes live as long as the slowest subscriber needs them.
	return subscribe.Event{Body: bytes.Clone(w.Body), Errors: len(w.Errors)}, nil
}

// record begins the span of one event, in a trace of its own that leads back to
// the request which began the subscription: a trace of days could not be read.
func (f *feed) record(ctx context.Context) (context.Context, *execute.Request, func(errs int)) {
	name := "event"
	if f.op.plan.Name != "" {
		name += " " + f.op.plan.Name
	}
	ctx, s := f.origin.Start(ctx, name, attribute.String("graphql.operation.type", "subscription"), attribute.String("graphql.operation.name", f.op.plan.Name))
	if s == nil {
		return ctx, f.request, func(int) {}
	}
	request := *f.request
	call := Call{Trace: span.Parent(ctx)}
	request.Trace = call.Trace
	f.engine.watch(ctx, f.op, &call, &request)
	return ctx, &request, func(errs int) {
		s.SetAttributes(attribute.Int("graphql.errors", errs))
		s.End()
	}
}

// Close implements subscribe.Feed.
func (f *feed) Close() { f.source.Close() }

// stream is one subscriber.
type stream struct{ subscriber *subscribe.Subscriber }

// Next implements Stream.
func (s *stream) Next(ctx context.Context) (*Response, error) {
	event, err := s.subscriber.Next(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return &Response{Body: event.Body, HasData: true, Errors: event.Errors}, nil
}

// Close implements Stream.
func (s *stream) Close() { s.subscriber.Close() }
