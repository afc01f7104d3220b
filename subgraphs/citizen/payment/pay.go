package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// PayOrderInput is how a citizen wants to pay.
type PayOrderInput struct {
	ID      string
	Channel channel.Name
}

// Invoked is an order that is being paid, with what the client hands to the
// channel's cashier.
type Invoked struct {
	Order      *PaymentOrder
	Parameters channel.Invocation
}

// firstLook is how soon after the cashier opened the channel is asked, where no
// notice came.
const firstLook = 15 * time.Second

// Pay opens the channel's cashier. It may be asked again: the same channel gives
// the same trade; another one is only opened once the first trade is closed, so
// that nobody pays twice.
func (p *Payments) Pay(ctx context.Context, in PayOrderInput) (*Invoked, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	ch := p.channel(in.Channel)
	if ch == nil {
		return nil, fault.Invalid("input.channel", "该支付方式尚未开通")
	}
	o, err := p.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if o.PayableFen() >= p.StepUpFen {
		if _, err := access.RequireRecent(ctx, access.Recent); err != nil {
			return nil, err
		}
	}
	var tried *attempt
	for range 2 { // the second time when another channel's trade had to be closed first
		var other *attempt
		if o, tried, other, err = p.attempt(ctx, o.ID, in.Channel, citizen); err != nil {
			return nil, err
		}
		if other == nil {
			break
		}
		if err := p.abandon(ctx, other); err != nil {
			return nil, err
		}
		if tried == nil {
			continue
		}
	}
	if tried == nil {
		return nil, fault.New(fault.Conflict, "订单正以其他方式支付，请稍后再试")
	}
	if err := p.step("attempted"); err != nil {
		return nil, err
	}
	parameters, err := p.prepay(ctx, ch, o, tried)
	if err != nil {
		return nil, err
	}
	if err := p.step("prepaid"); err != nil {
		return nil, err
	}
	return &Invoked{Order: o, Parameters: parameters}, nil
}

// own is an order of the citizen who asks.
func (p *Payments) own(ctx context.Context, id string) (*PaymentOrder, error) {
	found, err := p.Find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	o := found[id]
	if o == nil || !o.Concerns(access.From(ctx)) {
		return nil, fault.New(fault.NotFound, "未找到该订单")
	}
	return o, nil
}

// Find reads orders that the caller may see.
func (p *Payments) Find(ctx context.Context, ids []string) (map[string]*PaymentOrder, error) {
	var found []*PaymentOrder
	err := p.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		found, err = ByIDs(ctx, tx, input.IDs(ids))
		return err
	})
	byID := make(map[string]*PaymentOrder, len(found))
	for _, o := range found {
		byID[o.ID] = o
	}
	return byID, err
}

// OpenTrade names the trade of the order that can be paid now; "" for none.
func (p *Payments) OpenTrade(ctx context.Context, orderID string) (name channel.Name, trade string, err error) {
	if !input.ID(orderID) {
		return "", "", nil
	}
	err = p.DB.Read(access.AsSystem(ctx, "payment"), func(tx *sqlx.Tx) error {
		a, err := openAttempt(ctx, tx, orderID)
		if a != nil {
			name, trade = a.Channel, a.OutTradeNo
		}
		return err
	})
	return name, trade, err
}

// attempt gives the open trade by the channel, or opens one; other is what is
// open by another channel.
func (p *Payments) attempt(ctx context.Context, id string, name channel.Name, by *access.Principal) (o *PaymentOrder, tried, other *attempt, err error) {
	err = p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if o, err = lock(ctx, tx, id); err != nil {
			return err
		}
		if _, err := o.next(Pay); err != nil {
			return err
		}
		if !p.now().Before(o.ExpiresAt) {
			return fault.New(fault.Conflict, "订单已过有效时间，请重新下单")
		}
		open, err := openAttempt(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case open != nil && open.Channel == name:
			tried = open
			return nil
		case open != nil:
			other = open
			return nil
		}
		o.Attempts++
		o.Channel, o.Looks = &name, 0
		if o.Attempts > 99 {
			return fault.New(fault.RateLimited, "支付尝试过多，请重新下单")
		}
		tried = &attempt{OutTradeNo: outTradeNo(o.ID, o.Attempts), OrderID: o.ID, CitizenID: o.CitizenID, Channel: name, Fen: o.PayableFen(), State: attemptOpen}
		next := earlier(p.now().Add(firstLook), o.ExpiresAt)
		if err := p.change(ctx, tx, o, Pay, name.Label(), by, &next); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.payment_attempt (out_trade_no, order_id, citizen_id, channel, amount_fen, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			tried.OutTradeNo, o.ID, o.CitizenID, string(name), tried.Fen, tried.State, o.UpdatedAt); err != nil {
			return fmt.Errorf("payment: writing an attempt: %w", err)
		}
		return nil
	})
	return o, tried, other, err
}

// abandon closes another channel's trade before a new one is opened.
func (p *Payments) abandon(ctx context.Context, other *attempt) error {
	ch := p.channel(other.Channel)
	if ch == nil {
		return fault.New(fault.Unavailable, "订单正以其他方式支付，请稍后再试")
	}
	trade, err := p.shut(ctx, ch, other)
	if err != nil {
		return fault.New(fault.Unavailable, "暂时无法更换支付方式，请稍后再试").Because(err)
	}
	if err := p.step("abandoned"); err != nil {
		return err
	}
	trade.OutTradeNo = other.OutTradeNo
	return p.settle(ctx, other.Channel, trade, keepOrder, nil)
}

// prepay opens the trade at the channel. What it refuses for good ends the
// attempt, not the order; what it does not answer can be asked again.
func (p *Payments) prepay(ctx context.Context, ch channel.Channel, o *PaymentOrder, a *attempt) (channel.Invocation, error) {
	parameters, err := ch.Prepay(ctx, channel.Payment{OutTradeNo: a.OutTradeNo, Subject: o.Subject, Fen: a.Fen, ExpiresAt: o.ExpiresAt})
	var refused *channel.Refusal
	switch {
	case err == nil:
		return parameters, nil
	case !errors.As(err, &refused):
		return nil, fault.New(fault.Unavailable, "%s暂时无法连接，请稍后重试或更换支付方式", a.Channel.Label()).Because(err)
	}
	// It may refuse because the trade is paid or closed already: only then is there something to settle.
	if trade, asked := ch.Query(ctx, a.OutTradeNo); asked == nil && trade.State != channel.NotPaid {
		trade.OutTradeNo = a.OutTradeNo
		if err := p.settle(ctx, a.Channel, trade, keepOrder, nil); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "%s未受理这笔支付，请刷新后重试或更换支付方式", a.Channel.Label()).Because(err)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
