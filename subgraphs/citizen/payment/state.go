package payment

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// PaymentOrderState is where an order stands.
type PaymentOrderState string

// CREATED→PAYING→SUCCEEDED|FAILED|CLOSED|UNKNOWN; UNKNOWN→SUCCEEDED|FAILED by
// query. An order that nobody began to pay is closed as it is.
const (
	Created   PaymentOrderState = "CREATED"
	Paying    PaymentOrderState = "PAYING"
	Succeeded PaymentOrderState = "SUCCEEDED"
	Failed    PaymentOrderState = "FAILED"
	Closed    PaymentOrderState = "CLOSED"
	Unknown   PaymentOrderState = "UNKNOWN"
)

// PaymentAction is what happens to an order.
type PaymentAction string

// The actions.
const (
	Create        PaymentAction = "CREATE"
	Pay           PaymentAction = "PAY"
	Succeed       PaymentAction = "SUCCEED"
	Fail          PaymentAction = "FAIL"
	Close         PaymentAction = "CLOSE"
	LoseSight     PaymentAction = "LOSE_SIGHT" // the channel does not answer
	RequestRefund PaymentAction = "REQUEST_REFUND"
	FinishRefund  PaymentAction = "FINISH_REFUND"
	ReleaseRefund PaymentAction = "RELEASE_REFUND"
	Surplus       PaymentAction = "SURPLUS" // money came besides
)

// transitions is the whole state machine; what is not here is refused.
var transitions = []struct {
	action   PaymentAction
	from, to PaymentOrderState
}{
	{Pay, Created, Paying},
	{Pay, Paying, Paying}, // by another channel, or once more
	{Close, Created, Closed},
	{Close, Paying, Closed},
	{Succeed, Paying, Succeeded},
	{Fail, Paying, Failed},
	{LoseSight, Paying, Unknown},
	{Succeed, Unknown, Succeeded},
	{Fail, Unknown, Failed},
	{RequestRefund, Succeeded, Succeeded},
	{FinishRefund, Succeeded, Succeeded},
	{ReleaseRefund, Succeeded, Succeeded},
	{Surplus, Succeeded, Succeeded},
	{Surplus, Failed, Failed},
	{Surplus, Closed, Closed},
	{Surplus, Paying, Paying},
	{Surplus, Unknown, Unknown},
}

// next gives the state that the action leads to; Conflict when there is none.
func (o *PaymentOrder) next(action PaymentAction) (PaymentOrderState, error) {
	for _, t := range transitions {
		if t.action == action && t.from == o.State {
			return t.to, nil
		}
	}
	return "", fault.New(fault.Conflict, "%s", map[PaymentOrderState]string{
		Created: "订单尚未支付，不能进行此操作", Paying: "订单正在支付，不能进行此操作", Succeeded: "订单已支付，不能进行此操作",
		Failed: "订单支付失败，请重新下单", Closed: "订单已关闭，请重新下单", Unknown: "正在向支付渠道核实结果，请稍后再试",
	}[o.State])
}

// AllowedActions are those that the caller may do now.
func (o *PaymentOrder) AllowedActions(ctx context.Context) []PaymentAction {
	actions := []PaymentAction{}
	if !o.Concerns(access.From(ctx)) {
		return actions
	}
	for _, action := range []PaymentAction{Pay, Close, RequestRefund} {
		if _, err := o.next(action); err == nil && (action != RequestRefund || o.RefundableFen() > 0) {
			actions = append(actions, action)
		}
	}
	return actions
}
