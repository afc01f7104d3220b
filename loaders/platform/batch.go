package platform

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"
)

func loader[K comparable, V any](batch dataloader.BatchFunc[K, V]) *dataloader.Loader[K, V] {
	return dataloader.NewBatchedLoader(batch, dataloader.WithCache[K, V](&dataloader.NoCache[K, V]{}),
		dataloader.WithWait[K, V](wait), dataloader.WithBatchCapacity[K, V](capacity))
}

// byKey batches a fetch that answers by key; what it leaves out is the zero V.
func byKey[K comparable, V any](fetch func(context.Context, []K) (map[K]V, error)) dataloader.BatchFunc[K, V] {
	return func(ctx context.Context, keys []K) []*dataloader.Result[V] {
		found, err := fetch(ctx, distinct(keys))
		results := make([]*dataloader.Result[V], len(keys))
		for i, key := range keys {
			results[i] = &dataloader.Result[V]{Data: found[key], Error: err}
		}
		return results
	}
}

// inOrder batches a fetch that answers in the order of its keys.
func inOrder[K comparable, V any](fetch func(context.Context, []K) ([]V, error)) dataloader.BatchFunc[K, V] {
	return byKey(func(ctx context.Context, keys []K) (map[K]V, error) {
		list, err := fetch(ctx, keys)
		if err != nil {
			return nil, err
		}
		found := make(map[K]V, len(keys))
		for i, key := range keys {
			found[key] = list[i]
		}
		return found, nil
	})
}

func distinct[K comparable](keys []K) []K {
	seen := make(map[K]struct{}, len(keys))
	once := make([]K, 0, len(keys))
	for _, key := range keys {
		if _, ok := seen[key]; !ok {
			seen[key] = struct{}{}
			once = append(once, key)
		}
	}
	return once
}
