package batch

import (
	"context"
	"sync"
)

// Siblings are the things of one list whose fields are asked one by one, as
// the nodes behind edges are. What the first of them asks, it asks for all: a
// busy machine cannot tear the list apart, as it can what only time holds
// together. A list of one is no exception: that one may stand in many places, each
// of which asks. They live as long as the list, so what they keep is of one reading.
type Siblings[P any] struct {
	all []P

	mu    sync.Mutex
	calls map[any]any // by loader: func() (map[K]V, error), which loads once
}

// NewSiblings says that these belong together.
func NewSiblings[P any](all []P) *Siblings[P] { return &Siblings[P]{all: all} }

// Among is Each for parents that may be one of siblings; siblings gives nil for
// one that is not. key must depend on the parent alone: a field with arguments
// may be asked several times, each time of all.
func Among[P any, K comparable, V any](ctx context.Context, l *Loader[K, V], parents []P, siblings func(P) *Siblings[P], key func(P) (K, bool)) ([]V, error) {
	if len(parents) != 1 {
		return Each(ctx, l, parents, key)
	}
	of := siblings(parents[0])
	k, asked := key(parents[0])
	if of == nil || !asked {
		return Each(ctx, l, parents, key)
	}
	found, err := callOf(ctx, of, l, key)()
	if err != nil {
		return nil, err
	}
	return []V{found[k]}, nil
}

func callOf[P any, K comparable, V any](ctx context.Context, of *Siblings[P], l *Loader[K, V], key func(P) (K, bool)) func() (map[K]V, error) {
	of.mu.Lock()
	defer of.mu.Unlock()
	if call, ok := of.calls[l].(func() (map[K]V, error)); ok {
		return call
	}
	call := sync.OnceValues(func() (map[K]V, error) {
		values, err := Each(ctx, l, of.all, key)
		found := make(map[K]V, len(values))
		for i, value := range values {
			if k, ok := key(of.all[i]); ok {
				found[k] = value
			}
		}
		return found, err
	})
	if of.calls == nil {
		of.calls = map[any]any{}
	}
	of.calls[l] = call
	return call
}
