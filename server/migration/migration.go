// Package migration brings the database's schemas up to date when the platform
// starts: each subgraph's goose files, under one advisory lock, so that any
// number of processes may start at once.
//
// Start reading at Up.
package migration

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
)

// Source is one subgraph's migrations.
type Source struct {
	Subgraph string // its PostgreSQL schema too
	Files    fs.FS
}

// lockKey is the advisory lock of all our migrations ("citizenc" in ASCII).
const lockKey = 0x636974697a656e63

// Up applies what is missing, as the owner of the database. It waits while
// another process migrates.
func Up(ctx context.Context, ownerURL string, sources []Source, log *slog.Logger) error {
	db, err := sql.Open("postgres", ownerURL)
	if err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migration: connecting as the owner: %w", err)
	}
	defer func() { _ = conn.Close() }() // closing the session ends the lock
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(lockKey)); err != nil {
		return fmt.Errorf("migration: waiting for the lock: %w", err)
	}
	for _, source := range sources {
		if err := up(ctx, db, source, log); err != nil {
			return fmt.Errorf("migration: %s: %w", source.Subgraph, err)
		}
	}
	return nil
}

func up(ctx context.Context, db *sql.DB, source Source, log *slog.Logger) error {
	began := time.Now()
	if _, err := db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+pq.QuoteIdentifier(source.Subgraph)); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, source.Files,
		goose.WithTableName(source.Subgraph+".goose_version"), goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // concepts that grow side by side number their own
	if err != nil {
		return err
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return err
	}
	if len(done) > 0 {
		log.InfoContext(ctx, "migrated", "subgraph", source.Subgraph, "files", len(done), "took", time.Since(began).Round(time.Millisecond))
	}
	return nil
}
