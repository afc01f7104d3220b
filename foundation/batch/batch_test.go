package batch

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestKeysAtOnceAreOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, keys atomic.Int64
		loader := New(func(_ context.Context, wanted []int) (map[int]string, error) {
			calls.Add(1)
			keys.Add(int64(len(wanted)))
			found := map[int]string{}
			for _, key := range wanted {
				if key%2 == 0 {
					found[key] = strconv.Itoa(key)
				}
			}
			return found, nil
		})
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				key := i % 50 // each key twice
				want := ""
				if key%2 == 0 {
					want = strconv.Itoa(key)
				}
				if got, err := loader.Load(t.Context(), key); err != nil || got != want {
					t.Errorf("Load(%d) = %q, %v, want %q", key, got, err, want)
				}
			})
		}
		group.Wait()
		if calls.Load() != 1 || keys.Load() != 50 {
			t.Errorf("%d calls for %d keys, want 1 for 50", calls.Load(), keys.Load())
		}
	})
}

func TestNothingIsKept(t *testing.T) {
	calls := 0
	loader := New(func(context.Context, []int) (map[int]int, error) {
		calls++
		return map[int]int{1: calls}, nil
	})
	for want := 1; want <= 3; want++ {
		if got, err := loader.Load(t.Context(), 1); err != nil || got != want {
			t.Errorf("Load = %d, %v, want %d", got, err, want)
		}
	}
}

func TestFailureIsEveryKeys(t *testing.T) {
	broken := errors.New("broken")
	loader := New(func(context.Context, []int) (map[int]int, error) { return nil, broken })
	if _, err := loader.Load(t.Context(), 1); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}
