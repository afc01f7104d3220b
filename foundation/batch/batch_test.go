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

// TestAListIsOneCall: however slowly it comes about, a list's keys are together.
func TestAListIsOneCall(t *testing.T) {
	calls := 0
	loader := New(func(_ context.Context, keys []int) (map[int]int, error) {
		calls++
		found := map[int]int{}
		for _, key := range keys {
			found[key] = key * key
		}
		return found, nil
	})
	keys := make([]int, 5000)
	for i := range keys {
		keys[i] = i % 3000
	}
	values, err := loader.LoadMany(t.Context(), keys)
	if err != nil || len(values) != len(keys) || values[2999] != 2999*2999 || values[3001] != 1 {
		t.Errorf("%d values, %v", len(values), err)
	}
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
	if values, err := loader.LoadMany(t.Context(), nil); err != nil || len(values) != 0 || calls != 1 {
		t.Errorf("an empty list: %v, %v, %d calls", values, err, calls)
	}
}

func TestEachLeavesOutWhomItMay(t *testing.T) {
	loader := New(func(_ context.Context, keys []int) (map[int]string, error) {
		found := map[int]string{}
		for _, key := range keys {
			if key < 0 {
				t.Errorf("key %d was asked for", key)
			}
			found[key] = strconv.Itoa(key)
		}
		return found, nil
	})
	got, err := Each(t.Context(), loader, []int{1, -1, 2}, func(n int) (int, bool) { return n, n >= 0 })
	if err != nil || len(got) != 3 || got[0] != "1" || got[1] != "" || got[2] != "2" {
		t.Errorf("%q, %v", got, err)
	}
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
