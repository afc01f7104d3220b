package worker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// selected reads workers (as w) with the latest primary assignment; one who
// left still has it, so that old records name the post.
const selected = `
	SELECT w.id, w.name, w.login, w.state, w.state_reason, w.password_due, w.area_code, w.version, a.unit_id, a.post, a.roles
	FROM platform.worker w
	CROSS JOIN LATERAL (
		SELECT unit_id, post, roles FROM platform.assignment
		WHERE worker_id = w.id AND is_primary ORDER BY valid_from DESC LIMIT 1
	) a`

type row struct {
	Worker
	Names pq.StringArray `db:"roles"`
}

func workers(rows []row) []*Worker {
	found := make([]*Worker, len(rows))
	for i := range rows {
		rows[i].Roles = roles(rows[i].Names)
		found[i] = &rows[i].Worker
	}
	return found
}

func roles(names []string) []access.Role {
	list := make([]access.Role, len(names))
	for i, name := range names {
		list[i] = access.Role(name)
	}
	return list
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*Worker, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, tx, &rows, selected+` WHERE w.id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("worker: by IDs: %w", err)
	}
	return workers(rows), nil
}

// list gives a page of workers whose area begins with the prefix and with one
// of the scopes, ordered by area and ID.
func list(ctx context.Context, tx sqlx.ExtContext, prefix string, scopes []string, f Filter, page keyset.Page) ([]*Worker, error) {
	afterArea, afterID := "", identifier.First
	if page.After != nil {
		afterArea, afterID = page.After[0], page.After[1]
	}
	var rows []row
	err := sqlx.SelectContext(ctx, tx, &rows, selected+`
		WHERE w.area_code >= $1 AND w.area_code < $1 || ':' AND w.area_code ^@ ANY($7::text[]) AND ($2 = '' OR strpos(w.name, $2) > 0)
		  AND ($8 = '' OR w.state = $8) AND ($8 <> '' OR w.state <> 'LEFT')
		  AND ($9 = '' OR EXISTS (SELECT FROM platform.assignment r
		       WHERE r.worker_id = w.id AND $9 = ANY (r.roles) AND (r.valid_to IS NULL OR r.valid_to >= current_date)))
		  AND ($3 = '' OR EXISTS (SELECT FROM platform.assignment u
		       WHERE u.worker_id = w.id AND u.unit_id::text = $3 AND (u.valid_to IS NULL OR u.valid_to >= current_date)))
		  AND (w.area_code, w.id) > ($4, $5::uuid)
		ORDER BY w.area_code, w.id LIMIT $6`,
		prefix, f.Search, f.UnitID, afterArea, afterID, page.Limit(), pq.Array(scopes), f.State, f.Role)
	if err != nil {
		return nil, fmt.Errorf("worker: list: %w", err)
	}
	return workers(rows), nil
}

const assignmentColumns = `id, worker_id, unit_id, area_code, coalesce(post_id::text, '') AS post_id, post, roles, data_scope, scope_areas, is_primary,
	to_char(valid_from, 'YYYY-MM-DD') AS valid_from, to_char(valid_to, 'YYYY-MM-DD') AS valid_to, granted_at`

type assignmentRow struct {
	Assignment
	Names pq.StringArray `db:"roles"`
	Areas pq.StringArray `db:"scope_areas"`
}

func (r *assignmentRow) assignment() *Assignment {
	r.Roles, r.ScopeAreas = roles(r.Names), r.Areas
	return &r.Assignment
}

// assignments gives the present ones of the workers on the day, the primary first.
func assignments(ctx context.Context, tx sqlx.ExtContext, workerIDs []string, day time.Time) ([]*Assignment, error) {
	var rows []assignmentRow
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT `+assignmentColumns+`
		FROM platform.assignment
		WHERE worker_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)
		ORDER BY worker_id, is_primary DESC, valid_from, id`, pq.Array(workerIDs), Day(day))
	if err != nil {
		return nil, fmt.Errorf("worker: assignments: %w", err)
	}
	found := make([]*Assignment, len(rows))
	for i := range rows {
		found[i] = rows[i].assignment()
	}
	return found, nil
}

// signIn is what signing in needs to know of a worker.
type signIn struct {
	ID    string `db:"id"`
	Hash  string `db:"password_hash"`
	State State  `db:"state"`
}

// byLogin gives who has the login name; sql.ErrNoRows becomes a zero value.
func byLogin(ctx context.Context, tx sqlx.ExtContext, login string) (signIn, error) {
	var found signIn
	err := sqlx.GetContext(ctx, tx, &found, `SELECT id, password_hash, state FROM platform.worker WHERE login = $1`, login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return signIn{}, fmt.Errorf("worker: by login: %w", err)
	}
	return found, nil
}

// holders gives the active workers with a present assignment in a unit of
// exactly the area, with the roles of it.
func holders(ctx context.Context, tx sqlx.ExtContext, areaCode string, day time.Time) (map[string][]access.Role, error) {
	var rows []struct {
		ID    string         `db:"worker_id"`
		Names pq.StringArray `db:"roles"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT a.worker_id, a.roles
		FROM platform.assignment a JOIN platform.worker w ON w.id = a.worker_id
		WHERE a.area_code = $1 AND w.state = 'ACTIVE' AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to >= $2)
		ORDER BY a.worker_id LIMIT $3`, areaCode, Day(day), maxHolders)
	if err != nil {
		return nil, fmt.Errorf("worker: holders: %w", err)
	}
	found := map[string][]access.Role{}
	for _, row := range rows {
		found[row.ID] = append(found[row.ID], roles(row.Names)...)
	}
	return found, nil
}

// maxHolders bounds how many workers one request to an area's workers reaches.
const maxHolders = 500
