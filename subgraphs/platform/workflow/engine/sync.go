package engine

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// Report is what the module of an external definition says of one of its
// instances: where it stands now, and what brought it there.
type Report struct {
	State   string
	Action  string
	Actor   Person
	Comment string
	DueAt   *time.Time // the module's time limit; nil leaves the definition's
}

// Follow brings an external instance to where its module says that it stands.
// The variables, such as the assignee, are in the instance already.
func Follow(d *definition.Definition, i Instance, r Report, w World) (Instance, Effects, error) {
	if !d.External {
		return Instance{}, Effects{}, fault.New(fault.Conflict, "该流程不由业务模块驱动")
	}
	s := d.State(r.State)
	if s == nil {
		return Instance{}, Effects{}, fault.New(fault.InvalidInput, "流程“%s”没有状态“%s”", d.Key, r.State)
	}
	m := &move{d: d, w: w, i: i.clone()}
	from := m.i.State
	m.e.Lines = []Line{{Action: r.Action, From: from, To: r.State, Actor: r.Actor, Comment: r.Comment}}
	called := m.called()
	switch {
	case from == r.State && s.Kind != definition.KindTask:
		// nothing is anybody's to do, before or after
	default:
		m.settle(Act{Action: r.Action, Actor: Actor{Person: r.Actor}})
		if from != "" && from != r.State {
			m.i.Trail = keepLast(append(m.i.Trail, from), maxTrail)
		}
		m.i.Status, m.i.Outcome = Running, ""
		m.i.Round = min(m.i.Round, maxRounds-1) // a module's instance is not cut off
		if err := m.enter(r.State); err != nil {
			return Instance{}, Effects{}, err
		}
	}
	if r.DueAt != nil && s.Kind == definition.KindTask {
		m.due(*r.DueAt, called)
	}
	m.i.Version++
	return m.i, m.e, nil
}

// maxTrail bounds the way that is remembered of an external instance.
const maxTrail = 50

func keepLast(trail []string, n int) []string { return trail[max(0, len(trail)-n):] }

// settle ends the open tasks: the actor's as done, the others' without.
func (m *move) settle(a Act) {
	for n := range m.i.Tasks {
		t := &m.i.Tasks[n]
		if t.Status != Open {
			continue
		}
		if a.Actor.Kind == access.Worker {
			m.close(t, a)
			continue
		}
		m.drop(t)
	}
	m.cancel("")
}

// called gives the task whose superior was called, nil if none was.
func (m *move) called() *Task {
	for _, t := range m.i.Tasks {
		if t.Status == Open && t.Escalation > 0 {
			return &t
		}
	}
	return nil
}

// due sets the module's time limit for all that is open. A superior who was
// called because of the same limit stays called, and is not called again.
func (m *move) due(at time.Time, called *Task) {
	m.i.DueAt = &at
	for n := range m.i.Tasks {
		t := &m.i.Tasks[n]
		if t.Status != Open {
			continue
		}
		t.DueAt, t.CheckAt = &at, &at
		if called != nil && called.DueAt != nil && called.DueAt.Equal(at) {
			t.Escalation, t.Superior, t.CheckAt = called.Escalation, called.Superior, called.CheckAt
		}
	}
}
