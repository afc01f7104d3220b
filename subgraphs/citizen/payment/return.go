package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// RequestRefundInput asks for money back.
type RequestRefundInput struct {
	OrderID string
	// RequestNo is the requester's: asked again it is the same refund.
	RequestNo string
	AmountFen int64
	Reason    string
}

// ReviewRefundInput is a reviewer's verdict.
type ReviewRefundInput struct {
	ID              string
	ExpectedVersion int
	Approve         bool
	Note            *string
}

var conflictOfRefund = fault.New(fault.Conflict, "退款当前状态不允许此操作")

// RequestRefund asks for a part or all of what was paid, by the citizen or by
// staff in charge. The amount is reserved at once: all refunds together never
// exceed what was paid, however many are asked for at the same moment.
func (p *Payments) RequestRefund(ctx context.Context, in RequestRefundInput) (r *Refund, err error) {
	who := access.From(ctx)
	if who == nil {
		_, err := access.RequireCitizen(ctx)
		return nil, err
	}
	reason, err := input.Text("input.reason", "退款原因", in.Reason, 2, 200)
	if err != nil {
		return nil, err
	}
	if !orderNo.MatchString(in.RequestNo) {
		return nil, fault.Invalid("input.requestNo", "退款申请号须为 1 到 64 位字母、数字、下划线或连字符")
	}
	found, err := p.Find(ctx, []string{in.OrderID})
	if err != nil {
		return nil, err
	}
	if o := found[in.OrderID]; o == nil || !o.Concerns(who) && access.Decide(who, access.RefundReview, o.AreaCode) != access.Allowed {
		return nil, fault.New(fault.NotFound, "未找到该订单")
	}
	err = p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, err := lock(ctx, tx, in.OrderID)
		if err != nil {
			return err
		}
		r, err = p.reserve(ctx, tx, o, in, reason, who)
		return err
	})
	return r, err
}

// reserve writes the refund of an order that the caller holds.
func (p *Payments) reserve(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, in RequestRefundInput, reason string, who *access.Principal) (*Refund, error) {
	before, err := RefundsOf(ctx, tx, []string{o.ID})
	if err != nil {
		return nil, err
	}
	var fees, discounts int64
	for _, r := range before {
		if r.RequestNo == in.RequestNo {
			if r.AmountFen != in.AmountFen {
				return nil, &fault.Fault{Code: fault.Conflict, Field: "input.requestNo", Message: "该退款申请号已用于金额不同的退款"}
			}
			return r, nil
		}
		if r.Kind == RequestedRefund && r.State != RefundFailed {
			fees, discounts = fees+r.FeeFen, discounts+r.DiscountFen
		}
	}
	if _, err := o.next(RequestRefund); err != nil {
		return nil, err
	}
	if in.AmountFen < 1 || in.AmountFen > o.RefundableFen() {
		return nil, fault.Invalid("input.amountFen", "可退金额为 %s 元", yuan(o.RefundableFen()))
	}
	a, err := attemptBy(ctx, tx, `order_id = $1 AND state = 'SUCCEEDED'`, o.ID)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, fmt.Errorf("payment: order %s succeeded by no attempt", o.ID)
	}
	r, err := newRefund(o, a, in.AmountFen, p.now())
	if err != nil {
		return nil, err
	}
	r.RequestNo, r.Reason, r.RequestedBy = in.RequestNo, reason, who.ID
	o.ReservedFen += in.AmountFen
	r.FeeFen, r.DiscountFen = share(o.FeeFen, o.ReservedFen, o.PayableFen(), fees), share(o.DiscountFen, o.ReservedFen, o.PayableFen(), discounts)
	if err := p.change(ctx, tx, o, RequestRefund, r.RefundNo, who, nil); err != nil {
		return nil, err
	}
	audit.Change(ctx, audit.Target{Kind: "Refund", ID: r.ID, Area: r.AreaCode}, nil, map[string]any{"state": r.State, "amountFen": r.AmountFen})
	return r, insertRefund(ctx, tx, r)
}

// share is how much of a whole goes back with a refund when so much of the paid
// is given back in all, and so much of the whole before. Rounding never loses a
// fen: with the last refund all of it is back.
func share(whole, back, paid, before int64) int64 { return max(0, whole*back/paid-before) }

