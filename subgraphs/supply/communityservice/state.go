package communityservice

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// CommunityServiceState is where a service stands.
type CommunityServiceState string

// The states: DRAFT→IN_REVIEW→LISTED↔DELISTED; a refused one is a draft again.
const (
	Draft    CommunityServiceState = "DRAFT"
	InReview CommunityServiceState = "IN_REVIEW"
	Listed   CommunityServiceState = "LISTED"
	Delisted CommunityServiceState = "DELISTED"
)

// CommunityServiceAction is what is done to a service.
type CommunityServiceAction string

// The actions.
const (
	Create               CommunityServiceAction = "CREATE"
	Update               CommunityServiceAction = "UPDATE"
	Submit               CommunityServiceAction = "SUBMIT"
	Approve              CommunityServiceAction = "APPROVE"
	Reject               CommunityServiceAction = "REJECT"
	Delist               CommunityServiceAction = "DELIST"
	List                 CommunityServiceAction = "LIST"
	Distribute           CommunityServiceAction = "DISTRIBUTE"
	WithdrawDistribution CommunityServiceAction = "WITHDRAW_DISTRIBUTION"
)

// side says whose an action is.
type side int

const (
	owner side = iota + 1
	reviewers
	either
)

type transition struct {
	action   CommunityServiceAction
	by       side
	from, to CommunityServiceState
}

// transitions is the whole state machine; what is not here is refused.
var transitions = []transition{
	{Update, owner, Draft, Draft},
	{Submit, owner, Draft, InReview},
	{Approve, reviewers, InReview, Listed},
	{Reject, reviewers, InReview, Draft},
	{Delist, either, Listed, Delisted},
	{List, either, Delisted, Listed},
	{Distribute, reviewers, Listed, Listed},
	{WithdrawDistribution, reviewers, Listed, Listed},
	{WithdrawDistribution, reviewers, Delisted, Delisted},
}

// next gives the transition of the action from the state; Conflict when there is none.
func next(action CommunityServiceAction, from CommunityServiceState) (transition, error) {
	for _, t := range transitions {
		if t.action == action && t.from == from {
			return t, nil
		}
	}
	return transition{}, fault.New(fault.Conflict, "社区服务当前状态不允许此操作")
}

// may says whether the principal may make the transition: the sides as in the
// table, only that an owner does not put back what a reviewer took down.
func (s *CommunityService) may(by *access.Principal, t transition) bool {
	if t.by != owner && s.reviewable(by) {
		return true
	}
	if t.by == reviewers || !s.owned(by) {
		return false
	}
	return t.action != List || s.DelistedBy == nil || *s.DelistedBy == string(access.Citizen)
}
