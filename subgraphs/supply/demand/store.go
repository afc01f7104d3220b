package demand

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
)

const columns = `s.id, s.title, s.content, s.category, s.area_code, s.budget_fen, s.window_from, s.window_to, s.state, s.review_note,
	s.citizen_id, s.worker_id, s.community_service_id, s.opened_at, s.version, s.created_at, s.updated_at`

// Filter chooses demands of a list: open ones of everywhere, or with States
// those in the areas of Scope.
type Filter struct {
	Scope    string
	Prefixes []string // of area codes, where the scope is not one area
	AreaID   *string
	Category *communityservice.SupplyCategory
	States   []DemandState
	Search   string
}

func (f Filter) where() *condition.Where {
	w := new(condition.Where)
	if f.Scope != "" {
		if f.Prefixes != nil {
			w.Add("s.area_code ^@ ANY(?::text[])", pq.Array(f.Prefixes))
		} else {
			below(w, f.Scope)
		}
		w.Add("s.state = ANY(?)", pq.Array(f.States))
	} else {
		w.Add("s.state = 'OPEN'")
	}
	if f.AreaID != nil {
		below(w, *f.AreaID)
	}
	if f.Category != nil {
		w.Add("s.category = ?", string(*f.Category))
	}
	if f.Search != "" {
		query, _ := bigram.Query(f.Search)
		w.Add("s.search @@ ?::tsquery", query)
	}
	return w
}

// below adds that the demand's area is the given one or lies in it: a range, so
// that an index serves it; ':' is the character after '9'.
func below(w *condition.Where, area string) {
	prefix := w.Arg(division.Prefix(area))
	w.Add("s.area_code >= " + prefix + " AND s.area_code < " + prefix + " || ':'")
}

// list reads a page: open ones by the time of opening, others by ID.
func list(ctx context.Context, tx sqlx.QueryerContext, w *condition.Where, page keyset.Page, byOpening bool) ([]*Demand, error) {
	order := "s.id DESC"
	if byOpening {
		order = "s.opened_at DESC, s.id DESC"
	}
	if page.After != nil {
		if byOpening {
			w.Add("(s.opened_at, s.id) < (?::timestamptz, ?::uuid)", page.After[0], page.After[1])
		} else {
			w.Add("s.id < ?::uuid", page.After[1])
		}
	}
	var found []*Demand
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.demand s WHERE `+w.String()+
		` ORDER BY `+order+` LIMIT `+strconv.Itoa(page.Limit()), w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("demand: listing: %w", err)
	}
	return found, nil
}

// boards reads one page of the open demands of each area in one statement.
func boards(ctx context.Context, tx sqlx.QueryerContext, areas []string, w *condition.Where, limit int) (map[string][]*Demand, error) {
	var rows []struct {
		Place string `db:"place"`
		Demand
	}
	prefixes := make([]string, len(areas))
	for i, area := range areas {
		prefixes[i] = division.Prefix(area)
	}
	wanted := w.Arg(pq.Array(areas)) + "::text[], " + w.Arg(pq.Array(prefixes)) + "::text[]"
	inner := strings.ReplaceAll(columns, "s.", "")
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT wanted.id AS place, `+columns+` FROM unnest(`+wanted+`) AS wanted (id, prefix) CROSS JOIN LATERAL (
			SELECT `+inner+` FROM supply.demand s WHERE s.state = 'OPEN' AND s.area_code >= wanted.prefix AND s.area_code < wanted.prefix || ':' AND `+w.String()+`
			ORDER BY s.opened_at DESC, s.id DESC LIMIT `+strconv.Itoa(limit)+`) s
		ORDER BY wanted.id, s.opened_at DESC, s.id DESC`, w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("demand: reading boards: %w", err)
	}
	by := make(map[string][]*Demand, len(areas))
	for i := range rows {
		by[rows[i].Place] = append(by[rows[i].Place], &rows[i].Demand)
	}
	return by, nil
}

func byIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*Demand, error) {
	var found []*Demand
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.demand s WHERE s.id = ANY($1::uuid[])`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("demand: reading: %w", err)
	}
	return found, nil
}

func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*Demand, error) {
	var found []*Demand
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.demand s WHERE s.id = $1 FOR UPDATE`, id); err != nil {
		return nil, fmt.Errorf("demand: reading one to change: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// overdue locks some open demands whose window is over, passing by those that
// another process works on.
func overdue(ctx context.Context, tx sqlx.QueryerContext, now time.Time, limit int) ([]*Demand, error) {
	var found []*Demand
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.demand s WHERE s.state = 'OPEN' AND s.window_to <= $1
		ORDER BY s.window_to LIMIT $2 FOR UPDATE SKIP LOCKED`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("demand: reading overdue ones: %w", err)
	}
	return found, nil
}

func vector(d *Demand) string { return bigram.Vector(d.Title, d.Content, d.Category.Name()) }

func insert(ctx context.Context, tx sqlx.QueryerContext, d *Demand, by string) error {
	err := sqlx.GetContext(ctx, tx, d, `INSERT INTO supply.demand (id, title, content, category, area_code, budget_fen, window_from, window_to, state,
		citizen_id, worker_id, search, version, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::tsvector, $13, $14) RETURNING created_at, updated_at`,
		d.ID, d.Title, d.Content, string(d.Category), d.AreaCode, d.BudgetFen, d.WindowFrom, d.WindowTo, string(d.State),
		d.CitizenID, d.WorkerID, vector(d), d.Version, by)
	if err != nil {
		return fmt.Errorf("demand: writing: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.QueryerContext, d *Demand, by string) error {
	err := sqlx.GetContext(ctx, tx, &d.UpdatedAt, `UPDATE supply.demand SET title = $2, content = $3, category = $4, budget_fen = $5, window_from = $6, window_to = $7,
		state = $8, review_note = $9, community_service_id = $10, opened_at = $11, search = $12::text::tsvector, version = $13,
		updated_by = $14, updated_at = now() WHERE id = $1 RETURNING updated_at`,
		d.ID, d.Title, d.Content, string(d.Category), d.BudgetFen, d.WindowFrom, d.WindowTo, string(d.State), d.Verdict, d.ServiceID,
		d.OpenedAt, vector(d), d.Version, by)
	if err != nil {
		return fmt.Errorf("demand: changing: %w", err)
	}
	return nil
}
