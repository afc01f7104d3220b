package notification

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

const placedSubject = "platform.notification.placed"

// Placing is one text for many, whose notifications have IDs already. It is the
// payload of platform.notification.placed too: one event for all of them.
type Placing struct {
	RequestID string    `json:"requestId"`
	Topic     Topic     `json:"topic"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Link      string    `json:"link,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	To        []Placed  `json:"to"`
}

// Placed is one of the recipients.
type Placed struct {
	ID          string      `json:"id"`
	Kind        access.Kind `json:"kind"`
	RecipientID string      `json:"recipientId"`
}

// Place makes the notifications and their event in the transaction, which is
// the system's. Those that are there already stay as they are.
func Place(ctx context.Context, tx sqlx.ExtContext, p Placing) error {
	ids, kinds, recipients := make([]string, len(p.To)), make([]string, len(p.To)), make([]string, len(p.To))
	for i, to := range p.To {
		ids[i], kinds[i], recipients[i] = to.ID, string(to.Kind), to.RecipientID
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.notification (id, request_id, recipient_kind, recipient_id, topic, title, body, link, created_at)
		SELECT n.id, $4, n.kind, n.recipient, $5, $6, $7, $8, $9
		FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS n (id, kind, recipient)
		ON CONFLICT (request_id, recipient_id) DO NOTHING`,
		pq.Array(ids), pq.Array(kinds), pq.Array(recipients), p.RequestID, p.Topic, p.Title, p.Body, p.Link, p.CreatedAt)
	if err != nil {
		return fmt.Errorf("notification: placing: %w", err)
	}
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: placedSubject, Payload: p})
}
