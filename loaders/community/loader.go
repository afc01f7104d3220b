package community

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"
)

const (
	// wait is how long a batch gathers keys when nobody knows how many come.
	wait = time.Millisecond
	// patience is how long it waits for keys that were announced. It ends early
	// when they are all there, so it is spent only when some do not ask, which
	// is rare; too short, and a busy machine tears batches apart.
	patience = 250 * time.Millisecond
	// capacity is how many keys a batch takes at most.
	capacity = 500
)

// Loader batches by number rather than by time where it can: whoever hands out
// the rows of a list says how many may ask, and the batch goes as soon as so
// many have. A busy machine thus does not tear a batch apart, and an idle one
// does not wait.
type Loader[K comparable, V any] struct {
	batch dataloader.BatchFunc[K, V]

	mu      sync.Mutex
	current *dataloader.Loader[K, V]
}

// loader makes a loader of a function that answers in the order of its keys.
func loader[K comparable, V any](read func(context.Context, []K) ([]V, error)) *Loader[K, V] {
	l := &Loader[K, V]{batch: func(ctx context.Context, keys []K) []*dataloader.Result[V] {
		values, err := read(ctx, keys)
		if err == nil && len(values) != len(keys) {
			err = fmt.Errorf("loaders: %d values for %d keys", len(values), len(keys))
		}
		results := make([]*dataloader.Result[V], len(keys))
		for i := range results {
			if results[i] = (&dataloader.Result[V]{Error: err}); err == nil {
				results[i].Data = values[i]
			}
		}
		return results
	}}
	l.current = l.make(capacity, wait)
	return l
}

// make makes a dataloader that keeps nothing between batches.
func (l *Loader[K, V]) make(capacity int, wait time.Duration) *dataloader.Loader[K, V] {
	return dataloader.NewBatchedLoader(l.batch, dataloader.WithBatchCapacity[K, V](capacity), dataloader.WithWait[K, V](wait),
		dataloader.WithCache[K, V](&dataloader.NoCache[K, V]{}))
}

// Expect says that so many rows were handed out, each of which may ask once.
func (l *Loader[K, V]) Expect(rows int) {
	if rows < 1 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = l.make(min(rows, capacity), patience)
}

// Load asks for the key's value and waits for it.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	l.mu.Lock()
	current := l.current
	l.mu.Unlock()
	return current.Load(ctx, key)()
}
