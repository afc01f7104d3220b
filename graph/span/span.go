// Package span makes the gateway's spans. One is made only under a span that
// the context carries and that is recorded: without such a one nothing is
// asked, made or allocated but by who looks whether there is.
//
// Start reading at Start. Fields makes the spans of resolvers.
package span

import (
	"context"
	"encoding/hex"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// scope names who made a span.
const scope = "github.com/citizencloud/citizencloud"

// Recorded says whether ctx carries a span that is recorded.
func Recorded(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// Start begins a span under the recorded one that ctx carries. The caller ends it.
func Start(ctx context.Context, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(scope)
	return tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// Origin is a recorded span that is remembered after it ended.
type Origin struct {
	provider trace.TracerProvider
	link     trace.Link
}

// OriginOf remembers the recorded span that ctx carries; nil when it carries none.
func OriginOf(ctx context.Context) *Origin {
	if !Recorded(ctx) {
		return nil
	}
	return &Origin{trace.SpanFromContext(ctx).TracerProvider(), trace.LinkFromContext(ctx)}
}

// Start begins the first span of a trace of its own, with a link to the origin:
// for what happens long after the origin ended. Of nil nothing begins. Whether
// it is recorded is the sampler's matter. The caller ends it.
func (o *Origin) Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	if o == nil {
		return ctx, nil
	}
	return o.provider.Tracer(scope).Start(ctx, name, trace.WithNewRoot(), trace.WithLinks(o.link), trace.WithAttributes(attributes...))
}

// Parent is the W3C traceparent by which others make spans under the one that
// ctx carries; "" when it carries none.
func Parent(ctx context.Context) string {
	at := trace.SpanContextFromContext(ctx)
	if !at.IsValid() {
		return ""
	}
	traceID, spanID := at.TraceID(), at.SpanID()
	text := append(make([]byte, 0, 55), "00-"...)
	text = append(hex.AppendEncode(text, traceID[:]), '-')
	text = append(hex.AppendEncode(text, spanID[:]), '-')
	return string(hex.AppendEncode(text, []byte{byte(at.TraceFlags())}))
}

// Without is ctx without its span: for what goes on after the span ended.
func Without(ctx context.Context) context.Context { return trace.ContextWithSpan(ctx, nil) }

// Fail marks a span as failed. What of, is a word of ours: an error's own text
// may hold what nobody but the client should read.
func Fail(s trace.Span, reason string) { s.SetStatus(codes.Error, reason) }
