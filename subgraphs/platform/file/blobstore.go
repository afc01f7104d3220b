package file

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// blob is content that is stored once, however many versions refer to it.
type blob struct {
	Hash      []byte    `db:"hash"`
	SM3       []byte    `db:"sm3"`
	Key       string    `db:"key"`
	MediaType string    `db:"media_type"`
	Kind      Kind      `db:"kind"`
	Bytes     int64     `db:"bytes"`
	Width     *int      `db:"width"`
	Height    *int      `db:"height"`
	Verdict   verdict   `db:"verdict"`
	CreatedAt time.Time `db:"created_at"`
}

const selectedBlob = `SELECT hash, sm3, key, media_type, kind, bytes, width, height, verdict, created_at FROM platform.blob`

// shareBlob gives the blob of the hash, nil for none, and keeps it from being
// removed until the transaction ends.
func shareBlob(ctx context.Context, tx sqlx.ExtContext, hash []byte) (*blob, error) {
	var found blob
	err := sqlx.GetContext(ctx, tx, &found, selectedBlob+` WHERE hash = $1 FOR KEY SHARE`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: looking for content: %w", err)
	}
	return &found, nil
}

// insertBlob says whether the blob is new; somebody may have been faster.
func insertBlob(ctx context.Context, tx sqlx.ExtContext, b *blob) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO platform.blob (hash, sm3, key, media_type, kind, bytes, width, height, verdict, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (hash) DO NOTHING`,
		b.Hash, b.SM3, b.Key, b.MediaType, string(b.Kind), b.Bytes, b.Width, b.Height, string(b.Verdict), b.CreatedAt)
	if err != nil {
		return false, fmt.Errorf("file: recording content: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// toScan gives blobs that wait for the scanner, oldest first.
func toScan(ctx context.Context, tx sqlx.ExtContext, limit int) (found []*blob, err error) {
	if err := sqlx.SelectContext(ctx, tx, &found, selectedBlob+` WHERE verdict = 'SCANNING' ORDER BY created_at LIMIT $1`, limit); err != nil {
		return nil, fmt.Errorf("file: what is to be scanned: %w", err)
	}
	return found, nil
}

// judge writes the verdict, unless there is one; it says whether it did.
func judge(ctx context.Context, tx sqlx.ExtContext, hash []byte, v verdict, finding string, at time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, `UPDATE platform.blob SET verdict = $2, finding = $3, scanned_at = $4 WHERE hash = $1 AND verdict = 'SCANNING'`,
		hash, string(v), finding, at)
	if err != nil {
		return false, fmt.Errorf("file: writing the verdict: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// lagging gives files, locked, that wait for a verdict which is there, or whose
// verdict was overruled.
func lagging(ctx context.Context, tx sqlx.ExtContext, limit int) (found []*FileAsset, err error) {
	err = sqlx.SelectContext(ctx, tx, &found, selected+` WHERE f.state = 'SCANNING' AND b.verdict <> 'SCANNING' OR f.state = 'QUARANTINED' AND b.verdict = 'CLEAN' LIMIT $1 FOR UPDATE OF f SKIP LOCKED`, limit)
	if err != nil {
		return nil, fmt.Errorf("file: what waits for the verdict: %w", err)
	}
	return found, nil
}

// announce says that the content of the key goes at the time, unless recall
// takes it back.
func announce(ctx context.Context, tx sqlx.ExtContext, at time.Time, keys ...string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform.content_removal (key, at) SELECT unnest($1::text[]), $2 ON CONFLICT (key) DO UPDATE SET at = EXCLUDED.at`, pq.Array(keys), at)
	if err != nil {
		return fmt.Errorf("file: announcing a removal: %w", err)
	}
	return nil
}

// recall takes announcements back, or off when they are done.
func recall(ctx context.Context, tx sqlx.ExtContext, keys ...string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM platform.content_removal WHERE key = ANY($1)`, pq.Array(keys)); err != nil {
		return fmt.Errorf("file: taking back a removal: %w", err)
	}
	return nil
}

// removals gives keys whose content is to go, earliest first.
func removals(ctx context.Context, tx sqlx.ExtContext, now time.Time, limit int) (keys []string, err error) {
	if err := sqlx.SelectContext(ctx, tx, &keys, `SELECT key FROM platform.content_removal WHERE at <= $1 ORDER BY at LIMIT $2`, now, limit); err != nil {
		return nil, fmt.Errorf("file: what is to be removed: %w", err)
	}
	return keys, nil
}

// ended gives the IDs of deleted files whose time to be brought back is over
// and that nothing holds: those to archive, and those to purge.
func ended(ctx context.Context, tx sqlx.ExtContext, before, now time.Time, limit int) (ids []string, err error) {
	err = sqlx.SelectContext(ctx, tx, &ids, `
		SELECT id FROM platform.file
		WHERE (state = 'DELETED' AND deleted_at <= $1 OR state = 'ARCHIVED' AND retain_until <= $2 AND NOT held)
		ORDER BY deleted_at LIMIT $3 FOR UPDATE SKIP LOCKED`, before, now, limit)
	if err != nil {
		return nil, fmt.Errorf("file: what has ended: %w", err)
	}
	return ids, nil
}

// dropVersions removes a purged file's versions and gives their hashes.
func dropVersions(ctx context.Context, tx sqlx.ExtContext, id string) (hashes [][]byte, err error) {
	if err := sqlx.SelectContext(ctx, tx, &hashes, `DELETE FROM platform.file_version WHERE file_id = $1 RETURNING hash`, id); err != nil {
		return nil, fmt.Errorf("file: removing versions: %w", err)
	}
	return hashes, nil
}

// dropBlob removes the blob when nothing refers to it any more, and gives its key.
func dropBlob(ctx context.Context, tx sqlx.ExtContext, hash []byte) (key string, err error) {
	// The lock first: whoever is about to refer to it waits or has done so.
	if _, err := tx.ExecContext(ctx, `SELECT FROM platform.blob WHERE hash = $1 FOR UPDATE`, hash); err != nil {
		return "", fmt.Errorf("file: locking content: %w", err)
	}
	err = sqlx.GetContext(ctx, tx, &key, `
		DELETE FROM platform.blob b WHERE b.hash = $1
			AND NOT EXISTS (SELECT FROM platform.file_version v WHERE v.hash = b.hash) AND NOT EXISTS (SELECT FROM platform.file f WHERE f.hash = b.hash)
		RETURNING b.key`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("file: removing content: %w", err)
	}
	return key, nil
}
