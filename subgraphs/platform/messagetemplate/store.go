package messagetemplate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const columns = `id, key, version, state, name, class, title, body, nullif(link, '') AS link, variables, area_code, created_by, created_at,
	submitted_at, reviewed_by, reviewed_at, nullif(review_comment, '') AS review_comment, retired_at, row_version`

// read fills in what a row keeps as JSON.
func read(templates ...*MessageTemplate) error {
	for _, t := range templates {
		if err := json.Unmarshal(t.Kept, &t.Variables); err != nil {
			return fmt.Errorf("messagetemplate: variables of %s: %w", t.ID, err)
		}
	}
	return nil
}

func byID(ctx context.Context, tx sqlx.ExtContext, id string, lock bool) (*MessageTemplate, error) {
	query := `SELECT ` + columns + ` FROM platform.message_template WHERE id = $1`
	if lock {
		query += ` FOR UPDATE`
	}
	var t MessageTemplate
	err := sqlx.GetContext(ctx, tx, &t, query, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound()
	}
	if err != nil {
		return nil, fmt.Errorf("messagetemplate: by ID: %w", err)
	}
	return &t, read(&t)
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*MessageTemplate, error) {
	var list []*MessageTemplate
	if err := sqlx.SelectContext(ctx, tx, &list, `SELECT `+columns+` FROM platform.message_template WHERE id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("messagetemplate: by IDs: %w", err)
	}
	return list, read(list...)
}

// list gives a page, newest first.
func list(ctx context.Context, tx sqlx.ExtContext, state State, class Class, page keyset.Page) ([]*MessageTemplate, error) {
	before := identifier.Last
	if page.After != nil {
		before = page.After[0]
	}
	var found []*MessageTemplate
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT `+columns+` FROM platform.message_template
		WHERE id < $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR class = $3) ORDER BY id DESC LIMIT $4`, before, string(state), string(class), page.Limit())
	if err != nil {
		return nil, fmt.Errorf("messagetemplate: list: %w", err)
	}
	return found, read(found...)
}

// latest is the newest version under the key, wherever it belongs: keys are
// one name space. Only the system sees all.
func latest(ctx context.Context, tx sqlx.ExtContext, key string) (*MessageTemplate, error) {
	var t MessageTemplate
	err := sqlx.GetContext(ctx, tx, &t, `SELECT `+columns+` FROM platform.message_template WHERE key = $1 ORDER BY version DESC LIMIT 1`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("messagetemplate: by key: %w", err)
	}
	return &t, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, t *MessageTemplate) error {
	variables, err := kept(t)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.message_template (id, key, version, state, name, class, title, body, link, variables, area_code, prefix, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, ''), $10, $11, $12, $13, $14)`,
		t.ID, t.Key, t.Version, t.State, t.Name, t.Class, t.Title, t.Body, t.Link, variables, t.AreaCode, division.Prefix(t.AreaCode), t.CreatedBy, t.CreatedAt)
	if err != nil {
		return fmt.Errorf("messagetemplate: writing: %w", err)
	}
	return nil
}

func kept(t *MessageTemplate) (string, error) {
	if t.Variables == nil {
		t.Variables = []*MessageVariable{}
	}
	variables, err := json.Marshal(t.Variables)
	if err != nil {
		return "", fmt.Errorf("messagetemplate: %w", err)
	}
	return string(variables), nil
}

// save writes where the version stands, if nobody was faster.
func save(ctx context.Context, tx sqlx.ExtContext, t *MessageTemplate) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.message_template SET state = $2, submitted_at = $3, reviewed_by = $4, reviewed_at = $5, review_comment = coalesce($6, ''),
			retired_at = $7, row_version = row_version + 1
		WHERE id = $1 AND row_version = $8`, t.ID, t.State, t.SubmittedAt, t.ReviewedBy, t.ReviewedAt, t.ReviewComment, t.RetiredAt, t.RowVersion)
	if err != nil {
		return fmt.Errorf("messagetemplate: saving: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fault.New(fault.Conflict, "模板已被他人修改，请刷新后重试").Because(err)
	}
	t.RowVersion++
	return nil
}

// retireOthers retires the version that was approved before.
func retireOthers(ctx context.Context, tx sqlx.ExtContext, t *MessageTemplate, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message_template SET state = 'RETIRED', retired_at = $3, row_version = row_version + 1
		WHERE key = $1 AND state = 'APPROVED' AND id <> $2`, t.Key, t.ID, at)
	if err != nil {
		return fmt.Errorf("messagetemplate: retiring the version before: %w", err)
	}
	return nil
}

func notFound() error { return fault.New(fault.NotFound, "未找到该模板，或您无权查看") }
