// Package simulator stands in for the payment channels where none is
// configured: it keeps the books that WeChat, Alipay, UnionPay and the digital
// RMB would keep, answers in their shapes with signatures by keys of its own,
// and sends their notices. No money moves. What it does wrong on demand is in
// fault.go.
//
// Start reading at Book.
package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// Book is one channel's own book. It is kept in the database, so that a restart
// forgets nothing, in transactions of its own.
type Book struct {
	Channel channel.Name
	DB      *database.DB
	Now     func() time.Time
}

// Refused are the refusals of the book itself, in no channel's words.
var (
	ErrOther    = errors.New("simulator: the number was used for another payment")
	ErrNoTrade  = errors.New("simulator: no such trade")
	ErrNotPaid  = errors.New("simulator: the trade is not paid")
	ErrTooMuch  = errors.New("simulator: more than was paid")
	ErrNotReady = errors.New("simulator: the trade cannot be paid any more")
)

// trade is one row.
type trade struct {
	OutTradeNo string     `db:"out_trade_no"`
	TradeNo    string     `db:"trade_no"`
	Fen        int64      `db:"amount_fen"`
	Subject    string     `db:"subject"`
	NotifyURL  string     `db:"notify_url"`
	State      string     `db:"state"`
	ExpiresAt  time.Time  `db:"expires_at"`
	PaidAt     *time.Time `db:"paid_at"`
}

const tradeColumns = `out_trade_no, trade_no, amount_fen, subject, notify_url, state, expires_at, paid_at`

func (t trade) told() channel.Trade {
	told := channel.Trade{OutTradeNo: t.OutTradeNo, TradeNo: t.TradeNo, Fen: t.Fen, State: channel.TradeState(t.State)}
	if t.PaidAt != nil {
		told.PaidAt = *t.PaidAt
	}
	return told
}

// within runs fn as what the channel is: another system, with commits of its own.
func (b *Book) within(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx = access.AsSystem(database.WithWatcher(ctx, nil), "payment simulator")
	return b.DB.Write(ctx, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// held reads and locks a trade; one that is not paid in time is closed.
func (b *Book) held(ctx context.Context, tx *sqlx.Tx, outTradeNo string) (trade, error) {
	var found []trade
	if err := tx.SelectContext(ctx, &found, `SELECT `+tradeColumns+` FROM citizen.simulated_trade WHERE channel = $1 AND out_trade_no = $2 FOR UPDATE`,
		string(b.Channel), outTradeNo); err != nil {
		return trade{}, fmt.Errorf("simulator: reading a trade: %w", err)
	}
	if len(found) == 0 {
		return trade{}, ErrNoTrade
	}
	t := found[0]
	if t.State == string(channel.NotPaid) && !b.Now().Before(t.ExpiresAt) {
		t.State = string(channel.Closed)
		return t, b.set(ctx, tx, t)
	}
	return t, nil
}

func (b *Book) set(ctx context.Context, tx *sqlx.Tx, t trade) error {
	_, err := tx.ExecContext(ctx, `UPDATE citizen.simulated_trade SET state = $3, paid_at = $4 WHERE channel = $1 AND out_trade_no = $2`,
		string(b.Channel), t.OutTradeNo, t.State, t.PaidAt)
	return err
}

// number makes the channel's own number of something.
func (b *Book) number(of string) string {
	sum := sha256.Sum256([]byte(string(b.Channel) + of))
	return "42" + hex.EncodeToString(sum[:13])
}

// Open opens a trade; the same again is the same.
func (b *Book) Open(ctx context.Context, p channel.Payment, notifyURL string) (opened channel.Trade, err error) {
	err = b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.simulated_trade (channel, out_trade_no, trade_no, amount_fen, subject, notify_url, state, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'NOT_PAID', $7) ON CONFLICT DO NOTHING`,
			string(b.Channel), p.OutTradeNo, b.number(p.OutTradeNo), p.Fen, p.Subject, notifyURL, p.ExpiresAt); err != nil {
			return fmt.Errorf("simulator: opening a trade: %w", err)
		}
		t, err := b.held(ctx, tx, p.OutTradeNo)
		if err == nil && t.Fen != p.Fen {
			err = ErrOther
		}
		opened = t.told()
		return err
	})
	return opened, err
}

// Pay is what the citizen does at the channel's cashier.
func (b *Book) Pay(ctx context.Context, outTradeNo string) (channel.Trade, error) {
	return b.move(ctx, outTradeNo, func(t *trade) error {
		if t.State == string(channel.Succeeded) {
			return nil
		}
		if t.State != string(channel.NotPaid) {
			return ErrNotReady
		}
		now := b.Now()
		t.State, t.PaidAt = string(channel.Succeeded), &now
		return nil
	})
}

// Fail is a payment that the citizen's bank refuses.
func (b *Book) Fail(ctx context.Context, outTradeNo string) (channel.Trade, error) {
	return b.move(ctx, outTradeNo, func(t *trade) error {
		if t.State != string(channel.NotPaid) {
			return ErrNotReady
		}
		t.State = string(channel.Failed)
		return nil
	})
}

// Close ends a trade that is not paid, and tells how it stands then.
func (b *Book) Close(ctx context.Context, outTradeNo string) (channel.Trade, error) {
	return b.move(ctx, outTradeNo, func(t *trade) error {
		if t.State == string(channel.NotPaid) {
			t.State = string(channel.Closed)
		}
		return nil
	})
}

// Query tells how a trade stands.
func (b *Book) Query(ctx context.Context, outTradeNo string) (channel.Trade, error) {
	return b.move(ctx, outTradeNo, func(*trade) error { return nil })
}

func (b *Book) move(ctx context.Context, outTradeNo string, change func(*trade) error) (told channel.Trade, err error) {
	err = b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		t, err := b.held(ctx, tx, outTradeNo)
		if err != nil {
			return err
		}
		before := t.State
		if err := change(&t); err != nil {
			return err
		}
		told = t.told()
		if t.State == before {
			return nil
		}
		return b.set(ctx, tx, t)
	})
	return told, err
}

// Refund gives money back, once for each number.
func (b *Book) Refund(ctx context.Context, r channel.Return) (channel.Returned, error) {
	err := b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		t, err := b.held(ctx, tx, r.OutTradeNo)
		if err != nil {
			return err
		}
		if t.State != string(channel.Succeeded) {
			return ErrNotPaid
		}
		var rows []struct {
			RefundNo string `db:"refund_no"`
			Fen      int64  `db:"amount_fen"`
		}
		if err := tx.SelectContext(ctx, &rows, `SELECT refund_no, amount_fen FROM citizen.simulated_refund WHERE channel = $1 AND out_trade_no = $2`,
			string(b.Channel), r.OutTradeNo); err != nil {
			return fmt.Errorf("simulator: reading refunds: %w", err)
		}
		sum := r.Fen
		for _, row := range rows {
			if row.RefundNo == r.RefundNo {
				if row.Fen != r.Fen {
					return ErrOther
				}
				return nil
			}
			sum += row.Fen
		}
		if sum > t.Fen || r.Fen <= 0 {
			return ErrTooMuch
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO citizen.simulated_refund (channel, refund_no, out_trade_no, amount_fen, refunded_at) VALUES ($1, $2, $3, $4, $5)`,
			string(b.Channel), r.RefundNo, r.OutTradeNo, r.Fen, b.Now())
		return err
	})
	return channel.Returned{RefundNo: r.RefundNo, Fen: r.Fen, State: channel.Succeeded}, err
}