// ReviewRefund lets a refund go out, or refuses it. Nobody reviews their own request.
func (p *Payments) ReviewRefund(ctx context.Context, in ReviewRefundInput) (r *Refund, err error) {
	who, err := access.Require(ctx, access.RefundReview)
	if err != nil {
		return nil, err
	}
	note, err := input.Optional("input.note", "意见", in.Note, 200)
	if err != nil {
		return nil, err
	}
	if !in.Approve && note == nil {
		return nil, fault.Invalid("input.note", "不同意退款时请填写原因")
	}
	if !input.ID(in.ID) {
		return nil, fault.New(fault.NotFound, "未找到该退款")
	}
	err = p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, found, err := p.hold(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		r = found
		switch {
		case r == nil || access.Decide(who, access.RefundReview, r.AreaCode) != access.Allowed:
			return fault.New(fault.NotFound, "未找到该退款，或不在您的管辖范围内")
		case r.Version != in.ExpectedVersion:
			return fault.New(fault.Conflict, "退款状态已变化，请刷新后重试")
		case r.State != RefundCreated:
			return conflictOfRefund
		case r.RequestedBy == who.ID:
			return fault.New(fault.Forbidden, "不能审核自己提交的退款")
		}
		to, text := RefundFailed, ""
		if in.Approve {
			to = Submitted
		}
		if note != nil {
			text = *note
		}
		r.ReviewedBy = &who.ID
		return p.moveRefund(ctx, tx, o, r, to, text, who)
	})
	return r, err
}

// hold locks a refund's order, then the refund: always in this order.
func (p *Payments) hold(ctx context.Context, tx *sqlx.Tx, id string) (*PaymentOrder, *Refund, error) {
	r, err := refundBy(ctx, tx, id, "")
	if err != nil || r == nil {
		return nil, nil, err
	}
	o, err := lock(ctx, tx, r.OrderID)
	if err != nil {
		return nil, nil, err
	}
	r, err = refundBy(ctx, tx, id, " FOR UPDATE")
	return o, r, err
}

// lookAfterRefund hands a refund over to its channel, once, and hears what
// became of it.
func (p *Payments) lookAfterRefund(ctx context.Context, id string) error {
	ctx = access.AsSystem(ctx, "payment")
	var r *Refund
	var a *attempt
	if err := p.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		if r, err = refundBy(ctx, tx, id, ""); err != nil || r == nil {
			return err
		}
		a, err = attemptBy(ctx, tx, `out_trade_no = $1`, r.OutTradeNo)
		return err
	}); err != nil {
		return err
	}
	if r == nil || a == nil || r.State != Submitted {
		return nil
	}
	told, err := p.giveBack(ctx, r, a)
	if stepErr := p.step("given back"); stepErr != nil {
		return stepErr
	}
	var refused *channel.Refusal
	to, note := RefundState(""), ""
	switch {
	case errors.As(err, &refused), err == nil && told.State == channel.Failed:
		to, note = RefundFailed, "支付渠道未受理退款"
	case err == nil && told.State == channel.Succeeded && told.Fen == r.AmountFen:
		to = Refunded
	case err == nil && told.State == channel.Succeeded:
		err = fmt.Errorf("payment: the channel gave %d fen back, not %d", told.Fen, r.AmountFen)
	}
	return errors.Join(unlessRefused(err), p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, held, err := p.hold(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case held.State != Submitted:
			return nil
		case to != "":
			return p.moveRefund(ctx, tx, o, held, to, note, system)
		}
		_, err = tx.ExecContext(ctx, `UPDATE citizen.refund SET next_look_at = $2, looks = looks + 1 WHERE id = $1`, id, p.now().Add(pause(held.Looks)))
		return err
	}))
}

func unlessRefused(err error) error {
	var refused *channel.Refusal
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// giveBack asks how the refund stands, and makes it where the channel has none.
func (p *Payments) giveBack(ctx context.Context, r *Refund, a *attempt) (channel.Returned, error) {
	ch := p.channel(r.Channel)
	if ch == nil {
		return channel.Returned{}, errors.New("payment: the refund's channel is not open")
	}
	back := channel.Return{RefundNo: r.RefundNo, OutTradeNo: r.OutTradeNo, Fen: r.AmountFen, TotalFen: a.Fen, Reason: r.Reason}
	told, err := ch.QueryRefund(ctx, back)
	if err != nil {
		return told, unlessDefinite(err)
	}
	if told.State != channel.NotFound {
		return told, nil
	}
	if err := p.step("refund not known"); err != nil {
		return told, err
	}
	return ch.Refund(ctx, back)
}

// unlessDefinite: a question that is refused says nothing about the refund.
func unlessDefinite(err error) error {
	var refused *channel.Refusal
	if errors.As(err, &refused) {
		return fmt.Errorf("payment: asking for a refund: %s", refused.Error())
	}
	return err
}
