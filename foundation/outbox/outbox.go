// Package outbox makes a change and its events one: Append writes the events
// into the subgraph's outbox table in the transaction of the change, Relay
// hands what was committed to JetStream. No event is lost when a process dies
// in between, and none goes out for a change that was rolled back.
//
// Start reading at Append, then Relay in relay.go. Each subgraph's first
// migration makes its table:
//
//	CREATE TABLE <subgraph>.outbox (
//	    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
//	    id        uuid        NOT NULL,
//	    subject   text        NOT NULL,
//	    area_code text        NOT NULL DEFAULT '',
//	    at        timestamptz NOT NULL DEFAULT now(),
//	    payload   jsonb       NOT NULL
//	);
package outbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
)

// Message is an event to be: the payload is any value that encodes to JSON.
type Message struct {
	Subject  string // "<subgraph>.<concept>.<verb>"
	AreaCode string
	Payload  any
}

// Append writes the messages into the subgraph's outbox, in order, and wakes
// its relay at commit. subgraph is one of our schemas' names, never input.
func Append(ctx context.Context, tx sqlx.ExtContext, subgraph string, messages ...Message) error {
	if len(messages) == 0 {
		return nil
	}
	for _, message := range messages {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
		payload, err := json.Marshal(message.Payload)
		if err != nil {
			return fmt.Errorf("outbox: %s: %w", message.Subject, err)
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO `+subgraph+`.outbox (id, subject, area_code, payload) VALUES ($1, $2, $3, $4)`,
			id.String(), message.Subject, message.AreaCode, string(payload))
		if err != nil {
			return fmt.Errorf("outbox: writing %s: %w", message.Subject, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_notify($1, '')`, channel(subgraph)); err != nil {
		return fmt.Errorf("outbox: waking the relay: %w", err)
	}
	database.Announce(ctx)
	return nil
}

func channel(subgraph string) string { return "outbox_" + subgraph }
