package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Deal is what the entries of an order's life are about.
type Deal struct {
	OrderID, MerchantID, Channel string
	PaidFen                      int64 // by the citizen, through the channel
	DiscountFen                  int64 // by the platform
	FeeFen                       int64 // the merchant's, to the platform
	At                           time.Time
}

// Paid posts that the channel took the money of an order.
func Paid(ctx context.Context, tx sqlx.ExtContext, attempt string, d Deal) error {
	return Post(ctx, tx, Entry{Reference: "payment/" + attempt, OrderID: d.OrderID, At: d.At, Postings: []Posting{
		{Account{Clearing, d.Channel}, d.PaidFen}, {Account{Discount, ""}, d.DiscountFen},
		{Account{Merchant, d.MerchantID}, -(d.PaidFen + d.DiscountFen - d.FeeFen)}, {Account{Fee, ""}, -d.FeeFen},
	}})
}

// PaidBesides posts that the channel took money for an order that was settled
// otherwise: it belongs to the citizen.
func PaidBesides(ctx context.Context, tx sqlx.ExtContext, attempt string, d Deal) error {
	return Post(ctx, tx, Entry{Reference: "payment/" + attempt, OrderID: d.OrderID, At: d.At, Postings: []Posting{
		{Account{Clearing, d.Channel}, d.PaidFen}, {Account{Payable, ""}, -d.PaidFen},
	}})
}

// Returning posts that a refund goes out: what the merchant got of it falls
// back, with its share of fee and discount.
func Returning(ctx context.Context, tx sqlx.ExtContext, refundNo string, d Deal) error {
	return Post(ctx, tx, Entry{Reference: "refund/" + refundNo, OrderID: d.OrderID, At: d.At, Postings: returning(d, 1)})
}

// NotReturned takes Returning back: the channel refused the refund.
func NotReturned(ctx context.Context, tx sqlx.ExtContext, refundNo string, d Deal) error {
	return Post(ctx, tx, Entry{Reference: "refund/" + refundNo + "/failed", OrderID: d.OrderID, At: d.At, Postings: returning(d, -1)})
}

func returning(d Deal, sign int64) []Posting {
	if d.MerchantID == "" { // a surplus: the citizen's own money
		return []Posting{{Account{Payable, ""}, sign * d.PaidFen}, {Account{Refund, d.Channel}, -sign * d.PaidFen}}
	}
	return []Posting{
		{Account{Merchant, d.MerchantID}, sign * (d.PaidFen + d.DiscountFen - d.FeeFen)}, {Account{Fee, ""}, sign * d.FeeFen},
		{Account{Discount, ""}, -sign * d.DiscountFen}, {Account{Refund, d.Channel}, -sign * d.PaidFen},
	}
}

// Returned posts that the channel gave the money back to the citizen.
func Returned(ctx context.Context, tx sqlx.ExtContext, refundNo string, d Deal) error {
	return Post(ctx, tx, Entry{Reference: "refund/" + refundNo + "/done", OrderID: d.OrderID, At: d.At, Postings: []Posting{
		{Account{Refund, d.Channel}, d.PaidFen}, {Account{Clearing, d.Channel}, -d.PaidFen},
	}})
}

// Settled posts that a merchant is paid out by a settlement sheet.
func Settled(ctx context.Context, tx sqlx.ExtContext, sheet, merchantID string, fen int64, at time.Time) error {
	return Post(ctx, tx, Entry{Reference: "settlement/" + sheet, At: at, Postings: []Posting{
		{Account{Merchant, merchantID}, fen}, {Account{Settlement, ""}, -fen},
	}})
}

// WrittenOff posts a difference with a channel that will not be cleared
// otherwise: fen is what the channel has more than the ledger.
func WrittenOff(ctx context.Context, tx sqlx.ExtContext, difference, channel string, fen int64, at time.Time) error {
	return Post(ctx, tx, Entry{Reference: "difference/" + difference, At: at, Postings: []Posting{
		{Account{Clearing, channel}, fen}, {Account{Suspense, channel}, -fen},
	}})
}
