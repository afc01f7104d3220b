package database

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Watcher is told of the writing transactions of a context. The audit log is
// one: what it records of a change it writes in the transaction of the change.
type Watcher interface {
	// Announced tells that the running transaction holds events for others.
	Announced()
	// Committing runs last in a transaction; its error rolls the transaction back.
	Committing(ctx context.Context, tx *sqlx.Tx) error
	// Ended tells how the transaction ended.
	Ended(committed bool)
}

type watcherKey struct{}

// WithWatcher gives a context whose writing transactions the watcher is told of; nil watches nothing.
func WithWatcher(ctx context.Context, w Watcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, w)
}

// Announce tells the context's watcher that the running transaction holds
// events; package outbox calls it.
func Announce(ctx context.Context) {
	if w := watcherOf(ctx); w != nil {
		w.Announced()
	}
}

func watcherOf(ctx context.Context) Watcher {
	w, _ := ctx.Value(watcherKey{}).(Watcher)
	return w
}

// watched is a writing transaction whose end the context's watcher sees.
func (db *DB) watched(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	w := watcherOf(ctx)
	if w == nil {
		return db.within(ctx, nil, fn)
	}
	err := db.within(ctx, nil, func(tx *sqlx.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return w.Committing(ctx, tx)
	})
	w.Ended(err == nil)
	return err
}
