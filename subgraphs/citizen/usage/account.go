package usage

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// Keeper moves and erases the last uses when an account ends: of a service that
// both used the later use counts. Counts name no citizen, and stay.
func (u *Usage) Keeper() account.Keeper {
	return account.Keeper{Name: "usage", Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
		return account.Each(ctx, tx, []string{
			`INSERT INTO citizen.recent_use (citizen_id, service_id, used_at) SELECT $2, service_id, used_at FROM citizen.recent_use WHERE citizen_id = $1
				ON CONFLICT (citizen_id, service_id) DO UPDATE SET used_at = greatest(recent_use.used_at, excluded.used_at)`,
			`DELETE FROM citizen.recent_use WHERE citizen_id = $1 AND $2::uuid IS NOT NULL`,
		}, from, to)
	}, Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
		return account.Each(ctx, tx, []string{`DELETE FROM citizen.recent_use WHERE citizen_id = $1`}, citizenID)
	}}
}
