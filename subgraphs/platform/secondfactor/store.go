package secondfactor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// factor is a worker's second factor as it is kept.
type factor struct {
	WorkerID    string     `db:"worker_id"`
	Secret      []byte     `db:"secret"` // sealed
	ConfirmedAt *time.Time `db:"confirmed_at"`
	LastStep    int64      `db:"last_step"`
	Failures    int        `db:"failures"`
	LockedUntil *time.Time `db:"locked_until"`
}

const columns = `worker_id, secret, confirmed_at, last_step, failures, locked_until`

func read(ctx context.Context, tx sqlx.ExtContext, workerID string) (*factor, error) {
	return get(ctx, tx, `SELECT `+columns+` FROM platform.second_factor WHERE worker_id = $1`, workerID)
}

// lock is read, and the next one waits: two tries at once do not use one step.
func lock(ctx context.Context, tx sqlx.ExtContext, workerID string) (*factor, error) {
	return get(ctx, tx, `SELECT `+columns+` FROM platform.second_factor WHERE worker_id = $1 FOR UPDATE`, workerID)
}

func get(ctx context.Context, tx sqlx.ExtContext, query, workerID string) (*factor, error) {
	var f factor
	err := sqlx.GetContext(ctx, tx, &f, query, workerID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("secondfactor: reading: %w", err)
	}
	return &f, nil
}

// keep puts a new secret in; false when one counts already. The lock of wrong
// codes stays.
func keep(ctx context.Context, tx sqlx.ExtContext, workerID string, sealed []byte, at time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO platform.second_factor AS f (worker_id, secret, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (worker_id) DO UPDATE SET secret = $2, created_at = $3, last_step = 0 WHERE f.confirmed_at IS NULL`, workerID, sealed, at)
	if err != nil {
		return false, fmt.Errorf("secondfactor: keeping a secret: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func update(ctx context.Context, tx sqlx.ExtContext, f *factor) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.second_factor SET confirmed_at = $2, last_step = $3, failures = $4, locked_until = $5 WHERE worker_id = $1`,
		f.WorkerID, f.ConfirmedAt, f.LastStep, f.Failures, f.LockedUntil)
	if err != nil {
		return fmt.Errorf("secondfactor: changing: %w", err)
	}
	return nil
}

// remove removes the factor for who may grant roles; false if there was none.
func remove(ctx context.Context, tx sqlx.ExtContext, workerID string) (bool, error) {
	var removed bool
	if err := sqlx.GetContext(ctx, tx, &removed, `SELECT platform.remove_second_factor($1)`, workerID); err != nil {
		return false, fmt.Errorf("secondfactor: removing: %w", err)
	}
	return removed, nil
}

func replaceRecovery(ctx context.Context, tx sqlx.ExtContext, workerID string, hashes [][]byte) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM platform.recovery_code WHERE worker_id = $1`, workerID)
	for _, hash := range hashes {
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO platform.recovery_code (worker_id, hash) VALUES ($1, $2)`, workerID, hash)
		}
	}
	if err != nil {
		return fmt.Errorf("secondfactor: keeping recovery codes: %w", err)
	}
	return nil
}

// useRecovery uses the recovery code up; false if there is no such one left.
func useRecovery(ctx context.Context, tx sqlx.ExtContext, workerID string, hash []byte, at time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.recovery_code SET used_at = $3 WHERE worker_id = $1 AND hash = $2 AND used_at IS NULL`, workerID, hash, at)
	if err != nil {
		return false, fmt.Errorf("secondfactor: using a recovery code: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// Place is where the worker's secret is sealed for.
func Place(workerID string) string { return place(workerID) }

// Demonstrate keeps a secret that counts at once, for demonstration data. db is
// a transaction of the system.
func Demonstrate(ctx context.Context, db sqlx.ExecerContext, workerID string, sealed []byte, at time.Time) error {
	_, err := db.ExecContext(ctx, `
		INSERT INTO platform.second_factor (worker_id, secret, confirmed_at, created_at) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING`, workerID, sealed, at)
	if err != nil {
		return fmt.Errorf("secondfactor: demonstration: %w", err)
	}
	return nil
}
