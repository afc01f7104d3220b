package notification

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

const (
	requested      = "*.notification.requested"
	createdSubject = "platform.notification.created"
	durable        = "platform-notification"
)

// Consumer is where requests come from; *event.Bus is the real one.
type Consumer interface {
	Consume(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error
}

// Run fulfils the requests of all subgraphs until the context ends.
func (s *Service) Run(ctx context.Context, from Consumer) error {
	return from.Consume(ctx, durable, requested, s.Fulfil)
}

// Fulfil makes the notifications that the event asks for. One that cannot be
// fulfilled is logged and done with; an error says that it may work later.
func (s *Service) Fulfil(ctx context.Context, e event.Event) error {
	var request Request
	if err := e.Read(&request); err != nil {
		s.Log.ErrorContext(ctx, "notification request cannot be read", "event", e.ID, "subject", e.Subject, "error", err)
		return nil
	}
	ctx = access.AsSystem(ctx, "notification")
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		_, err := s.Make(ctx, tx, request)
		return err
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "notification not made, will try again", "event", e.ID, "error", err)
	}
	return err
}

// Make makes the request's notifications and their events in the transaction,
// which is the system's, and gives how many are new. Those that an equal
// request made before are not made again.
func (s *Service) Make(ctx context.Context, tx sqlx.ExtContext, request Request) (int, error) {
	request, topic, ok := request.tidy()
	if !ok {
		s.Log.ErrorContext(ctx, "notification request cannot be fulfilled", "request", request.RequestID, "recipient", request.Recipient)
		return 0, nil
	}
	to, err := s.recipients(ctx, tx, request.Recipient)
	if err != nil || len(to) == 0 {
		return 0, err
	}
	now := s.Now()
	made, err := insert(ctx, tx, request, topic, to, now)
	if err != nil {
		return 0, err
	}
	var messages []outbox.Message
	for _, recipient := range to { // in order, not in the map's
		if id, ok := made[recipient]; ok {
			messages = append(messages, outbox.Message{Subject: createdSubject, AreaCode: request.Recipient.AreaCode, Payload: Created{
				NotificationID: id, RecipientKind: recipient.Kind, RecipientID: recipient.ID,
				Topic: topic, Title: request.Title, Body: request.Body, Link: request.Link, CreatedAt: now,
			}})
		}
	}
	return len(made), outbox.Append(ctx, tx, "platform", messages...)
}

func (s *Service) recipients(ctx context.Context, tx sqlx.ExtContext, a Addressee) ([]Recipient, error) {
	switch {
	case a.CitizenID != "":
		return []Recipient{{Kind: access.Citizen, ID: a.CitizenID}}, nil
	case a.WorkerID != "":
		return []Recipient{{Kind: access.Worker, ID: a.WorkerID}}, nil
	}
	ids, err := s.Workers.WhoMay(ctx, tx, a.AreaCode, a.Action)
	if err != nil {
		return nil, err
	}
	to := make([]Recipient, len(ids))
	for i, id := range ids {
		to[i] = Recipient{Kind: access.Worker, ID: id}
	}
	return to, nil
}
