package engine

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// The bounds of passing on.
const (
	maxAdded      = 10                  // signers added in one round
	maxDelegation = 90 * 24 * time.Hour // the longest delegation of one task
)

// pass hands the task on, or the instance back.
func (m *move) pass(s *definition.State, t *Task, a Act) error {
	power := a.Action
	switch a.Action {
	case AddBefore, AddAfter:
		power = "ADD_SIGNER"
	case RevokeDelegate:
		power = DelegateTask
	}
	if !s.Allows(power) {
		return m.refuse(a)
	}
	switch a.Action {
	case ReturnPrevious:
		return m.returnPrevious(t, a)
	case ReturnInitiator:
		return m.returnInitiator(t, a)
	case RevokeDelegate:
		if t.DelegateID == "" {
			return m.refuse(a)
		}
		m.line(a, t, Line{Target: t.DelegateID})
		t.DelegateID, t.DelegateUntil = "", nil
		m.e.Passed = append(m.e.Passed, t.ID)
		return nil
	}
	if err := m.target(t, a); err != nil {
		return err
	}
	switch a.Action {
	case Transfer:
		t.WorkerID, t.Post, t.DelegateID, t.DelegateUntil = a.Target, Post{}, "", nil
		m.e.Passed = append(m.e.Passed, t.ID)
	case DelegateTask:
		if a.Until == nil || !a.Until.After(m.w.Now) || a.Until.After(m.w.Now.Add(maxDelegation)) {
			return fault.Invalid("input.until", "委托截止时间须在此刻之后、九十天之内")
		}
		t.DelegateID, t.DelegateUntil = a.Target, a.Until
		m.e.Passed = append(m.e.Passed, t.ID)
	default:
		if err := m.add(s, t, a); err != nil {
			return err
		}
	}
	m.line(a, m.i.Task(a.TaskID), Line{Target: a.Target})
	return nil
}

// target checks who is to get the task or to sign besides.
func (m *move) target(t *Task, a Act) error {
	const field = "input.targetWorkerId"
	switch {
	case a.Target == "" || !m.w.Active(a.Target):
		return fault.Invalid(field, "请选择在岗的工作人员")
	case a.Target == a.Actor.ID || a.Target == t.WorkerID:
		return fault.Invalid(field, "该人员已是办理人")
	case m.d.State(t.State).NotInitiator && a.Target == m.i.Initiator.ID:
		return fault.Invalid(field, "不能交由发起人办理")
	}
	for _, other := range m.i.Tasks {
		if other.Round == m.i.Round && other.ID != t.ID && other.WorkerID == a.Target && (other.Status == Open || other.Status == Waiting) {
			return fault.Invalid(field, "该人员已在本环节办理人之中")
		}
	}
	return nil
}

// add seats one more signer, before or after the task. Before: the task waits.
func (m *move) add(s *definition.State, t *Task, a Act) error {
	if t.Kind != Seated {
		return fault.New(fault.Conflict, "加签人不能再加签")
	}
	added := 0
	for _, other := range m.i.Tasks {
		if other.Round == m.i.Round && other.ParentID != "" {
			added++
		}
	}
	if added >= maxAdded {
		return fault.New(fault.Conflict, "本环节加签已达 %d 人", maxAdded)
	}
	task := Task{ID: m.w.NewID(), Round: m.i.Round, State: t.State, Seq: t.Seq, Kind: After, ParentID: t.ID, Status: Waiting, WorkerID: a.Target}
	if a.Action == AddBefore {
		task.Kind = Before
		m.e.Closed = append(m.e.Closed, t.ID)
		t.Status, t.CheckAt = Waiting, nil
	}
	m.i.Tasks = append(m.i.Tasks, task) // t is stale from here on
	if task.Kind == Before {
		m.open(&m.i.Tasks[len(m.i.Tasks)-1], s)
	}
	return nil
}

// returnPrevious goes back to the state that was left last.
func (m *move) returnPrevious(t *Task, a Act) error {
	if len(m.i.Trail) == 0 || t.Kind != Seated {
		return fault.New(fault.Conflict, "没有可退回的上一环节")
	}
	if a.Comment == "" {
		return fault.Invalid("input.comment", "请填写退回意见")
	}
	to := m.i.Trail[len(m.i.Trail)-1]
	m.i.Decided = true
	m.close(t, a)
	m.line(a, t, Line{To: to})
	m.cancel("")
	m.i.Trail = m.i.Trail[:len(m.i.Trail)-1]
	return m.enter(to)
}

// returnInitiator lets the initiator amend and submit again.
func (m *move) returnInitiator(t *Task, a Act) error {
	if m.i.Initiator.Kind != access.Worker || t.Kind != Seated {
		return fault.New(fault.Conflict, "该流程不能退回发起人")
	}
	if a.Comment == "" {
		return fault.Invalid("input.comment", "请填写退回意见")
	}
	m.i.Decided = true
	m.close(t, a)
	m.line(a, t, Line{To: AtInitiator})
	m.cancel("")
	m.i.Trail = append(m.i.Trail, m.i.State)
	if err := m.round(AtInitiator); err != nil {
		return err
	}
	m.i.DueAt = nil
	amends := m.initiators()
	m.i.Tasks = append(m.i.Tasks, Task{ID: m.w.NewID(), Round: m.i.Round, State: AtInitiator, Kind: Amend, Status: Waiting, WorkerID: amends.WorkerID, Post: amends.Post})
	m.open(&m.i.Tasks[len(m.i.Tasks)-1], nil)
	return nil
}
