package engine

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// maxEscalation is how many superiors are called one after the other.
const maxEscalation = 3

// system is who acts when a time limit runs out.
var system = Person{Kind: access.System, ID: "workflow"}

// late looks at the task's time limit: when it has run out, the superior unit's
// role is called, who may sign too, and the task is looked at again after as many work
// days. false when there is nothing to do: so looking twice does no harm.
func (m *move) late(t *Task) bool {
	s := m.d.State(t.State)
	if m.i.Status != Running || t.Status != Open || s == nil || !later(t.CheckAt, m.w.Now) {
		return false
	}
	t.CheckAt = nil
	t.Escalation++
	if s.Escalate != "" {
		from := t.Superior.Area
		if from == "" {
			from = t.Post.Area
		}
		if from == "" {
			from = m.i.AreaCode
		}
		if above := division.Parent(from); above != "" {
			t.Superior, _ = m.post(s.Escalate, above, false)
			m.e.Passed = append(m.e.Passed, t.ID)
			if t.Escalation < maxEscalation && division.Parent(t.Superior.Area) != "" && s.Workdays > 0 {
				next := m.w.Due(s.Workdays)
				t.CheckAt = &next
			}
		}
	}
	m.e.Lines = append(m.e.Lines, Line{Action: Overdue, From: m.i.State, To: m.i.State, Actor: system, TaskID: t.ID})
	return true
}

// CheckTime takes the time limits of all tasks of the instance that have run
// out. false when none has.
func CheckTime(d *definition.Definition, i Instance, w World) (Instance, Effects, bool) {
	m := &move{d: d, w: w, i: i.clone()}
	called := false
	for n := range m.i.Tasks {
		if m.late(&m.i.Tasks[n]) {
			called = true
		}
	}
	if !called {
		return i, Effects{}, false
	}
	m.i.Version++
	return m.i, m.e, true
}
