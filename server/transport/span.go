package transport

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph/span"
)

// This file makes the span of a request, under which all others stand. Without
// a tracer there is none, and the client's trace headers go on as they came.

var asServer = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// record begins the span of one operation, within the trace that the client's
// headers name.
func (s *Server) record(x *exchange) {
	if s.Tracer == nil {
		return
	}
	ctx := propagation.TraceContext{}.Extract(x.ctx, propagation.HeaderCarrier(x.header))
	x.ctx, x.span = s.Tracer.Start(ctx, "graphql", asServer...)
}

// describe says on the span, once it is known, what is asked. An operation's
// name is an identifier that a developer chose; its text and its variables
// are on no span.
func (x *exchange) describe() {
	if x.span == nil {
		return
	}
	x.call.Trace = span.Parent(x.ctx)
	if !x.span.IsRecording() {
		return
	}
	kind := string(x.operation.Kind())
	name := kind
	if x.asked.Operation != Other {
		name += " " + x.asked.Operation
	}
	x.span.SetName(name)
	x.span.SetAttributes(attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", x.operation.Name()),
		attribute.String("citizencloud.client", x.asked.Client), attribute.String("citizencloud.request", x.id))
}

// recordedAll ends the span. Of a subscription that is when it has begun: what
// comes later is no part of the request.
func (x *exchange) recordedAll() {
	if x.span == nil {
		return
	}
	if !x.span.IsRecording() {
		x.span.End()
		return
	}
	x.span.SetAttributes(attribute.Int("http.response.status_code", x.status), attribute.Int("graphql.errors", x.errors))
	if x.status >= 500 {
		span.Fail(x.span, "server")
	}
	x.span.End()
}
