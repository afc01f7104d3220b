// Package snapshot keeps in memory what the database holds for everybody alike
// and what changes seldom, such as the published catalogue: readers share one
// immutable content, and take it without a statement.
//
// Start reading at Snapshot. A content in use is never older than limit; whoever
// hears of a change calls Renew, so that it is in force at once.
package snapshot

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// look is the age at which a reader has the content renewed behind its back.
	look = 3 * time.Second
	// limit is the age at which a reader waits for it: nothing older is given.
	limit = 5 * time.Second
	// patience bounds one load.
	patience = 5 * time.Second
)

// Load reads the content with its stamp, which tells this content from all
// others. It gives nil when the stamp is still the one known ("" for none).
type Load[T any] func(ctx context.Context, known string) (content *T, stamp string, err error)

// Snapshot is the copy in one process.
type Snapshot[T any] struct {
	load  Load[T]
	held  atomic.Pointer[held[T]]
	asked atomic.Int64  // counts those who want a load that begins after they ask
	turn  chan struct{} // one load at a time
	done  int64         // whom the last load served; belongs to the turn
}

// held is a content; at is the moment before it was read.
type held[T any] struct {
	content *T
	stamp   string
	at      time.Time
}

// New makes a snapshot; the first reader loads it.
func New[T any](load Load[T]) *Snapshot[T] {
	return &Snapshot[T]{load: load, turn: make(chan struct{}, 1)}
}

// Get gives the content, which nobody may change.
func (s *Snapshot[T]) Get(ctx context.Context) (*T, error) {
	for {
		h := s.held.Load()
		if h != nil {
			age := time.Since(h.at)
			if age >= look && age < limit {
				s.behind()
			}
			if age < limit {
				return h.content, nil
			}
		}
		if err := s.Renew(ctx); err != nil {
			return nil, err
		}
		if now := s.held.Load(); now != nil && now != h {
			return now.content, nil
		}
	}
}

// Renew brings in whatever was committed before the call. Calls that come
// while a load runs share the next one.
func (s *Snapshot[T]) Renew(ctx context.Context) error {
	number := s.asked.Add(1)
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.done >= number {
		return nil // a load began after we asked, and has ended
	}
	return s.reload()
}

// Drop forgets the content: the next reader waits for a new one.
func (s *Snapshot[T]) Drop() { s.held.Store(nil) }

// behind renews in the background unless a load runs already. What fails is
// tried again by the next reader, and met by the one who must wait.
func (s *Snapshot[T]) behind() {
	select {
	case s.turn <- struct{}{}:
		go func() {
			defer func() { <-s.turn }()
			_ = s.reload()
		}()
	default:
	}
}

// reload is called by who has the turn. The load is the process's, not one
// request's: it has no principal, and no caller who leaves ends it for others.
func (s *Snapshot[T]) reload() error {
	serves, begun, known := s.asked.Load(), time.Now(), ""
	before := s.held.Load()
	if before != nil {
		known = before.stamp
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	content, stamp, err := s.load(ctx, known)
	if err != nil {
		return err
	}
	if content == nil {
		content = before.content
	}
	s.held.Store(&held[T]{content: content, stamp: stamp, at: begun})
	s.done = serves
	return nil
}
