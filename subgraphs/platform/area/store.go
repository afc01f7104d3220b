package area

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// all gives all areas, also those that are no longer valid, ordered by code.
func all(ctx context.Context, tx sqlx.ExtContext) ([]*Area, error) {
	var areas []*Area
	err := sqlx.SelectContext(ctx, tx, &areas, `
		SELECT code, name, full_name, level, coalesce(parent_code, '') AS parent_code, coalesce(zone_code, '') AS zone_code,
		       internal, to_char(valid_from, 'YYYY-MM-DD') AS valid_from, to_char(valid_to, 'YYYY-MM-DD') AS valid_to
		FROM platform.area ORDER BY code`)
	if err != nil {
		return nil, fmt.Errorf("area: reading the divisions: %w", err)
	}
	return areas, nil
}
