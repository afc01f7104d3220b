package engine

import (
	"slices"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// HandOver takes the tasks that are not decided from a worker who left: the
// successor gets them; with no successor, or one who may not have the task, it
// goes back to the queue of the role that the state seats, or, where the worker
// was named in person, to the supervisors of the area. An added signer who has
// no successor signs no more, and the instance goes on without. What was
// delegated to the worker is the holder's alone again. false when there is
// nothing to do: so an event that comes twice does no harm. What a module keeps
// (an external definition) the module hands over itself.
func HandOver(d *definition.Definition, i Instance, from, successor string, w World) (Instance, Effects, bool, error) {
	if i.Status != Running || d.External || from == "" {
		return i, Effects{}, false, nil
	}
	m := &move{d: d, w: w, i: i.clone()}
	var concerned []string
	for _, t := range m.i.Tasks {
		if live(t) && (t.WorkerID == from || t.DelegateID == from) {
			concerned = append(concerned, t.ID)
		}
	}
	for _, id := range concerned {
		t := m.i.Task(id)
		if !live(*t) { // an earlier one has moved the instance on
			continue
		}
		if t.DelegateID == from {
			t.DelegateID, t.DelegateUntil = "", nil
			m.e.Passed = append(m.e.Passed, t.ID)
			m.left(t, from, t.WorkerID)
		}
		if t.WorkerID == from {
			if err := m.handOver(t, from, successor); err != nil {
				return Instance{}, Effects{}, false, err
			}
		}
	}
	if len(m.e.Lines) == 0 {
		return i, Effects{}, false, nil
	}
	m.i.Version++
	return m.i, m.e, true, nil
}

func live(t Task) bool { return t.Status == Open || t.Status == Waiting }

// left records that the task went from who left to somebody, "" to a queue.
func (m *move) left(t *Task, from, to string) {
	m.e.Lines = append(m.e.Lines, Line{Action: HandedOver, From: m.i.State, To: m.i.State, Actor: system, For: from, TaskID: t.ID, Target: to})
}

// handOver gives one task to the successor or back to its queue.
func (m *move) handOver(t *Task, from, successor string) error {
	s := m.d.State(t.State)
	barred := s != nil && s.NotInitiator && successor == m.i.Initiator.ID
	if successor != "" && successor != from && m.w.Active(successor) && !barred {
		if m.takes(Seat{WorkerID: successor}, t) {
			return m.drops(s, t, from, successor)
		}
		t.WorkerID, t.DelegateID, t.DelegateUntil = successor, "", nil
		m.e.Passed = append(m.e.Passed, t.ID)
		m.left(t, from, successor)
		return nil
	}
	if t.Kind == Before || t.Kind == After {
		return m.drops(s, t, from, "")
	}
	post := m.queue(s, from)
	if m.takes(Seat{Post: post}, t) {
		return m.drops(s, t, from, "")
	}
	t.WorkerID, t.Post = "", post
	m.e.Passed = append(m.e.Passed, t.ID)
	m.left(t, from, "")
	return nil
}

// takes says whether another live task of the round has the same people:
// nobody signs twice. That one of them also signs as an added signer takes
// nobody's seat.
func (m *move) takes(place Seat, instead *Task) bool {
	return slices.ContainsFunc(m.i.Tasks, func(t Task) bool {
		return t.ID != instead.ID && live(t) && t.Round == m.i.Round && t.WorkerID == place.WorkerID && t.Post == place.Post &&
			(t.Kind == Seated || instead.Kind != Seated)
	})
}

// drops ends the task with all who were added to it, and goes on as if it had
// been signed when it was its turn.
func (m *move) drops(s *definition.State, t *Task, from, to string) error {
	turn := t.Status == Open
	m.drop(t)
	for n := range m.i.Tasks {
		if added := &m.i.Tasks[n]; added.ParentID == t.ID && live(*added) {
			turn = turn || added.Status == Open
			m.drop(added)
		}
	}
	m.left(t, from, to)
	if !turn || s == nil {
		return nil
	}
	return m.signed(s, t)
}

// queue is the post that a task goes back to when the worker, whom the seats
// of the state found, has left.
func (m *move) queue(s *definition.State, from string) Post {
	if s == nil { // the initiator's own, to amend
		return m.supervisors()
	}
	var found *definition.Seat
	for n := range s.Seats {
		seat := &s.Seats[n]
		if seat.Variable != "" && slices.Contains(definition.IDs(m.i.Variables, seat.Variable), from) {
			found = seat
			break
		}
		if found == nil && seat.Role != "" && seat.Variable == "" {
			found = seat
		}
	}
	role, area := access.Supervisor, m.i.AreaCode
	switch {
	case found != nil && found.Role != "":
		role, area = found.Role, definition.AreaAt(m.i.AreaCode, found.Level)
	case s.Escalate != "":
		role = s.Escalate
	}
	post, _ := m.post(role, area, s.NotInitiator)
	return post
}

// supervisors do what nobody else is left to do.
func (m *move) supervisors() Post {
	post, _ := m.post(access.Supervisor, m.i.AreaCode, false)
	return post
}

// initiators is who does the initiator's part: the supervisors when the
// initiator has left.
func (m *move) initiators() Seat {
	if id := m.i.Initiator.ID; m.w.Active(id) {
		return Seat{WorkerID: id}
	}
	return Seat{Post: m.supervisors()}
}
