// Package batch makes the loaders of the subgraphs: the keys of one list, and of
// lists that come at nearly the same time, become one call of the store.
//
// Start reading at New. Nothing is kept between batches: a loader's context may
// be a subscription's, which lives long, and must see what changed.
package batch

import (
	"context"
	"time"

	"github.com/graph-gophers/dataloader/v7"
)

// wait is how long a batch is open for more lists. A list's own keys need no
// wait: they come together.
const wait = 300 * time.Microsecond

// capacity bounds the lists of one batch; what comes beyond it is the next one.
const capacity = 200

// Loader gives the values of keys.
type Loader[K comparable, V any] struct {
	inner *dataloader.Loader[*list[K], map[K]V]
}

// list is what one caller asks for; it goes into a batch as a whole.
type list[K comparable] struct{ keys []K }

// New makes a loader of the store's function, which gets distinct keys and
// gives the values that it finds.
func New[K comparable, V any](load func(ctx context.Context, keys []K) (map[K]V, error)) *Loader[K, V] {
	inner := dataloader.NewBatchedLoader(func(ctx context.Context, lists []*list[K]) []*dataloader.Result[map[K]V] {
		values, err := load(ctx, distinct(lists))
		results := make([]*dataloader.Result[map[K]V], len(lists))
		for i := range lists {
			results[i] = &dataloader.Result[map[K]V]{Data: values, Error: err}
		}
		return results
	},
		dataloader.WithCache[*list[K], map[K]V](&dataloader.NoCache[*list[K], map[K]V]{}),
		dataloader.WithWait[*list[K], map[K]V](wait),
		dataloader.WithBatchCapacity[*list[K], map[K]V](capacity),
	)
	return &Loader[K, V]{inner: inner}
}

// Load gives the key's value; the zero value when the store found none.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	values, err := l.LoadMany(ctx, []K{key})
	if err != nil {
		var none V
		return none, err
	}
	return values[0], nil
}

// LoadMany gives the values of a list's keys, in their order, by one call of
// the store, which other lists may share.
func (l *Loader[K, V]) LoadMany(ctx context.Context, keys []K) ([]V, error) {
	values := make([]V, len(keys))
	if len(keys) == 0 {
		return values, nil
	}
	found, err := l.inner.Load(ctx, &list[K]{keys})()
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		values[i] = found[key]
	}
	return values, nil
}

// Each gives a value for each parent of a list: that of its key, or the zero
// value where key says that there is none to be had.
func Each[P any, K comparable, V any](ctx context.Context, l *Loader[K, V], parents []P, key func(P) (K, bool)) ([]V, error) {
	values := make([]V, len(parents))
	keys, places := make([]K, 0, len(parents)), make([]int, 0, len(parents))
	for i, parent := range parents {
		if k, ok := key(parent); ok {
			keys, places = append(keys, k), append(places, i)
		}
	}
	found, err := l.LoadMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		values[place] = found[i]
	}
	return values, nil
}

func distinct[K comparable](lists []*list[K]) []K {
	var keys []K
	seen := map[K]bool{}
	for _, list := range lists {
		for _, key := range list.keys {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}
