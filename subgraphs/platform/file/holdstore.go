package file

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

func insertHold(ctx context.Context, tx sqlx.ExtContext, id, fileID, reason, by string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform.file_hold (id, file_id, reason, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5)`, id, fileID, reason, by, at)
	if err != nil {
		return fmt.Errorf("file: placing a hold: %w", err)
	}
	return nil
}

func releaseHold(ctx context.Context, tx sqlx.ExtContext, fileID, by string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE platform.file_hold SET released_by = $2, released_at = $3 WHERE file_id = $1 AND released_at IS NULL`, fileID, by, at)
	if err != nil {
		return fmt.Errorf("file: releasing a hold: %w", err)
	}
	return nil
}
