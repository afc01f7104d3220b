package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/ledger"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/merchant"
)

// outcome is what becomes of an order whose trade ended unpaid.
type outcome uint8

const (
	keepOrder  outcome = iota // it can be paid otherwise
	closeOrder                // it ends with the trade
)

// What a channel says of a trade that cannot be true of ours.
var (
	errUnknownTrade = errors.New("payment: a trade that nobody began")
	errAmount       = errors.New("payment: the amount is another")
	errMerchant     = errors.New("payment: it was paid to somebody else")
)

// settle takes what a channel says of a trade for true: the one place where it
// counts, whoever brought it and however often. The notice, where it is one,
// is kept in the same transaction, so that it counts once.
func (p *Payments) settle(ctx context.Context, name channel.Name, trade channel.Trade, then outcome, notice *channel.Notice) error {
	return p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		a, err := attemptBy(ctx, tx, `out_trade_no = $1`, trade.OutTradeNo)
		if err != nil {
			return err
		}
		if a == nil || a.Channel != name {
			return errUnknownTrade
		}
		o, err := lock(ctx, tx, a.OrderID)
		if err != nil {
			return err
		}
		// again, now that nobody else changes it
		if a, err = attemptBy(ctx, tx, `out_trade_no = $1`, trade.OutTradeNo); err != nil {
			return err
		}
		if trade.State == channel.Succeeded {
			switch ch := p.channel(name); {
			case trade.Fen != a.Fen:
				return errAmount
			case ch == nil || trade.Merchant != ch.Merchant():
				return errMerchant
			}
		}
		if notice != nil {
			fresh, err := keep(ctx, tx, name, notice, "APPLIED", p.now())
			if err != nil || !fresh {
				return err
			}
		}
		return p.apply(ctx, tx, o, a, trade, then)
	})
}

// apply moves the attempt, and the order with it.
func (p *Payments) apply(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, a *attempt, trade channel.Trade, then outcome) error {
	now := p.now()
	switch trade.State {
	case channel.Succeeded:
		switch {
		case a.State == attemptSucceeded || a.State == attemptSurplus:
			return nil
		case a.State == attemptOpen && (o.State == Paying || o.State == Unknown):
			return p.succeed(ctx, tx, o, a, trade, now)
		default:
			return p.surplus(ctx, tx, o, a, trade, now)
		}
	case channel.Closed, channel.Failed, channel.NotFound:
		if a.State != attemptOpen {
			return nil
		}
		state, action := attemptClosed, Close
		if trade.State == channel.Failed {
			state, action = attemptFailed, Fail
		}
		if err := setAttempt(ctx, tx, a, state, trade, now); err != nil {
			return err
		}
		if then == keepOrder && o.State == Paying {
			_, err := tx.ExecContext(ctx, `UPDATE citizen.payment_order SET next_look_at = expires_at WHERE id = $1`, o.ID)
			return err
		}
		if o.State == Unknown {
			action = Fail // by query
		}
		return p.change(ctx, tx, o, action, string(trade.State), system, nil)
	}
	return nil
}

// succeed is that the order is paid.
func (p *Payments) succeed(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, a *attempt, trade channel.Trade, now time.Time) error {
	if err := setAttempt(ctx, tx, a, attemptSucceeded, trade, now); err != nil {
		return err
	}
	paidAt := trade.PaidAt
	if paidAt.IsZero() {
		paidAt = now
	}
	o.PaidAt, o.FeeFen, o.Channel = &paidAt, merchant.Fee(o.AmountFen, o.FeeRate), &a.Channel
	if err := p.change(ctx, tx, o, Succeed, "", system, nil); err != nil {
		return err
	}
	if err := ledger.Paid(ctx, tx, a.OutTradeNo, ledger.Deal{OrderID: o.ID, MerchantID: o.MerchantID, Channel: string(a.Channel), PaidFen: a.Fen,
		DiscountFen: o.DiscountFen, FeeFen: o.FeeFen, At: now}); err != nil {
		return err
	}
	return notify(ctx, tx, o, "支付成功", fmt.Sprintf("您已支付“%s” %s 元。", o.Subject, yuan(a.Fen)))
}

// surplus is that money came for an order that was settled otherwise: it is the
// citizen's, and goes back by itself.
func (p *Payments) surplus(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, a *attempt, trade channel.Trade, now time.Time) error {
	if err := setAttempt(ctx, tx, a, attemptSurplus, trade, now); err != nil {
		return err
	}
	if err := p.change(ctx, tx, o, Surplus, a.OutTradeNo, system, o.NextLookAt); err != nil {
		return err
	}
	deal := ledger.Deal{OrderID: o.ID, Channel: string(a.Channel), PaidFen: a.Fen, At: now}
	if err := ledger.PaidBesides(ctx, tx, a.OutTradeNo, deal); err != nil {
		return err
	}
	r, err := newRefund(o, a, a.Fen, now)
	if err != nil {
		return err
	}
	r.Kind, r.State, r.Reason, r.RequestNo, r.RequestedBy, r.NextLookAt = SurplusRefund, Submitted, "重复支付或订单已结束，款项自动退回", a.OutTradeNo, system.ID, &now
	if err := insertRefund(ctx, tx, r); err != nil {
		return err
	}
	if err := ledger.Returning(ctx, tx, r.RefundNo, deal); err != nil {
		return err
	}
	return notify(ctx, tx, o, "款项退回", fmt.Sprintf("“%s”的一笔支付 %s 元到账时订单已结束，将原路退回。", o.Subject, yuan(a.Fen)))
}

// notify asks for a notification to the citizen.
func notify(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, title, body string) error {
	id, err := newID()
	if err != nil {
		return err
	}
	return outbox.Append(ctx, tx, "citizen", outbox.Message{Subject: "citizen.notification.requested", AreaCode: o.AreaCode, Payload: map[string]any{
		"requestId": id, "recipient": map[string]string{"citizenId": o.CitizenID}, "topic": "payment", "title": title, "body": body, "link": "payment/" + o.ID,
	}})
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
