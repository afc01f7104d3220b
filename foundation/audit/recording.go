package audit

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// maxChanges bounds the targets of one record; what is beyond is only counted.
const maxChanges = 50

// recording is the record of a running mutation. It watches the transactions
// of the mutation (database.Watcher): one that changed something takes the
// record along, so that there is no change without its record.
type recording struct {
	journal *Journal

	mu        sync.Mutex
	record    Record
	pending   []Entry // told in the running transaction
	announced bool    // the running transaction holds events
	staged    bool    // the running transaction holds the record
	written   bool    // a committed transaction held the record
}

func (r *recording) change(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) < maxChanges {
		r.pending = append(r.pending, e)
	}
}

// Announced implements database.Watcher.
func (r *recording) Announced() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.announced = true
}

// Committing implements database.Watcher.
func (r *recording) Committing(ctx context.Context, tx *sqlx.Tx) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) == 0 && (!r.announced || r.written) {
		return nil // it changed nothing that anybody tells of, or others were told of before
	}
	if err := r.put(ctx, tx, Done); err != nil {
		return err
	}
	r.staged = true
	return nil
}

// Ended implements database.Watcher.
func (r *recording) Ended(committed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if committed && r.staged {
		r.written = true
	}
	r.pending, r.announced, r.staged = nil, false, false
}

// put writes the record as it stands into the transaction. Each has its own ID.
func (r *recording) put(ctx context.Context, tx sqlx.ExtContext, result string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	record := r.record
	record.ID, record.Result = id.String(), result
	if len(r.pending) > 0 {
		record.Changes = r.pending
	}
	return outbox.Append(withoutWatcher(ctx), tx, r.journal.Subgraph, outbox.Message{
		Subject: r.journal.Subgraph + "." + Subject, AreaCode: record.Actor.Area, Payload: record,
	})
}

// finish writes the record where no transaction took it along, or where the end
// differs from what the transaction said.
func (r *recording) finish(ctx context.Context, result string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.written && result == Done {
		return nil
	}
	return r.journal.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return r.put(ctx, tx, result) })
}
