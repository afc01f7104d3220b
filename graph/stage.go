package graph

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph/span"
)

// Preparation is how long the stages of preparing one operation took; those
// that were not come to are 0.
type Preparation struct {
	Parse, Validate, Plan, Compile time.Duration
	Refused                        bool
}

// stages times a preparation, and makes a span of each stage where the context
// carries one.
type stages struct {
	ctx      context.Context
	recorded bool
	began    time.Time
	span     trace.Span
}

func (s *stages) begin(name string) {
	s.began = time.Now()
	if s.recorded {
		_, s.span = span.Start(s.ctx, name, trace.SpanKindInternal)
	}
}

// end ends the stage that was begun last; a second time it does nothing.
func (s *stages) end(took *time.Duration, failed bool) {
	*took = time.Since(s.began)
	if s.recorded {
		if failed {
			span.Fail(s.span, "refused")
		}
		s.span.End()
	}
}

// Stats are counts since an engine was made.
type Stats struct {
	Hits    uint64 // requests whose operation was prepared, or being prepared
	Misses  uint64 // preparations, those that were refused too
	Refused uint64
	Kept    int // operations that are kept now
}

// Stats tells how the cache of prepared operations serves.
func (e *Engine) Stats() Stats {
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	s := e.cache.stats
	s.Kept = len(e.cache.entries)
	return s
}
