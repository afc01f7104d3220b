package database

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
)

// Counter counts the statements that one request sent; see WithCounter.
type Counter struct{ statements atomic.Int64 }

// Statements is the number so far, without BEGIN and COMMIT.
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

// counted wraps lib/pq's connections so that statements can be counted.
type counted struct{ driver.Connector }

// Connect implements driver.Connector.
func (c counted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countedConn{conn.(full)}, nil
}

// full is what lib/pq's connection offers and database/sql makes use of.
type full interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.NamedValueChecker
	driver.Validator
}

type countedConn struct{ full }

// QueryContext implements driver.QueryerContext.
func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	count(ctx)
	return c.full.QueryContext(ctx, query, args)
}

// ExecContext implements driver.ExecerContext.
func (c *countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	count(ctx)
	return c.full.ExecContext(ctx, query, args)
}
