package payment

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

const columns = `id, merchant_id, merchant_order_no, content, citizen_id, area_code, subject, amount_fen, discount_fen, fee_rate, fee_fen, reserved_fen, refunded_fen,
	channel, attempts, state, expires_at, paid_at, next_look_at, looks, version, created_at, updated_at`

// ByIDs reads the orders of the IDs that row-level security shows, in no order.
func ByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*PaymentOrder, error) {
	var found []*PaymentOrder
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.payment_order WHERE id = ANY($1::uuid[])`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("payment: reading orders: %w", err)
	}
	return found, nil
}

// lock reads an order to change it; nil if there is none.
func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*PaymentOrder, error) {
	var found []*PaymentOrder
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.payment_order WHERE id = $1 FOR UPDATE`, id); err != nil {
		return nil, fmt.Errorf("payment: reading an order to change: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// insert writes a new order; false where the merchant's number is taken.
func insert(ctx context.Context, tx sqlx.ExecerContext, o *PaymentOrder) (bool, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO citizen.payment_order (id, merchant_id, merchant_order_no, content, citizen_id, area_code, subject, amount_fen, discount_fen, fee_rate,
			state, expires_at, next_look_at, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $14) ON CONFLICT (merchant_id, merchant_order_no) DO NOTHING`,
		o.ID, o.MerchantID, o.MerchantOrderNo, o.Content, o.CitizenID, o.AreaCode, o.Subject, o.AmountFen, o.DiscountFen, o.FeeRate, string(o.State), o.ExpiresAt, o.Version, o.CreatedAt)
	if err != nil {
		return false, fmt.Errorf("payment: writing an order: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// change moves an order by the action and writes it, its history line and its
// event: they become true together. next is when to look after it; nil never.
func (p *Payments) change(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, action PaymentAction, note string, by *access.Principal, next *time.Time) error {
	to, err := o.next(action)
	if err != nil {
		return err
	}
	from, before := o.State, o.audited()
	o.State, o.Version, o.UpdatedAt = to, o.Version+1, p.now()
	if _, err := tx.ExecContext(ctx, `UPDATE citizen.payment_order SET state = $2, channel = $3, attempts = $4, fee_fen = $5, reserved_fen = $6, refunded_fen = $7, paid_at = $8,
			next_look_at = $9, looks = $10, version = $11, updated_at = $12 WHERE id = $1`,
		o.ID, string(o.State), o.Channel, o.Attempts, o.FeeFen, o.ReservedFen, o.RefundedFen, o.PaidAt, next, o.Looks, o.Version, o.UpdatedAt); err != nil {
		return fmt.Errorf("payment: changing an order: %w", err)
	}
	if err := p.remember(ctx, tx, o, action, &from, note, by); err != nil {
		return err
	}
	audit.Change(ctx, o.target(), before, o.audited())
	if from == to {
		return nil
	}
	if to == Succeeded || to == Failed || to == Closed {
		return p.tellOrder(ctx, tx, o)
	}
	return nil
}

// remember writes history and event of a change that was made.
func (p *Payments) remember(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, action PaymentAction, from *PaymentOrderState, note string, by *access.Principal) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.payment_event (order_id, citizen_id, area_code, action, from_state, to_state, version, note, actor_kind, actor_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, NULLIF($8, ''), $9, $10, $11)`,
		o.ID, o.CitizenID, o.AreaCode, string(action), from, string(o.State), o.Version, note, string(by.Kind), by.ID, o.UpdatedAt); err != nil {
		return fmt.Errorf("payment: writing history: %w", err)
	}
	return outbox.Append(ctx, tx, "citizen", outbox.Message{Subject: ChangedSubject, AreaCode: o.AreaCode, Payload: Changed{
		OrderID: o.ID, MerchantID: o.MerchantID, CitizenID: o.CitizenID, AreaCode: o.AreaCode, Action: action, From: from, State: o.State,
		Channel: o.Channel, AmountFen: o.AmountFen, Version: o.Version, At: o.UpdatedAt,
	}})
}

func (o *PaymentOrder) target() audit.Target {
	return audit.Target{Kind: "PaymentOrder", ID: o.ID, Area: o.AreaCode}
}

func (o *PaymentOrder) audited() map[string]any {
	return map[string]any{"state": o.State, "amountFen": o.AmountFen, "reservedFen": o.ReservedFen, "refundedFen": o.RefundedFen, "channel": o.Channel, "version": o.Version}
}

// attempt is a trade as we know it.
type attempt struct {
	OutTradeNo string       `db:"out_trade_no"`
	OrderID    string       `db:"order_id"`
	CitizenID  string       `db:"citizen_id"`
	Channel    channel.Name `db:"channel"`
	Fen        int64        `db:"amount_fen"`
	State      string       `db:"state"`
	TradeNo    *string      `db:"trade_no"`
}

const (
	attemptOpen      = "OPEN"
	attemptSucceeded = "SUCCEEDED"
	attemptSurplus   = "SURPLUS"
	attemptClosed    = "CLOSED"
	attemptFailed    = "FAILED"
)

const attemptColumns = `out_trade_no, order_id, citizen_id, channel, amount_fen, state, trade_no`

func attemptBy(ctx context.Context, tx sqlx.QueryerContext, condition string, arg any) (*attempt, error) {
	var found []*attempt
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+attemptColumns+` FROM citizen.payment_attempt WHERE `+condition, arg); err != nil {
		return nil, fmt.Errorf("payment: reading an attempt: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// openAttempt is the order's trade that can be paid now; nil for none.
func openAttempt(ctx context.Context, tx sqlx.QueryerContext, orderID string) (*attempt, error) {
	return attemptBy(ctx, tx, `order_id = $1 AND state = 'OPEN'`, orderID)
}

// outTradeNo names the order's n-th attempt: 32 characters at most, as WeChat has it.
func outTradeNo(orderID string, n int) string {
	raw, _ := hex.DecodeString(strings.ReplaceAll(orderID, "-", ""))
	return strings.ToUpper(base32Text.EncodeToString(raw)) + fmt.Sprintf("%03d", n)
}

func setAttempt(ctx context.Context, tx sqlx.ExecerContext, a *attempt, state string, trade channel.Trade, at time.Time) error {
	a.State = state
	if _, err := tx.ExecContext(ctx, `UPDATE citizen.payment_attempt SET state = $2, trade_no = NULLIF($3, ''), settled_at = $4 WHERE out_trade_no = $1`,
		a.OutTradeNo, state, trade.TradeNo, at); err != nil {
		return fmt.Errorf("payment: changing an attempt: %w", err)
	}
	return nil
}
