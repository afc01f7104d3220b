package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacedUsersThinkBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("refused")
		var asked [10]atomic.Int64
		r := paced(t.Context(), 10, time.Second, 3*time.Second, func(user int) asker {
			return func(context.Context, int) error {
				time.Sleep(10 * time.Millisecond)
				if asked[user].Add(1) == 2 && user == 3 {
					return failure
				}
				return nil
			}
		})
		if len(r.latencies) != 29 || r.errors != 1 || r.first != failure || r.latencies[0] != 10*time.Millisecond {
			t.Errorf("%d good, %d failed (%v)", len(r.latencies), r.errors, r.first)
		}
		for user := range asked {
			if n := asked[user].Load(); n != 3 {
				t.Errorf("user %d asked %d times", user, n)
			}
		}
	})
}

func TestCountedAsksForEachOnce(t *testing.T) {
	var seen [100]atomic.Int64
	r := counted(t.Context(), 7, len(seen), func(_ context.Context, n int) error { seen[n].Add(1); return nil })
	for n := range seen {
		if seen[n].Load() != 1 {
			t.Errorf("%d was asked for %d times", n, seen[n].Load())
		}
	}
	if len(r.latencies) != len(seen) || r.errors != 0 {
		t.Errorf("%+v", r)
	}
}

func TestItemsOf(t *testing.T) {
	if n, err := itemsOf([]byte(`{"data":{"inbox":{"edges":[{"node":{"id":"1","title":"用印"}}]}}}`)); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	for _, bad := range []string{``, `{}`, `{"data":{"inbox":null},"errors":[{}]}`, `{"data":{"inbox":{"edges":[{"node":{"id":"1"}}]}}}`} {
		if _, err := itemsOf([]byte(bad)); err == nil {
			t.Errorf("%s is an inbox", bad)
		}
	}
}
