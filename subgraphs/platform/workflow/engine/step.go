package engine

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// The actions that every workflow has, besides those of its definition.
const (
	Start           = "START"
	ReturnPrevious  = "RETURN_PREVIOUS"
	ReturnInitiator = "RETURN_INITIATOR"
	Transfer        = "TRANSFER"
	DelegateTask    = "DELEGATE"
	RevokeDelegate  = "REVOKE_DELEGATE"
	AddBefore       = "ADD_SIGNER_BEFORE"
	AddAfter        = "ADD_SIGNER_AFTER"
	Sign            = "SIGN" // of an added signer
	Withdraw        = "WITHDRAW"
	Resubmit        = "RESUBMIT"
	Urge            = "URGE"
	Comment         = "COMMENT"
	Overdue         = "OVERDUE"
	HandedOver      = "HANDED_OVER" // of who left
)

// World is what the engine needs to know and cannot find out itself.
type World struct {
	Now time.Time
	// NewID draws an ID for a task.
	NewID func() string
	// Holders gives the active workers who hold the post, in a fixed order.
	Holders func(Post) []string
	// Active says whether the worker may be given a task at all.
	Active func(workerID string) bool
	// Due gives the end of the time limit of so many work days from now.
	Due func(workdays int) time.Time
}

// Act is what somebody does to an instance.
type Act struct {
	Action  string
	TaskID  string // "" for what belongs to the initiator
	Actor   Actor
	Comment string
	Target  string     // the worker who gets the task, or signs besides
	Until   *time.Time // the end of a delegation
}

// Line is one line of an instance's history.
type Line struct {
	Action   string
	From, To string // states
	Actor    Person
	For      string // the holder, where a delegate or a superior acted
	TaskID   string
	Target   string
	Comment  string
}

// Effects are what followed from a step.
type Effects struct {
	Lines []Line
	// Opened and Closed are the IDs of the tasks that came into somebody's inbox
	// and went out of it; Passed of those whose people changed.
	Opened, Closed, Passed []string
	Cc                     []Seat // who is told of the end
}

// Seat is a place with whoever takes it: one worker, or the holders of a post.
type Seat struct {
	WorkerID string
	Post     Post
}

// maxRounds bounds how often an instance goes from state to state.
const maxRounds = 200

// move is one step on its way.
type move struct {
	d *definition.Definition
	w World
	i Instance
	e Effects
}

// Step takes the act. The instance it gives has the next version; a refusal
// gives none and changes nothing.
func Step(d *definition.Definition, i Instance, a Act, w World) (Instance, Effects, error) {
	m := &move{d: d, w: w, i: i.clone()}
	if err := m.step(a); err != nil {
		return Instance{}, Effects{}, err
	}
	m.i.Version++
	return m.i, m.e, nil
}

func (m *move) step(a Act) error {
	if m.i.Status != Running {
		return fault.New(fault.Conflict, "该流程已结束")
	}
	switch a.Action {
	case Withdraw:
		return m.withdraw(a)
	case Urge, Comment:
		m.line(a, nil, Line{})
		return nil
	}
	if m.d.External {
		return fault.New(fault.Conflict, "请在业务模块中办理")
	}
	t := m.i.Task(a.TaskID)
	if t == nil || t.Status != Open {
		return fault.New(fault.Conflict, "该待办已被他人办理，或尚未轮到")
	}
	standing := t.Standing(a.Actor, m.w.Now)
	if standing == Stranger {
		return fault.New(fault.Forbidden, "该待办不由您办理")
	}
	if t.Kind == Amend {
		if a.Action != Resubmit {
			return m.refuse(a)
		}
		return m.resubmit(t, a)
	}
	s := m.d.State(t.State)
	switch a.Action {
	case Transfer, DelegateTask, RevokeDelegate, AddBefore, AddAfter, ReturnPrevious, ReturnInitiator:
		if standing != Holder {
			return fault.New(fault.Forbidden, "受委托人只能代为签署，不能转交或退回")
		}
		return m.pass(s, t, a)
	default:
		return m.decide(s, t, a)
	}
}

