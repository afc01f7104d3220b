package transport

import (
	"container/list"
	"context"
	"sync"
)

// recent keeps the values used last, a bounded number of them. It is a
// graphql.Cache, and safe for concurrent use.
type recent[T any] struct {
	most  int
	mu    sync.Mutex
	order *list.List // of *kept[T], the most recently used first
	byKey map[string]*list.Element
}

type kept[T any] struct {
	key   string
	value T
}

func newRecent[T any](most int) *recent[T] {
	return &recent[T]{most: most, order: list.New(), byKey: map[string]*list.Element{}}
}

// Get finds a value.
func (r *recent[T]) Get(_ context.Context, key string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	element, ok := r.byKey[key]
	if !ok {
		var none T
		return none, false
	}
	r.order.MoveToFront(element)
	return element.Value.(*kept[T]).value, true
}

// Add keeps a value.
func (r *recent[T]) Add(_ context.Context, key string, value T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if element, ok := r.byKey[key]; ok {
		element.Value.(*kept[T]).value = value
		r.order.MoveToFront(element)
		return
	}
	r.byKey[key] = r.order.PushFront(&kept[T]{key, value})
	if r.order.Len() > r.most {
		oldest := r.order.Remove(r.order.Back()).(*kept[T])
		delete(r.byKey, oldest.key)
	}
}
