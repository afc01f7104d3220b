package payment

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// nobody stands for the citizen of a cancelled account: the books are kept, by
// law, without saying whose they were.
const nobody = "00000000-0000-0000-0000-000000000000"

// Keeper keeps orders when accounts end. Money on its way goes on: channels
// give back by the way on which it came.
func (p *Payments) Keeper() account.Keeper {
	return account.Keeper{Name: "payment", Merge: hand, Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
		return hand(ctx, tx, citizenID, nobody)
	}}
}

func hand(ctx context.Context, tx *sqlx.Tx, from, to string) error {
	for _, table := range []string{"payment_order", "payment_attempt", "payment_event", "refund"} {
		if _, err := tx.ExecContext(ctx, `UPDATE citizen.`+table+` SET citizen_id = $2 WHERE citizen_id = $1`, from, to); err != nil {
			return fmt.Errorf("payment: handing over %s: %w", table, err)
		}
	}
	return nil
}
