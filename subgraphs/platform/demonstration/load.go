// Package demonstration fills the platform's tables with the invented people
// of foundation/demonstration: a unit and workers for each area of the story,
// citizens, and some notifications. The same scale gives the same data each
// time, but for salts and nonces.
//
// Start reading at Load.
package demonstration

import (
	"context"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// AdministratorLogin is the login name of the first administrator, at every scale.
const AdministratorLogin = "admin"

// administrators are the three that every installation begins with, kept apart.
var administrators = []struct {
	login, name string
	role        access.Role
}{
	{AdministratorLogin, "系统管理员", access.SystemAdmin},
	{"security", "安全保密管理员", access.SecurityAdmin},
	{"audit", "安全审计员", access.AuditAdmin},
}

// AdministratorLogins are the login names of the three administrators.
func AdministratorLogins() []string {
	logins := make([]string, len(administrators))
	for i, a := range administrators {
		logins[i] = a.login
	}
	return logins
}

// AdministratorFactor is the secret (base32) of the administrators' second
// factor in demonstration data: as public as their password.
const AdministratorFactor = "CITIZENCLOUDDEMONSTRATIONFACTOR2"

// AdministratorPassword is an administrator's first password at the scale: the
// demonstration's, or with no demonstration one that only this installation
// has, to be shown once, and which has to be changed.
func AdministratorPassword(scale demonstration.Scale, keys *personal.Keys, login string) string {
	if scale != demonstration.None {
		return demonstration.Password
	}
	purpose := "first administrator"
	if login != AdministratorLogin {
		purpose += " " + login
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(keys.Derive(purpose))[:16]
}

// tables are those that are filled by COPY, which row-level security forbids
// to an owner who is no superuser; for the load alone the owner is exempt.
var tables = append([]string{"org_unit", "post", "worker", "assignment", "second_factor", "citizen", "notification", "place", "blob", "file", "file_version", "file_history", "file_hold", "client_app", "client_app_secret", "client_app_day", "consent", "message_delivery"}, append(realnameTables, workflowTables...)...)

// Load fills the tables, once: a scale that is loaded is left alone. db is a
// connection of the owner; keys seal the citizens' numbers as the running
// platform does; what files hold goes into store.
func Load(ctx context.Context, db *sqlx.DB, cast *demonstration.Cast, keys *personal.Keys, store file.Files) error {
	ctx = access.AsSystem(ctx, "demonstration")
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("demonstration: platform: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect after Commit
	if err := database.Scope(ctx, tx); err != nil {
		return fmt.Errorf("demonstration: platform: %w", err)
	}
	fresh, err := mark(ctx, tx, cast.Scale)
	if err != nil || !fresh {
		return err
	}
	if err := within(ctx, tx, cast, keys, store); err != nil {
		return fmt.Errorf("demonstration: platform: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("demonstration: platform: %w", err)
	}
	for _, table := range tables {
		if _, err := db.ExecContext(ctx, `ANALYZE platform.`+table); err != nil {
			return fmt.Errorf("demonstration: platform: analysing %s: %w", table, err)
		}
	}
	return nil
}

// mark takes the scale's marker; false when another one is there.
func mark(ctx context.Context, tx *sqlx.Tx, scale demonstration.Scale) (bool, error) {
	if _, err := tx.ExecContext(ctx, `LOCK TABLE platform.demonstration IN EXCLUSIVE MODE`); err != nil {
		return false, fmt.Errorf("demonstration: platform: %w", err)
	}
	var loaded string
	err := tx.GetContext(ctx, &loaded, `SELECT scale FROM platform.demonstration LIMIT 1`)
	if err == nil {
		return false, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("demonstration: platform: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO platform.demonstration (scale) VALUES ($1)`, string(scale)); err != nil {
		return false, fmt.Errorf("demonstration: platform: %w", err)
	}
	return true, nil
}

func within(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys, store file.Files) error {
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, `ALTER TABLE platform.`+table+` NO FORCE ROW LEVEL SECURITY`); err != nil {
			return err
		}
	}
	for _, part := range []func(context.Context, *sqlx.Tx, *demonstration.Cast, *personal.Keys) error{units, workers, citizens, notifications, workflows, publicPlaces, realNames, rules, messages, accounts, contents{store}.files, clientApps} {
		if err := part(ctx, tx, cast, keys); err != nil {
			return err
		}
	}
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, `ALTER TABLE platform.`+table+` FORCE ROW LEVEL SECURITY`); err != nil {
			return err
		}
	}
	return nil
}

// bulk copies rows into the table; rows calls add for each.
func bulk(ctx context.Context, tx *sqlx.Tx, table string, columns []string, rows func(add func(values ...any) error) error) error {
	statement, err := tx.PrepareContext(ctx, `COPY platform.`+table+` (`+strings.Join(columns, ", ")+`) FROM STDIN`)
	if err != nil {
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	defer func() { _ = statement.Close() }()
	err = rows(func(values ...any) error {
		_, err := statement.ExecContext(ctx, values...)
		return err
	})
	if err != nil {
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	if _, err := statement.ExecContext(ctx); err != nil { // no values: the end
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	return nil
}
