package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Since runs handle for each event of the subject that was stored after the
// moment, in order, and goes on with what comes, until the context ends. It is
// for what a process must know but need not keep, such as ended sessions.
func (b *Bus) Since(ctx context.Context, subject string, from time.Time, handle func(Event)) error {
	consumer, err := b.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{prefix + subject}, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &from,
	})
	if err != nil {
		return fmt.Errorf("event: reading %s: %w", subject, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("event: reading %s: %w", subject, err)
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	for {
		message, err := messages.Next()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, jetstream.ErrMsgIteratorClosed) {
				return nil
			}
			return fmt.Errorf("event: reading %s: %w", subject, err)
		}
		var e Event
		if json.Unmarshal(message.Data(), &e) == nil {
			handle(e)
		}
	}
}
