// Package batch makes the loaders of the subgraphs: calls for single keys that
// come at nearly the same time become one call of the store.
//
// Start reading at New. Nothing is kept between batches: a loader's context may
// be a subscription's, which lives long, and must see what changed.
package batch

import (
	"context"
	"slices"
	"time"

	"github.com/graph-gophers/dataloader/v7"
)

// wait is how long a batch is open for more keys. The resolvers of a list come
// within microseconds of each other; each level of a query waits once.
const wait = 300 * time.Microsecond

// capacity bounds one batch; what comes beyond it is the next one.
const capacity = 1000

// Loader gives the value of a key, batched with others.
type Loader[K comparable, V any] struct {
	inner *dataloader.Loader[K, V]
}

// New makes a loader of the store's function, which gets distinct keys and
// gives the values that it finds.
func New[K comparable, V any](load func(ctx context.Context, keys []K) (map[K]V, error)) *Loader[K, V] {
	inner := dataloader.NewBatchedLoader(func(ctx context.Context, keys []K) []*dataloader.Result[V] {
		results := make([]*dataloader.Result[V], len(keys))
		values, err := load(ctx, distinct(keys))
		for i, key := range keys {
			results[i] = &dataloader.Result[V]{Data: values[key], Error: err}
		}
		return results
	},
		dataloader.WithCache[K, V](&dataloader.NoCache[K, V]{}),
		dataloader.WithWait[K, V](wait),
		dataloader.WithBatchCapacity[K, V](capacity),
	)
	return &Loader[K, V]{inner: inner}
}

// Load gives the key's value; the zero value when the store found none.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	return l.inner.Load(ctx, key)()
}

func distinct[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	return slices.DeleteFunc(slices.Clone(keys), func(key K) bool {
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}
