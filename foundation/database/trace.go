package database

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// span is a statement's in a trace; without a trace it is none and costs one
// look into the context.
type span struct{ recorded trace.Span }

// traced begins the span of a statement where ctx carries a recorded one. It
// ends with the first row: how long the rest takes depends on who reads.
func traced(ctx context.Context, query string) span {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return span{}
	}
	text := withoutValues(query)
	verb, _, _ := strings.Cut(text, " ")
	tracer := parent.TracerProvider().Tracer("github.com/citizencloud/citizencloud")
	_, s := tracer.Start(ctx, "SQL "+verb, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", "postgresql"), attribute.String("db.query.text", text)))
	return span{s}
}

// end ends the span. What PostgreSQL says of an error may quote values.
func (s span) end(err *error) {
	if s.recorded == nil {
		return
	}
	if *err != nil {
		s.recorded.SetStatus(codes.Error, "statement failed")
	}
	s.recorded.End()
}

// maxText bounds a statement's text in a trace.
const maxText = 2000

// withoutValues is a statement as it may be shown: in one line, with a mark for
// each quoted literal. Arguments are not part of it.
func withoutValues(query string) string {
	var b strings.Builder
	quoted, escapes, space := false, false, true
	for i := 0; i < len(query) && b.Len() < maxText; i++ {
		c := query[i]
		switch {
		case quoted && c == '\\' && escapes:
			i++
		case quoted && c == '\'':
			quoted = false // that of '' opens again at once
			space = false
		case quoted:
		case c == '\'':
			escapes = i > 0 && query[i-1]|0x20 == 'e'
			quoted = true
			if !strings.HasSuffix(b.String(), "'?'") {
				b.WriteString("'?'")
			}
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			if !space {
				b.WriteByte(' ')
			}
			space = true
		default:
			b.WriteByte(c)
			space = false
		}
	}
	return strings.TrimSpace(b.String())
}
