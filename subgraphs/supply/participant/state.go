package participant

import "github.com/citizencloud/citizencloud/foundation/fault"

// ParticipantState is where a participant stands.
type ParticipantState string

// The states: APPLIED→IN_REVIEW→APPROVED|REJECTED; APPROVED→CHANGE_REVIEW→APPROVED;
// APPROVED↔SUSPENDED→EXITED.
const (
	Applied      ParticipantState = "APPLIED"
	InReview     ParticipantState = "IN_REVIEW"
	Approved     ParticipantState = "APPROVED"
	Rejected     ParticipantState = "REJECTED"
	ChangeReview ParticipantState = "CHANGE_REVIEW"
	Suspended    ParticipantState = "SUSPENDED"
	Exited       ParticipantState = "EXITED"
)

// ParticipantAction is what is done to a participant.
type ParticipantAction string

// The actions.
const (
	Apply   ParticipantAction = "APPLY"
	Take    ParticipantAction = "TAKE"
	Approve ParticipantAction = "APPROVE"
	Reject  ParticipantAction = "REJECT"
	Change  ParticipantAction = "CHANGE"
	Suspend ParticipantAction = "SUSPEND"
	Resume  ParticipantAction = "RESUME"
	Exit    ParticipantAction = "EXIT"
)

// ReviewDecision is a reviewer's verdict.
type ReviewDecision string

// The decisions.
const (
	DecisionApprove ReviewDecision = "APPROVE"
	DecisionReject  ReviewDecision = "REJECT"
)

// side says whose an action is.
type side int

const (
	reviewers side = iota + 1
	applicant
	either
)

type transition struct {
	action   ParticipantAction
	by       side
	from, to ParticipantState
}

// transitions is the whole state machine; what is not here is refused. A
// refused change leaves the participant approved, as it was.
var transitions = []transition{
	{Take, reviewers, Applied, InReview},
	{Approve, reviewers, InReview, Approved},
	{Reject, reviewers, InReview, Rejected},
	{Change, applicant, Approved, ChangeReview},
	{Approve, reviewers, ChangeReview, Approved},
	{Reject, reviewers, ChangeReview, Approved},
	{Suspend, reviewers, Approved, Suspended},
	{Resume, reviewers, Suspended, Approved},
	{Exit, either, Suspended, Exited},
}

// next gives the transition of the action from the state; Conflict when there is none.
func next(action ParticipantAction, from ParticipantState) (transition, error) {
	for _, t := range transitions {
		if t.action == action && t.from == from {
			return t, nil
		}
	}
	return transition{}, fault.New(fault.Conflict, "参与者当前状态不允许此操作")
}
