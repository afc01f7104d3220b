package delegation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

const columns = `id, assignment_id, from_worker_id, to_worker_id, area_code, roles, reason, starts_at, ends_at, revoked_at`

type row struct {
	ID           string         `db:"id"`
	AssignmentID string         `db:"assignment_id"`
	FromID       string         `db:"from_worker_id"`
	ToID         string         `db:"to_worker_id"`
	AreaCode     string         `db:"area_code"`
	Roles        pq.StringArray `db:"roles"`
	Reason       string         `db:"reason"`
	StartsAt     time.Time      `db:"starts_at"`
	EndsAt       time.Time      `db:"ends_at"`
	RevokedAt    *time.Time     `db:"revoked_at"`
}

func (r *row) delegation() *Delegation {
	return &Delegation{ID: r.ID, AssignmentID: r.AssignmentID, FromID: r.FromID, ToID: r.ToID, AreaCode: r.AreaCode, Roles: roles(r.Roles),
		Reason: r.Reason, StartsAt: r.StartsAt, EndsAt: r.EndsAt, RevokedAt: r.RevokedAt}
}

func roles(names []string) []access.Role {
	list := make([]access.Role, len(names))
	for i, name := range names {
		list[i] = access.Role(name)
	}
	return list
}

// post is what a worker can delegate of.
type post struct {
	UnitID   string
	AreaCode string
	Roles    []access.Role
}

// own gives the worker's own present assignment; nil if there is none.
func own(ctx context.Context, tx sqlx.ExtContext, id, workerID string, now time.Time) (*post, error) {
	var found struct {
		UnitID   string         `db:"unit_id"`
		AreaCode string         `db:"area_code"`
		Names    pq.StringArray `db:"roles"`
	}
	err := sqlx.GetContext(ctx, tx, &found, `
		SELECT unit_id, area_code, roles FROM platform.assignment
		WHERE id = $1 AND worker_id = $2 AND valid_from <= $3 AND (valid_to IS NULL OR valid_to >= $3)`, id, workerID, worker.Day(now))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("delegation: reading the assignment: %w", err)
	}
	return &post{UnitID: found.UnitID, AreaCode: found.AreaCode, Roles: roles(found.Names)}, nil
}

// receives says whether the worker is active in the unit, the one above, or one
// right below. Who is above lies outside of the caller's scope, so the answer
// comes from a function that tells no more than this.
func receives(ctx context.Context, tx sqlx.ExtContext, workerID, unitID string, now time.Time) (bool, error) {
	var fits bool
	if err := sqlx.GetContext(ctx, tx, &fits, `SELECT platform.works_near($1, $2, $3::date)`, workerID, unitID, worker.Day(now)); err != nil {
		return false, fmt.Errorf("delegation: looking at who receives: %w", err)
	}
	return fits, nil
}

func count(ctx context.Context, tx sqlx.ExtContext, workerID string, now time.Time) (n int, err error) {
	err = sqlx.GetContext(ctx, tx, &n, `
		SELECT count(*) FROM platform.delegation WHERE from_worker_id = $1 AND revoked_at IS NULL AND ends_at > $2`, workerID, now)
	if err != nil {
		return 0, fmt.Errorf("delegation: counting: %w", err)
	}
	return n, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, d *Delegation, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.delegation (id, assignment_id, from_worker_id, to_worker_id, area_code, roles, reason, starts_at, ends_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.AssignmentID, d.FromID, d.ToID, d.AreaCode, pq.Array(d.Roles), d.Reason, d.StartsAt, d.EndsAt, at)
	if err != nil {
		return fmt.Errorf("delegation: making: %w", err)
	}
	return nil
}

// locked reads the worker's delegation and locks it; nil if there is none.
func locked(ctx context.Context, tx sqlx.ExtContext, id, fromID string) (*Delegation, error) {
	var r row
	err := sqlx.GetContext(ctx, tx, &r, `SELECT `+columns+` FROM platform.delegation WHERE id = $1 AND from_worker_id = $2 FOR UPDATE`, id, fromID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("delegation: locking: %w", err)
	}
	return r.delegation(), nil
}

func revoke(ctx context.Context, tx sqlx.ExtContext, id string, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE platform.delegation SET revoked_at = $2 WHERE id = $1`, id, at); err != nil {
		return fmt.Errorf("delegation: revoking: %w", err)
	}
	return nil
}

// list gives a page of the worker's delegations, the newest first.
func list(ctx context.Context, tx sqlx.ExtContext, side Side, workerID, before string, limit int) ([]*Delegation, error) {
	column := "from_worker_id"
	if side == Received {
		column = "to_worker_id"
	}
	var rows []row
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT `+columns+` FROM platform.delegation WHERE `+column+` = $1 AND id < $2::uuid ORDER BY id DESC LIMIT $3`, workerID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("delegation: listing: %w", err)
	}
	found := make([]*Delegation, len(rows))
	for i := range rows {
		found[i] = rows[i].delegation()
	}
	return found, nil
}
