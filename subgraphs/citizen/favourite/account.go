package favourite

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// Keeper moves and erases favourites when an account ends: the successor's own
// stay, and of the others the newest, as many as one may have.
func (f *Favourites) Keeper() account.Keeper {
	return account.Keeper{Name: "favourite", Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO citizen.favourite (citizen_id, service_id, created_at)
			SELECT $2, service_id, created_at FROM citizen.favourite o
			WHERE citizen_id = $1 AND NOT EXISTS (SELECT FROM citizen.favourite h WHERE h.citizen_id = $2 AND h.service_id = o.service_id)
			ORDER BY created_at DESC, service_id LIMIT greatest(0, $3 - (SELECT count(*) FROM citizen.favourite WHERE citizen_id = $2))
			ON CONFLICT DO NOTHING`, from, to, limit)
		if err != nil {
			return fmt.Errorf("favourite: merging: %w", err)
		}
		return erase(ctx, tx, from)
	}, Erase: erase}
}

func erase(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM citizen.favourite WHERE citizen_id = $1`, citizenID); err != nil {
		return fmt.Errorf("favourite: erasing: %w", err)
	}
	return nil
}
