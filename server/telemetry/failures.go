package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Failures writes failed fetches to the log: the first ones of each kind line
// by line, then one line each pause that says how many there were. A subgraph
// that is away does not fill a disk.
type Failures struct {
	log *slog.Logger
	mu  sync.Mutex
	of  map[kind]*run
}

// Failed is one failed fetch. Client and Operation must be words of which there
// are only so many; Error must not hold what came in an answer.
type Failed struct {
	Subgraph, Client, Operation, Reason string
	Error                               error
}

// kind of failures that are counted together. There are few: subgraphs times reasons.
type kind struct{ subgraph, reason string }

// run is what was written and what was held back of one kind since its first
// line; it ends with the first pause in which nothing came.
type run struct {
	written, held int
	last          Failed
	ctx           context.Context // of the last one, for its request's ID
}

const (
	failuresAtOnce = 5 // lines before the counting begins
	failuresPause  = 10 * time.Second
)

// NewFailures returns the writer of one process.
func NewFailures(log *slog.Logger) *Failures { return &Failures{log: log, of: map[kind]*run{}} }

// Failed takes note of one.
func (f *Failures) Failed(ctx context.Context, failed Failed) {
	of := kind{failed.Subgraph, failed.Reason}
	f.mu.Lock()
	r := f.of[of]
	if r == nil {
		r = &run{}
		f.of[of] = r
		time.AfterFunc(failuresPause, func() { f.sum(of) })
	}
	if r.written >= failuresAtOnce {
		r.held++
		r.last, r.ctx = failed, context.WithoutCancel(ctx)
		f.mu.Unlock()
		return
	}
	r.written++
	f.mu.Unlock()
	f.write(ctx, failed, 0)
}

// sum writes how many were held back, and counts on until none comes.
func (f *Failures) sum(of kind) {
	f.mu.Lock()
	r := f.of[of]
	held, last, ctx := r.held, r.last, r.ctx
	if held == 0 {
		delete(f.of, of)
	} else {
		*r = run{written: failuresAtOnce}
		time.AfterFunc(failuresPause, func() { f.sum(of) })
	}
	f.mu.Unlock()
	if held > 0 {
		f.write(ctx, last, held)
	}
}

func (f *Failures) write(ctx context.Context, failed Failed, times int) {
	attributes := []slog.Attr{
		slog.String("subgraph", failed.Subgraph), slog.String("reason", failed.Reason),
		slog.String("operation", failed.Operation), slog.String("client", failed.Client), slog.Any("error", failed.Error),
	}
	if times > 0 {
		attributes = append(attributes, slog.Int("times", times), slog.Duration("within", failuresPause))
	}
	f.log.LogAttrs(ctx, slog.LevelWarn, "fetch failed", attributes...)
}
