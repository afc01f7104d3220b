package feedback

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// FeedbackState is where a case stands.
type FeedbackState string

// The states.
const (
	Submitted   FeedbackState = "SUBMITTED"
	Assigned    FeedbackState = "ASSIGNED"
	Returned    FeedbackState = "RETURNED"
	InProgress  FeedbackState = "IN_PROGRESS"
	WaitingInfo FeedbackState = "WAITING_INFO"
	Replied     FeedbackState = "REPLIED"
	Reopened    FeedbackState = "REOPENED"
	Rejected    FeedbackState = "REJECTED"
	Duplicate   FeedbackState = "DUPLICATE"
	Closed      FeedbackState = "CLOSED"
)

// States are all states, in the order of a case's life. Do not change.
var States = []FeedbackState{Submitted, Assigned, Returned, InProgress, WaitingInfo, Replied, Reopened, Rejected, Duplicate, Closed}

var stateNames = map[FeedbackState]string{
	Submitted: "待受理", Assigned: "已分派", Returned: "已退回", InProgress: "办理中", WaitingInfo: "等待补充信息",
	Replied: "已答复", Reopened: "已重新打开", Rejected: "不予受理", Duplicate: "重复件", Closed: "已关闭",
}

// Name is the state in Chinese, for sentences.
func (s FeedbackState) Name() string { return stateNames[s] }

// Open says whether the case has no result yet.
func (s FeedbackState) Open() bool {
	switch s {
	case Replied, Rejected, Duplicate, Closed:
		return false
	default:
		return true
	}
}

// FeedbackAction is what somebody does to a case.
type FeedbackAction string

// The actions.
const (
	Submit        FeedbackAction = "SUBMIT"
	Assign        FeedbackAction = "ASSIGN"
	Take          FeedbackAction = "TAKE"
	Return        FeedbackAction = "RETURN"
	RequestInfo   FeedbackAction = "REQUEST_INFO"
	SupplyInfo    FeedbackAction = "SUPPLY_INFO"
	Reply         FeedbackAction = "REPLY"
	Reject        FeedbackAction = "REJECT"
	MarkDuplicate FeedbackAction = "MARK_DUPLICATE"
	Reopen        FeedbackAction = "REOPEN"
	Close         FeedbackAction = "CLOSE"
	Rate          FeedbackAction = "RATE"
)

var actionNames = map[FeedbackAction]string{
	Submit: "提交", Assign: "分派", Take: "受理", Return: "退回", RequestInfo: "请求补充信息", SupplyInfo: "补充信息", Reply: "答复",
	Reject: "不予受理", MarkDuplicate: "标为重复件", Reopen: "重新打开", Close: "关闭", Rate: "评价",
}

// Name is the action in Chinese, for sentences.
func (a FeedbackAction) Name() string { return actionNames[a] }

// step is one transition; a row of the history.
type step struct {
	action FeedbackAction
	to     FeedbackState
}

// transitions is the state machine: for each action, from which state over
// which steps. What is not here is refused with CONFLICT. Taking a case that
// nobody was assigned to assigns it on the way.
var transitions = map[FeedbackAction]map[FeedbackState][]step{
	Assign: {
		Submitted: {{Assign, Assigned}},
		Returned:  {{Assign, Assigned}},
		Reopened:  {{Assign, Assigned}},
	},
	Take: {
		Submitted: {{Assign, Assigned}, {Take, InProgress}},
		Returned:  {{Assign, Assigned}, {Take, InProgress}},
		Reopened:  {{Assign, Assigned}, {Take, InProgress}},
		Assigned:  {{Take, InProgress}},
	},
	Return:        {Assigned: {{Return, Returned}}},
	RequestInfo:   {InProgress: {{RequestInfo, WaitingInfo}}},
	SupplyInfo:    {WaitingInfo: {{SupplyInfo, InProgress}}},
	Reply:         {InProgress: {{Reply, Replied}}},
	Reject:        {Submitted: {{Reject, Rejected}}},
	MarkDuplicate: {Submitted: {{MarkDuplicate, Duplicate}}},
	Reopen:        {Replied: {{Reopen, Reopened}}, Rejected: {{Reopen, Reopened}}},
	Close:         {Replied: {{Close, Closed}}},
	Rate:          {Replied: {{Rate, Replied}}, Rejected: {{Rate, Rejected}}, Closed: {{Rate, Closed}}},
}

