package demand

import "github.com/citizencloud/citizencloud/foundation/fault"

// DemandState is where a demand stands.
type DemandState string

// The states: DRAFT→IN_REVIEW→OPEN→MATCHED→FULFILLED→CLOSED; OPEN→EXPIRED|WITHDRAWN;
// a refused one is a draft again.
const (
	Draft     DemandState = "DRAFT"
	InReview  DemandState = "IN_REVIEW"
	Open      DemandState = "OPEN"
	Matched   DemandState = "MATCHED"
	Fulfilled DemandState = "FULFILLED"
	Closed    DemandState = "CLOSED"
	Expired   DemandState = "EXPIRED"
	Withdrawn DemandState = "WITHDRAWN"
)

// DemandAction is what is done to a demand.
type DemandAction string

// The actions.
const (
	Create   DemandAction = "CREATE"
	Update   DemandAction = "UPDATE"
	Submit   DemandAction = "SUBMIT"
	Approve  DemandAction = "APPROVE"
	Reject   DemandAction = "REJECT"
	Withdraw DemandAction = "WITHDRAW"
	Expire   DemandAction = "EXPIRE"
	Match    DemandAction = "MATCH"
	Fulfil   DemandAction = "FULFIL"
	Close    DemandAction = "CLOSE"
)

// side says whose an action is.
type side int

const (
	publisher side = iota + 1
	reviewers
	platform
)

type transition struct {
	action   DemandAction
	by       side
	from, to DemandState
}

// transitions is the whole state machine; what is not here is refused.
var transitions = []transition{
	{Update, publisher, Draft, Draft},
	{Submit, publisher, Draft, InReview},
	{Approve, reviewers, InReview, Open},
	{Reject, reviewers, InReview, Draft},
	{Match, publisher, Open, Matched},
	{Withdraw, publisher, Open, Withdrawn},
	{Expire, platform, Open, Expired},
	{Fulfil, publisher, Matched, Fulfilled},
	{Close, publisher, Fulfilled, Closed},
}

// next gives the transition of the action from the state; Conflict when there is none.
func next(action DemandAction, from DemandState) (transition, error) {
	for _, t := range transitions {
		if t.action == action && t.from == from {
			return t, nil
		}
	}
	return transition{}, fault.New(fault.Conflict, "需求当前状态不允许此操作")
}
