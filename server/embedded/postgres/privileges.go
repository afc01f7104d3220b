package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// PrepareDatabase lets the app role use whatever the owner makes in this
// database from now on: schemas, tables, sequences. What is narrower (a log
// that nobody rewrites, a table that only jobs touch) is taken away again by
// the migration that makes it. The role is made when it is missing. It may be
// called again at any time; db is a connection of the owner.
func PrepareDatabase(ctx context.Context, db *sql.DB) error {
	// In one transaction under one lock: processes that start together would
	// change the same rows of the catalogue, which PostgreSQL refuses.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("postgres: prepare the database for role %s: %w", AppRole, err)
	}
	defer tx.Rollback()
	statements := []string{
		`SELECT pg_advisory_xact_lock(hashtext('` + AppRole + `'))`,
		`DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '` + AppRole + `') THEN
				CREATE ROLE ` + AppRole + ` LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
				-- So that an owner who is no superuser may step down to it.
				EXECUTE format('GRANT ` + AppRole + ` TO %I', current_user);
			END IF;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
		END $$`,
		`ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ` + AppRole,
		`ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ` + AppRole,
		`ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO ` + AppRole,
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("postgres: prepare the database for role %s: %w", AppRole, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("postgres: prepare the database for role %s: %w", AppRole, err)
	}
	return nil
}

// AsApp turns the owner's URL into one whose sessions act as the app role, for
// databases elsewhere where only one login was given. The owner must be a
// member of the role; who made the role is.
func AsApp(owner string) (string, error) {
	address, err := url.Parse(owner)
	if err != nil || address.Scheme == "" {
		return "", fmt.Errorf("postgres: the database address is not a URL of the form postgres://user:password@host:5432/name")
	}
	query := address.Query()
	query.Set("role", AppRole)
	address.RawQuery = query.Encode()
	return address.String(), nil
}
