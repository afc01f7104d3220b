package snapshot

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stored is the database of these tests: one number, which is its own stamp.
type stored struct {
	value, looks, loads atomic.Int64
	away                atomic.Bool
	slow                time.Duration
}

func (s *stored) load(_ context.Context, known string) (*int64, string, error) {
	if s.away.Load() {
		return nil, "", errors.New("away")
	}
	s.looks.Add(1)
	value := s.value.Load()
	time.Sleep(s.slow) // the bubble's clock
	stamp := strconv.FormatInt(value, 10)
	if stamp == known {
		return nil, stamp, nil
	}
	s.loads.Add(1)
	return &value, stamp, nil
}

func expect(t *testing.T, s *Snapshot[int64], want int64) {
	t.Helper()
	if got, err := s.Get(t.Context()); err != nil || *got != want {
		t.Errorf("%v, %v, want %d", got, err, want)
	}
}

func TestManyReadersShareOneLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &stored{slow: time.Millisecond}
		s := New(db.load)
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() { expect(t, s, 0) })
		}
		readers.Wait()
		if n := db.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

// TestRenewSeesWhatWasCommittedBefore changes the number while a load runs that
// has read the old one: who renews after the change must not be served by it.
func TestRenewSeesWhatWasCommittedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &stored{slow: 10 * time.Millisecond}
		s := New(db.load)
		go func() { _ = s.Renew(t.Context()) }()
		synctest.Wait() // it has read 0, and is slow
		db.value.Store(1)
		if err := s.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, s, 1)
	})
}

func TestContentGrowsOldAndIsNeverOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(stored)
		s := New(db.load)
		expect(t, s, 0)
		time.Sleep(look - time.Millisecond)
		expect(t, s, 0)
		if n := db.looks.Load(); n != 1 {
			t.Errorf("%d looks for a young content, want 1", n)
		}
		time.Sleep(time.Millisecond)
		expect(t, s, 0) // has it renewed behind its back: it has not changed
		synctest.Wait()
		if looks, loads := db.looks.Load(), db.loads.Load(); looks != 2 || loads != 1 {
			t.Errorf("%d looks and %d loads, want 2 and 1", looks, loads)
		}
		db.value.Store(1) // nobody says so
		time.Sleep(limit)
		expect(t, s, 1)

		db.away.Store(true)
		time.Sleep(limit - time.Millisecond)
		expect(t, s, 1)
		time.Sleep(time.Millisecond)
		if got, err := s.Get(t.Context()); err == nil {
			t.Errorf("%d is given after the limit", *got)
		}
		db.away.Store(false)
		expect(t, s, 1)
	})
}

func TestDropMakesReadersLoad(t *testing.T) {
	db := new(stored)
	s := New(db.load)
	expect(t, s, 0)
	db.value.Store(1)
	s.Drop()
	expect(t, s, 1)
}

func TestWhoLeavesDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &stored{slow: time.Second}
		s := New(db.load)
		go func() { _ = s.Renew(t.Context()) }()
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := s.Get(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the context's end", err)
		}
		time.Sleep(db.slow) // the load goes on, and serves the next one
		expect(t, s, 0)
	})
}
