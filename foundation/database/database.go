// Package database opens PostgreSQL and runs transactions whose row-level
// security knows the principal of the context. Every store works inside of
// Read or Write; there is no other way to a table.
//
// Start reading at DB. How a statement reaches the server, behind the scope of
// its principal and as a prepared one, is in conn.go; how a transaction ends in
// transaction.go. Counting the statements of a request is in counter.go.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// DB is one PostgreSQL database, reached as the run-time role: no owner, no
// superuser, so that row-level security holds.
type DB struct {
	pool *sqlx.DB
}

// maxOpen bounds the connections of one process; the embedded cluster takes 200.
const maxOpen = 40

// statements bounds the prepared statements of one connection; those that were
// not used for the longest make room.
const statements = 300

// Open connects and asks once, within ten seconds. Statements are prepared once
// a connection and found again by their text. A pooler between, which hands
// transactions to different sessions, may need default_query_exec_mode=cache_describe
// (or exec) in the URL: nothing is then kept in a session.
func Open(ctx context.Context, url string) (*DB, error) {
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	pool := sqlx.NewDb(sql.OpenDB(connector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(types))}), "postgres")
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

// configure reads the URL. Without a word about it TLS is demanded, as by the
// owner's connections; over a unix socket there is none.
func configure(url string) (*pgx.ConnConfig, error) {
	if !strings.Contains(url, "sslmode") && os.Getenv("PGSSLMODE") == "" {
		switch {
		case !strings.Contains(url, "://"):
			url += " sslmode=require"
		case strings.Contains(url, "?"):
			url += "&sslmode=require"
		default:
			url += "?sslmode=require"
		}
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database: the URL cannot be read: %w", err)
	}
	if !strings.Contains(url, "statement_cache_capacity") {
		config.StatementCacheCapacity = statements
	}
	return config, nil
}

// types sets how values come over the wire: times in UTC, arrays as text.
func types(_ context.Context, server *pgx.Conn) error {
	known := server.TypeMap()
	known.RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
	for _, oid := range []uint32{pgtype.TextArrayOID, pgtype.VarcharArrayOID, pgtype.UUIDArrayOID, pgtype.Int4ArrayOID, pgtype.Int8ArrayOID} {
		if array, ok := known.TypeForOID(oid); ok {
			known.RegisterType(&pgtype.Type{Name: array.Name, OID: oid, Codec: textArray{array.Codec.(*pgtype.ArrayCodec)}})
		}
	}
	return nil
}

// Close waits for running statements and closes the connections.
func (db *DB) Close() error { return db.pool.Close() }

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// Read runs fn, whose statements can change nothing. Each sees what is committed
// when it starts, as READ COMMITTED has it, and is a transaction by itself: it
// costs one round trip together with its scope, and nothing is held between two.
func (db *DB) Read(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return db.within(ctx, &sql.TxOptions{ReadOnly: true}, fn)
}

// Snapshot is Read whose statements all see the same: that of the first one's start.
func (db *DB) Snapshot(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return db.within(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}, fn)
}

// Write runs fn in a transaction and commits when fn returns nil. What fn
// changed, its history and its outbox events become visible together or not at all.
func (db *DB) Write(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return db.watched(ctx, fn)
}

func (db *DB) within(ctx context.Context, options *sql.TxOptions, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.pool.BeginTxx(ctx, options)
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

func violates(err error, code, name string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == code && (name == "" || refused.ConstraintName == name)
}
