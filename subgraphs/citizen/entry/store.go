package entry

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// lock reads one entry as stored and holds it; nil if there is none.
func lock(ctx context.Context, tx sqlx.QueryerContext, serviceID, client string) (*line, error) {
	var lines []line
	err := sqlx.SelectContext(ctx, tx, &lines, `SELECT id, service_id, client, title, summary, target, sort_order, min_version, grey_percent, enabled, version
		FROM citizen.service_entry WHERE service_id = $1 AND client = $2 FOR UPDATE`, serviceID, client)
	if err != nil {
		return nil, fmt.Errorf("entry: reading an entry: %w", err)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return &lines[0], nil
}

// save writes the line, new or not.
func save(ctx context.Context, tx sqlx.ExecerContext, l *line, by string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO citizen.service_entry (id, service_id, client, title, summary, target, sort_order, min_version, grey_percent, enabled, version, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (service_id, client) DO UPDATE SET title = excluded.title, summary = excluded.summary, target = excluded.target,
			sort_order = excluded.sort_order, min_version = excluded.min_version, grey_percent = excluded.grey_percent,
			enabled = excluded.enabled, version = excluded.version, updated_by = excluded.updated_by, updated_at = now()`,
		l.ID, l.ServiceID, l.Client, l.Title, l.Summary, l.Target, l.SortOrder, l.MinVersion, l.GreyPercent, l.Enabled, l.Version, by)
	if err != nil {
		return fmt.Errorf("entry: writing an entry: %w", err)
	}
	return nil
}

func remove(ctx context.Context, tx sqlx.ExecerContext, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM citizen.service_entry WHERE id = $1`, id); err != nil {
		return fmt.Errorf("entry: removing an entry: %w", err)
	}
	return nil
}
