// Package merchant holds the merchants 商户 who are paid through the platform:
// how one is taken in, by two people, what share the platform keeps, and where
// it is settled to.
//
// Start reading at Merchant; the state machine is in state.go, what staff do in
// manage.go, the SQL in store.go.
package merchant

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Merchant is one of them.
type Merchant struct {
	ID       string `db:"id"`
	Code     string `db:"code"`
	Uscc     string `db:"uscc"`
	Name     string `db:"name"`
	AreaCode string `db:"area_code"`
	// FeeRate is what the platform keeps, of ten thousand.
	FeeRate     int           `db:"fee_rate"`
	Bank        string        `db:"bank"`
	Account     []byte        `db:"settlement_account"` // sealed
	AccountTail string        `db:"account_tail"`
	Hook        *string       `db:"webhook_url"`
	HookSecret  []byte        `db:"webhook_secret"` // sealed
	State       MerchantState `db:"state"`
	Verdict     *string       `db:"review_note"`
	Version     int           `db:"version"`
	CreatedAt   time.Time     `db:"created_at"`
	CreatedBy   string        `db:"created_by"`
	UpdatedAt   time.Time     `db:"updated_at"`
}

// IsEntity marks it for federation.
func (*Merchant) IsEntity() {}

// Private says whether the caller may see what is not for everybody.
func (m *Merchant) Private(ctx context.Context) bool {
	p := access.From(ctx)
	return access.Decide(p, access.MerchantManage, m.AreaCode) == access.Allowed || access.Decide(p, access.MerchantReview, m.AreaCode) == access.Allowed ||
		access.Decide(p, access.PaymentView, m.AreaCode) == access.Allowed
}

// SettlementAccount is the account's masked form; nil for who may not see it.
func (m *Merchant) SettlementAccount(ctx context.Context) *string {
	if !m.Private(ctx) {
		return nil
	}
	text := m.Bank + " ****" + m.AccountTail
	return &text
}

// WebhookURL is where the merchant is told; nil for who may not see it.
func (m *Merchant) WebhookURL(ctx context.Context) *string {
	if !m.Private(ctx) {
		return nil
	}
	return m.Hook
}

// ReviewNote is the last review's; nil for who may not see it.
func (m *Merchant) ReviewNote(ctx context.Context) *string {
	if !m.Private(ctx) {
		return nil
	}
	return m.Verdict
}

// Fee is what the platform keeps of an amount; half fen are rounded up.
func Fee(fen int64, rate int) int64 { return (fen*int64(rate) + 5000) / 10000 }
