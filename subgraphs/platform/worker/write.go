package worker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
)

// lockWorker reads the worker and locks the row; nil if there is none to be
// seen. Who may not change workers locks nothing, and is kept apart by the locks
// of assignments.
func lockWorker(ctx context.Context, tx sqlx.ExtContext, id string) (*Worker, error) {
	found, err := byIDs(ctx, tx, []string{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var version []int
	if err := sqlx.SelectContext(ctx, tx, &version, `SELECT version FROM platform.worker WHERE id = $1 FOR UPDATE`, id); err != nil {
		return nil, fmt.Errorf("worker: locking: %w", err)
	}
	if len(version) == 1 && version[0] != found[0].Version { // changed in between
		if found, err = byIDs(ctx, tx, []string{id}); err != nil || len(found) == 0 {
			return nil, err
		}
	}
	return found[0], nil
}

func insertWorker(ctx context.Context, tx sqlx.ExtContext, w *Worker, hash string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.worker (id, login, name, password_hash, password_due, state, area_code, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		w.ID, w.LoginName, w.Name, hash, w.PasswordDue, w.State, w.AreaCode, w.Version, at)
	if err != nil {
		return fmt.Errorf("worker: making: %w", err)
	}
	return nil
}

func updateWorker(ctx context.Context, tx sqlx.ExtContext, w *Worker, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.worker SET state = $2, state_reason = $3, area_code = $4, version = $5, updated_at = $6 WHERE id = $1`,
		w.ID, w.State, w.StateReason, w.AreaCode, w.Version, at)
	if err != nil {
		return fmt.Errorf("worker: changing: %w", err)
	}
	return nil
}

// end ends the worker's assignments and what others act by of them.
func end(ctx context.Context, tx sqlx.ExtContext, id, successorID string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.assignment SET valid_to = greatest(valid_from, $2::date) WHERE worker_id = $1 AND (valid_to IS NULL OR valid_to > $2::date)`, id, Day(at))
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE platform.worker SET left_at = $2, successor_id = nullif($3, '')::uuid WHERE id = $1`, id, at, successorID)
	}
	if err != nil {
		return fmt.Errorf("worker: ending: %w", err)
	}
	return nil
}

// isAdministrator says whether a present or later assignment, or a delegation
// that still runs, carries an administrator's role. It is asked as who manages
// workers, who sees all assignments of the scope.
func isAdministrator(ctx context.Context, tx sqlx.ExtContext, id string) (bool, error) {
	var is bool
	err := sqlx.GetContext(ctx, tx, &is, `
		SELECT EXISTS (SELECT FROM platform.assignment WHERE worker_id = $1 AND (valid_to IS NULL OR valid_to >= current_date)
			AND roles && ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN'])
		OR EXISTS (SELECT FROM platform.delegation WHERE to_worker_id = $1 AND revoked_at IS NULL AND ends_at > now()
			AND roles && ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN'])`, id)
	if err != nil {
		return false, fmt.Errorf("worker: is an administrator: %w", err)
	}
	return is, nil
}

// assignmentsFrom gives the worker's assignments that last until the day or
// longer, and locks them.
func assignmentsFrom(ctx context.Context, tx sqlx.ExtContext, workerID, day string) ([]*Assignment, error) {
	var rows []assignmentRow
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT `+assignmentColumns+` FROM platform.assignment
		WHERE worker_id = $1 AND (valid_to IS NULL OR valid_to >= $2) ORDER BY id FOR UPDATE`, workerID, day)
	if err != nil {
		return nil, fmt.Errorf("worker: locking assignments: %w", err)
	}
	found := make([]*Assignment, len(rows))
	for i := range rows {
		found[i] = rows[i].assignment()
	}
	return found, nil
}

func insertAssignment(ctx context.Context, tx sqlx.ExtContext, workerID string, at place, from string, to *string, primary bool) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post_id, post, roles, is_primary, valid_from, valid_to)
		VALUES ($1, $2, $3, $4, $5, $6, '{}', $7, $8, $9)`, id, workerID, at.UnitID, at.AreaCode, at.ID, at.Name, primary, from, to)
	if err != nil {
		return fmt.Errorf("worker: assigning: %w", err)
	}
	return nil
}

func endAssignment(ctx context.Context, tx sqlx.ExtContext, id, lastDay string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE platform.assignment SET valid_to = $2 WHERE id = $1`, id, lastDay); err != nil {
		return fmt.Errorf("worker: ending an assignment: %w", err)
	}
	return nil
}

func notPrimary(ctx context.Context, tx sqlx.ExtContext, workerID string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE platform.assignment SET is_primary = false WHERE worker_id = $1 AND is_primary`, workerID); err != nil {
		return fmt.Errorf("worker: changing the primary assignment: %w", err)
	}
	return nil
}

func makePrimary(ctx context.Context, tx sqlx.ExtContext, workerID, id string) error {
	if err := notPrimary(ctx, tx, workerID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE platform.assignment SET is_primary = true WHERE id = $1`, id); err != nil {
		return fmt.Errorf("worker: changing the primary assignment: %w", err)
	}
	return nil
}

// placeOf gives the active post of an active unit; nil if there is none to be seen.
func placeOf(ctx context.Context, tx sqlx.ExtContext, postID string) (*place, error) {
	var at place
	err := sqlx.GetContext(ctx, tx, &at, `
		SELECT p.id, p.unit_id, p.area_code, p.name FROM platform.post p JOIN platform.org_unit u ON u.id = p.unit_id
		WHERE p.id = $1 AND p.state = 'ACTIVE' AND u.state = 'ACTIVE' FOR SHARE OF p`, postID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("worker: reading a post: %w", err)
	}
	return &at, nil
}

func holderOf(ctx context.Context, tx sqlx.ExtContext, assignmentID string) (string, error) {
	var id string
	err := sqlx.GetContext(ctx, tx, &id, `SELECT worker_id FROM platform.assignment WHERE id = $1`, assignmentID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("worker: reading an assignment: %w", err)
	}
	return id, nil
}

// granting is what a post gives.
type granting struct {
	AreaCode  string         `db:"area_code"`
	Name      string         `db:"name"`
	Names     pq.StringArray `db:"roles"`
	DataScope post.DataScope `db:"data_scope"`
	Areas     pq.StringArray `db:"scope_areas"`
}

// grantOf gives what the post of the assignment, which lasts, gives; nil if
// there is none. The assignment is locked.
func grantOf(ctx context.Context, tx sqlx.ExtContext, assignmentID string) (*granting, error) {
	var g granting
	err := sqlx.GetContext(ctx, tx, &g, `
		SELECT p.area_code, p.name, p.roles, p.data_scope, p.scope_areas
		FROM platform.assignment a JOIN platform.post p ON p.id = a.post_id AND p.state = 'ACTIVE'
		WHERE a.id = $1 AND (a.valid_to IS NULL OR a.valid_to >= current_date) FOR UPDATE OF a`, assignmentID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("worker: reading what a post gives: %w", err)
	}
	return &g, nil
}

func grant(ctx context.Context, tx sqlx.ExtContext, assignmentID string, g *granting, by string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.assignment SET roles = $2, data_scope = $3, scope_areas = $4, granted_by = $5, granted_at = $6 WHERE id = $1`,
		assignmentID, g.Names, g.DataScope, g.Areas, by, at)
	if err != nil {
		return fmt.Errorf("worker: granting: %w", err)
	}
	return nil
}

// withdraw takes the roles away and gives how many assignments had some.
func withdraw(ctx context.Context, tx sqlx.ExtContext, assignmentID, by string, at time.Time) (int64, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.assignment SET roles = '{}', data_scope = 'UNIT_AND_BELOW', scope_areas = '{}', granted_by = $2, granted_at = NULL
		WHERE id = $1 AND roles <> '{}' AND $3::timestamptz IS NOT NULL`, assignmentID, by, at)
	if err != nil {
		return 0, fmt.Errorf("worker: withdrawing: %w", err)
	}
	return result.RowsAffected()
}

// setPassword keeps the hash, and that it has to be changed or not.
func setPassword(ctx context.Context, tx sqlx.ExtContext, id, hash string, due bool, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.worker SET password_hash = $2, password_due = $3, password_changed_at = $4, updated_at = $4 WHERE id = $1`, id, hash, due, at)
	if err != nil {
		return fmt.Errorf("worker: setting a password: %w", err)
	}
	return nil
}
