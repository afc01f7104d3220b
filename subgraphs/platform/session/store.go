package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// row is one session.
type row struct {
	ID          string      `db:"id"`
	Kind        access.Kind `db:"kind"`
	PrincipalID string      `db:"principal_id"`
	Client      string      `db:"client"`
	Address     string      `db:"address"`
	CreatedAt   time.Time   `db:"created_at"`
	ExpiresAt   time.Time   `db:"expires_at"`
	EndedAt     *time.Time  `db:"ended_at"`
	// of workers: in which post they act, and when the second factor was shown
	AssignmentID   string     `db:"assignment_id"`
	DelegationID   string     `db:"delegation_id"`
	SecondFactorAt *time.Time `db:"second_factor_at"`
	// on which device, and when and how who one is was last proven
	DeviceKey  []byte        `db:"device_key"`
	DeviceName string        `db:"device_name"`
	ProvenAt   *time.Time    `db:"proven_at"`
	ProvenBy   *access.Proof `db:"proven_by"`
}

const columns = `s.id, s.kind, s.principal_id, s.client, s.address, s.created_at, s.expires_at, s.ended_at,
	coalesce(s.assignment_id::text, '') AS assignment_id, coalesce(s.delegation_id::text, '') AS delegation_id, s.second_factor_at,
	s.device_key, s.device_name, s.proven_at, s.proven_by`

// reason is why a session ended before its time.
type reason string

const (
	signedOut reason = "SIGNED_OUT" // by the principal
	reused    reason = "REUSED"     // a refresh token came a second time
	principal reason = "PRINCIPAL"  // who it belongs to may not act any more
	password  reason = "PASSWORD"   // the password was changed
	account   reason = "ACCOUNT"    // the account was merged or is being cancelled
)

func insertSession(ctx context.Context, tx sqlx.ExtContext, r row) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.session (id, kind, principal_id, client, address, created_at, refreshed_at, expires_at, device_key, device_name)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)`,
		r.ID, r.Kind, r.PrincipalID, r.Client, r.Address, r.CreatedAt, r.ExpiresAt, r.DeviceKey, r.DeviceName)
	if err != nil {
		return fmt.Errorf("session: starting: %w", err)
	}
	return nil
}

func insertRefresh(ctx context.Context, tx sqlx.ExtContext, hash []byte, sessionID string, at, until time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.refresh_token (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)`, hash, sessionID, at, until)
	if err != nil {
		return fmt.Errorf("session: keeping a refresh token: %w", err)
	}
	return nil
}

// held is a refresh token with its session.
type held struct {
	row
	TokenExpiresAt time.Time  `db:"token_expires_at"`
	RotatedAt      *time.Time `db:"rotated_at"`
}

// lockRefresh finds the refresh token and locks it with its session, so that
// of two uses at the same time one comes second; nil if there is none.
func lockRefresh(ctx context.Context, tx sqlx.ExtContext, hash []byte) (*held, error) {
	var found held
	err := sqlx.GetContext(ctx, tx, &found, `
		SELECT `+columns+`,
		       t.expires_at AS token_expires_at, t.rotated_at
		FROM platform.refresh_token t JOIN platform.session s ON s.id = t.session_id
		WHERE t.hash = $1 FOR UPDATE`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("session: finding a refresh token: %w", err)
	}
	return &found, nil
}

func rotate(ctx context.Context, tx sqlx.ExtContext, hash []byte, sessionID string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE platform.refresh_token SET rotated_at = $2 WHERE hash = $1`, hash, at)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE platform.session SET refreshed_at = $2 WHERE id = $1`, sessionID, at)
	}
	if err != nil {
		return fmt.Errorf("session: rotating: %w", err)
	}
	return nil
}

// end ends the live sessions of the principal: the one of the ID, or all when
// it is "". It gives the IDs of those that ended now.
func end(ctx context.Context, tx sqlx.ExtContext, kind access.Kind, principalID, sessionID string, why reason, at time.Time) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		UPDATE platform.session SET ended_at = $5, end_reason = $4
		WHERE kind = $1 AND principal_id = $2 AND ($3 = '' OR id::text = $3) AND ended_at IS NULL AND expires_at > $5
		RETURNING id`, kind, principalID, sessionID, why, at)
	if err != nil {
		return nil, fmt.Errorf("session: ending: %w", err)
	}
	return ids, nil
}

// lives says whether the session has neither ended nor expired.
func lives(ctx context.Context, tx sqlx.ExtContext, id string, at time.Time) (bool, error) {
	var alive bool
	err := sqlx.GetContext(ctx, tx, &alive, `
		SELECT EXISTS (SELECT FROM platform.session WHERE id = $1 AND ended_at IS NULL AND expires_at > $2)`, id, at)
	if err != nil {
		return false, fmt.Errorf("session: looking: %w", err)
	}
	return alive, nil
}

// The lockout of workers: so many wrong passwords in a row lock the login name.
const (
	maxWrong   = 5
	lockedFor  = 15 * time.Minute
	forgetting = time.Hour // after which a wrong password no longer counts
)

// reserve counts one try for the login name before its password is looked at,
// so that tries at the same time cannot outrun the count. The fifth locks at
// once; a right password forgives. It gives the number of this try, or when
// the name is locked, 0 and the end of that.
func reserve(ctx context.Context, tx sqlx.ExtContext, loginIndex []byte, at time.Time) (int, time.Time, error) {
	var number int
	err := sqlx.GetContext(ctx, tx, &number, `
		INSERT INTO platform.lockout AS l (login_index, failures, updated_at) VALUES ($1, 1, $2)
		ON CONFLICT (login_index) DO UPDATE SET updated_at = $2,
			failures = CASE WHEN l.locked_until IS NOT NULL OR l.updated_at < $4 THEN 1 ELSE l.failures + 1 END,
			locked_until = CASE WHEN l.locked_until IS NULL AND l.updated_at >= $4 AND l.failures + 1 >= $5 THEN $3::timestamptz END
		WHERE l.locked_until IS NULL OR l.locked_until <= $2
		RETURNING failures`, loginIndex, at, at.Add(lockedFor), at.Add(-forgetting), maxWrong)
	if err == nil {
		return number, time.Time{}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, fmt.Errorf("session: counting a try: %w", err)
	}
	var until time.Time
	if err := sqlx.GetContext(ctx, tx, &until, `SELECT coalesce(locked_until, $2) FROM platform.lockout WHERE login_index = $1`, loginIndex, at); err != nil {
		return 0, time.Time{}, fmt.Errorf("session: reading a lock: %w", err)
	}
	return 0, until, nil
}

func forgive(ctx context.Context, tx sqlx.ExtContext, loginIndex []byte) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM platform.lockout WHERE login_index = $1`, loginIndex); err != nil {
		return fmt.Errorf("session: forgiving: %w", err)
	}
	return nil
}

// kept is how long an ended or expired session stays for inquiries.
const kept = 30 * 24 * time.Hour

// sweep removes up to a thousand old sessions with their tokens, and old locks.
func sweep(ctx context.Context, tx sqlx.ExtContext, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM platform.session WHERE id IN (SELECT id FROM platform.session WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)`, at.Add(-kept))
	if err == nil {
		_, err = tx.ExecContext(ctx, `
			DELETE FROM platform.lockout WHERE login_index IN
				(SELECT login_index FROM platform.lockout WHERE updated_at < $1 ORDER BY updated_at LIMIT 1000)`, at.Add(-24*time.Hour))
	}
	if err != nil {
		return fmt.Errorf("session: sweeping: %w", err)
	}
	return nil
}
