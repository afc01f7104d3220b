package file

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// selected reads files with their present content; purged ones have none.
const selected = `
	SELECT f.id, f.name, b.media_type, b.kind, b.bytes, b.width, b.height, f.created_at, f.owner_kind, f.owner_id, f.area_code,
		f.hash, b.sm3, f.state, f.version, f.retain_until, f.held, f.deleted_at, b.verdict, b.key
	FROM platform.file f JOIN platform.blob b ON b.hash = f.hash`

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*FileAsset, error) {
	var found []*FileAsset
	if err := sqlx.SelectContext(ctx, tx, &found, selected+` WHERE f.id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("file: by IDs: %w", err)
	}
	return found, nil
}

// forUpdate is the file, locked; nil when there is none that may be seen.
func forUpdate(ctx context.Context, tx sqlx.ExtContext, id string) (*FileAsset, error) {
	var found FileAsset
	err := sqlx.GetContext(ctx, tx, &found, selected+` WHERE f.id = $1 FOR UPDATE OF f`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: locking: %w", err)
	}
	found.before = found.audited()
	return &found, nil
}

// list gives a page of the owner's files, newest first.
func list(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, filter Filter, page keyset.Page) ([]*FileAsset, error) {
	after := identifier.Last
	if page.After != nil {
		after = page.After[0]
	}
	states, kinds := filter.states(), filter.kinds()
	var found []*FileAsset
	err := sqlx.SelectContext(ctx, tx, &found, selected+`
		WHERE f.owner_kind = $1 AND f.owner_id = $2 AND f.id < $3 AND f.state = ANY($4) AND ($5::text[] IS NULL OR b.kind = ANY($5))
		ORDER BY f.id DESC LIMIT $6`, string(p.Kind), p.ID, after, pq.Array(states), pq.Array(kinds), page.Limit())
	if err != nil {
		return nil, fmt.Errorf("file: list: %w", err)
	}
	return found, nil
}

const selectedVersion = `
	SELECT v.file_id, v.number, v.name, b.media_type, b.bytes, v.hash, v.created_at, b.verdict, b.key, b.width
	FROM platform.file_version v JOIN platform.blob b ON b.hash = v.hash`

// versions gives up to a hundred versions of each file, newest first.
func versions(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*FileVersion, error) {
	var found []*FileVersion
	err := sqlx.SelectContext(ctx, tx, &found, selectedVersion+` WHERE v.file_id = ANY($1) ORDER BY v.file_id, v.number DESC`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("file: versions: %w", err)
	}
	return found, nil
}

func version(ctx context.Context, tx sqlx.ExtContext, id string, number int) (*FileVersion, error) {
	var found FileVersion
	err := sqlx.GetContext(ctx, tx, &found, selectedVersion+` WHERE v.file_id = $1 AND v.number = $2`, id, number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: version: %w", err)
	}
	return &found, nil
}

// insert records a new file whose content has a blob, with its first version.
func insert(ctx context.Context, tx sqlx.ExtContext, f *FileAsset) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.file (id, hash, name, owner_kind, owner_id, area_code, created_at, state, version, retain_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)`,
		f.ID, f.Hash, f.Name, string(f.OwnerKind), f.OwnerID, f.AreaCode, f.CreatedAt, string(f.State), f.RetainUntil)
	if err != nil {
		return fmt.Errorf("file: recording: %w", err)
	}
	return insertVersion(ctx, tx, f, f.CreatedAt)
}

func insertVersion(ctx context.Context, tx sqlx.ExtContext, f *FileAsset, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform.file_version (file_id, number, hash, name, created_at) VALUES ($1, $2, $3, $4, $5)`,
		f.ID, f.Version, f.Hash, f.Name, at)
	if err != nil {
		return fmt.Errorf("file: recording version %d: %w", f.Version, err)
	}
	return nil
}

// update writes what changes in a file's life; the row is locked.
func update(ctx context.Context, tx sqlx.ExtContext, f *FileAsset) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.file SET hash = $2, name = $3, state = $4, version = $5, retain_until = $6, held = $7, deleted_at = $8 WHERE id = $1`,
		f.ID, f.Hash, f.Name, string(f.State), f.Version, f.RetainUntil, f.Held, f.DeletedAt)
	if err != nil {
		return fmt.Errorf("file: changing: %w", err)
	}
	return nil
}

// change is a line of a file's history.
type change struct {
	action   string
	from, to State
	note     string
	at       time.Time
}

func record(ctx context.Context, tx sqlx.ExtContext, id string, c change) error {
	kind, actor := string(access.System), "file"
	if p := access.From(ctx); p != nil {
		kind, actor = string(p.Kind), p.ID
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.file_history (file_id, action, from_state, to_state, actor_kind, actor_id, note, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, c.action, string(c.from), string(c.to), kind, actor, c.note, c.at)
	if err != nil {
		return fmt.Errorf("file: writing history: %w", err)
	}
	return nil
}
