// Package ledger is the double-entry book of payments 复式账: whatever money
// moves is an entry whose postings sum to zero, debits positive and credits
// negative, in fen. It is written in the transaction of the change that it is
// about, is never changed, and nothing is posted twice; the database refuses
// all else (migration 0011).
//
// Start reading at Post. Which entries there are is in entry.go.
package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
)

// Kind is what an account is for.
type Kind string

// The kinds. The sign of a balance that is right stands behind each.
const (
	Clearing   Kind = "CHANNEL_CLEARING" // + what a channel holds for us; owner is the channel
	Payable    Kind = "CITIZEN_PAYABLE"  // − what citizens paid besides their orders, and get back
	Merchant   Kind = "MERCHANT"         // − what we owe a merchant; owner is the merchant's ID
	Fee        Kind = "FEE"              // − what merchants paid us
	Refund     Kind = "REFUND"           // − refunds on their way to citizens; owner is the channel
	Discount   Kind = "DISCOUNT"         // + what the platform paid in the citizens' place
	Settlement Kind = "SETTLEMENT"       // − what goes out to merchants; + what channels paid in
	Suspense   Kind = "SUSPENSE"         // ± differences with a channel that somebody wrote off
)

// Account names an account; it exists once something is posted to it.
type Account struct {
	Kind  Kind
	Owner string
}

// Posting is one line of an entry.
type Posting struct {
	Account Account
	Fen     int64 // debit positive, credit negative
}

// Entry is one movement of money.
type Entry struct {
	// Reference names what the entry is of; a second one of the same is ErrPosted.
	Reference string
	OrderID   string // "" for none
	At        time.Time
	Postings  []Posting
}

// Post writes the entry. Postings of zero are left out, those to one account
// are added up; an entry of which nothing is left is none. The caller's context
// is the system's.
func Post(ctx context.Context, tx sqlx.ExtContext, e Entry) error {
	lines, err := e.lines()
	if err != nil || len(lines) == 0 {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	var order *string
	if e.OrderID != "" {
		order = &e.OrderID
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.ledger_entry (id, reference, order_id, postings, posted_at) VALUES ($1, $2, $3, $4, $5)`,
		id.String(), e.Reference, order, len(lines), e.At); err != nil {
		return fmt.Errorf("ledger: posting %s: %w", e.Reference, err)
	}
	for _, line := range lines {
		account, err := open(ctx, tx, line.Account)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.ledger_posting (entry_id, account_id, amount_fen, posted_at) VALUES ($1, $2, $3, $4)`,
			id.String(), account, line.Fen, e.At); err != nil {
			return fmt.Errorf("ledger: posting %s: %w", e.Reference, err)
		}
	}
	return nil
}

// Posted says whether the error is that of an entry that was posted before.
func Posted(err error) bool { return database.Duplicate(err, "ledger_entry_once") }

// lines are the postings account by account, in their order.
func (e Entry) lines() ([]Posting, error) {
	var lines []Posting
	place, total := map[Account]int{}, int64(0)
	for _, p := range e.Postings {
		total += p.Fen
		if at, known := place[p.Account]; known {
			lines[at].Fen += p.Fen
			continue
		}
		place[p.Account] = len(lines)
		lines = append(lines, p)
	}
	if total != 0 {
		return nil, fmt.Errorf("ledger: %s does not balance: %d fen too much", e.Reference, total)
	}
	kept := lines[:0]
	for _, line := range lines {
		if line.Fen != 0 {
			kept = append(kept, line)
		}
	}
	return kept, nil
}

// open gives the account's number, and makes it at its first use.
func open(ctx context.Context, tx sqlx.ExtContext, a Account) (int64, error) {
	const find = `SELECT id FROM citizen.ledger_account WHERE kind = $1 AND owner = $2`
	for {
		var ids []int64
		if err := sqlx.SelectContext(ctx, tx, &ids, find, string(a.Kind), a.Owner); err != nil {
			return 0, fmt.Errorf("ledger: finding %s %s: %w", a.Kind, a.Owner, err)
		}
		if len(ids) == 1 {
			return ids[0], nil
		}
		// Somebody else's account that is being made at this moment is waited for.
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.ledger_account (kind, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(a.Kind), a.Owner); err != nil {
			return 0, fmt.Errorf("ledger: opening %s %s: %w", a.Kind, a.Owner, err)
		}
	}
}

// Balances gives the balance of each account of the kind, by owner, of what was
// posted before the time; a zero time is now.
func Balances(ctx context.Context, tx sqlx.QueryerContext, kind Kind, before time.Time) (map[string]int64, error) {
	var rows []struct {
		Owner string `db:"owner"`
		Fen   int64  `db:"fen"`
	}
	var until *time.Time
	if !before.IsZero() {
		until = &before
	}
	if err := sqlx.SelectContext(ctx, tx, &rows, `SELECT a.owner, coalesce(sum(p.amount_fen), 0)::bigint AS fen
		FROM citizen.ledger_account a LEFT JOIN citizen.ledger_posting p ON p.account_id = a.id AND ($2::timestamptz IS NULL OR p.posted_at < $2)
		WHERE a.kind = $1 GROUP BY a.owner`, string(kind), until); err != nil {
		return nil, fmt.Errorf("ledger: balances of %s: %w", kind, err)
	}
	balances := make(map[string]int64, len(rows))
	for _, row := range rows {
		balances[row.Owner] = row.Fen
	}
	return balances, nil
}
