// Package channel speaks with those through whom citizens pay: WeChat, Alipay,
// UnionPay and digital RMB, each by its own interface, signed and verified as
// it wants. All are one Channel to the rest.
//
// Start reading at Channel. Each has a file of its own; where they are
// simulated, package simulator answers in their place.
package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Name names a channel.
type Name string

// The channels.
const (
	WeChat     Name = "WECHAT"
	Alipay     Name = "ALIPAY"
	UnionPay   Name = "UNIONPAY"
	DigitalRMB Name = "DIGITAL_RMB"
)

// Names are all channels, in the order in which a cashier shows them.
var Names = []Name{WeChat, Alipay, UnionPay, DigitalRMB}

// Label is the name that people know it by.
func (n Name) Label() string {
	return map[Name]string{WeChat: "微信支付", Alipay: "支付宝", UnionPay: "云闪付", DigitalRMB: "数字人民币"}[n]
}

// Payment is what the channel shall let a citizen pay.
type Payment struct {
	OutTradeNo string // ours, once for ever
	Subject    string
	Fen        int64
	ExpiresAt  time.Time
}

// Invocation is what the client hands to the channel's own cashier, by name:
// for WeChat appId, timeStamp, nonceStr, package, signType, paySign.
type Invocation map[string]string

// TradeState is how a trade stands at the channel.
type TradeState string

// The states of trades and refunds.
const (
	NotPaid    TradeState = "NOT_PAID"
	Succeeded  TradeState = "SUCCEEDED"
	Closed     TradeState = "CLOSED"
	Failed     TradeState = "FAILED"
	NotFound   TradeState = "NOT_FOUND"
	Processing TradeState = "PROCESSING" // refunds only
)

// Trade is what the channel knows of a payment.
type Trade struct {
	OutTradeNo string
	TradeNo    string // the channel's
	Merchant   string // the account at the channel that it was paid to
	Fen        int64
	State      TradeState
	PaidAt     time.Time
}

// Return is a refund to be made.
type Return struct {
	RefundNo   string // ours, once for ever
	OutTradeNo string
	Fen        int64
	TotalFen   int64 // of the trade
	Reason     string
}

// Returned is what the channel knows of a refund.
type Returned struct {
	RefundNo string
	Fen      int64
	State    TradeState // NotFound, Processing, Succeeded, Failed
}

// Notice is what a channel tells by itself: how a trade ended.
type Notice struct {
	ID string // the channel's; telling again has the same
	Trade
}

// Line is one line of a channel's daily bill: a payment, or with RefundNo a refund.
type Line struct {
	OutTradeNo string
	TradeNo    string
	RefundNo   string
	Fen        int64
	FeeFen     int64 // what the channel keeps of it
	At         time.Time
}

// Channel is one way to pay. Every call has a time limit of its own. An error
// that is no *Refusal says nothing about what the channel did.
type Channel interface {
	// Merchant is our account there.
	Merchant() string
	// Prepay opens a trade; the same again gives the same.
	Prepay(ctx context.Context, p Payment) (Invocation, error)
	// Query tells how the trade stands.
	Query(ctx context.Context, outTradeNo string) (Trade, error)
	// Close ends a trade that is not paid, and tells how it stands then:
	// Succeeded where it was paid before.
	Close(ctx context.Context, outTradeNo string) (Trade, error)
	// Refund gives money back; the same again gives no more.
	Refund(ctx context.Context, r Return) (Returned, error)
	// QueryRefund tells how the refund stands.
	QueryRefund(ctx context.Context, r Return) (Returned, error)
	// Notice reads a notice whose signature fits; all else is ErrSignature.
	Notice(header http.Header, body []byte) (Notice, error)
	// Acknowledge answers a notice as the channel wants it: taken, or to be told again.
	Acknowledge(w http.ResponseWriter, taken bool)
	// Bill gives what was paid and given back on the day of Beijing.
	Bill(ctx context.Context, day time.Time) ([]Line, error)
}

// ErrSignature says that something was not signed by the channel, or changed.
var ErrSignature = errors.New("channel: the signature does not fit")

// Refusal is a channel's definite no: nothing happened, and nothing will.
type Refusal struct{ Code, Message string }

// Error implements error.
func (r *Refusal) Error() string {
	return fmt.Sprintf("channel: refused: %.64s %.200s", r.Code, r.Message)
}

// Timeout bounds each call: somebody may wait for it.
const Timeout = 5 * time.Second

// Beijing is the zone of the channels' times and days.
var Beijing = time.FixedZone("CST", 8*60*60)

// Day is the day of Beijing in which the time lies, as its beginning.
func Day(at time.Time) time.Time {
	y, m, d := at.In(Beijing).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Beijing)
}
