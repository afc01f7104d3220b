package file

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

const selected = `
	SELECT f.id, f.name, b.media_type, b.bytes, b.width, b.height, f.created_at, f.owner_kind, f.owner_id, f.hash
	FROM platform.file f JOIN platform.blob b ON b.hash = f.hash`

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*FileAsset, error) {
	var found []*FileAsset
	if err := sqlx.SelectContext(ctx, tx, &found, selected+` WHERE f.id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("file: by IDs: %w", err)
	}
	return found, nil
}

func blobExists(ctx context.Context, tx sqlx.ExtContext, hash []byte) (bool, error) {
	var exists bool
	if err := sqlx.GetContext(ctx, tx, &exists, `SELECT EXISTS (SELECT FROM platform.blob WHERE hash = $1)`, hash); err != nil {
		return false, fmt.Errorf("file: looking for content: %w", err)
	}
	return exists, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, f *FileAsset, areaCode string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.blob (hash, media_type, bytes, width, height, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO NOTHING`, f.Hash, f.MediaType, f.Bytes, f.Width, f.Height, at)
	if err == nil {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO platform.file (id, hash, name, owner_kind, owner_id, area_code, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, f.ID, f.Hash, f.Name, f.OwnerKind, f.OwnerID, areaCode, at)
	}
	if err != nil {
		return fmt.Errorf("file: recording: %w", err)
	}
	return nil
}
