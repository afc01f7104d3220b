// Package payment is the cashier 统一收银台: orders that citizens pay through a
// channel, and refunds. What a channel does, and what of it we hear, can fail at
// every point; so each step is a transaction by itself, what happened outside
// is asked for until it is known, and money that came besides an order goes back.
//
// Start reading at PaymentOrder and its states in state.go. Orders are made in
// create.go, paid in pay.go, closed in close.go; what a channel says of a trade
// counts in settle.go, whoever brought it: a notice (notice.go) or a question
// (look.go). Refunds are in refund.go and return.go. Every movement of money is
// posted in package ledger, in the same transaction.
package payment

import (
	"context"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// PaymentOrder is an amount that a citizen owes a merchant.
type PaymentOrder struct {
	ID              string            `db:"id"`
	MerchantID      string            `db:"merchant_id"`
	MerchantOrderNo string            `db:"merchant_order_no"`
	Content         []byte            `db:"content"`
	CitizenID       string            `db:"citizen_id"`
	AreaCode        string            `db:"area_code"`
	Subject         string            `db:"subject"`
	AmountFen       int64             `db:"amount_fen"`
	DiscountFen     int64             `db:"discount_fen"`
	FeeRate         int               `db:"fee_rate"`
	FeeFen          int64             `db:"fee_fen"`
	ReservedFen     int64             `db:"reserved_fen"`
	RefundedFen     int64             `db:"refunded_fen"`
	Channel         *channel.Name     `db:"channel"`
	Attempts        int               `db:"attempts"`
	State           PaymentOrderState `db:"state"`
	ExpiresAt       time.Time         `db:"expires_at"`
	PaidAt          *time.Time        `db:"paid_at"`
	NextLookAt      *time.Time        `db:"next_look_at"`
	Looks           int               `db:"looks"`
	Version         int               `db:"version"`
	CreatedAt       time.Time         `db:"created_at"`
	UpdatedAt       time.Time         `db:"updated_at"`
}

// IsEntity marks it for federation.
func (*PaymentOrder) IsEntity() {}

// PayableFen is what the citizen pays through the channel.
func (o *PaymentOrder) PayableFen() int64 { return o.AmountFen - o.DiscountFen }

// RefundableFen is what can still be asked back.
func (o *PaymentOrder) RefundableFen() int64 {
	if o.State != Succeeded {
		return 0
	}
	return o.PayableFen() - o.ReservedFen
}

// Concerns says whether the order is the principal's own.
func (o *PaymentOrder) Concerns(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == o.CitizenID
}

// PaymentEvent is one line of an order's history.
type PaymentEvent struct {
	OrderID   string             `db:"order_id"`
	Action    PaymentAction      `db:"action"`
	From      *PaymentOrderState `db:"from_state"`
	To        PaymentOrderState  `db:"to_state"`
	Note      *string            `db:"note"`
	ActorKind string             `db:"actor_kind"`
	ActorID   string             `db:"actor_id"`
	At        time.Time          `db:"at"`
}

// Happening is what merchants are told of.
type Happening struct {
	MerchantID string
	Kind       string // "payment.succeeded", "payment.closed", "payment.failed", "refund.refunded", "refund.failed"
	Reference  string // the order's or the refund's ID: each is told once of each kind
	Payload    any
}

// Payments is the cashier.
type Payments struct {
	DB *database.DB
	// Channels are those that are open; Open, where set, gives them at their
	// first use in its place.
	Channels map[channel.Name]channel.Channel
	Open     func() map[channel.Name]channel.Channel
	Now      func() time.Time
	Log      *slog.Logger
	// StepUpFen is from which amount on whoever pays must have proven anew who they are.
	StepUpFen int64
	// Tell keeps in the transaction what a merchant is to be told; nil tells nobody.
	Tell func(ctx context.Context, tx *sqlx.Tx, h Happening) error
	// Interrupt, where set, is asked between two steps: its error ends the work
	// there, as the death of the process would. Tests set it.
	Interrupt func(step string) error
}

// channel is an open channel; nil for one that is not.
func (p *Payments) channel(name channel.Name) channel.Channel {
	if p.Open != nil {
		return p.Open()[name]
	}
	return p.Channels[name]
}

// DefaultStepUpFen is 1,000 yuan.
const DefaultStepUpFen = 100_000

// step is a point between two transactions, or between one and a call outside.
func (p *Payments) step(name string) error {
	if p.Interrupt == nil {
		return nil
	}
	return p.Interrupt(name)
}

// write runs a change by the system: who asks was checked before.
func (p *Payments) write(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx = access.AsSystem(ctx, "payment")
	return p.DB.Write(ctx, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// system is the actor of what happens by itself.
var system = &access.Principal{Kind: access.System, ID: "payment"}

func (p *Payments) now() time.Time { return p.Now().UTC().Truncate(time.Microsecond) }
