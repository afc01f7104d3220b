package embeddedtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/postgres"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
)

// Database is a fresh database of one test.
type Database struct {
	// Owner may do everything, as migrations do; row-level security does not
	// bind it. App is what the running platform uses. Both close with the test.
	Owner, App *sqlx.DB
	// OwnerURL and AppURL are their addresses.
	OwnerURL, AppURL string
}

// Open returns a fresh database with the given migrations applied, in this
// order. Each file system holds the goose files of one subgraph, at its root or
// in one folder. The database is dropped when the test ends.
func Open(t testing.TB, migrations ...fs.FS) *Database {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	at, err := cluster()
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	admin := connect(t, at.owner("postgres"))
	template, err := migrated(ctx, at, admin, migrations)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE `+pq.QuoteIdentifier(name)+` TEMPLATE `+pq.QuoteIdentifier(template)); err != nil {
		t.Fatalf("embeddedtest: copy the template: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		// FORCE ends connections that the test forgot; admin closes after this.
		if _, err := admin.ExecContext(ctx, `DROP DATABASE IF EXISTS `+pq.QuoteIdentifier(name)+` WITH (FORCE)`); err != nil {
			t.Errorf("embeddedtest: drop the database: %v", err)
		}
	})
	database := &Database{OwnerURL: at.owner(name), AppURL: at.app(name)}
	database.Owner = connect(t, database.OwnerURL)
	database.App = connect(t, database.AppURL)
	return database
}

func connect(t testing.TB, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", url)
	if err != nil {
		t.Fatalf("embeddedtest: open the database: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// templates guards the making of templates within this test binary; between
// binaries that share a cluster an advisory lock does.
var templates sync.Mutex

// migrated returns the name of a database that has exactly these migrations;
// its name follows from their content, so each set is applied once a cluster.
func migrated(ctx context.Context, at addresses, admin *sqlx.DB, migrations []fs.FS) (string, error) {
	sources := make([]fs.FS, len(migrations))
	sum := sha256.New()
	for i, files := range migrations {
		source, err := folderOfSQL(files)
		if err != nil {
			return "", err
		}
		sources[i] = source
		names, err := fs.Glob(source, "*.sql")
		if err != nil {
			return "", err
		}
		for _, name := range names {
			content, err := fs.ReadFile(source, name)
			if err != nil {
				return "", fmt.Errorf("read migration %s: %w", name, err)
			}
			fmt.Fprintf(sum, "%d %s %d\n", i, name, len(content))
			sum.Write(content)
		}
	}
	template := "template_" + hex.EncodeToString(sum.Sum(nil)[:10])

	templates.Lock()
	defer templates.Unlock()
	lock, err := admin.Conn(ctx)
	if err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = lock.Close() }()
	const key = 7_041_200 // any number that only this package uses
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		return "", fmt.Errorf("lock the templates: %w", err)
	}
	defer func() { _, _ = lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, key) }()

	var exists bool
	if err := lock.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, template).Scan(&exists); err != nil {
		return "", fmt.Errorf("look for the template: %w", err)
	}
	if exists {
		return template, nil
	}
	// Built under another name: a migration that fails leaves no half template.
	building := template + "_new"
	for _, statement := range []string{
		`DROP DATABASE IF EXISTS ` + building + ` WITH (FORCE)`,
		`CREATE DATABASE ` + building,
	} {
		if _, err := lock.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("make the template: %w", err)
		}
	}
	if err := migrate(ctx, at.owner(building), sources); err != nil {
		return "", err
	}
	if _, err := lock.ExecContext(ctx, `ALTER DATABASE `+building+` RENAME TO `+template); err != nil {
		return "", fmt.Errorf("name the template: %w", err)
	}
	return template, nil
}

func migrate(ctx context.Context, url string, sources []fs.FS) error {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return fmt.Errorf("open the template: %w", err)
	}
	defer db.Close()
	if err := postgres.PrepareDatabase(ctx, db); err != nil {
		return err
	}
	for i, source := range sources {
		// Each subgraph counts its migrations from 1, so each has a table of its own.
		provider, err := goose.NewProvider(goose.DialectPostgres, db, source,
			goose.WithTableName(fmt.Sprintf("goose_test_%d", i)), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fmt.Errorf("read the migrations of source %d: %w", i, err)
		}
		if _, err := provider.Up(ctx); err != nil {
			return fmt.Errorf("migrate source %d: %w", i, err)
		}
	}
	return nil
}

// folderOfSQL returns the folder in files that holds the .sql files.
func folderOfSQL(files fs.FS) (fs.FS, error) {
	found := ""
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if found == "" && !entry.IsDir() && strings.HasSuffix(name, ".sql") {
			found = path.Dir(name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look through the migrations: %w", err)
	}
	if found == "" {
		return nil, fmt.Errorf("the migrations hold no .sql file")
	}
	return fs.Sub(files, found)
}
