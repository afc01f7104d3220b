package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/ledger"
)

// RefundState is where a refund stands.
type RefundState string

// CREATED→SUBMITTED→REFUNDED|FAILED; a reviewer's no is CREATED→FAILED.
const (
	RefundCreated RefundState = "CREATED"
	Submitted     RefundState = "SUBMITTED"
	Refunded      RefundState = "REFUNDED"
	RefundFailed  RefundState = "FAILED"
)

// refundMoves is the whole state machine.
var refundMoves = map[RefundState][]RefundState{RefundCreated: {Submitted, RefundFailed}, Submitted: {Refunded, RefundFailed}}

// RefundKind is why money goes back.
type RefundKind string

// The kinds.
const (
	RequestedRefund RefundKind = "REQUESTED"
	SurplusRefund   RefundKind = "SURPLUS" // money came besides an order
)

// Refund is money on its way back to a citizen, by the way on which it came.
type Refund struct {
	ID          string       `db:"id"`
	RefundNo    string       `db:"refund_no"`
	OrderID     string       `db:"order_id"`
	RequestNo   string       `db:"request_no"`
	OutTradeNo  string       `db:"out_trade_no"`
	Kind        RefundKind   `db:"kind"`
	CitizenID   string       `db:"citizen_id"`
	AreaCode    string       `db:"area_code"`
	Channel     channel.Name `db:"channel"`
	AmountFen   int64        `db:"amount_fen"`
	FeeFen      int64        `db:"fee_fen"`
	DiscountFen int64        `db:"discount_fen"`
	Reason      string       `db:"reason"`
	State       RefundState  `db:"state"`
	Note        *string      `db:"note"`
	RequestedBy string       `db:"requested_by"`
	ReviewedBy  *string      `db:"reviewed_by"`
	NextLookAt  *time.Time   `db:"next_look_at"`
	Looks       int          `db:"looks"`
	Version     int          `db:"version"`
	CreatedAt   time.Time    `db:"created_at"`
	UpdatedAt   time.Time    `db:"updated_at"`
	RefundedAt  *time.Time   `db:"refunded_at"`
}

// IsEntity marks it for federation.
func (*Refund) IsEntity() {}

// Reviewable says whether the caller may review the refund now.
func (r *Refund) Reviewable(ctx context.Context) bool {
	p := access.From(ctx)
	return r.State == RefundCreated && access.Decide(p, access.RefundReview, r.AreaCode) == access.Allowed && p.ID != r.RequestedBy
}

const refundColumns = `id, refund_no, order_id, request_no, out_trade_no, kind, citizen_id, area_code, channel, amount_fen, fee_fen, discount_fen, reason, state, note,
	requested_by, reviewed_by, next_look_at, looks, version, created_at, updated_at, refunded_at`

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("payment: %w", err)
	}
	return id.String(), nil
}

// newRefund is a refund of a trade, not written yet.
func newRefund(o *PaymentOrder, a *attempt, fen int64, now time.Time) (*Refund, error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	return &Refund{ID: id, RefundNo: "R" + outTradeNo(id, 0), OrderID: o.ID, OutTradeNo: a.OutTradeNo, Kind: RequestedRefund, CitizenID: o.CitizenID,
		AreaCode: o.AreaCode, Channel: a.Channel, AmountFen: fen, State: RefundCreated, Version: 1, CreatedAt: now, UpdatedAt: now}, nil
}

