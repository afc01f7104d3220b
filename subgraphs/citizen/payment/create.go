package payment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/merchant"
)

// CreatePaymentOrderInput is an order as a client asks for it.
type CreatePaymentOrderInput struct {
	MerchantID string
	// MerchantOrderNo is the merchant's: asked again it is the same order.
	MerchantOrderNo string
	Subject         string
	AmountFen       int64
	// ExpiresInMinutes is how long the order can be paid; 30 where none is given.
	ExpiresInMinutes *int
}

// Bounds of an order.
const (
	maxFen     = 100_000_000 // a million yuan
	maxSubject = 60
	defaultTTL = 30 // minutes
	maxTTL     = 24 * 60
)

var orderNo = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// Create makes an order. The same merchant's number with the same content gives
// the order that there is; with other content it is refused.
func (p *Payments) Create(ctx context.Context, in CreatePaymentOrderInput) (*PaymentOrder, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	o, err := p.drafted(citizen, in)
	if err != nil {
		return nil, err
	}
	err = p.DB.Write(ctx, func(tx *sqlx.Tx) error {
		payee, err := payee(ctx, tx, o.MerchantID)
		if err != nil {
			return err
		}
		o.AreaCode, o.FeeRate = payee.AreaCode, payee.FeeRate
		made, err := insert(ctx, tx, o)
		if err != nil {
			return err
		}
		if !made {
			o, err = same(ctx, tx, o)
			return err
		}
		audit.Change(ctx, o.target(), nil, o.audited())
		return p.remember(ctx, tx, o, Create, nil, "", citizen)
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// drafted checks the input.
func (p *Payments) drafted(citizen *access.Principal, in CreatePaymentOrderInput) (*PaymentOrder, error) {
	if !orderNo.MatchString(in.MerchantOrderNo) {
		return nil, fault.Invalid("input.merchantOrderNo", "商户订单号须为 1 到 64 位字母、数字、下划线或连字符")
	}
	subject, err := input.Text("input.subject", "缴费事项", in.Subject, 1, maxSubject)
	if err != nil {
		return nil, err
	}
	if in.AmountFen < 1 || in.AmountFen > maxFen {
		return nil, fault.Invalid("input.amountFen", "金额须在 1 到 %d 分之间", maxFen)
	}
	minutes := defaultTTL
	if in.ExpiresInMinutes != nil {
		if minutes = *in.ExpiresInMinutes; minutes < 1 || minutes > maxTTL {
			return nil, fault.Invalid("input.expiresInMinutes", "有效时间须在 1 到 %d 分钟之间", maxTTL)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("payment: %w", err)
	}
	now := p.now()
	return &PaymentOrder{
		ID: id.String(), MerchantID: in.MerchantID, MerchantOrderNo: in.MerchantOrderNo, Content: content(citizen.ID, subject, in.AmountFen), CitizenID: citizen.ID,
		Subject: subject, AmountFen: in.AmountFen, State: Created, ExpiresAt: now.Add(time.Duration(minutes) * time.Minute), Version: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// content is the fingerprint of what was ordered.
func content(citizenID, subject string, fen int64) []byte {
	text, _ := json.Marshal([]any{citizenID, subject, fen})
	sum := sha256.Sum256(text)
	return sum[:]
}

// payee is a merchant who can be paid.
func payee(ctx context.Context, tx sqlx.QueryerContext, id string) (*merchant.Merchant, error) {
	if !input.ID(id) {
		return nil, fault.Invalid("input.merchantId", "没有该商户")
	}
	found, err := merchant.ByIDs(ctx, tx, []string{id})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fault.Invalid("input.merchantId", "没有该商户")
	case found[0].State != merchant.Approved:
		return nil, fault.New(fault.Conflict, "该商户暂停收款")
	}
	return found[0], nil
}

// same is the order that has the number already, when it is what was asked for.
// Another's order is not even seen.
func same(ctx context.Context, tx sqlx.QueryerContext, o *PaymentOrder) (*PaymentOrder, error) {
	var found []*PaymentOrder
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM citizen.payment_order WHERE merchant_id = $1 AND merchant_order_no = $2`, o.MerchantID, o.MerchantOrderNo); err != nil {
		return nil, fmt.Errorf("payment: reading an order by its number: %w", err)
	}
	if len(found) == 0 || !bytes.Equal(found[0].Content, o.Content) {
		return nil, &fault.Fault{Code: fault.Conflict, Field: "input.merchantOrderNo", Message: "该商户订单号已用于内容不同的订单"}
	}
	return found[0], nil
}