func (m *move) refuse(a Act) error {
	label := m.i.State
	if s := m.d.State(m.i.State); s != nil {
		label = s.Label
	} else if m.i.State == AtInitiator {
		label = "待发起人修改"
	}
	return fault.New(fault.Conflict, "当前状态为“%s”，不能执行该操作", label)
}

// line records what the actor did.
func (m *move) line(a Act, t *Task, l Line) {
	l.Action, l.Actor, l.Comment = a.Action, a.Actor.Person, a.Comment
	if t != nil {
		l.TaskID = t.ID
		if t.WorkerID != "" && t.WorkerID != a.Actor.ID {
			l.For = t.WorkerID
		}
	}
	if l.From == "" {
		l.From = m.i.State
	}
	if l.To == "" {
		l.To = m.i.State
	}
	m.e.Lines = append(m.e.Lines, l)
}

// withdraw lets the initiator take the instance back.
func (m *move) withdraw(a Act) error {
	if a.Actor.Person != m.i.Initiator {
		return fault.New(fault.Forbidden, "仅发起人可以撤回")
	}
	switch {
	case m.d.External || m.d.Withdraw == definition.WithdrawNever:
		return fault.New(fault.Conflict, "该流程不能撤回")
	case m.d.Withdraw == definition.WithdrawUntouched && m.i.Decided && m.i.State != AtInitiator:
		return fault.New(fault.Conflict, "已有人办理，不能撤回")
	}
	m.line(a, nil, Line{})
	m.cancel("")
	m.i.Status, m.i.DueAt = Withdrawn, nil
	return nil
}

// resubmit sends a returned instance on its way again.
func (m *move) resubmit(t *Task, a Act) error {
	to := m.d.Start
	if m.d.Resubmit == definition.ResubmitReturner && len(m.i.Trail) > 0 {
		to = m.i.Trail[len(m.i.Trail)-1]
	}
	m.close(t, a)
	m.line(a, t, Line{To: to})
	if to == m.d.Start {
		m.i.Trail = nil
	} else {
		m.i.Trail = m.i.Trail[:len(m.i.Trail)-1] // it is entered again
	}
	return m.enter(to)
}

// Allowed lists what the actor may do with the task now: the definition's
// actions first. The task is of the instance.
func Allowed(d *definition.Definition, i *Instance, t *Task, actor Actor, now time.Time) []string {
	if i.Status != Running || t == nil || t.Status != Open {
		return nil
	}
	standing := t.Standing(actor, now)
	if standing == Stranger {
		return nil
	}
	if t.Kind == Amend {
		return []string{Resubmit}
	}
	s := d.State(t.State)
	if s == nil || d.External && !t.own(actor) { // what a superior may do there, only the module knows
		return nil
	}
	var allowed []string
	if t.Kind != Seated {
		allowed = append(allowed, Sign)
	} else if !s.NotInitiator || actor.Person != i.Initiator {
		for _, a := range s.Actions {
			if a.By == "" {
				allowed = append(allowed, a.Name)
			}
		}
	}
	if standing != Holder || d.External {
		return allowed
	}
	for _, power := range s.Allow {
		switch power {
		case "ADD_SIGNER":
			if t.Kind == Seated {
				allowed = append(allowed, AddBefore, AddAfter)
			}
		case ReturnPrevious:
			if len(i.Trail) > 0 && t.Kind == Seated {
				allowed = append(allowed, power)
			}
		case ReturnInitiator:
			if i.Initiator.Kind == access.Worker && t.Kind == Seated {
				allowed = append(allowed, power)
			}
		default:
			allowed = append(allowed, power)
		}
	}
	if t.DelegateID != "" {
		allowed = append(allowed, RevokeDelegate)
	}
	return allowed
}
