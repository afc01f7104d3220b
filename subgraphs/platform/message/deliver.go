package message

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
)

const (
	handful = 200 // deliveries that one worker takes at once
	atOnce  = 16  // of them handed over at the same time
)

// DeliverInside makes a handful of the due deliveries within the platform and
// gives how many: the notification, its event and the delivery's state are one
// transaction, so that none comes twice and none is lost.
func (s *Service) DeliverInside(ctx context.Context) (int, error) {
	ctx = access.AsSystem(ctx, "message")
	done := 0
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		now := s.Now()
		taken, err := takeInside(ctx, tx, now, handful)
		if err != nil || len(taken) == 0 {
			return err
		}
		var ids, messages []string
		byMessage := map[string][]notification.Placed{}
		for _, d := range taken {
			if !slices.Contains(messages, d.MessageID) {
				messages = append(messages, d.MessageID)
			}
			ids = append(ids, d.ID)
			byMessage[d.MessageID] = append(byMessage[d.MessageID], notification.Placed{ID: d.ID, Kind: d.RecipientKind, RecipientID: d.RecipientID})
		}
		for _, id := range messages {
			of := taken[slices.IndexFunc(taken, func(d claimed) bool { return d.MessageID == id })]
			err := notification.Place(ctx, tx, notification.Placing{RequestID: id, Topic: rules[of.Class].topic, Title: of.Title, Body: of.Body, Link: of.Link,
				CreatedAt: now, To: byMessage[id]})
			if err != nil {
				return err
			}
		}
		done = len(taken)
		if err := finishInside(ctx, tx, ids, now); err != nil {
			return err
		}
		return announceProgress(ctx, tx, messages...)
	})
	return done, err
}

// claimed is a delivery that this process has taken, with what it needs.
type claimed struct {
	ID            string        `db:"id"`
	MessageID     string        `db:"message_id"`
	Channel       Channel       `db:"channel"`
	Class         class         `db:"class"`
	State         DeliveryState `db:"state"`
	Attempts      int           `db:"attempts"`
	Provider      string        `db:"provider"`
	RecipientKind access.Kind   `db:"recipient_kind"`
	RecipientID   string        `db:"recipient_id"`
	Title         string        `db:"title"`
	Body          string        `db:"body"`
	Link          string        `db:"link"`
	Mobile        []byte        `db:"mobile"` // sealed
	DeviceID      *string       `db:"device_id"`
	Vendor        *string       `db:"vendor"`
	Token         []byte        `db:"token"` // sealed
}

// outcome is what became of handing a delivery over.
type outcome struct {
	id       string
	state    DeliveryState
	reason   string
	ref      string
	next     *time.Time
	accepted bool
}

// DeliverOutside hands a handful of the due deliveries to providers and gives
// how many. Which provider it is stands in the row before: a process that dies
// in between leaves the row to another one, which hands it to the same
// provider under the same key, and that sends it once.
func (s *Service) DeliverOutside(ctx context.Context) (int, error) {
	ctx = access.AsSystem(ctx, "message")
	var taken []claimed
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) (err error) {
		now := s.Now()
		if taken, err = takeOutside(ctx, tx, now, handful); err != nil || len(taken) == 0 {
			return err
		}
		for i := range taken {
			s.choose(&taken[i])
		}
		return claim(ctx, tx, taken, now.Add(lease))
	})
	if err != nil || len(taken) == 0 {
		return 0, err
	}
	outcomes := make([]outcome, len(taken))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range taken {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			outcomes[i] = s.handOver(ctx, taken[i])
		})
	}
	wait.Wait()
	return len(taken), s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := record(ctx, tx, outcomes, s.Now()); err != nil {
			return err
		}
		var messages []string
		for _, d := range taken {
			messages = append(messages, d.MessageID)
		}
		slices.Sort(messages)
		return announceProgress(ctx, tx, slices.Compact(messages)...)
	})
}

// choose says who is to carry the delivery: the one that may have it already,
// else another one than refused it.
func (s *Service) choose(d *claimed) {
	switch {
	case d.State == InTransit && d.Provider != "":
	case d.Channel == SMS:
		d.Provider = s.Texts.Choose(d.Provider)
	case d.Vendor != nil:
		d.Provider = *d.Vendor
	}
	d.Attempts++
}

func (s *Service) handOver(ctx context.Context, d claimed) outcome {
	ref, err := s.carry(ctx, d)
	out := outcome{id: d.ID, ref: ref, state: InTransit, accepted: true}
	if err == nil {
		if d.Channel == Push { // push services tell no more than that they have it
			out.state = Delivered
			return out
		}
		overdue := s.Now().Add(s.ReceiptTimeout)
		out.next = &overdue
		return out
	}
	out.accepted = false
	refused := carrier.Refused(err)
	next := s.Now().Add(pause(d.ID, d.Attempts))
	switch {
	case refused != nil && refused.Permanent:
		out.state, out.reason = PermanentFailure, refused.Reason
	case d.Attempts >= maxAttempts:
		out.state, out.reason = TechnicalFailure, reasonExhausted
	case refused != nil:
		out.state, out.reason, out.next = TemporaryFailure, refused.Reason, &next
	default: // perhaps it was taken: only the same provider can tell, by the key
		s.Log.WarnContext(ctx, "no answer about a message", "delivery", d.ID, "provider", d.Provider, "error", err)
		out.reason, out.next = "NO_ANSWER", &next
	}
	return out
}

func (s *Service) carry(ctx context.Context, d claimed) (string, error) {
	switch {
	case d.Channel == SMS && d.Mobile != nil:
		mobile, err := s.Keys.Open("citizen.mobile/"+d.RecipientID, d.Mobile)
		if err != nil {
			return "", &carrier.Refusal{Reason: "SEALED"}
		}
		return s.Texts.Submit(ctx, d.Provider, carrier.Text{Key: d.ID, Mobile: mobile, Text: "【市民云】" + d.Title + "：" + d.Body})
	case d.Channel == Push && d.Vendor != nil:
		token, err := s.Keys.Open(pushPlace+*d.DeviceID, d.Token)
		if err != nil {
			return "", &carrier.Refusal{Reason: "SEALED"}
		}
		return s.Pushes.Push(ctx, *d.Vendor, carrier.Notice{Key: d.ID, Token: token, Title: d.Title, Body: d.Body, Link: d.Link})
	default:
		return "", &carrier.Refusal{Permanent: true, Reason: reasonNoAddress}
	}
}
