package merchant

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `id, code, uscc, name, area_code, fee_rate, bank, settlement_account, account_tail, webhook_url, webhook_secret, state, review_note, version,
	created_at, created_by, updated_at`

// ByIDs reads the merchants of the IDs that row-level security shows, in no order.
func ByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*Merchant, error) {
	var found []*Merchant
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.merchant WHERE id = ANY($1::uuid[])`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("merchant: reading: %w", err)
	}
	return found, nil
}

func list(ctx context.Context, tx sqlx.QueryerContext, scopes []string, states []MerchantState, search string, page keyset.Page) ([]*Merchant, error) {
	w := new(condition.Where)
	w.Add("area_code ^@ ANY(?::text[])", pq.Array(scopes))
	if len(states) > 0 {
		w.Add("state = ANY(?)", pq.Array(states))
	}
	if search != "" {
		w.Add("(strpos(name, ?) > 0 OR code = ?)", search, search)
	}
	if page.After != nil {
		w.Add("id < ?::uuid", page.After[0])
	}
	var found []*Merchant
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.merchant WHERE `+w.String()+` ORDER BY id DESC LIMIT `+strconv.Itoa(page.Limit()), w.Args()...); err != nil {
		return nil, fmt.Errorf("merchant: listing: %w", err)
	}
	return found, nil
}

func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*Merchant, error) {
	var found []*Merchant
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.merchant WHERE id = $1 FOR UPDATE`, id); err != nil {
		return nil, fmt.Errorf("merchant: reading one to change: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

func insert(ctx context.Context, tx sqlx.ExecerContext, m *Merchant) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.merchant (id, code, uscc, name, area_code, fee_rate, bank, settlement_account, account_tail, webhook_url, webhook_secret,
			state, version, created_at, created_by, updated_at, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14, $15)`,
		m.ID, m.Code, m.Uscc, m.Name, m.AreaCode, m.FeeRate, m.Bank, m.Account, m.AccountTail, m.Hook, m.HookSecret, string(m.State), m.Version, m.CreatedAt, m.CreatedBy); err != nil {
		return fmt.Errorf("merchant: writing: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.ExecerContext, m *Merchant, by string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE citizen.merchant SET state = $2, review_note = $3, version = $4, updated_at = $5, updated_by = $6 WHERE id = $1`,
		m.ID, string(m.State), m.Verdict, m.Version, m.UpdatedAt, by); err != nil {
		return fmt.Errorf("merchant: changing: %w", err)
	}
	return nil
}

func remember(ctx context.Context, tx sqlx.ExecerContext, m *Merchant, action MerchantAction, from *string, note *string, by *access.Principal) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.merchant_event (merchant_id, area_code, action, from_state, to_state, note, actor_kind, actor_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, m.ID, m.AreaCode, string(action), from, string(m.State), note, string(by.Kind), by.ID, m.UpdatedAt); err != nil {
		return fmt.Errorf("merchant: writing history: %w", err)
	}
	return nil
}
