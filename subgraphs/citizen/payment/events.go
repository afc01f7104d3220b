package payment

import (
	"context"
	"encoding/base32"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// ChangedSubject is the subject of Changed.
const ChangedSubject = "citizen.payment.changed"

// Changed is the event of every change of an order.
type Changed struct {
	OrderID    string             `json:"orderId"`
	MerchantID string             `json:"merchantId"`
	CitizenID  string             `json:"citizenId"`
	AreaCode   string             `json:"areaCode"`
	Action     PaymentAction      `json:"action"`
	From       *PaymentOrderState `json:"from,omitempty"`
	State      PaymentOrderState  `json:"state"`
	Channel    *channel.Name      `json:"channel,omitempty"`
	AmountFen  int64              `json:"amountFen"`
	Version    int                `json:"version"`
	At         time.Time          `json:"at"`
}

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// toldOrder is what a merchant hears of an order.
type toldOrder struct {
	OrderID         string            `json:"orderId"`
	MerchantOrderNo string            `json:"merchantOrderNo"`
	State           PaymentOrderState `json:"state"`
	AmountFen       int64             `json:"amountFen"`
	DiscountFen     int64             `json:"discountFen"`
	FeeFen          int64             `json:"feeFen"`
	Channel         *channel.Name     `json:"channel,omitempty"`
	PaidAt          *time.Time        `json:"paidAt,omitempty"`
}

func (p *Payments) tellOrder(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder) error {
	if p.Tell == nil {
		return nil
	}
	return p.Tell(ctx, tx, Happening{MerchantID: o.MerchantID, Kind: "payment." + strings.ToLower(string(o.State)), Reference: o.ID, Payload: toldOrder{
		OrderID: o.ID, MerchantOrderNo: o.MerchantOrderNo, State: o.State, AmountFen: o.AmountFen, DiscountFen: o.DiscountFen, FeeFen: o.FeeFen, Channel: o.Channel, PaidAt: o.PaidAt,
	}})
}

// toldRefund is what a merchant hears of a refund.
type toldRefund struct {
	RefundID        string      `json:"refundId"`
	OrderID         string      `json:"orderId"`
	MerchantOrderNo string      `json:"merchantOrderNo"`
	State           RefundState `json:"state"`
	AmountFen       int64       `json:"amountFen"`
	FeeFen          int64       `json:"feeFen"`
}

func (p *Payments) tellRefund(ctx context.Context, tx *sqlx.Tx, o *PaymentOrder, r *Refund) error {
	if p.Tell == nil || r.Kind == SurplusRefund {
		return nil
	}
	return p.Tell(ctx, tx, Happening{MerchantID: o.MerchantID, Kind: "refund." + strings.ToLower(string(r.State)), Reference: r.ID, Payload: toldRefund{
		RefundID: r.ID, OrderID: o.ID, MerchantOrderNo: o.MerchantOrderNo, State: r.State, AmountFen: r.AmountFen, FeeFen: r.FeeFen,
	}})
}
