package catalogue

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// ServiceState is where the service's description stands in its approval.
type ServiceState string

// The states: DRAFT→SUBMITTED→APPROVED|REJECTED→DRAFT.
const (
	Draft     ServiceState = "DRAFT"
	Submitted ServiceState = "SUBMITTED"
	Approved  ServiceState = "APPROVED"
	Rejected  ServiceState = "REJECTED"
)

// ServicePublication says whether citizens see the service.
type ServicePublication string

// UNPUBLISHED↔PUBLISHED, for approved services only.
const (
	Unpublished ServicePublication = "UNPUBLISHED"
	Published   ServicePublication = "PUBLISHED"
)

// ServiceHealth is how a published service works at the moment.
type ServiceHealth string

// The healths.
const (
	OK       ServiceHealth = "OK"
	Degraded ServiceHealth = "DEGRADED"
	Paused   ServiceHealth = "PAUSED"
)

// ServiceAction is what a worker does to a service.
type ServiceAction string

// The actions.
const (
	Create    ServiceAction = "CREATE"
	Update    ServiceAction = "UPDATE"
	Submit    ServiceAction = "SUBMIT"
	Approve   ServiceAction = "APPROVE"
	Reject    ServiceAction = "REJECT"
	Revise    ServiceAction = "REVISE"
	Publish   ServiceAction = "PUBLISH"
	Unpublish ServiceAction = "UNPUBLISH"
	SetHealth ServiceAction = "SET_HEALTH"
)

// ReviewDecision is a reviewer's verdict.
type ReviewDecision string

// The decisions.
const (
	DecisionApprove ReviewDecision = "APPROVE"
	DecisionReject  ReviewDecision = "REJECT"
)

// status is both states together: approval and publication move by one table.
type status struct {
	state       ServiceState
	publication ServicePublication
}

type transition struct {
	action   ServiceAction
	from, to status
}

// transitions is the whole state machine; what is not here is refused. An
// approved service is changed by taking it back to the draft, which it must
// not be while citizens see it.
var transitions = []transition{
	{Update, status{Draft, Unpublished}, status{Draft, Unpublished}},
	{Submit, status{Draft, Unpublished}, status{Submitted, Unpublished}},
	{Approve, status{Submitted, Unpublished}, status{Approved, Unpublished}},
	{Reject, status{Submitted, Unpublished}, status{Rejected, Unpublished}},
	{Revise, status{Rejected, Unpublished}, status{Draft, Unpublished}},
	{Revise, status{Approved, Unpublished}, status{Draft, Unpublished}},
	{Publish, status{Approved, Unpublished}, status{Approved, Published}},
	{Unpublish, status{Approved, Published}, status{Approved, Unpublished}},
	{SetHealth, status{Approved, Published}, status{Approved, Published}},
}

func (s *Service) status() status { return status{s.State, s.Publication} }

// next gives the status that the action leads to; Conflict when the table has
// no such transition.
func (s *Service) next(action ServiceAction) (status, error) {
	for _, t := range transitions {
		if t.action == action && t.from == s.status() {
			return t.to, nil
		}
	}
	return status{}, fault.New(fault.Conflict, "服务当前状态不允许此操作")
}

// AllowedActions are those that the caller may do now, in the table's order;
// none for who does not manage the service.
func (s *Service) AllowedActions(ctx context.Context) []ServiceAction {
	actions := []ServiceAction{}
	if !Manages(access.From(ctx), s) {
		return actions
	}
	for _, t := range transitions {
		if t.from == s.status() {
			actions = append(actions, t.action)
		}
	}
	return actions
}
