// Package notice announces what happened in the supply subgraph: the event for
// other processes, and the notification for the people whom it concerns, which
// the platform delivers.
//
// Start reading at Announce.
package notice

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// Request asks the platform for a notification.
type Request struct {
	RequestID string    `json:"requestId"`
	Recipient Recipient `json:"recipient"`
	Topic     string    `json:"topic"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Link      string    `json:"link"`
}

// Recipient is a citizen, or those workers of exactly one area who may do the action.
type Recipient struct {
	CitizenID string `json:"citizenId,omitempty"`
	AreaCode  string `json:"areaCode,omitempty"`
	Action    string `json:"action,omitempty"`
}

// Reviewers are the city's workers who may do the review.
func Reviewers(action access.Action) Recipient {
	return Recipient{AreaCode: division.CityCode, Action: string(action)}
}

// Announce writes the event of a change into the outbox, and the notification
// that comes with it, if any.
func Announce(ctx context.Context, tx sqlx.ExtContext, subject, areaCode string, payload any, notice *Request) error {
	messages := []outbox.Message{{Subject: subject, AreaCode: areaCode, Payload: payload}}
	if notice != nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		notice.RequestID = id.String()
		messages = append(messages, outbox.Message{Subject: "supply.notification.requested", AreaCode: areaCode, Payload: notice})
	}
	return outbox.Append(ctx, tx, "supply", messages...)
}
