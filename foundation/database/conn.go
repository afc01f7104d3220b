package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// connector makes pgx's connections into ones that cannot run a statement
// without a scope.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: made.(*stdlib.Conn), connect: c.Connector.Connect}, nil
}

// conn is a connection to PostgreSQL. All its statements go through run, which
// sees to it that the scope of row-level security stands before them: there is
// no other way to the server, and no scope outlives its transaction.
type conn struct {
	*stdlib.Conn
	connect func(context.Context) (driver.Conn, error)
	tx      *transaction // nil outside of one
}

// BeginTx implements driver.ConnBeginTx. The server hears of it with the first
// statement.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if c.tx != nil {
		return nil, errors.New("database: a transaction within a transaction")
	}
	tx := &transaction{conn: c, scope: scopeOf(ctx)}
	switch isolation := sql.IsolationLevel(options.Isolation); {
	case isolation == sql.LevelDefault && options.ReadOnly: // each statement by itself: see Read
	case isolation == sql.LevelDefault:
		tx.begin = "BEGIN READ WRITE"
	case isolation == sql.LevelRepeatableRead && options.ReadOnly:
		tx.begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	default:
		return nil, fmt.Errorf("database: no transactions of isolation %s, read only %t", isolation, options.ReadOnly)
	}
	c.tx = tx
	return tx, nil
}

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.tx != nil {
		return driver.ErrBadConn
	}
	return c.Conn.ResetSession(ctx)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	found, err := c.run(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	made, err := c.run(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	return driver.RowsAffected(made.rows.CommandTag().RowsAffected()), nil
}

// run sends a statement and reads up to its first row. In a transaction that
// has begun it goes out as it is, otherwise behind the scope and, where the
// transaction wants it, BEGIN: all in one round trip. What fails there for
// reasons of the connection alone is tried once more.
func (c *conn) run(ctx context.Context, query string, named []driver.NamedValue) (made *rows, err error) {
	if c.tx != nil && c.tx.broken != nil {
		return nil, fmt.Errorf("database: the transaction has failed before: %w", c.tx.broken)
	}
	count(ctx)
	defer traced(ctx, query).end(&err)
	args := make([]any, len(named))
	for i := range named {
		args[i] = named[i].Value
	}
	if err := c.explain(ctx, query, args); err != nil {
		return nil, err
	}
	if c.tx != nil && c.tx.open {
		return c.first(c.send(ctx, c.tx.further(ctx), query, args))
	}
	made, err = c.first(c.send(ctx, c.before(ctx), query, args))
	if err != nil && c.renewed(ctx, err) {
		made, err = c.first(c.send(ctx, c.before(ctx), query, args))
	}
	return made, err
}

// before is what has to stand before a statement that is not in an open transaction.
func (c *conn) before(ctx context.Context) *pgx.Batch {
	batch := new(pgx.Batch)
	if c.tx == nil || c.tx.begin == "" {
		scope := scopeOf(ctx)
		if c.tx != nil {
			scope = c.tx.scope
		}
		batch.Queue(scopeReading, scope.kind, scope.principal, scope.area, scope.actions, planning(ctx))
		return batch
	}
	batch.Queue(c.tx.begin)
	batch.Queue(scopeWriting, c.tx.scope.kind, c.tx.scope.principal, c.tx.scope.area, c.tx.scope.actions, planning(ctx))
	c.tx.open, c.tx.planning = true, planning(ctx)
	return batch
}

// send sends the statement behind the others, which give no rows of interest.
func (c *conn) send(ctx context.Context, batch *pgx.Batch, query string, args []any) *rows {
	before := batch.Len()
	if before == 0 {
		found, _ := c.Conn.Conn().Query(ctx, query, args...) // its error is found's
		return &rows{conn: c, rows: found}
	}
	batch.Queue(query, args...)
	results := c.Conn.Conn().SendBatch(ctx, batch)
	for range before {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return &rows{conn: c, failed: err}
		}
	}
	found, _ := results.Query()
	return &rows{conn: c, rows: found, batch: results}
}

// renewed says whether a statement that failed, and before which nothing has
// happened in its transaction, should be sent once more: a prepared one that no
// longer fits is forgotten by now, and a connection that was lost while it lay
// idle, as all are when PostgreSQL starts anew, is replaced.
func (c *conn) renewed(ctx context.Context, err error) bool {
	if !c.Conn.Conn().IsClosed() {
		if !stale(err) {
			return false
		}
		c.tx.forget()
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	made, err := c.connect(ctx)
	if err != nil {
		return false
	}
	c.Conn = made.(*stdlib.Conn)
	if c.tx != nil {
		c.tx.open, c.tx.broken = false, nil
	}
	return true
}

// first reads the first row: PostgreSQL says only then whether the statement
// fails.
func (c *conn) first(r *rows) (*rows, error) {
	err := r.failed
	if err == nil {
		r.pending = r.rows.Next()
		r.ahead = true
		if err = r.rows.Err(); err == nil {
			return r, nil
		}
		_ = r.Close()
	}
	if c.tx != nil {
		c.tx.broken = err
	}
	return nil, err
}

// stale says whether the server refused a prepared statement because of what
// changed under it: its tables (0A000), or the session behind a pooler (26000).
func stale(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "26000" ||
		refused.Code == "0A000" && refused.Message == "cached plan must not change result type")
}

// PrepareContext implements driver.ConnPrepareContext: run prepares by itself.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &statement{conn: c, query: query}, nil
}

// Prepare implements driver.Conn.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// statement is a query that goes the way of all others.
type statement struct {
	conn  *conn
	query string
}

// Close implements driver.Stmt.
func (s *statement) Close() error { return nil }

// NumInput implements driver.Stmt: the server counts them.
func (s *statement) NumInput() int { return -1 }

// Exec implements driver.Stmt; database/sql asks ExecContext.
func (s *statement) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("database: a statement needs a context")
}

// Query implements driver.Stmt; database/sql asks QueryContext.
func (s *statement) Query([]driver.Value) (driver.Rows, error) {
	return nil, errors.New("database: a statement needs a context")
}

// ExecContext implements driver.StmtExecContext.
func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}
