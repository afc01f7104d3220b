package log

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Collector stores what comes through the stream.
type Collector struct {
	DB *database.DB
	// Months is how many whole months are kept besides the present one; less
	// than six counts as six (等保三级).
	Months int
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	durable = "platform-log"
	// messages is how many messages are stored in one statement.
	messages = 20
	// waiting is how long a batch waits for its first message.
	waiting = time.Second
	// storing bounds the storing of one batch.
	storing = 30 * time.Second
	// pause is after a failure.
	pause = time.Second
	// keeping is how often partitions are looked after.
	keeping = time.Hour
)

// Run stores until the context ends.
func (c *Collector) Run(ctx context.Context, js jetstream.JetStream) error {
	consumer, err := js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: durable, FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: time.Minute, MaxDeliver: -1, MaxAckPending: 4 * messages, DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return fmt.Errorf("log: consumer: %w", err)
	}
	var kept time.Time
	for ctx.Err() == nil {
		if now := c.Now(); now.Sub(kept) >= keeping || now.Before(kept) {
			if err := c.Keep(ctx); err != nil && ctx.Err() == nil {
				c.Log.WarnContext(ctx, "log: partitions not kept, will try again", "error", err)
			} else {
				kept = now
			}
		}
		batch, err := consumer.Fetch(messages, jetstream.FetchMaxWait(waiting))
		if err == nil {
			err = c.take(ctx, batch)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, jetstream.ErrNoMessages) {
			c.Log.WarnContext(ctx, "log: lines not stored, will try again", "error", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// take stores a batch's lines; what fails comes again.
func (c *Collector) take(ctx context.Context, batch jetstream.MessageBatch) error {
	var lines []Line
	var taken []jetstream.Msg
	for message := range batch.Messages() {
		var some []Line
		if json.Unmarshal(message.Data(), &some) != nil {
			_ = message.Term() // it will not be readable next time either
			continue
		}
		lines, taken = append(lines, some...), append(taken, message)
	}
	if len(taken) == 0 {
		return batch.Error()
	}
	err := c.Store(ctx, lines)
	for _, message := range taken {
		if err != nil {
			_ = message.NakWithDelay(pause)
		} else {
			_ = message.Ack()
		}
	}
	return err
}

// Store writes the lines, each once however often it comes, in one statement.
// A time that cannot be, by a clock that goes wrong, is put right.
func (c *Collector) Store(ctx context.Context, lines []Line) error {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "log"), storing)
	defer cancel()
	now, seen := c.Now(), map[string]bool{}
	kept := make([]Line, 0, len(lines))
	months := map[time.Time]bool{}
	for _, l := range lines {
		l = l.clean()
		if !input.ID(l.ID) || seen[l.ID] || rank(l.Level) < 0 || l.Source != Process && l.Source != Client {
			continue // nothing that we sent
		}
		seen[l.ID] = true
		if l.At.Before(now.Add(-oldest)) || l.At.After(now.Add(5*time.Minute)) {
			l.At = now
		}
		l.At = l.At.UTC().Truncate(time.Microsecond)
		months[time.Date(l.At.Year(), l.At.Month(), 1, 0, 0, 0, 0, time.UTC)] = true
		kept = append(kept, l)
	}
	if len(kept) == 0 {
		return nil
	}
	return c.DB.Write(ctx, func(tx *sqlx.Tx) error {
		for month := range months {
			if err := partition(ctx, tx, month); err != nil {
				return err
			}
		}
		return insert(ctx, tx, kept)
	})
}

// oldest is how old a line may be when it comes.
const oldest = 7 * 24 * time.Hour

// Keep makes this month's partition and the next one's, and drops those that
// are too old.
func (c *Collector) Keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "log"), storing)
	defer cancel()
	now := c.Now().UTC()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return c.DB.Write(ctx, func(tx *sqlx.Tx) error {
		for _, month := range []time.Time{first, first.AddDate(0, 1, 0)} {
			if err := partition(ctx, tx, month); err != nil {
				return err
			}
		}
		gone, err := drop(ctx, tx, first.AddDate(0, -max(c.Months, 6), 0))
		for _, name := range gone {
			c.Log.InfoContext(ctx, "log: a partition is older than what is kept, and gone", "partition", name)
		}
		return err
	})
}
