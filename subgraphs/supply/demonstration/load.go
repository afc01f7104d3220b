// Package demonstration fills the supply subgraph with the demonstration's
// story: participants with their services on the shelves of the communities,
// and what citizens ask for.
//
// Start reading at Load; the invented names and offers are in offers.go.
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

// amounts is how much of each thing a scale holds.
type amounts struct{ participants, services, demands int }

func amountsOf(cast *demonstration.Cast) amounts {
	if cast.Scale == demonstration.City {
		return amounts{participants: 2_000, services: 8_000, demands: 20_000}
	}
	return amounts{participants: 60, services: 240, demands: 400}
}

// Load tells the story of a scale other than None. It may run again: a marker
// says what is loaded. owner is the schema's owner.
func Load(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast) error {
	if cast.Citizens() == 0 {
		return nil
	}
	ctx = access.AsSystem(ctx, "demonstration")
	tx, err := owner.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("demonstration: supply: begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := database.Scope(ctx, tx); err != nil {
		return err
	}
	var loaded bool
	if err := tx.GetContext(ctx, &loaded, `SELECT EXISTS (SELECT FROM supply.demonstration)`); err != nil || loaded {
		return err
	}
	s := newStory(cast)
	for _, table := range []struct {
		name    string
		columns []string
		rows    func(row func(...any) error) error
	}{
		{"participant", []string{"id", "uscc", "name", "kind", "introduction", "phone", "area_code", "qualifications", "state", "review_note", "citizen_id", "search", "version", "created_at", "updated_at", "updated_by"}, s.participants},
		{"community_service", []string{"id", "participant_id", "area_code", "citizen_id", "name", "summary", "description", "category", "price_fen", "price_unit", "hours", "phone", "state", "offered", "listed_at", "search", "version", "created_at", "updated_at", "updated_by"}, s.services},
		{"distribution", []string{"service_id", "area_code", "at", "worker_id"}, s.distributions},
		{"demand", []string{"id", "title", "content", "category", "area_code", "budget_fen", "window_from", "window_to", "state", "citizen_id", "worker_id", "community_service_id", "opened_at", "search", "version", "created_at", "updated_at", "updated_by"}, s.demands},
		{"history", []string{"subject_id", "area_code", "citizen_id", "action", "from_state", "to_state", "note", "actor_kind", "actor_id", "at"}, s.histories},
	} {
		if err := copyIn(ctx, tx, table.name, table.columns, table.rows); err != nil {
			return fmt.Errorf("demonstration: supply: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO supply.demonstration (scale) VALUES ($1)`, string(cast.Scale)); err != nil {
		return fmt.Errorf("demonstration: supply: setting the marker: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `ANALYZE supply.participant, supply.community_service, supply.distribution, supply.demand, supply.history`); err != nil {
		return fmt.Errorf("demonstration: supply: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("demonstration: supply: commit: %w", err)
	}
	return nil
}

// copyIn fills a table by COPY.
func copyIn(ctx context.Context, tx *sqlx.Tx, table string, columns []string, fill func(row func(...any) error) error) error {
	statement, err := tx.PrepareContext(ctx, pq.CopyInSchema("supply", table, columns...))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	defer func() { _ = statement.Close() }()
	err = fill(func(values ...any) error {
		_, err := statement.ExecContext(ctx, values...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if _, err := statement.ExecContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}
