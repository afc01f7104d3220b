package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// requestHandler adds to each line the ID of the request in whose context it
// is written, so that lines of resolvers and stores are found by it, and of its
// trace where there is one.
type requestHandler struct {
	slog.Handler
	request func(context.Context) string
}

// Handle implements slog.Handler.
func (h requestHandler) Handle(ctx context.Context, line slog.Record) error {
	if ctx != nil {
		if id := h.request(ctx); id != "" {
			line.AddAttrs(slog.String("request", id))
		}
		if at := trace.SpanContextFromContext(ctx); at.IsSampled() {
			line.AddAttrs(slog.String("trace", at.TraceID().String()))
		}
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h requestHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attributes), h.request}
}

// WithGroup implements slog.Handler.
func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name), h.request}
}
