package message

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
)

// ChannelStatistics count the deliveries of a message through one channel.
type ChannelStatistics struct {
	Channel          Channel `db:"channel"`
	Total            int     `db:"total"`
	Waiting          int     `db:"waiting"`   // to be sent, or to be tried again
	Sending          int     `db:"sending"`   // handed over, no receipt yet
	Delivered        int     `db:"delivered"` // also what was called back later
	PermanentFailure int     `db:"permanent"`
	TechnicalFailure int     `db:"technical"`
	Unknown          int     `db:"unknown"` // without a receipt in time
	OptedOut         int     `db:"opted_out"`
	Capped           int     `db:"capped"`
	NoAddress        int     `db:"no_address"`
	Recalled         int     `db:"recalled"`
	Read             int     `db:"read"`
	Clicked          int     `db:"clicked"`
}

// MessageProgress is how far a message has come.
type MessageProgress struct {
	MessageID   string
	State       State
	PeopleCount int
	Channels    []*ChannelStatistics
}

// Statistics gives the figures of the message, which the caller has: the rows
// counted are the recipients', of whom nothing but numbers is told.
func (s *Service) Statistics(ctx context.Context, m *Message) ([]*ChannelStatistics, error) {
	if _, err := access.RequireArea(ctx, access.NoticeSend, m.AreaCode); err != nil {
		return nil, err
	}
	ctx = access.AsSystem(ctx, "message")
	list := []*ChannelStatistics{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &list, `
			SELECT channel, sum(n) AS total, coalesce(sum(n) FILTER (WHERE state IN ('CREATED', 'TEMPORARY_FAILURE')), 0) AS waiting,
				coalesce(sum(n) FILTER (WHERE state = 'SENDING'), 0) AS sending, coalesce(sum(n) FILTER (WHERE state = 'DELIVERED'), 0) AS delivered,
				coalesce(sum(n) FILTER (WHERE state = 'PERMANENT_FAILURE'), 0) AS permanent, coalesce(sum(n) FILTER (WHERE state = 'TECHNICAL_FAILURE'), 0) AS technical,
				coalesce(sum(n) FILTER (WHERE state = 'UNKNOWN'), 0) AS unknown,
				coalesce(sum(n) FILTER (WHERE reason = 'OPTED_OUT'), 0) AS opted_out, coalesce(sum(n) FILTER (WHERE reason = 'CAPPED'), 0) AS capped,
				coalesce(sum(n) FILTER (WHERE state = 'CANCELLED' AND reason = 'NO_ADDRESS'), 0) AS no_address,
				coalesce(sum(n) FILTER (WHERE reason = 'RECALLED'), 0) AS recalled, coalesce(sum(clicked), 0) AS clicked,
				CASE WHEN channel = 'IN_APP' THEN (SELECT count(*) FROM platform.notification x WHERE x.request_id = $1 AND x.read_at IS NOT NULL) ELSE 0 END AS read
			FROM (SELECT channel, state, reason, count(*) AS n, count(clicked_at) AS clicked FROM platform.message_delivery WHERE message_id = $1
				GROUP BY channel, state, reason) AS counted
			GROUP BY channel ORDER BY channel`, m.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("message: statistics: %w", err)
	}
	return list, nil
}

func (s *Service) progress(ctx context.Context, id string) (*MessageProgress, error) {
	m, err := s.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	channels, err := s.Statistics(ctx, m)
	if err != nil {
		return nil, err
	}
	return &MessageProgress{MessageID: m.ID, State: m.State, PeopleCount: m.PeopleCount, Channels: channels}, nil
}

// Live is where events come from at once; *event.Bus is the real one.
type Live interface {
	Live(ctx context.Context, subject string) (<-chan event.Event, error)
}

// rest is the least time between two figures of one subscription: a sending of
// thousands must not ask for its statistics thousands of times.
const rest = 300 * time.Millisecond

// Progress gives the message's figures at once, and again whenever they have
// changed, until the context ends or the caller may no longer see them.
func (s *Service) Progress(ctx context.Context, id string) (<-chan *MessageProgress, error) {
	ctx, cancel := context.WithCancel(ctx)
	events, err := s.Live.Live(ctx, progressedSubject) // before the first look: nothing is missed
	if err != nil {
		cancel()
		return nil, err
	}
	first, err := s.progress(ctx, id)
	if err != nil {
		cancel()
		return nil, err
	}
	out := make(chan *MessageProgress, 1)
	out <- first
	go func() {
		defer close(out)
		defer cancel()
		for changed(ctx, events, first.MessageID) {
			p, err := s.progress(ctx, id)
			if err != nil {
				return
			}
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// changed waits for an event of the message, and rests; what comes meanwhile
// is in the next figures too.
func changed(ctx context.Context, events <-chan event.Event, id string) bool {
	var ripe <-chan time.Time
	for {
		select {
		case e, more := <-events:
			if !more {
				return false
			}
			var p Progressed
			if ripe == nil && e.Read(&p) == nil && p.MessageID == id {
				ripe = time.After(rest)
			}
		case <-ripe:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
