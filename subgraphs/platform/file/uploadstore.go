package file

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// upload is a file on its way.
type upload struct {
	ID        string      `db:"id"`
	OwnerKind access.Kind `db:"owner_kind"`
	OwnerID   string      `db:"owner_id"`
	AreaCode  string      `db:"area_code"`
	Name      string      `db:"name"`
	Claimed   string      `db:"claimed"`
	Metadata  string      `db:"metadata"`
	Length    int64       `db:"length"`
	Received  int64       `db:"received"`
	FileID    *string     `db:"file_id"`
	Refusal   string      `db:"refusal"`
	CreatedAt time.Time   `db:"created_at"`
	ExpiresAt time.Time   `db:"expires_at"`
}

// part is one chunk of an upload.
type part struct {
	Start int64  `db:"start"`
	Bytes int64  `db:"bytes"`
	Key   string `db:"key"`
}

const selectedUpload = `
	SELECT id, owner_kind, owner_id, area_code, name, claimed, metadata, length, received, file_id, refusal, created_at, expires_at
	FROM platform.upload`

// uploadOf gives the caller's upload, nil for none; locked if so wished.
func uploadOf(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, id string, lock bool) (*upload, error) {
	query := selectedUpload + ` WHERE id = $1 AND owner_kind = $2 AND owner_id = $3`
	if lock {
		query += ` FOR UPDATE`
	}
	var found upload
	err := sqlx.GetContext(ctx, tx, &found, query, id, string(p.Kind), p.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: upload: %w", err)
	}
	return &found, nil
}

// openUploads counts the caller's uploads that are on their way.
func openUploads(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, now time.Time) (n int, err error) {
	err = sqlx.GetContext(ctx, tx, &n, `
		SELECT count(*) FROM platform.upload WHERE owner_kind = $1 AND owner_id = $2 AND file_id IS NULL AND refusal = '' AND expires_at > $3`,
		string(p.Kind), p.ID, now)
	if err != nil {
		return 0, fmt.Errorf("file: counting uploads: %w", err)
	}
	return n, nil
}

func insertUpload(ctx context.Context, tx sqlx.ExtContext, u *upload) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.upload (id, owner_kind, owner_id, area_code, name, claimed, metadata, length, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		u.ID, string(u.OwnerKind), u.OwnerID, u.AreaCode, u.Name, u.Claimed, u.Metadata, u.Length, u.CreatedAt, u.ExpiresAt)
	if err != nil {
		return fmt.Errorf("file: beginning an upload: %w", err)
	}
	return nil
}

// addPart records a chunk if the upload stands where it begins; else false.
func addPart(ctx context.Context, tx sqlx.ExtContext, id string, p part) (bool, error) {
	result, err := tx.ExecContext(ctx, `UPDATE platform.upload SET received = received + $3 WHERE id = $1 AND received = $2`, id, p.Start, p.Bytes)
	if err == nil {
		var n int64
		if n, err = result.RowsAffected(); err == nil && n == 0 {
			return false, nil
		}
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO platform.upload_part (upload_id, start, bytes, key) VALUES ($1, $2, $3, $4)`, id, p.Start, p.Bytes, p.Key)
	}
	if err != nil {
		return false, fmt.Errorf("file: recording a chunk: %w", err)
	}
	return true, recall(ctx, tx, p.Key)
}

func parts(ctx context.Context, tx sqlx.ExtContext, id string) (found []part, err error) {
	err = sqlx.SelectContext(ctx, tx, &found, `SELECT start, bytes, key FROM platform.upload_part WHERE upload_id = $1 ORDER BY start`, id)
	if err != nil {
		return nil, fmt.Errorf("file: chunks: %w", err)
	}
	return found, nil
}

// dropParts removes the upload's chunks, whose content goes now.
func dropParts(ctx context.Context, tx sqlx.ExtContext, id string, now time.Time) error {
	var keys []string
	if err := sqlx.SelectContext(ctx, tx, &keys, `DELETE FROM platform.upload_part WHERE upload_id = $1 RETURNING key`, id); err != nil {
		return fmt.Errorf("file: removing chunks: %w", err)
	}
	return announce(ctx, tx, now, keys...)
}

// finishUpload writes what the upload became, or why it became nothing.
func finishUpload(ctx context.Context, tx sqlx.ExtContext, id string, fileID *string, refusal string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE platform.upload SET file_id = $2, refusal = $3 WHERE id = $1`, id, fileID, refusal); err != nil {
		return fmt.Errorf("file: finishing an upload: %w", err)
	}
	return nil
}

func dropUpload(ctx context.Context, tx sqlx.ExtContext, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM platform.upload WHERE id = $1`, id); err != nil {
		return fmt.Errorf("file: removing an upload: %w", err)
	}
	return nil
}

// expired gives uploads whose time is over, locked.
func expired(ctx context.Context, tx sqlx.ExtContext, now time.Time, limit int) (ids []string, err error) {
	err = sqlx.SelectContext(ctx, tx, &ids, `SELECT id FROM platform.upload WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("file: expired uploads: %w", err)
	}
	return ids, nil
}
