package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
)

// Publisher is where events go; *event.Bus is the real one.
type Publisher interface {
	Publish(ctx context.Context, events []event.Event) error
}

// Relay moves one subgraph's committed events to the publisher. Any number of
// processes may run one; a lock lets one at a time work, so that order holds.
type Relay struct {
	DB        *database.DB
	URL       string // for LISTEN, which needs a connection of its own
	Subgraph  string
	Publisher Publisher
	Log       *slog.Logger
}

const (
	batch = 500
	// poll is how often the relay looks without being woken: after a lost
	// connection, or when another process died with the lock.
	poll = time.Second
)

// Run relays until the context ends. What cannot be published stays, and is
// tried again at the next look.
func (r *Relay) Run(ctx context.Context) error {
	listener := pq.NewListener(r.URL, 100*time.Millisecond, 5*time.Second, nil)
	defer func() { _ = listener.Close() }()
	if err := listener.Listen(channel(r.Subgraph)); err != nil {
		return fmt.Errorf("outbox: %s: listening: %w", r.Subgraph, err)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if err := r.Flush(ctx); err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "outbox not relayed, will try again", "subgraph", r.Subgraph, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-listener.Notify:
		case <-ticker.C:
		}
	}
}

// Flush relays all that is committed now.
func (r *Relay) Flush(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "outbox")
	for {
		moved, err := r.move(ctx)
		if err != nil || moved < batch {
			return err
		}
	}
}

// move relays one batch: publish first, delete after. A crash in between
// publishes again under the same IDs, which the stream stores once. The
// transaction is held over the publish on purpose: its lock is the relay's turn.
func (r *Relay) move(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	moved := 0
	err := r.DB.Write(ctx, func(tx *sqlx.Tx) error {
		var turn bool
		if err := tx.GetContext(ctx, &turn, `SELECT pg_try_advisory_xact_lock(hashtext($1))`, channel(r.Subgraph)); err != nil || !turn {
			return err
		}
		var rows []struct {
			Seq      int64     `db:"seq"`
			ID       string    `db:"id"`
			Subject  string    `db:"subject"`
			AreaCode string    `db:"area_code"`
			At       time.Time `db:"at"`
			Payload  []byte    `db:"payload"`
		}
		err := tx.SelectContext(ctx, &rows,
			`SELECT seq, id, subject, area_code, at, payload FROM `+r.Subgraph+`.outbox ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED`, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		events := make([]event.Event, len(rows))
		sequence := make([]int64, len(rows))
		for i, row := range rows {
			events[i] = event.Event{ID: row.ID, Subject: row.Subject, AreaCode: row.AreaCode, At: row.At, Payload: row.Payload}
			sequence[i] = row.Seq
		}
		if err := r.Publisher.Publish(ctx, events); err != nil {
			return err
		}
		moved = len(rows)
		_, err = tx.ExecContext(ctx, `DELETE FROM `+r.Subgraph+`.outbox WHERE seq = ANY($1)`, pq.Array(sequence))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("outbox: %s: %w", r.Subgraph, err)
	}
	return moved, nil
}
