package payment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// ErrNoChannel says that the channel is not open here.
var ErrNoChannel = errors.New("payment: no such channel")

// Notice takes what a channel tells by itself. Nil means that it is kept, or
// was before; after any error the channel shall tell again. Amount and merchant
// are compared with what we asked for: what does not fit is kept as refused,
// and moves nothing.
func (p *Payments) Notice(ctx context.Context, name channel.Name, header http.Header, body []byte) error {
	ch := p.channel(name)
	if ch == nil {
		return ErrNoChannel
	}
	notice, err := ch.Notice(header, body)
	if err != nil {
		return fmt.Errorf("payment: a notice of %s: %w", name, err)
	}
	if err := p.step("notice read"); err != nil {
		return err
	}
	err = p.settle(ctx, name, notice.Trade, closeOrder, &notice)
	result := ""
	switch {
	case errors.Is(err, errUnknownTrade):
		result = "UNKNOWN_TRADE"
	case errors.Is(err, errAmount):
		result = "AMOUNT"
	case errors.Is(err, errMerchant):
		result = "MERCHANT"
	default:
		return err
	}
	p.Log.ErrorContext(ctx, "a channel's notice does not fit", "channel", name, "trade", notice.OutTradeNo, "fen", notice.Fen, "error", err)
	return errors.Join(err, p.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := keep(ctx, tx, name, &notice, result, p.now())
		return err
	}))
}

// keep writes the notice; false where it counted before.
func keep(ctx context.Context, tx sqlx.ExtContext, name channel.Name, notice *channel.Notice, result string, at time.Time) (fresh bool, err error) {
	done, err := tx.ExecContext(ctx, `INSERT INTO citizen.payment_notice (channel, notice_id, out_trade_no, result, amount_fen, received_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		string(name), notice.ID, notice.OutTradeNo, result, notice.Fen, at)
	if err != nil {
		return false, fmt.Errorf("payment: keeping a notice: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 1 {
		return n == 1, err
	}
	var before string
	if err := sqlx.GetContext(ctx, tx, &before, `SELECT result FROM citizen.payment_notice WHERE channel = $1 AND notice_id = $2`, string(name), notice.ID); err != nil {
		return false, fmt.Errorf("payment: reading a notice: %w", err)
	}
	return before != "APPLIED", nil
}
