package graph

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/span"
)

// FailedFetch is a fetch that brought no usable answer.
type FailedFetch struct {
	Operation string // the operation's name, "" when it has none
	Subgraph  string // its name
	// Reason is one of dispatch's, ReasonUndecodable or ReasonLeftAlone.
	Reason string
	// Err is for the log: it may hold an address, but nothing out of an answer.
	Err error
}

const (
	// ReasonUndecodable says that an answer came which is none to what was asked.
	ReasonUndecodable = "undecodable"
	// ReasonLeftAlone says that nothing was sent, because the subgraph's breaker is open.
	ReasonLeftAlone = "left alone"
)

// tell makes what the options want to know of what a program tells. That a
// client left is nobody's failure.
func tell(told func(context.Context, FailedFetch)) func(context.Context, execute.Failure) {
	if told == nil {
		return nil
	}
	return func(ctx context.Context, f execute.Failure) {
		reason := ReasonUndecodable
		switch {
		case f.Answered:
		case errors.Is(f.Err, guard.ErrBroken):
			reason = ReasonLeftAlone
		default:
			reason = dispatch.Reason(f.Err)
		}
		if reason != dispatch.ReasonCancelled {
			told(ctx, FailedFetch{Operation: f.Operation, Subgraph: f.Service, Reason: reason, Err: f.Err})
		}
	}
}

// watch observes one run: for the trace, and for the client who wants timings.
type watch struct {
	recorded bool
	began    time.Time     // what the times count from
	ran      time.Duration // when the run began
	fetches  []fetchTimes
	merged   time.Duration
}

// fetchTimes is what came of one fetch. Each is written by the goroutine that
// fetches, and read when the run has ended.
type fetchTimes struct {
	sent            bool
	start, duration time.Duration
	bytes, entities int
	err             error
}

// watch makes the request observed, where its trace is recorded or its timings are wanted.
func (e *Engine) watch(ctx context.Context, op *Operation, call *Call, request *execute.Request) *watch {
	recorded := call.Trace != "" && span.Recorded(ctx)
	if !recorded && !call.Explain.Timings {
		return nil
	}
	began := call.Explain.Received
	if began.IsZero() {
		began = time.Now()
	}
	w := &watch{recorded: recorded, began: began, ran: time.Since(began), fetches: make([]fetchTimes, len(op.plan.Fetches))}
	request.Observer = w
	return w
}

// Sending implements execute.Observer.
func (w *watch) Sending(ctx context.Context, f *execute.Sending) context.Context {
	w.fetches[f.Fetch] = fetchTimes{sent: true, start: time.Since(w.began), entities: f.Entities}
	if !w.recorded {
		return ctx
	}
	ctx, _ = span.Start(ctx, "fetch "+f.Service, trace.SpanKindClient,
		attribute.String("citizencloud.subgraph", f.Service), attribute.Int("citizencloud.fetch", f.Fetch), attribute.Int("citizencloud.entities", f.Entities))
	f.Request.Trace = span.Parent(ctx)
	return ctx
}

// Came implements execute.Observer.
func (w *watch) Came(ctx context.Context, f *execute.Sending) {
	t := &w.fetches[f.Fetch]
	t.duration, t.bytes, t.err = time.Since(w.began)-t.start, f.Bytes, f.Err
	if !w.recorded {
		return
	}
	s := trace.SpanFromContext(ctx)
	s.SetAttributes(attribute.Int("citizencloud.bytes", f.Bytes))
	if f.Err != nil {
		span.Fail(s, t.status())
	}
	s.End()
}

// Merged implements execute.Observer.
func (w *watch) Merged() { w.merged = time.Since(w.began) }

// status is ok, or in a word why no answer came.
func (t *fetchTimes) status() string {
	reason := ReasonUndecodable
	switch {
	case t.err == nil:
		return "ok"
	case errors.Is(t.err, guard.ErrBroken):
		return ReasonLeftAlone
	case t.bytes == 0:
		reason = dispatch.Reason(t.err)
	}
	return reason
}
