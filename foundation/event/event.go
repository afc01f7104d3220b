// Package event carries what happened from the process that committed it to
// every process that wants to know: NATS JetStream, subjects
// event.<subgraph>.<concept>.<verb>.
//
// Start reading at Event and Bus; what must be taken in however long that lasts
// is in gather.go. Events are not published here by the
// concepts but through package outbox, in the transaction of the change.
package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Event is something that happened, and stays true.
type Event struct {
	ID       string          `json:"id"`      // UUIDv7; consumers drop what they have seen
	Subject  string          `json:"subject"` // "community.feedback.changed", without the prefix
	AreaCode string          `json:"areaCode,omitempty"`
	At       time.Time       `json:"at"`
	Payload  json.RawMessage `json:"payload"`
}

// Read decodes the payload.
func (e Event) Read(payload any) error {
	if err := json.Unmarshal(e.Payload, payload); err != nil {
		return fmt.Errorf("event: %s: reading the payload: %w", e.Subject, err)
	}
	return nil
}

const (
	stream     = "EVENTS"
	prefix     = "event."
	retention  = 7 * 24 * time.Hour
	duplicates = 10 * time.Minute
	// liveQueue is how many events a live listener may lag behind.
	liveQueue = 4096
)

// Bus is the connection to JetStream.
type Bus struct {
	conn *nats.Conn
	js   jetstream.JetStream
}

// Open makes sure that the stream exists; replicas is 1 for the embedded server.
func Open(ctx context.Context, conn *nats.Conn, replicas int) (*Bus, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("event: jetstream: %w", err)
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{prefix + ">"}, Storage: jetstream.FileStorage,
		MaxAge: retention, Duplicates: duplicates, Replicas: max(replicas, 1), Discard: jetstream.DiscardOld,
		MaxBytes: 2 << 30,
	})
	if err != nil {
		return nil, fmt.Errorf("event: stream %s: %w", stream, err)
	}
	if _, err := js.CreateOrUpdateStream(ctx, keptConfig(replicas)); err != nil {
		return nil, fmt.Errorf("event: stream %s: %w", keptStream, err)
	}
	return &Bus{conn: conn, js: js}, nil
}

// JetStream is the connection's, for who keeps a stream of another kind, such as logs.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// Publish hands the events over in order and returns when the stream has
// stored them all. An ID that was published before is stored once.
func (b *Bus) Publish(ctx context.Context, events []Event) error {
	acks := make([]jetstream.PubAckFuture, 0, len(events))
	for _, e := range events {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("event: %s: %w", e.Subject, err)
		}
		ack, err := b.js.PublishAsync(place(e.Subject), body, jetstream.WithMsgID(e.ID))
		if err != nil {
			return fmt.Errorf("event: publishing %s: %w", e.Subject, err)
		}
		acks = append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return fmt.Errorf("event: publishing: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// place is where the stream of the subject takes it.
func place(subject string) string {
	if strings.HasSuffix(subject, keptSuffix) {
		return keptPrefix + subject
	}
	return prefix + subject
}

// Live gives the events of the subject (with wildcards * and >) from now on,
// until the context ends; then the channel is closed. Who lags too far behind
// loses events: this is for screens, not for work that must be done.
func (b *Bus) Live(ctx context.Context, subject string) (<-chan Event, error) {
	messages := make(chan *nats.Msg, liveQueue)
	subscription, err := b.conn.ChanSubscribe(prefix+subject, messages)
	if err != nil {
		return nil, fmt.Errorf("event: listening to %s: %w", subject, err)
	}
	if err := b.conn.FlushWithContext(withTimeout(ctx)); err != nil { // from here on nothing is missed
		_ = subscription.Unsubscribe()
		return nil, fmt.Errorf("event: listening to %s: %w", subject, err)
	}
	events := make(chan Event, 16)
	go func() {
		defer close(events)
		defer func() { _ = subscription.Unsubscribe() }()
		for {
			select {
			case <-ctx.Done():
				return
			case message := <-messages:
				var e Event
				if json.Unmarshal(message.Data, &e) != nil {
					continue
				}
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return events, nil
}

// withTimeout is for nats calls, which insist on a deadline.
func withTimeout(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// Consume runs handle for each event of the subject at least once, whichever
// process of the same durable name takes it; a failing one comes again with
// growing pauses, eight times. It returns when the context ends.
func (b *Bus) Consume(ctx context.Context, durable, subject string, handle func(context.Context, Event) error) error {
	return b.consume(ctx, durable, subject, jetstream.DeliverNewPolicy, patience, handle)
}

// ConsumeStored is Consume, but a durable name that is new begins with what the
// stream has kept: nothing is missed that came before the first consumer did.
func (b *Bus) ConsumeStored(ctx context.Context, durable, subject string, handle func(context.Context, Event) error) error {
	return b.consume(ctx, durable, subject, jetstream.DeliverAllPolicy, patience, handle)
}

// ConsumeAll is ConsumeStored that never gives an event up: a failing one comes
// again, each two minutes in the end, as long as the stream has it.
func (b *Bus) ConsumeAll(ctx context.Context, durable, subject string, handle func(context.Context, Event) error) error {
	return b.consume(ctx, durable, subject, jetstream.DeliverAllPolicy, -1, handle)
}

// patience is how often a failing event comes at most.
const patience = 8

func (b *Bus) consume(ctx context.Context, durable, subject string, from jetstream.DeliverPolicy, times int, handle func(context.Context, Event) error) error {
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: durable, FilterSubject: prefix + subject, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: 30 * time.Second, MaxDeliver: times, MaxAckPending: 256, DeliverPolicy: from,
	})
	if err != nil {
		return fmt.Errorf("event: consumer %s: %w", durable, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(64))
	if err != nil {
		return fmt.Errorf("event: consumer %s: %w", durable, err)
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	for {
		message, err := messages.Next()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, jetstream.ErrMsgIteratorClosed) {
				return nil
			}
			return fmt.Errorf("event: consumer %s: %w", durable, err)
		}
		var e Event
		if json.Unmarshal(message.Data(), &e) != nil {
			_ = message.Term() // it will not be readable next time either
			continue
		}
		if err := handle(ctx, e); err != nil {
			_ = message.NakWithDelay(pause(message))
			continue
		}
		_ = message.Ack()
	}
}

// pause doubles from one second with each delivery.
func pause(message jetstream.Msg) time.Duration {
	if meta, err := message.Metadata(); err == nil && meta.NumDelivered < 8 {
		return time.Second << (meta.NumDelivered - 1)
	}
	return 2 * time.Minute
}
