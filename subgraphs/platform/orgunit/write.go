package orgunit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// lockTree lets one change of the tree happen at a time, so that two moves
// cannot make a circle together. Changes are rare.
func lockTree(ctx context.Context, tx sqlx.ExtContext) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('platform.org_unit', 0))`); err != nil {
		return fmt.Errorf("orgunit: locking the tree: %w", err)
	}
	return nil
}

// locked reads the unit and locks it; nil if there is none that may be changed.
func locked(ctx context.Context, tx sqlx.ExtContext, id string) (*OrgUnit, error) {
	var u OrgUnit
	err := sqlx.GetContext(ctx, tx, &u, `SELECT `+columns+` FROM platform.org_unit WHERE id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("orgunit: locking %s: %w", id, err)
	}
	return &u, nil
}

// fits refuses a place in the tree that cannot be: below a unit that does not
// exist or act, whose area does not hold the unit's, or below itself.
func fits(ctx context.Context, tx sqlx.ExtContext, u *OrgUnit) error {
	var place struct {
		Zone        string  `db:"zone_code"`
		ParentArea  *string `db:"parent_area"`
		ParentState *State  `db:"parent_state"`
	}
	err := sqlx.GetContext(ctx, tx, &place, `
		SELECT coalesce(a.zone_code, '') AS zone_code, p.area_code AS parent_area, p.state AS parent_state
		FROM platform.area a LEFT JOIN platform.org_unit p ON p.id = $2
		WHERE a.code = $1 AND a.valid_from <= current_date AND (a.valid_to IS NULL OR a.valid_to > current_date)`, u.AreaCode, u.ParentID)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Invalid("input.areaId", "该区划不存在或已失效")
	}
	if err != nil {
		return fmt.Errorf("orgunit: looking at a place in the tree: %w", err)
	}
	switch {
	case place.ParentArea == nil:
		return fault.Invalid("input.parentId", "上级机构不存在")
	case *place.ParentState != Active:
		return fault.Invalid("input.parentId", "上级机构当前为“%s”", names[*place.ParentState])
	case !division.Covers(*place.ParentArea, u.AreaCode) && place.Zone != *place.ParentArea:
		return fault.Invalid("input.parentId", "上级机构服务的区划须包含本机构服务的区划")
	}
	under, err := isUnder(ctx, tx, u.ParentID, u.ID)
	if err != nil {
		return err
	}
	if under {
		return fault.Invalid("input.parentId", "上级机构不能是本机构或其下级")
	}
	var outside int
	err = sqlx.GetContext(ctx, tx, &outside, `
		SELECT count(*) FROM platform.org_unit u JOIN platform.area a ON a.code = u.area_code
		WHERE u.parent_id = $1 AND u.state <> 'DISSOLVED' AND NOT u.area_code ^@ $2 AND a.zone_code IS DISTINCT FROM $3`,
		u.ID, division.Prefix(u.AreaCode), u.AreaCode)
	if err != nil {
		return fmt.Errorf("orgunit: looking at the units below: %w", err)
	}
	if outside > 0 {
		return fault.Invalid("input.areaId", "有 %d 个下级机构不在该区划内，请先调整下级机构", outside)
	}
	return nil
}

// depth bounds how far up a unit is followed.
const depth = 32

// isUnder says whether the unit is the other one or lies below it.
func isUnder(ctx context.Context, tx sqlx.ExtContext, id, other string) (bool, error) {
	var under bool
	err := sqlx.GetContext(ctx, tx, &under, `
		WITH RECURSIVE up AS (
			SELECT id, parent_id, 1 AS steps FROM platform.org_unit WHERE id = $1
			UNION ALL SELECT u.id, u.parent_id, up.steps + 1 FROM platform.org_unit u JOIN up ON u.id = up.parent_id WHERE up.steps < $3
		)
		SELECT EXISTS (SELECT FROM up WHERE id = $2)`, id, other, depth)
	if err != nil {
		return false, fmt.Errorf("orgunit: looking up the tree: %w", err)
	}
	return under, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, u *OrgUnit, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.org_unit (id, name, kind, state, area_code, parent_id, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`, u.ID, u.Name, u.Kind, u.State, u.AreaCode, u.ParentID, u.Version, at)
	if err != nil {
		return fmt.Errorf("orgunit: making: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.ExtContext, u *OrgUnit, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.org_unit SET name = $2, state = $3, area_code = $4, parent_id = nullif($5, '')::uuid,
			successor_id = nullif($6, '')::uuid, version = $7, updated_at = $8
		WHERE id = $1`, u.ID, u.Name, u.State, u.AreaCode, u.ParentID, u.SuccessorID, u.Version, at)
	if err != nil {
		return fmt.Errorf("orgunit: changing: %w", err)
	}
	return nil
}