func insertRefund(ctx context.Context, tx sqlx.ExecerContext, r *Refund) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.refund (id, refund_no, order_id, request_no, out_trade_no, kind, citizen_id, area_code, channel, amount_fen, fee_fen, discount_fen,
			reason, state, requested_by, next_look_at, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)`,
		r.ID, r.RefundNo, r.OrderID, r.RequestNo, r.OutTradeNo, string(r.Kind), r.CitizenID, r.AreaCode, string(r.Channel), r.AmountFen, r.FeeFen, r.DiscountFen,
		r.Reason, string(r.State), r.RequestedBy, r.NextLookAt, r.Version, r.CreatedAt); err != nil {
		return fmt.Errorf("payment: writing a refund: %w", err)
	}
	return nil
}

// RefundsOf reads the refunds of the orders that row-level security shows, the newest first.
func RefundsOf(ctx context.Context, tx sqlx.QueryerContext, orderIDs []string) ([]*Refund, error) {
	var found []*Refund
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+refundColumns+` FROM citizen.refund WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, id DESC`, pq.Array(orderIDs)); err != nil {
		return nil, fmt.Errorf("payment: reading refunds: %w", err)
	}
	return found, nil
}

func refundBy(ctx context.Context, tx sqlx.QueryerContext, id, more string) (*Refund, error) {
	var found []*Refund
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+refundColumns+` FROM citizen.refund WHERE id = $1`+more, id); err != nil {
		return nil, fmt.Errorf("payment: reading a refund: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// moveRefund writes a refund's new state, and what it means for the ledger and
// its order, which the caller holds.
func (p *Payments) moveRefund(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, r *Refund, to RefundState, note string, by *access.Principal) error {
	from, now := r.State, p.now()
	if !allowed(from, to) {
		return conflictOfRefund
	}
	r.State, r.Version, r.UpdatedAt, r.NextLookAt, r.Looks = to, r.Version+1, now, nil, 0
	if note != "" {
		r.Note = &note
	}
	deal := ledger.Deal{OrderID: o.ID, MerchantID: o.MerchantID, Channel: string(r.Channel), PaidFen: r.AmountFen, DiscountFen: r.DiscountFen, FeeFen: r.FeeFen, At: now}
	if r.Kind == SurplusRefund {
		deal.MerchantID = ""
	}
	var posted error
	switch {
	case to == Submitted:
		r.NextLookAt = &now
		posted = ledger.Returning(ctx, tx, r.RefundNo, deal)
	case to == Refunded:
		r.RefundedAt = &now
		posted = ledger.Returned(ctx, tx, r.RefundNo, deal)
	case from == Submitted:
		posted = ledger.NotReturned(ctx, tx, r.RefundNo, deal)
	}
	if posted != nil {
		return posted
	}
	if _, err := tx.ExecContext(ctx, `UPDATE citizen.refund SET state = $2, note = $3, reviewed_by = $4, next_look_at = $5, looks = $6, version = $7, updated_at = $8, refunded_at = $9 WHERE id = $1`,
		r.ID, string(r.State), r.Note, r.ReviewedBy, r.NextLookAt, r.Looks, r.Version, r.UpdatedAt, r.RefundedAt); err != nil {
		return fmt.Errorf("payment: changing a refund: %w", err)
	}
	audit.Change(ctx, audit.Target{Kind: "Refund", ID: r.ID, Area: r.AreaCode}, map[string]any{"state": from}, map[string]any{"state": to, "amountFen": r.AmountFen})
	if r.Kind == SurplusRefund {
		return nil
	}
	switch to {
	case Refunded:
		o.RefundedFen += r.AmountFen
		if err := p.change(ctx, tx, o, FinishRefund, r.RefundNo, by, nil); err != nil {
			return err
		}
		if err := notify(ctx, tx, o, "退款到账", fmt.Sprintf("“%s”已退款 %s 元，原路退回。", o.Subject, yuan(r.AmountFen))); err != nil {
			return err
		}
	case RefundFailed:
		o.ReservedFen -= r.AmountFen
		if err := p.change(ctx, tx, o, ReleaseRefund, r.RefundNo, by, nil); err != nil {
			return err
		}
	default:
		return nil
	}
	return p.tellRefund(ctx, tx, o, r)
}

func allowed(from, to RefundState) bool {
	for _, one := range refundMoves[from] {
		if one == to {
			return true
		}
	}
	return false
}
