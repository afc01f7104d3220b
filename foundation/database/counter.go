package database

import (
	"context"
	"sync/atomic"
)

// Counter counts the statements that one request sent; see WithCounter.
type Counter struct{ statements atomic.Int64 }

// Statements is the number so far, without BEGIN and COMMIT, and without what
// sets the scope: that travels with a statement.
func (c *Counter) Statements() int64 { return c.statements.Load() }

type counterKey struct{}

// WithCounter gives a context whose statements are counted. Tests assert with
// it that a request's number of statements does not grow with its rows.
func WithCounter(ctx context.Context) (context.Context, *Counter) {
	counter := new(Counter)
	return context.WithValue(ctx, counterKey{}, counter), counter
}

func count(ctx context.Context) {
	if counter, _ := ctx.Value(counterKey{}).(*Counter); counter != nil {
		counter.statements.Add(1)
	}
}
