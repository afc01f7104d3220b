package community

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counting is a loader of squares that tells how its keys were batched.
func counting() (*Loader[int, int], func() []int) {
	var mu sync.Mutex
	var batches []int
	l := loader(func(_ context.Context, keys []int) ([]int, error) {
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, len(keys))
		squares := make([]int, len(keys))
		for i, key := range keys {
			squares[i] = key * key
		}
		return squares, nil
	})
	return l, func() []int {
		mu.Lock()
		defer mu.Unlock()
		return batches
	}
}

// ask loads the keys, each a moment after the one before, and gives the time it took.
func ask(t *testing.T, l *Loader[int, int], apart time.Duration, keys ...int) time.Duration {
	t.Helper()
	start := time.Now()
	var group sync.WaitGroup
	for i, key := range keys {
		group.Go(func() {
			time.Sleep(time.Duration(i) * apart) // the bubble's time
			got, err := l.Load(t.Context(), key)
			if err != nil || got != key*key {
				t.Errorf("%d: %d, %v", key, got, err)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func TestAnnouncedRowsAreOneBatchHoweverSlowlyTheyAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, batches := counting()
		l.Expect(4)
		took := ask(t, l, 3*time.Millisecond, 1, 2, 3, 4)
		if diff := cmp.Diff([]int{4}, batches()); diff != "" {
			t.Error(diff)
		}
		if took != 9*time.Millisecond {
			t.Errorf("took %s: nothing was to be waited for after the last one", took)
		}
	})
}

func TestRowsThatDoNotAskAreNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, batches := counting()
		l.Expect(4)
		if took := ask(t, l, 0, 1, 2); took != patience {
			t.Errorf("took %s", took)
		}
		if diff := cmp.Diff([]int{2}, batches()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWithoutAnnouncementTimeDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, batches := counting()
		if took := ask(t, l, 0, 1, 2, 3); took != wait {
			t.Errorf("took %s", took)
		}
		if diff := cmp.Diff([]int{3}, batches()); diff != "" {
			t.Error(diff)
		}
	})
}

// A context may live as long as a subscription: nothing may be remembered.
func TestNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, batches := counting()
		ask(t, l, 0, 5)
		ask(t, l, 0, 5)
		if diff := cmp.Diff([]int{1, 1}, batches()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnErrorIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the store is away")
		for name, read := range map[string]func(context.Context, []int) ([]int, error){
			"error":  func(context.Context, []int) ([]int, error) { return nil, broken },
			"uneven": func(context.Context, []int) ([]int, error) { return []int{1}, nil },
		} {
			l := loader(read)
			l.Expect(2)
			var group sync.WaitGroup
			for key := range 2 {
				group.Go(func() {
					if _, err := l.Load(t.Context(), key); err == nil {
						t.Errorf("%s: key %d has no error", name, key)
					}
				})
			}
			group.Wait()
		}
	})
}
