package merchant

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// MerchantState is where a merchant stands.
type MerchantState string

// APPLIED→APPROVED|REJECTED; APPROVED↔SUSPENDED→CLOSED.
const (
	Applied   MerchantState = "APPLIED"
	Approved  MerchantState = "APPROVED"
	Rejected  MerchantState = "REJECTED"
	Suspended MerchantState = "SUSPENDED"
	Closed    MerchantState = "CLOSED"
)

// MerchantAction is what staff do to a merchant.
type MerchantAction string

// The actions.
const (
	Apply   MerchantAction = "APPLY"
	Approve MerchantAction = "APPROVE"
	Reject  MerchantAction = "REJECT"
	Suspend MerchantAction = "SUSPEND"
	Resume  MerchantAction = "RESUME"
	Close   MerchantAction = "CLOSE"
)

// transitions is the whole state machine; what is not here is refused. Each
// asks for one right: taking in needs another person than applying.
var transitions = []struct {
	action   MerchantAction
	from, to MerchantState
	right    access.Action
}{
	{Approve, Applied, Approved, access.MerchantReview},
	{Reject, Applied, Rejected, access.MerchantReview},
	{Suspend, Approved, Suspended, access.MerchantReview},
	{Resume, Suspended, Approved, access.MerchantReview},
	{Close, Suspended, Closed, access.MerchantReview},
}

// next gives the state that the action leads to; Conflict when there is none.
func (m *Merchant) next(action MerchantAction) (MerchantState, error) {
	for _, t := range transitions {
		if t.action == action && t.from == m.State {
			return t.to, nil
		}
	}
	return "", fault.New(fault.Conflict, "商户当前状态不允许此操作")
}

// AllowedActions are those that the caller may do now, in the table's order.
func (m *Merchant) AllowedActions(ctx context.Context) []MerchantAction {
	actions, p := []MerchantAction{}, access.From(ctx)
	for _, t := range transitions {
		if t.from != m.State || access.Decide(p, t.right, m.AreaCode) != access.Allowed {
			continue
		}
		if m.State == Applied && p.ID == m.CreatedBy {
			continue
		}
		actions = append(actions, t.action)
	}
	return actions
}
