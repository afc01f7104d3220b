package post

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const columns = `id, unit_id, area_code, name, roles, data_scope, scope_areas, state, version`

// row is a post as the database gives it.
type row struct {
	ID         string         `db:"id"`
	UnitID     string         `db:"unit_id"`
	AreaCode   string         `db:"area_code"`
	Name       string         `db:"name"`
	Roles      pq.StringArray `db:"roles"`
	DataScope  DataScope      `db:"data_scope"`
	ScopeAreas pq.StringArray `db:"scope_areas"`
	State      State          `db:"state"`
	Version    int            `db:"version"`
}

func (r *row) post() *Post {
	roles := make([]access.Role, len(r.Roles))
	for i, role := range r.Roles {
		roles[i] = access.Role(role)
	}
	return &Post{ID: r.ID, UnitID: r.UnitID, AreaCode: r.AreaCode, Name: r.Name, Roles: roles, DataScope: r.DataScope,
		ScopeAreas: r.ScopeAreas, State: r.State, Version: r.Version}
}

func posts(rows []row) []*Post {
	found := make([]*Post, len(rows))
	for i := range rows {
		found[i] = rows[i].post()
	}
	return found
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*Post, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, tx, &rows, `SELECT `+columns+` FROM platform.post WHERE id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("post: by IDs: %w", err)
	}
	return posts(rows), nil
}

func ofUnits(ctx context.Context, tx sqlx.ExtContext, unitIDs []string) ([]*Post, error) {
	var rows []row
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT below.* FROM unnest($1::uuid[]) AS asked (unit) CROSS JOIN LATERAL (
			SELECT `+columns+` FROM platform.post WHERE unit_id = asked.unit AND state = 'ACTIVE' ORDER BY name LIMIT $2
		) AS below`, pq.Array(unitIDs), maxPosts)
	if err != nil {
		return nil, fmt.Errorf("post: of units: %w", err)
	}
	return posts(rows), nil
}

// locked reads the post and locks it; nil if there is none that may be changed.
func locked(ctx context.Context, tx sqlx.ExtContext, id string) (*Post, error) {
	var r row
	err := sqlx.GetContext(ctx, tx, &r, `SELECT `+columns+` FROM platform.post WHERE id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("post: locking: %w", err)
	}
	return r.post(), nil
}

// unit gives the unit's area, "" if there is none, and whether it is active.
func unit(ctx context.Context, tx sqlx.ExtContext, id string) (area string, active bool, err error) {
	var found struct {
		Area   string `db:"area_code"`
		Active bool   `db:"active"`
	}
	err = sqlx.GetContext(ctx, tx, &found, `SELECT area_code, state = 'ACTIVE' AS active FROM platform.org_unit WHERE id = $1`, id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", false, fmt.Errorf("post: reading the unit: %w", err)
	}
	return found.Area, found.Active, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, p *Post, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.post (id, unit_id, area_code, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
		p.ID, p.UnitID, p.AreaCode, p.Name, at)
	if err != nil {
		return fmt.Errorf("post: making: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.ExtContext, p *Post, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.post SET name = $2, roles = $3, data_scope = $4, scope_areas = $5, state = $6, version = $7, updated_at = $8 WHERE id = $1`,
		p.ID, p.Name, pq.Array(p.Roles), p.DataScope, pq.Array(p.ScopeAreas), p.State, p.Version, at)
	if err != nil {
		return fmt.Errorf("post: changing: %w", err)
	}
	return nil
}

// holders gives the workers who hold the post, now or from a later day.
func holders(ctx context.Context, tx sqlx.ExtContext, id string) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT DISTINCT worker_id FROM platform.assignment WHERE post_id = $1 AND (valid_to IS NULL OR valid_to >= current_date) ORDER BY worker_id`, id)
	if err != nil {
		return nil, fmt.Errorf("post: reading who holds it: %w", err)
	}
	return ids, nil
}

// regrant gives the post's roles and data scope to those to whom it was granted.
func regrant(ctx context.Context, tx sqlx.ExtContext, p *Post, by string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.assignment SET roles = $2, data_scope = $3, scope_areas = $4, granted_by = $5, granted_at = $6
		WHERE post_id = $1 AND granted_at IS NOT NULL AND (valid_to IS NULL OR valid_to >= current_date)`,
		p.ID, pq.Array(p.Roles), p.DataScope, pq.Array(p.ScopeAreas), by, at)
	if err != nil {
		return fmt.Errorf("post: granting: %w", err)
	}
	return nil
}

// rename tells the post's new name to its assignments, past ones aside.
func rename(ctx context.Context, tx sqlx.ExtContext, p *Post) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.assignment SET post = $2 WHERE post_id = $1 AND (valid_to IS NULL OR valid_to >= current_date)`, p.ID, p.Name)
	if err != nil {
		return fmt.Errorf("post: renaming: %w", err)
	}
	return nil
}
