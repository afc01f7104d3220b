// Package demonstration fills the community's tables with some months of
// invented cases and activities, told by the people of foundation/demonstration:
// the same scale and day give the same data each time.
//
// Start reading at Load; a case's life is in life.go.
package demonstration

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// tables are those that are filled by COPY, which row-level security forbids
// to an owner who is no superuser; for the load alone the owner is exempt.
var tables = []string{"feedback_case", "feedback_event", "activity", "registration"}

// Load fills the tables, once: what is loaded is left alone. owner is a
// connection of the tables' owner. It all happens in one transaction.
func Load(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast) error {
	if cast.Cases() == 0 {
		return nil
	}
	ctx = access.AsSystem(ctx, "demonstration")
	tx, err := owner.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("demonstration: community: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect after Commit
	if err := database.Scope(ctx, tx); err != nil {
		return err
	}
	fresh, err := mark(ctx, tx)
	if err != nil || !fresh {
		return err
	}
	if err := fill(ctx, tx, cast); err != nil {
		return fmt.Errorf("demonstration: community: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("demonstration: community: %w", err)
	}
	for _, table := range append([]string{"feedback_tally", "feedback_day", "feedback_word"}, tables...) {
		// VACUUM also makes index-only scans possible at once
		if _, err := owner.ExecContext(ctx, `VACUUM ANALYZE community.`+table); err != nil {
			return fmt.Errorf("demonstration: community: analysing %s: %w", table, err)
		}
	}
	return nil
}

// mark takes the load's marker; false when it was taken.
func mark(ctx context.Context, tx *sqlx.Tx) (bool, error) {
	taken, err := tx.ExecContext(ctx, `INSERT INTO community.loading (name) VALUES ('demonstration') ON CONFLICT DO NOTHING`)
	if err != nil {
		return false, fmt.Errorf("demonstration: community: %w", err)
	}
	n, err := taken.RowsAffected()
	return n == 1, err
}

func fill(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast) error {
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, `ALTER TABLE community.`+table+` NO FORCE ROW LEVEL SECURITY`); err != nil {
			return err
		}
	}
	// One check over all lines in the end, in the place of one a line.
	if _, err := tx.ExecContext(ctx, `ALTER TABLE community.feedback_event DROP CONSTRAINT feedback_event_case_id_fkey`); err != nil {
		return err
	}
	// The words of all cases at once, and then their index, in the place of one a line.
	if _, err := tx.ExecContext(ctx, `ALTER TABLE community.feedback_case DISABLE TRIGGER feedback_word_made; DROP INDEX community.feedback_word_words`); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *sqlx.Tx, *demonstration.Cast) error{cases, activities} {
		if err := part(ctx, tx, cast); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO community.feedback_word (case_id, area_code, words)
		SELECT id, area_code, community.feedback_words(area_code, title, content) FROM community.feedback_case ON CONFLICT DO NOTHING;
		CREATE INDEX feedback_word_words ON community.feedback_word USING gin (words);
		ALTER TABLE community.feedback_case ENABLE TRIGGER feedback_word_made`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `ALTER TABLE community.feedback_event ADD CONSTRAINT feedback_event_case_id_fkey
		FOREIGN KEY (case_id) REFERENCES community.feedback_case`); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, `ALTER TABLE community.`+table+` FORCE ROW LEVEL SECURITY`); err != nil {
			return err
		}
	}
	return nil
}

// bulk copies rows into the table; rows calls add for each.
func bulk(ctx context.Context, tx *sqlx.Tx, table string, columns []string, rows func(add func(values ...any) error) error) error {
	statement, err := tx.PrepareContext(ctx, pq.CopyInSchema("community", table, columns...))
	if err != nil {
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	defer func() { _ = statement.Close() }()
	err = rows(func(values ...any) error {
		_, err := statement.ExecContext(ctx, values...)
		return err
	})
	if err == nil {
		_, err = statement.ExecContext(ctx) // ends the copy
	}
	if err != nil {
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	return nil
}