// Transition is one step of the state machine as others may know it.
type Transition struct {
	From   FeedbackState
	Action FeedbackAction
	To     FeedbackState
}

// Transitions lists the whole state machine, in the order of the states: where
// each action leads, over whatever steps.
func Transitions() []Transition {
	var all []Transition
	for _, from := range States {
		for action := range transitions {
			if steps := transitions[action][from]; steps != nil {
				all = append(all, Transition{from, action, steps[len(steps)-1].to})
			}
		}
	}
	slices.SortFunc(all, func(a, b Transition) int {
		return cmp.Or(slices.Index(States, a.From)-slices.Index(States, b.From), strings.Compare(string(a.Action), string(b.Action)))
	})
	return all
}

// needs is the action that a worker's role must grant; those without one are
// the owner's (or the system's).
var needs = map[FeedbackAction]access.Action{
	Assign: access.FeedbackAssign, Take: access.FeedbackHandle, Return: access.FeedbackHandle, RequestInfo: access.FeedbackHandle,
	Reply: access.FeedbackHandle, Reject: access.FeedbackReject, MarkDuplicate: access.FeedbackReject,
}

// Window is how long after a result its owner may reopen the case; after it a
// replied case closes by itself.
const Window = 10 * 24 * time.Hour

// path gives the steps of the action from the case's state at the moment; nil
// when it is not allowed.
func (c *FeedbackCase) path(action FeedbackAction, now time.Time) []step {
	steps := transitions[action][c.State]
	switch {
	case action == Reopen && (c.ClosedAt == nil || now.After(c.ClosedAt.Add(Window))):
		return nil
	case action == Rate && c.Rating != nil:
		return nil
	}
	return steps
}

// Allowed lists what the principal may do to the case at the moment, in the
// order of the schema.
func (c *FeedbackCase) Allowed(p *access.Principal, now time.Time) []FeedbackAction {
	allowed := []FeedbackAction{}
	for _, action := range []FeedbackAction{Assign, Take, Return, RequestInfo, SupplyInfo, Reply, Reject, MarkDuplicate, Reopen, Close, Rate} {
		if c.path(action, now) != nil && c.mayBe(action, p) {
			allowed = append(allowed, action)
		}
	}
	return allowed
}

// mayBe says whether the action is the principal's to take, whatever the state.
func (c *FeedbackCase) mayBe(action FeedbackAction, p *access.Principal) bool {
	if p == nil {
		return false
	}
	if need, forWorkers := needs[action]; forWorkers {
		return p.Kind == access.Worker && p.May(need) && p.Covers(c.AreaCode)
	}
	if p.Kind == access.System {
		return action == Close
	}
	return c.OwnedBy(p) && slices.Contains([]FeedbackAction{SupplyInfo, Reopen, Close, Rate}, action)
}

// OwnedBy says whether the principal is the citizen who submitted the case.
func (c *FeedbackCase) OwnedBy(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == c.CitizenID
}

// Concerns says whether the case holds what the principal wrote.
func (c *FeedbackCase) Concerns(p *access.Principal) bool { return c.OwnedBy(p) }

// SeenBy says whether the principal may see the case at all.
func (c *FeedbackCase) SeenBy(p *access.Principal) bool {
	return c.OwnedBy(p) || p != nil && p.Kind != access.Citizen && p.May(access.FeedbackView) && p.Covers(c.AreaCode)
}

// SubmitterSeenBy says whether the principal may see who submitted the case.
func (c *FeedbackCase) SubmitterSeenBy(p *access.Principal) bool {
	return c.OwnedBy(p) || !c.Anonymous && p != nil && p.Kind == access.Worker && p.May(access.CitizenView) && p.Covers(c.AreaCode)
}
