package payment

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// Close ends an order that is not paid. One whose trade is open is only closed
// once the channel says that its trade is; if it was paid meanwhile the order
// has succeeded, and where the channel does not answer it is Unknown.
func (p *Payments) Close(ctx context.Context, id string, version int) (*PaymentOrder, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	o, err := p.own(ctx, id)
	if err != nil {
		return nil, err
	}
	if o.Version != version {
		return nil, fault.New(fault.Conflict, "订单状态已变化，请刷新后重试")
	}
	open, err := p.closeUntouched(ctx, id, version, citizen)
	if err != nil {
		return nil, err
	}
	if open != nil {
		if err := p.closeTrade(ctx, open); err != nil {
			return nil, err
		}
	}
	o, err = p.own(ctx, id)
	if err == nil && o.State == Paying {
		return nil, fault.New(fault.Conflict, "支付渠道暂不能关闭这笔支付，有效时间过后订单将自动关闭")
	}
	return o, err
}

// closeUntouched closes an order without an open trade, else it gives the trade.
func (p *Payments) closeUntouched(ctx context.Context, id string, version int, by *access.Principal) (open *attempt, err error) {
	err = p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if version > 0 && o.Version != version {
			return fault.New(fault.Conflict, "订单状态已变化，请刷新后重试")
		}
		if _, err := o.next(Close); err != nil {
			return err
		}
		if open, err = openAttempt(ctx, tx, id); err != nil || open != nil {
			return err
		}
		return p.change(ctx, tx, o, Close, "", by, nil)
	})
	return open, err
}

// closeTrade closes a trade at its channel, and the order with it.
func (p *Payments) closeTrade(ctx context.Context, a *attempt) error {
	ch := p.channel(a.Channel)
	if ch == nil {
		return p.loseSight(ctx, a, "channel not configured")
	}
	trade, err := p.shut(ctx, ch, a)
	if stepErr := p.step("closed at the channel"); stepErr != nil {
		return stepErr
	}
	if err != nil {
		p.Log.WarnContext(ctx, "payment channel does not answer", "channel", a.Channel, "trade", a.OutTradeNo, "error", err)
		return p.loseSight(ctx, a, "close")
	}
	return p.heard(ctx, a, trade, closeOrder)
}

// shut closes a trade at its channel for good. A channel that knows no such trade
// may only not have got our opening yet: somebody else's call can be under way,
// and what it opened after we gave up could be paid without our asking again. So
// the number is opened once more and then closed, which no late opening undoes.
func (p *Payments) shut(ctx context.Context, ch channel.Channel, a *attempt) (channel.Trade, error) {
	trade, err := ch.Close(ctx, a.OutTradeNo)
	if err != nil || trade.State != channel.NotFound {
		return trade, err
	}
	found, err := p.Find(access.AsSystem(ctx, "payment"), []string{a.OrderID})
	if err != nil {
		return trade, err
	}
	o := found[a.OrderID]
	if o == nil {
		return trade, errUnknownTrade
	}
	_, err = ch.Prepay(ctx, channel.Payment{OutTradeNo: a.OutTradeNo, Subject: o.Subject, Fen: a.Fen, ExpiresAt: o.ExpiresAt})
	var refused *channel.Refusal
	if err != nil && !errors.As(err, &refused) {
		return trade, err
	}
	if trade, err = ch.Close(ctx, a.OutTradeNo); err != nil {
		return trade, err
	}
	// A channel that is only told by the citizen's browser still knows of none: until
	// the time that stands in what the browser holds, it may come yet. What it refused
	// to us it refuses to everybody.
	if trade.State == channel.NotFound && refused == nil && p.now().Before(o.ExpiresAt) {
		trade.State = channel.NotPaid
	}
	return trade, nil
}

// loseSight says that the channel does not tell how the trade stands; it is
// asked again, with growing pauses.
// A trade that ended while we asked is not out of sight.
func (p *Payments) loseSight(ctx context.Context, a *attempt, note string) error {
	return p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, err := lock(ctx, tx, a.OrderID)
		if err != nil {
			return err
		}
		open, err := openAttempt(ctx, tx, o.ID)
		if err != nil || open == nil || open.OutTradeNo != a.OutTradeNo {
			return err
		}
		if o.State == Paying {
			o.Looks = 0
			next := p.now().Add(pause(0))
			return p.change(ctx, tx, o, LoseSight, note, system, &next)
		}
		return later(ctx, tx, o, p.now())
	})
}
