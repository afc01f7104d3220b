package engine

import (
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// maxEach bounds the holders of a role who each get a seat.
const maxEach = 50

// Begin makes an instance stand in the definition's first state. The instance
// given carries what it is about: ID, area, initiator, variables.
func Begin(d *definition.Definition, i Instance, comment string, w World) (Instance, Effects, error) {
	i.Status, i.Version, i.State = Running, 1, ""
	m := &move{d: d, w: w, i: i}
	m.e.Lines = []Line{{Action: Start, To: d.Start, Actor: i.Initiator, Comment: comment}}
	if err := m.enter(d.Start); err != nil {
		return Instance{}, Effects{}, err
	}
	return m.i, m.e, nil
}

// round counts the state entered.
func (m *move) round(state string) error {
	if m.i.Round >= maxRounds {
		return fault.New(fault.Conflict, "流转次数已达 %d 次，请撤回后重新发起", maxRounds)
	}
	m.i.Round++
	m.i.State = state
	return nil
}

// enter puts the instance into the state and seats its people.
func (m *move) enter(name string) error {
	if err := m.round(name); err != nil {
		return err
	}
	s := m.d.State(name)
	m.i.DueAt = nil
	if s.Kind == definition.KindEnd {
		m.i.Status, m.i.Outcome = Ended, s.Outcome
		for _, seat := range m.d.Cc {
			m.e.Cc = append(m.e.Cc, m.seats(seat, false)...)
		}
		return nil
	}
	if s.Kind == definition.KindWait {
		return nil
	}
	if s.Workdays > 0 {
		due := m.w.Due(s.Workdays)
		m.i.DueAt = &due
	}
	first := len(m.i.Tasks)
	taken := map[Seat]bool{}
	for _, seat := range s.Seats {
		for _, place := range m.seats(seat, s.NotInitiator) {
			if !taken[place] { // nobody signs twice in one round
				taken[place] = true
				m.i.Tasks = append(m.i.Tasks, Task{ID: m.w.NewID(), Round: m.i.Round, State: name, Seq: len(m.i.Tasks) - first, Kind: Seated,
					Status: Waiting, WorkerID: place.WorkerID, Post: place.Post})
			}
		}
	}
	if len(m.i.Tasks) == first {
		return fault.New(fault.Conflict, "“%s”没有可以办理的人员", s.Label)
	}
	for n := first; n < len(m.i.Tasks); n++ {
		m.open(&m.i.Tasks[n], s)
		if s.Sign == definition.SignSequential {
			break
		}
	}
	return nil
}

// open puts the task into its people's inbox and lets its time limit run.
func (m *move) open(t *Task, s *definition.State) {
	now := m.w.Now
	t.Status, t.OpenedAt = Open, &now
	if t.DueAt == nil {
		t.DueAt = m.i.DueAt
	}
	if s != nil && s.Workdays > 0 && s.Sign == definition.SignSequential || t.Kind == Before || t.Kind == After {
		t.DueAt = nil // each has the time for oneself
		if s.Workdays > 0 {
			due := m.w.Due(s.Workdays)
			t.DueAt = &due
		}
	}
	if t.Escalation == 0 {
		t.CheckAt = t.DueAt
	}
	m.e.Opened = append(m.e.Opened, t.ID)
}

// seats finds who takes the seat. Where nobody holds the role, the next area
// above is asked, so that no task waits for nobody; the last resort is the post
// itself, which somebody may be given. Who began may be left out.
func (m *move) seats(seat definition.Seat, notInitiator bool) []Seat {
	if seat.Initiator {
		if m.i.Initiator.Kind != access.Worker {
			return nil
		}
		return []Seat{m.initiators()}
	}
	if seat.Variable != "" {
		var named []Seat
		for _, id := range definition.IDs(m.i.Variables, seat.Variable) {
			if m.w.Active(id) && !(notInitiator && id == m.i.Initiator.ID) {
				named = append(named, Seat{WorkerID: id})
			}
		}
		if len(named) > 0 || seat.Role == "" {
			return named
		}
	}
	post, holders := m.post(seat.Role, definition.AreaAt(m.i.AreaCode, seat.Level), notInitiator)
	if !seat.Each || len(holders) == 0 {
		return []Seat{{Post: post}}
	}
	places := make([]Seat, 0, len(holders))
	for _, id := range holders[:min(len(holders), maxEach)] {
		places = append(places, Seat{WorkerID: id})
	}
	return places
}

// post finds the role's nearest holders at the area or above.
func (m *move) post(role access.Role, area string, notInitiator bool) (Post, []string) {
	for code := area; code != ""; code = division.Parent(code) {
		post := Post{Role: role, Area: code}
		holders := m.w.Holders(post)
		if notInitiator {
			holders = slices.DeleteFunc(slices.Clone(holders), func(id string) bool { return id == m.i.Initiator.ID })
		}
		if len(holders) > 0 {
			return post, holders
		}
	}
	return Post{Role: role, Area: area}, nil
}

func later(a *time.Time, b time.Time) bool { return a != nil && !a.After(b) }
