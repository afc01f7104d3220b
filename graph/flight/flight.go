// Package flight does identical work that is wanted at the same time once,
// and shares the result among those who wanted it. Nothing is kept after it.
//
// Start reading at Group.Do.
package flight

import (
	"context"
	"sync"
	"sync/atomic"
)

// Group shares work of one kind. The zero value is ready.
type Group[T any] struct {
	// Free is called once for each result, after everybody has released it; nil for nothing to do.
	Free func(T)

	mu      sync.Mutex
	flights map[string]*Shared[T]
}

// Shared is the result of work, for each of those who wanted it.
type Shared[T any] struct {
	Value T

	group   *Group[T]
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // under Group.mu
	err     error
	refs    atomic.Int32
}

// Do runs the work, or waits for the same work that is under way. The work's own context ends
// only when all who wait for it have left, so one who leaves does not disturb the others. The caller
// releases the result.
func (g *Group[T]) Do(ctx context.Context, key string, work func(context.Context) (T, error)) (*Shared[T], error) {
	g.mu.Lock()
	if s := g.flights[key]; s != nil {
		s.waiting++
		g.mu.Unlock()
		select {
		case <-s.done:
			return s.result()
		case <-ctx.Done():
			g.leave(key, s)
			return nil, ctx.Err()
		}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Shared[T]{group: g, done: make(chan struct{}), cancel: cancel, waiting: 1}
	if g.flights == nil {
		g.flights = map[string]*Shared[T]{}
	}
	g.flights[key] = s
	g.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { g.leave(key, s) })
	s.Value, s.err = work(own)
	stayed := stop()
	cancel()
	g.mu.Lock()
	if g.flights[key] == s {
		delete(g.flights, key)
	}
	// Who left before does not come for the result.
	s.refs.Store(int32(s.waiting))
	if s.waiting == 0 {
		s.free()
	}
	close(s.done)
	g.mu.Unlock()
	if !stayed {
		return nil, ctx.Err()
	}
	return s.result()
}

// leave is called for one whose own context has ended; the last one stops the work.
func (g *Group[T]) leave(key string, s *Shared[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-s.done: // it came meanwhile, and counted this one
		s.Release()
		return
	default:
	}
	if s.waiting--; s.waiting == 0 {
		if g.flights[key] == s {
			delete(g.flights, key)
		}
		s.cancel()
	}
}

func (s *Shared[T]) result() (*Shared[T], error) {
	if s.err != nil {
		return nil, s.err
	}
	return s, nil
}

// Release is called once by each who got the result.
func (s *Shared[T]) Release() {
	if s.refs.Add(-1) == 0 {
		s.free()
	}
}

func (s *Shared[T]) free() {
	if s.err == nil && s.group.Free != nil {
		s.group.Free(s.Value)
	}
}