// QueryRefund tells how a refund stands.
func (b *Book) QueryRefund(ctx context.Context, refundNo string) (told channel.Returned, err error) {
	told = channel.Returned{RefundNo: refundNo, State: channel.NotFound}
	err = b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var fen []int64
		err := tx.SelectContext(ctx, &fen, `SELECT amount_fen FROM citizen.simulated_refund WHERE channel = $1 AND refund_no = $2`, string(b.Channel), refundNo)
		if err == nil && len(fen) == 1 {
			told.Fen, told.State = fen[0], channel.Succeeded
		}
		return err
	})
	return told, err
}

// feeRate is what the channel keeps, of ten thousand; half fen are rounded up.
const feeRate = 20

// Bill gives the day's payments and refunds in the order of their numbers.
func (b *Book) Bill(ctx context.Context, day time.Time) (lines []channel.Line, err error) {
	from := channel.Day(day)
	err = b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var rows []struct {
			OutTradeNo string    `db:"out_trade_no"`
			TradeNo    string    `db:"trade_no"`
			RefundNo   string    `db:"refund_no"`
			Fen        int64     `db:"fen"`
			At         time.Time `db:"at"`
		}
		err := tx.SelectContext(ctx, &rows, `SELECT out_trade_no, trade_no, '' AS refund_no, amount_fen AS fen, paid_at AS at
				FROM citizen.simulated_trade WHERE channel = $1 AND paid_at >= $2 AND paid_at < $3
			UNION ALL SELECT r.out_trade_no, t.trade_no, r.refund_no, r.amount_fen, r.refunded_at
				FROM citizen.simulated_refund r JOIN citizen.simulated_trade t USING (channel, out_trade_no)
				WHERE r.channel = $1 AND r.refunded_at >= $2 AND r.refunded_at < $3
			ORDER BY 1, 3`, string(b.Channel), from, from.AddDate(0, 0, 1))
		for _, row := range rows {
			line := channel.Line{OutTradeNo: row.OutTradeNo, TradeNo: row.TradeNo, RefundNo: row.RefundNo, Fen: row.Fen, At: row.At}
			if row.RefundNo == "" {
				line.FeeFen = (row.Fen*feeRate + 5000) / 10000
			}
			lines = append(lines, line)
		}
		return err
	})
	return lines, err
}

// Held is what the channel holds for us: paid less given back.
func (b *Book) Held(ctx context.Context) (fen int64, err error) {
	err = b.within(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &fen, `SELECT ((SELECT coalesce(sum(amount_fen), 0) FROM citizen.simulated_trade WHERE channel = $1 AND paid_at IS NOT NULL)
			- (SELECT coalesce(sum(amount_fen), 0) FROM citizen.simulated_refund WHERE channel = $1))::bigint`, string(b.Channel))
	})
	return fen, err
}
