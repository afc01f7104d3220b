package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Some events must be taken in however long that lasts. They go into a stream
// of their own, which keeps each until it was: nothing expires there, and an
// event that cannot be handled comes again for ever.
const (
	keptStream = "AUDIT"
	keptPrefix = "audit."
	keptSuffix = ".audit.recorded"
)

// keptConfig is the stream of the events that are kept until they are taken in.
func keptConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: keptStream, Subjects: []string{keptPrefix + ">"}, Storage: jetstream.FileStorage,
		Retention: jetstream.WorkQueuePolicy, Duplicates: duplicates, Replicas: max(replicas, 1),
	}
}

// Kept is the subject of the events that Gather takes: <subgraph>.audit.recorded.
const Kept = "*" + keptSuffix

const (
	gatherWait  = time.Minute // until what was handed out comes again
	gatherPause = time.Second // after a failure
)

// Gather runs handle for the kept events, in order and up to size at once, at
// least once each, whichever process takes them. What handle refuses comes
// again after a pause. It returns when the context ends.
func (b *Bus) Gather(ctx context.Context, durable string, size int, handle func(context.Context, []Event) error) error {
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, keptStream, jetstream.ConsumerConfig{
		Durable: durable, FilterSubject: keptPrefix + Kept, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: gatherWait, MaxDeliver: -1, MaxAckPending: 4 * size, DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return fmt.Errorf("event: consumer %s: %w", durable, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(size))
	if err != nil {
		return fmt.Errorf("event: consumer %s: %w", durable, err)
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	arrived, failed := make(chan jetstream.Msg), make(chan error, 1)
	go func() {
		defer close(arrived)
		for {
			message, err := messages.Next()
			if err != nil {
				failed <- err
				return
			}
			select {
			case arrived <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	for first := range arrived {
		take(ctx, batchOf(first, arrived, size), handle)
	}
	select {
	case err := <-failed:
		if ctx.Err() == nil && !errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return fmt.Errorf("event: consumer %s: %w", durable, err)
		}
	default:
	}
	return nil
}

// linger is how long a batch waits for the next event: long enough for one that
// is on its way, too short for anybody to notice.
const linger = 5 * time.Millisecond

// batchOf is the first message and those that come right after it.
func batchOf(first jetstream.Msg, arrived <-chan jetstream.Msg, size int) []jetstream.Msg {
	batch := []jetstream.Msg{first}
	for len(batch) < size {
		select {
		case message, more := <-arrived:
			if !more {
				return batch
			}
			batch = append(batch, message)
		case <-time.After(linger):
			return batch
		}
	}
	return batch
}

func take(ctx context.Context, batch []jetstream.Msg, handle func(context.Context, []Event) error) {
	events := make([]Event, 0, len(batch))
	readable := batch[:0:0]
	for _, message := range batch {
		var e Event
		if json.Unmarshal(message.Data(), &e) != nil {
			_ = message.Term() // it will not be readable next time either
			continue
		}
		events, readable = append(events, e), append(readable, message)
	}
	if len(events) == 0 {
		return
	}
	err := handle(ctx, events)
	for _, message := range readable {
		if err != nil {
			_ = message.NakWithDelay(gatherPause)
		} else {
			_ = message.Ack()
		}
	}
}
