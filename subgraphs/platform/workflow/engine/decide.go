package engine

import (
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// decide signs the task off with one of the state's actions. Agreeing counts
// towards the state's way of signing; every other action takes effect at once.
func (m *move) decide(s *definition.State, t *Task, a Act) error {
	if t.Kind != Seated {
		if a.Action != Sign {
			return fault.New(fault.Conflict, "加签只能签署意见")
		}
		m.close(t, a)
		m.line(a, t, Line{})
		return m.signed(s, t)
	}
	action := s.Action(a.Action)
	if action == nil || action.By != "" {
		return m.refuse(a)
	}
	if s.NotInitiator && a.Actor.Person == m.i.Initiator {
		return fault.New(fault.Forbidden, "不能审批本人发起的流程")
	}
	if action.Comment && a.Comment == "" {
		return fault.Invalid("input.comment", "请填写意见")
	}
	m.i.Decided = true
	m.close(t, a)
	if !action.Agrees {
		return m.leave(action, t, a)
	}
	if s.Sign == definition.SignAny {
		m.cancelSeats(t) // one of them has won
	}
	m.line(a, t, Line{})
	return m.signed(s, t)
}

// signed goes on after the task was agreed to: with the signers who were added
// to it, with the task that it was added to, with the next seat, or out of the
// state when nobody is left.
func (m *move) signed(s *definition.State, t *Task) error {
	for n := range m.i.Tasks { // those after it
		after := &m.i.Tasks[n]
		if after.ParentID == t.ID && after.Kind == After && after.Status == Waiting {
			m.open(after, s)
		}
	}
	if t.Kind == Before {
		if parent := m.i.Task(t.ParentID); parent.Status == Waiting && !m.pending(parent, Before) {
			m.open(parent, s)
		}
	}
	if m.anyOpen() {
		return nil
	}
	if s.Sign == definition.SignSequential {
		for n := range m.i.Tasks {
			if next := &m.i.Tasks[n]; next.Round == m.i.Round && next.Kind == Seated && next.Status == Waiting {
				m.open(next, s)
				return nil
			}
		}
	}
	return m.complete(s)
}

// pending says whether signers of the kind, added to the task, are still to sign.
func (m *move) pending(t *Task, kind TaskKind) bool {
	for _, other := range m.i.Tasks {
		if other.ParentID == t.ID && other.Kind == kind && (other.Status == Open || other.Status == Waiting) {
			return true
		}
	}
	return false
}

func (m *move) anyOpen() bool {
	for _, t := range m.i.Tasks {
		if t.Round == m.i.Round && t.Status == Open {
			return true
		}
	}
	return false
}

// complete leaves the state by its agreeing action: everybody has signed.
func (m *move) complete(s *definition.State) error {
	for i := range s.Actions {
		if s.Actions[i].Agrees {
			return m.goTo(&s.Actions[i])
		}
	}
	return fault.New(fault.Conflict, "该状态没有同意动作")
}

// leave takes the action at once, whoever else has not signed.
func (m *move) leave(action *definition.Action, t *Task, a Act) error {
	to := m.d.Next(action, m.i.Variables, m.i.AreaCode)
	m.line(a, t, Line{To: to})
	return m.on(to)
}

// goTo follows the action; its line is the last signer's, which learns where it led.
func (m *move) goTo(action *definition.Action) error {
	to := m.d.Next(action, m.i.Variables, m.i.AreaCode)
	if n := len(m.e.Lines); n > 0 {
		m.e.Lines[n-1].To = to
	}
	return m.on(to)
}

// on leaves the present state for the other one, and remembers the way.
func (m *move) on(to string) error {
	m.cancel("")
	m.i.Trail = append(m.i.Trail, m.i.State)
	return m.enter(to)
}

// close ends the task as decided by the actor.
func (m *move) close(t *Task, a Act) {
	now := m.w.Now
	t.Status, t.DecidedAt, t.DecidedBy, t.Decision, t.CheckAt = Done, &now, a.Actor.ID, a.Action, nil
	m.e.Closed = append(m.e.Closed, t.ID)
}

// cancel ends all that is not decided but the task of the ID.
func (m *move) cancel(except string) {
	for n := range m.i.Tasks {
		if t := &m.i.Tasks[n]; t.ID != except && (t.Status == Open || t.Status == Waiting) {
			m.drop(t)
		}
	}
}

// cancelSeats ends the other seats, and whoever was added to them.
func (m *move) cancelSeats(winner *Task) {
	for n := range m.i.Tasks {
		t := &m.i.Tasks[n]
		if t.ID != winner.ID && t.ParentID != winner.ID && (t.Status == Open || t.Status == Waiting) {
			m.drop(t)
		}
	}
}

func (m *move) drop(t *Task) {
	if t.Status == Open {
		m.e.Closed = append(m.e.Closed, t.ID)
	}
	t.Status, t.CheckAt = Cancelled, nil
}
