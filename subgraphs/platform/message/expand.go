package message

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

const (
	batch = 1000 // people expanded in one transaction
	// stalled is how long a batch may take before its event counts as lost.
	stalled = time.Minute
)

// Stepped takes the message of the event one batch further. An event that was
// done already, or comes twice, changes nothing.
func (s *Service) Stepped(ctx context.Context, e event.Event) error {
	var asked step
	if err := e.Read(&asked); err != nil {
		s.Log.ErrorContext(ctx, "message step cannot be read", "event", e.ID, "error", err)
		return nil
	}
	err := s.Step(ctx, asked.MessageID, asked.Step)
	if err != nil {
		s.Log.WarnContext(ctx, "message not taken further, will try again", "message", asked.MessageID, "error", err)
	}
	return err
}

// Step does the numbered batch: deliveries, how far the message has come and
// the event for the next batch are one transaction.
func (s *Service) Step(ctx context.Context, id string, number int) error {
	ctx = access.AsSystem(ctx, "message")
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		m, err := byID(ctx, tx, id, "FOR UPDATE")
		if fault.CodeOf(err) == fault.NotFound || err == nil && (m.Step != number || m.Cleared) {
			return nil
		}
		if err != nil {
			return err
		}
		switch m.State {
		case Scheduled, Expanding:
			err = s.expand(ctx, tx, m)
		case Recalled:
			err = s.clear(ctx, tx, m)
		default:
			return nil
		}
		if err != nil {
			return err
		}
		return announceProgress(ctx, tx, m.ID)
	})
	s.stir()
	return err
}

// expand makes the deliveries of the next people.
func (s *Service) expand(ctx context.Context, tx *sqlx.Tx, m *Message) error {
	now := s.Now()
	if m.State == Scheduled && m.SendAt.After(now) {
		return nil
	}
	m.State = Expanding
	if rules[m.Class].Cap > 0 { // two messages of a class at once would both find room under the cap
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, "message.cap."+string(m.Class)); err != nil {
			return err
		}
	}
	people, err := people(ctx, tx, m, now.Add(-capWindow), now)
	if err != nil {
		return err
	}
	deliveries := make([]delivery, 0, len(people)*len(m.Channels))
	for _, p := range people {
		for _, c := range m.Channels {
			d, err := m.deliver(p, c, now)
			if err != nil {
				return err
			}
			deliveries = append(deliveries, d)
		}
	}
	if err := insertDeliveries(ctx, tx, m, deliveries, now); err != nil {
		return err
	}
	m.Step++
	m.PeopleCount += len(people)
	if len(people) > 0 {
		last := people[len(people)-1]
		m.After, m.AfterArea = last.ID, last.Area
	}
	if len(people) < batch || m.Audience == Person {
		m.State = Sending
	} else if err := announceStep(ctx, tx, m.ID, m.Step); err != nil {
		return err
	}
	return advance(ctx, tx, m, now)
}

// person is one of the audience, with what decides how to reach them.
type person struct {
	ID      string      `db:"id"`
	Kind    access.Kind `db:"kind"`
	Area    string      `db:"area_code"`
	Mobile  bool        `db:"has_mobile"`
	Device  bool        `db:"has_device"`
	Allowed bool        `db:"allowed"`
	Recent  int         `db:"recent"` // messages of the class in the window
}

// delivery is a new one, before it is written.
type delivery struct {
	id     string
	person person
	on     Channel
	state  DeliveryState
	reason string
	nextAt *time.Time
}

func (m *Message) deliver(p person, on Channel, now time.Time) (delivery, error) {
	id, err := identifier.New()
	if err != nil {
		return delivery{}, err
	}
	d := delivery{id: id, person: p, on: on, state: Created}
	rule := rules[m.Class]
	switch {
	case rule.MayOptOut && !p.Allowed:
		d.reason = reasonOptedOut
	case rule.Cap > 0 && p.Recent >= rule.Cap:
		d.reason = reasonCapped
	case on == SMS && !p.Mobile, on == Push && !p.Device:
		d.reason = reasonNoAddress
	}
	if d.reason != "" {
		d.state = Cancelled
		return d, nil
	}
	at := due(m.Class, on, now)
	d.nextAt = &at
	return d, nil
}

func (m *Message) urgent() bool { return m.Class == messagetemplate.Emergency }

// named are the people of a message to persons.
func (m *Message) named() []string {
	if m.PeopleList == "" {
		return nil
	}
	return strings.Split(m.PeopleList, ",")
}
