package file

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// inCare gives a page of the files of the area and below that need care, newest
// first. The first condition is that of the index.
func inCare(ctx context.Context, tx sqlx.ExtContext, areaCode string, filter CareFilter, page keyset.Page) ([]*FileAsset, error) {
	after := identifier.Last
	if page.After != nil {
		after = page.After[0]
	}
	var found []*FileAsset
	err := sqlx.SelectContext(ctx, tx, &found, selected+`
		WHERE (f.held OR f.state NOT IN ('AVAILABLE', 'PURGED')) AND f.area_code ^@ $1 AND f.id < $2 AND f.state = ANY($3) AND (f.held OR NOT $4)
		ORDER BY f.id DESC LIMIT $5`, division.Prefix(areaCode), after, pq.Array(texts(filter.States)), filter.HeldOnly, page.Limit())
	if err != nil {
		return nil, fmt.Errorf("file: in care: %w", err)
	}
	return found, nil
}

// areasOf are the areas of the files that have or had the content.
func areasOf(ctx context.Context, tx sqlx.ExtContext, hash []byte) (codes []string, err error) {
	err = sqlx.SelectContext(ctx, tx, &codes, `
		SELECT DISTINCT f.area_code FROM platform.file_version v JOIN platform.file f ON f.id = v.file_id WHERE v.hash = $1`, hash)
	if err != nil {
		return nil, fmt.Errorf("file: who has the content: %w", err)
	}
	return codes, nil
}

// overrule makes quarantined content clean; false when it is not quarantined.
func overrule(ctx context.Context, tx sqlx.ExtContext, hash []byte, by, reason string, at time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.blob SET verdict = 'CLEAN', released_by = $2, released_at = $3, release_reason = $4
		WHERE hash = $1 AND verdict = 'QUARANTINED'`, hash, by, at, reason)
	if err != nil {
		return false, fmt.Errorf("file: overruling the scanner: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
