package flight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencloud/citizencloud/graph/flight"
)

func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed, worked atomic.Int32
		g := flight.Group[string]{Free: func(string) { freed.Add(1) }}
		work := func(ctx context.Context) (string, error) {
			worked.Add(1)
			select {
			case <-time.After(10 * time.Second):
				return "x", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		var wait sync.WaitGroup
		for i := range 10 {
			wait.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i < 3 { // some leave, whoever works among them perhaps
					time.AfterFunc(time.Second, cancel)
				}
				s, err := g.Do(ctx, "k", work)
				if i < 3 {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("one who left got %v", err)
					}
					return
				}
				if err != nil || s.Value != "x" {
					t.Errorf("got %v", err)
					return
				}
				if freed.Load() != 0 {
					t.Error("freed while in use")
				}
				time.Sleep(time.Second)
				s.Release()
			})
		}
		wait.Wait()
		if worked.Load() != 1 || freed.Load() != 1 {
			t.Errorf("worked %d times, freed %d times", worked.Load(), freed.Load())
		}
		// When all leave, the work is stopped, and the next one begins anew.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := g.Do(ctx, "k", work); err == nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		refused := errors.New("refused")
		if _, err := g.Do(t.Context(), "k", func(context.Context) (string, error) { return "", refused }); err != refused {
			t.Errorf("got %v", err)
		}
	})
}
