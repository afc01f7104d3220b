package payment

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
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
	trade, err := ch.Close(ctx, a.OutTradeNo)
	if stepErr := p.step("closed at the channel"); stepErr != nil {
		return stepErr
	}
	if err != nil {
		p.Log.WarnContext(ctx, "payment channel does not answer", "channel", a.Channel, "trade", a.OutTradeNo, "error", err)
		return p.loseSight(ctx, a, "close")
	}
	return p.heard(ctx, a, trade, closeOrder)
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
