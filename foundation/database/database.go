// Package database opens PostgreSQL and runs transactions whose row-level
// security knows the principal of the context. Every store works inside of
// Read or Write; there is no other way to a table.
//
// Start reading at DB. Counting the statements of a request is in counter.go.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// DB is one PostgreSQL database, reached as the run-time role: no owner, no
// superuser, so that row-level security holds.
type DB struct {
	pool *sqlx.DB
}

// maxOpen bounds the connections of one process; the embedded cluster takes 200.
const maxOpen = 40

// Open connects and asks once, within ten seconds.
func Open(ctx context.Context, url string) (*DB, error) {
	connector, err := pq.NewConnector(oneRoundTrip(url))
	if err != nil {
		return nil, fmt.Errorf("database: the URL cannot be read: %w", err)
	}
	pool := sqlx.NewDb(sql.OpenDB(counted{connector}), "postgres")
	pool.SetMaxOpenConns(maxOpen)
	pool.SetMaxIdleConns(maxOpen)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("database: connecting: %w", err)
	}
	return &DB{pool: pool}, nil
}

// Close waits for running statements and closes the connections.
func (db *DB) Close() error { return db.pool.Close() }

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// Read runs fn in a read-only transaction that sees one snapshot.
func (db *DB) Read(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return db.within(ctx, &sql.TxOptions{ReadOnly: true}, fn)
}

// Write runs fn in a transaction and commits when fn returns nil. What fn
// changed, its history and its outbox events become visible together or not at all.
func (db *DB) Write(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return db.within(ctx, nil, fn)
}

func (db *DB) within(ctx context.Context, options *sql.TxOptions, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.pool.BeginTxx(withScope(ctx), options)
	if err != nil {
		return fmt.Errorf("database: begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect after Commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("database: commit: %w", err)
	}
	return nil
}

// Duplicate says whether the error is a violation of the named unique
// constraint; any when name is "".
func Duplicate(err error, name string) bool {
	return violates(err, "23505", name)
}

// Violates says whether the error is a violation of the named check or
// exclusion constraint.
func Violates(err error, name string) bool {
	return violates(err, "23514", name) || violates(err, "23P01", name)
}

func violates(err error, code pq.ErrorCode, name string) bool {
	var p *pq.Error
	return errors.As(err, &p) && p.Code == code && (name == "" || p.Constraint == name)
}
