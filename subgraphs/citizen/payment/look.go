package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// pauses between two questions about the same trade; the last one stays.
var pauses = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

func pause(looks int) time.Duration { return pauses[min(looks, len(pauses)-1)] }

// lease is how long a process has for what it took to look after; if it dies
// another one takes it then.
const lease = time.Minute

// batch is how many orders or refunds are taken at once.
const batch = 50

// Look does all that is due: closes what has expired, asks channels how trades
// and refunds stand, and hands refunds over. Any number of processes may run it.
// It is also what mends things after a crash: no step is remembered anywhere
// but in the rows.
func (p *Payments) Look(ctx context.Context) error {
	var failed []error
	for _, work := range []struct {
		table string
		one   func(ctx context.Context, id string) error
	}{{"payment_order", p.lookAfterOrder}, {"refund", p.lookAfterRefund}} {
		for {
			ids, err := p.take(ctx, work.table)
			if err != nil {
				return errors.Join(append(failed, err)...)
			}
			for _, id := range ids {
				if err := work.one(ctx, id); err != nil {
					failed = append(failed, fmt.Errorf("payment: %s %s: %w", work.table, id, err))
				}
			}
			if len(ids) < batch || ctx.Err() != nil {
				break
			}
		}
	}
	return errors.Join(failed...)
}

// Run looks after orders and refunds until the context ends.
func (p *Payments) Run(ctx context.Context) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := p.Look(ctx); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "payments not all looked after, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// every is how often is looked.
const every = 2 * time.Second

// take reserves what is due for the length of the lease. table is ours.
func (p *Payments) take(ctx context.Context, table string) (ids []string, err error) {
	err = p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &ids, `UPDATE citizen.`+table+` SET next_look_at = $1 WHERE id IN (
			SELECT id FROM citizen.`+table+` WHERE next_look_at <= $2 ORDER BY next_look_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id`,
			p.now().Add(lease), p.now(), batch)
	})
	if err != nil {
		return nil, fmt.Errorf("payment: taking what is due: %w", err)
	}
	return ids, nil
}

// lookAfterOrder brings one order further.
func (p *Payments) lookAfterOrder(ctx context.Context, id string) error {
	ctx = access.AsSystem(ctx, "payment")
	found, err := p.Find(ctx, []string{id})
	if err != nil {
		return err
	}
	o := found[id]
	if o == nil {
		return errors.New("gone")
	}
	var open *attempt
	if err := p.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		open, err = openAttempt(ctx, tx, id)
		return err
	}); err != nil {
		return err
	}
	expired := !p.now().Before(o.ExpiresAt)
	switch {
	case o.State != Created && o.State != Paying && o.State != Unknown:
		return nil // somebody was faster
	case open == nil && expired:
		_, err := p.closeUntouched(ctx, id, 0, system)
		return err
	case open == nil:
		return p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE citizen.payment_order SET next_look_at = expires_at WHERE id = $1 AND next_look_at IS NOT NULL`, id)
			return err
		})
	case expired || o.State == Unknown:
		return p.closeTrade(ctx, open)
	}
	return p.ask(ctx, open)
}

// ask asks the channel about a trade that can still be paid.
func (p *Payments) ask(ctx context.Context, a *attempt) error {
	ch := p.channel(a.Channel)
	if ch == nil {
		return nil
	}
	trade, err := ch.Query(ctx, a.OutTradeNo)
	if stepErr := p.step("asked"); stepErr != nil {
		return stepErr
	}
	if err != nil || trade.State == channel.NotFound { // perhaps it is on its way there
		trade = channel.Trade{State: channel.NotPaid}
	}
	return p.heard(ctx, a, trade, closeOrder)
}

// heard settles what a channel answered to a question of ours.
func (p *Payments) heard(ctx context.Context, a *attempt, trade channel.Trade, then outcome) error {
	trade.OutTradeNo = a.OutTradeNo
	if trade.State != channel.NotPaid {
		err := p.settle(ctx, a.Channel, trade, then, nil)
		if err == nil || !impossible(err) {
			return err
		}
		p.Log.ErrorContext(ctx, "a channel's answer does not fit the order", "channel", a.Channel, "trade", a.OutTradeNo, "fen", trade.Fen, "error", err)
	}
	return p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		o, err := lock(ctx, tx, a.OrderID)
		if err != nil {
			return err
		}
		return later(ctx, tx, o, p.now())
	})
}

func impossible(err error) bool {
	return errors.Is(err, errAmount) || errors.Is(err, errMerchant) || errors.Is(err, errUnknownTrade)
}

// later asks about an order again after a pause that grows; at its expiry at the latest.
func later(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, now time.Time) error {
	if o.State != Paying && o.State != Unknown {
		return nil
	}
	next := now.Add(pause(o.Looks))
	if now.Before(o.ExpiresAt) {
		next = earlier(next, o.ExpiresAt)
	}
	_, err := tx.ExecContext(ctx, `UPDATE citizen.payment_order SET next_look_at = $2, looks = looks + 1 WHERE id = $1`, o.ID, next)
	return err
}
