package citizentag

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// columns count those who hold the tag at $1.
const columns = `t.id, t.name, t.description, t.area_code, t.enabled, t.created_by, t.created_at,
	(SELECT count(*) FROM platform.citizen_tag_holder h WHERE h.tag_id = t.id AND h.expires_at > $1) AS holder_count`

func list(ctx context.Context, tx sqlx.QueryerContext, now time.Time, page keyset.Page) ([]*Tag, error) {
	before := identifier.Last
	if page.After != nil {
		before = page.After[0]
	}
	var found []*Tag
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM platform.citizen_tag t WHERE t.id < $2 ORDER BY t.id DESC LIMIT $3`, now, before, page.Limit())
	if err != nil {
		return nil, fmt.Errorf("citizentag: list: %w", err)
	}
	return found, nil
}

// byID gives the tag, locked where asked for; nil when there is none to see.
func byID(ctx context.Context, tx sqlx.QueryerContext, id string, now time.Time, locked bool) (*Tag, error) {
	lock := ""
	if locked {
		lock = " FOR UPDATE OF t"
	}
	var t Tag
	err := sqlx.GetContext(ctx, tx, &t, `SELECT `+columns+` FROM platform.citizen_tag t WHERE t.id = $2`+lock, now, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("citizentag: by ID: %w", err)
	}
	return &t, nil
}

func insert(ctx context.Context, tx sqlx.ExecerContext, t *Tag, prefix string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform.citizen_tag (id, name, description, area_code, prefix, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.ID, t.Name, t.Description, t.AreaCode, prefix, t.CreatedBy, t.CreatedAt)
	if err != nil {
		return fmt.Errorf("citizentag: writing: %w", err)
	}
	return nil
}

func disable(ctx context.Context, tx sqlx.ExecerContext, id string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE platform.citizen_tag SET enabled = false WHERE id = $1`, id); err != nil {
		return fmt.Errorf("citizentag: disabling: %w", err)
	}
	return nil
}

// countCitizens counts those of the people who live in the scopes and below the
// tag's area.
func countCitizens(ctx context.Context, tx sqlx.QueryerContext, scopes []string, prefix string, people []string) (n int, err error) {
	err = sqlx.GetContext(ctx, tx, &n, `SELECT count(*) FROM platform.citizen WHERE id = ANY($1) AND area_code ^@ $2 AND area_code ^@ ANY($3::text[]) AND state = 'ACTIVE'`,
		pq.Array(people), prefix, pq.Array(scopes))
	if err != nil {
		return 0, fmt.Errorf("citizentag: looking for the people: %w", err)
	}
	return n, nil
}

func give(ctx context.Context, tx sqlx.ExecerContext, t *Tag, people []string, source string, until time.Time, by string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.citizen_tag_holder (tag_id, citizen_id, area_code, source, expires_at, tagged_by, tagged_at)
		SELECT $1, unnest($2::uuid[]), $3, $4, $5, $6, $7
		ON CONFLICT (tag_id, citizen_id) DO UPDATE SET source = excluded.source, expires_at = excluded.expires_at, tagged_by = excluded.tagged_by, tagged_at = excluded.tagged_at`,
		t.ID, pq.Array(people), t.AreaCode, source, until, by, at)
	if err != nil {
		return fmt.Errorf("citizentag: tagging: %w", err)
	}
	return nil
}

func take(ctx context.Context, tx sqlx.ExecerContext, id string, people []string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM platform.citizen_tag_holder WHERE tag_id = $1 AND citizen_id = ANY($2)`, id, pq.Array(people)); err != nil {
		return fmt.Errorf("citizentag: untagging: %w", err)
	}
	return nil
}

// ofEach reads the newest fifty of each citizen.
func ofEach(ctx context.Context, tx sqlx.QueryerContext, citizenIDs []string, now time.Time) (map[string][]*Held, error) {
	var rows []struct {
		CitizenID string `db:"citizen_id"`
		Held
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT asked.id AS citizen_id, held.tag_id, held.name, held.source, held.expires_at FROM unnest($1::uuid[]) AS asked (id) CROSS JOIN LATERAL (
			SELECT h.tag_id, t.name, h.source, h.expires_at FROM platform.citizen_tag_holder h JOIN platform.citizen_tag t ON t.id = h.tag_id
			WHERE h.citizen_id = asked.id AND h.expires_at > $2 AND t.enabled ORDER BY h.tag_id DESC LIMIT 50) AS held
		ORDER BY held.tag_id DESC`, pq.Array(citizenIDs), now)
	if err != nil {
		return nil, fmt.Errorf("citizentag: of citizens: %w", err)
	}
	found := map[string][]*Held{}
	for i := range rows {
		found[rows[i].CitizenID] = append(found[rows[i].CitizenID], &rows[i].Held)
	}
	return found, nil
}