// holds counts the units right below that are not dissolved, and the present
// assignments.
func holds(ctx context.Context, tx sqlx.ExtContext, id string) (below, assignments int, err error) {
	var n struct {
		Below       int `db:"below"`
		Assignments int `db:"assignments"`
	}
	err = sqlx.GetContext(ctx, tx, &n, `
		SELECT (SELECT count(*) FROM platform.org_unit WHERE parent_id = $1 AND state <> 'DISSOLVED') AS below,
		       (SELECT count(*) FROM platform.assignment WHERE unit_id = $1 AND (valid_to IS NULL OR valid_to >= current_date)) AS assignments`, id)
	if err != nil {
		return 0, 0, fmt.Errorf("orgunit: counting what a unit holds: %w", err)
	}
	return n.Below, n.Assignments, nil
}

// adopt puts the units right below one unit below another.
func adopt(ctx context.Context, tx sqlx.ExtContext, from, to string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.org_unit SET parent_id = $2, version = version + 1, updated_at = now() WHERE parent_id = $1 AND state <> 'DISSOLVED'`, from, to)
	if err != nil {
		return fmt.Errorf("orgunit: moving the units below: %w", err)
	}
	return nil
}

// members gives the workers with a present assignment in the unit.
func members(ctx context.Context, tx sqlx.ExtContext, id string) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT DISTINCT worker_id FROM platform.assignment WHERE unit_id = $1 AND (valid_to IS NULL OR valid_to >= current_date) ORDER BY worker_id`, id)
	if err != nil {
		return nil, fmt.Errorf("orgunit: reading who holds posts: %w", err)
	}
	return ids, nil
}

// rehome takes the posts and present assignments of a unit to another one or
// into its own new area. In another area the roles are withdrawn. A post whose
// name is taken there is told apart by the end of its ID.
func rehome(ctx context.Context, tx sqlx.ExtContext, from, to, areaCode string, at time.Time) error {
	for _, statement := range []string{
		`UPDATE platform.worker SET area_code = $3, version = version + 1, updated_at = $4
		WHERE area_code <> $3 AND id IN (SELECT worker_id FROM platform.assignment
			WHERE unit_id = $1 AND is_primary AND (valid_to IS NULL OR valid_to >= current_date)) AND $2 <> ''`,
		`UPDATE platform.post p SET unit_id = $2::uuid, area_code = $3, version = version + 1, updated_at = $4,
			name = CASE WHEN p.unit_id <> $2::uuid AND EXISTS (SELECT FROM platform.post o WHERE o.unit_id = $2::uuid AND o.name = p.name AND o.state = 'ACTIVE')
				THEN p.name || '·' || right(p.id::text, 4) ELSE p.name END,
			roles = CASE WHEN p.area_code = $3 THEN p.roles ELSE '{}' END,
			data_scope = CASE WHEN p.area_code = $3 THEN p.data_scope ELSE 'UNIT_AND_BELOW' END,
			scope_areas = CASE WHEN p.area_code = $3 THEN p.scope_areas ELSE '{}' END
		WHERE unit_id = $1::uuid AND state = 'ACTIVE'`,
		`UPDATE platform.assignment SET unit_id = $2::uuid, area_code = $3,
			roles = CASE WHEN area_code = $3 THEN roles ELSE '{}' END,
			data_scope = CASE WHEN area_code = $3 THEN data_scope ELSE 'UNIT_AND_BELOW' END,
			scope_areas = CASE WHEN area_code = $3 THEN scope_areas ELSE '{}' END,
			granted_at = CASE WHEN area_code = $3 THEN granted_at END
		WHERE unit_id = $1::uuid AND (valid_to IS NULL OR valid_to >= current_date) AND $4::timestamptz IS NOT NULL`,
	} {
		if _, err := tx.ExecContext(ctx, statement, from, to, areaCode, at); err != nil {
			return fmt.Errorf("orgunit: moving posts and assignments: %w", err)
		}
	}
	return nil
}
