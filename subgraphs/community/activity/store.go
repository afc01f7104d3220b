package activity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `a.id, a.area_code, a.title, a.summary, a.place, a.starts_at, a.ends_at, a.capacity, a.confirmed_count, a.waitlisted_count,
	a.state, a.cancel_reason, a.version`

// lock reads an activity and holds its row until the transaction ends; nil when
// there is none that the transaction's principal may see.
func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*Activity, error) {
	var a Activity
	err := sqlx.GetContext(ctx, tx, &a, `SELECT `+columns+` FROM community.activity a WHERE a.id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("activity: reading %s: %w", id, err)
	}
	return &a, nil
}

// many reads the activities of the IDs, in any order.
func many(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*Activity, error) {
	var activities []*Activity
	err := sqlx.SelectContext(ctx, tx, &activities, `SELECT `+columns+` FROM community.activity a WHERE a.id = ANY($1)`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("activity: reading %d: %w", len(ids), err)
	}
	return activities, nil
}

// published reads a page of each area's published activities, by start; one
// statement for all areas. now is nil when past ones count too.
func published(ctx context.Context, tx sqlx.QueryerContext, codes []string, page keyset.Page, now *time.Time) (map[string][]*Activity, error) {
	prefixes := make([]string, len(codes))
	for i, code := range codes {
		prefixes[i] = division.Prefix(code)
	}
	args := []any{pq.Array(codes), pq.Array(prefixes), now}
	after := ""
	if page.After != nil {
		args = append(args, page.After[0], page.After[1])
		after = " AND (a.starts_at, a.id) > ($4::timestamptz, $5::uuid)"
	}
	var rows []struct {
		Asked string `db:"asked"`
		Activity
	}
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &rows,
		`SELECT p.asked, a.* FROM unnest($1::text[], $2::text[]) AS p(asked, prefix)
		CROSS JOIN LATERAL (
			SELECT `+columns+` FROM community.activity a
			WHERE a.area_code >= p.prefix COLLATE "C" AND a.area_code < (p.prefix || ':') COLLATE "C"
				AND a.state = 'PUBLISHED' AND ($3::timestamptz IS NULL OR a.ends_at > $3)`+after+`
			ORDER BY a.starts_at, a.id LIMIT `+strconv.Itoa(page.Limit())+`) AS a
		ORDER BY p.asked, a.starts_at, a.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("activity: listing for %d areas: %w", len(codes), err)
	}
	byArea := map[string][]*Activity{}
	for i := range rows {
		byArea[rows[i].Asked] = append(byArea[rows[i].Asked], &rows[i].Activity)
	}
	return byArea, nil
}

// managed reads a page of the area's activities of all states, late ones first.
func managed(ctx context.Context, tx sqlx.QueryerContext, prefixes []string, states []ActivityState, page keyset.Page) ([]*Activity, error) {
	args := []any{prefixes[0]}
	where := `a.area_code >= $1 COLLATE "C" AND a.area_code < ($1 || ':') COLLATE "C"` // a range of the index
	if len(prefixes) > 1 {
		args, where = []any{pq.Array(prefixes)}, `a.area_code ^@ ANY($1::text[])`
	}
	if len(states) > 0 {
		args = append(args, pq.Array(states))
		where += " AND a.state = ANY($2)"
	}
	if page.After != nil {
		n := len(args)
		args = append(args, page.After[0], page.After[1])
		where += fmt.Sprintf(" AND (a.starts_at, a.id) < ($%d::timestamptz, $%d::uuid)", n+1, n+2)
	}
	var activities []*Activity
	err := sqlx.SelectContext(ctx, tx, &activities,
		`SELECT `+columns+` FROM community.activity a WHERE `+where+` ORDER BY a.starts_at DESC, a.id DESC LIMIT `+strconv.Itoa(page.Limit()), args...)
	if err != nil {
		return nil, fmt.Errorf("activity: listing: %w", err)
	}
	return activities, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, a *Activity, createdBy string, at time.Time) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO community.activity (id, area_code, title, summary, place, starts_at, ends_at, capacity, state, created_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
		a.ID, a.AreaCode, a.Title, a.Summary, a.Place, a.StartsAt, a.EndsAt, a.Capacity, a.State, createdBy, at)
	if err != nil {
		return fmt.Errorf("activity: inserting: %w", err)
	}
	return nil
}

// enter writes a new state and counts the version up.
func enter(ctx context.Context, tx sqlx.ExtContext, a *Activity, at time.Time) error {
	_, err := tx.ExecContext(ctx,
		`UPDATE community.activity SET state = $2, cancel_reason = $3, updated_at = $4, version = version + 1 WHERE id = $1`,
		a.ID, a.State, a.CancelReason, at)
	if err != nil {
		return fmt.Errorf("activity: %s to %s: %w", a.ID, a.State, err)
	}
	a.Version++
	return nil
}

// count changes the numbers of places taken and waiting; the row is locked.
func count(ctx context.Context, tx sqlx.ExtContext, a *Activity, confirmed, waitlisted int) error {
	_, err := tx.ExecContext(ctx,
		`UPDATE community.activity SET confirmed_count = confirmed_count + $2, waitlisted_count = waitlisted_count + $3 WHERE id = $1`,
		a.ID, confirmed, waitlisted)
	if err != nil {
		return fmt.Errorf("activity: counting places of %s: %w", a.ID, err)
	}
	a.RegisteredCount += confirmed
	a.WaitlistedCount += waitlisted
	return nil
}

// Upcoming counts an area's published activities that have not ended, and the
// places taken in them.
func Upcoming(ctx context.Context, tx sqlx.QueryerContext, code string, now time.Time) (activities, registrations int, err error) {
	var row struct {
		Activities    int `db:"activities"`
		Registrations int `db:"registrations"`
	}
	err = sqlx.GetContext(ctx, tx, &row,
		`SELECT count(*) AS activities, coalesce(sum(confirmed_count), 0) AS registrations FROM community.activity
		WHERE area_code >= $1 COLLATE "C" AND area_code < ($1 || ':') COLLATE "C" AND state = 'PUBLISHED' AND ends_at > $2`, division.Prefix(code), now)
	if err != nil {
		return 0, 0, fmt.Errorf("activity: counting what is to come: %w", err)
	}
	return row.Activities, row.Registrations, nil
}
