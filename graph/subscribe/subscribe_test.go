package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencloud/citizencloud/graph/subscribe"
)

// source is a feed that the test drives.
type source struct {
	events chan string
	failed error
	opened atomic.Int32
	closed atomic.Int32
}

func (s *source) open(context.Context) (subscribe.Feed, error) {
	s.opened.Add(1)
	return s, nil
}

func (s *source) Next(ctx context.Context) (subscribe.Event, error) {
	select {
	case body, ok := <-s.events:
		if !ok {
			if s.failed != nil {
				return subscribe.Event{}, s.failed
			}
			return subscribe.Event{}, io.EOF
		}
		return subscribe.Event{Body: []byte(body)}, nil
	case <-ctx.Done():
		return subscribe.Event{}, ctx.Err()
	}
}

func (s *source) Close() { s.closed.Add(1) }

func join(t *testing.T, h *subscribe.Hub, key string, s *source, o subscribe.Options) *subscribe.Subscriber {
	t.Helper()
	subscriber, err := h.Join(t.Context(), key, s.open, o)
	if err != nil {
		t.Fatal(err)
	}
	return subscriber
}

func next(t *testing.T, s *subscribe.Subscriber, want string) {
	t.Helper()
	event, err := s.Next(t.Context())
	if err != nil || string(event.Body) != want {
		t.Errorf("event %q, %v; want %q", event.Body, err, want)
	}
}

func TestOneUpstreamForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub subscribe.Hub
		s := &source{events: make(chan string)}
		var subscribers []*subscribe.Subscriber
		for range 1000 {
			subscribers = append(subscribers, join(t, &hub, "board", s, subscribe.Options{}))
		}
		s.events <- "one"
		first, _ := subscribers[0].Next(t.Context())
		for _, subscriber := range subscribers[1:] {
			event, _ := subscriber.Next(t.Context())
			if &event.Body[0] != &first.Body[0] {
				t.Fatal("the bytes were copied")
			}
		}
		for _, subscriber := range subscribers[1:] {
			subscriber.Close()
			subscriber.Close()
		}
		synctest.Wait()
		if s.closed.Load() != 0 {
			t.Error("closed upstream while somebody is subscribed")
		}
		s.events <- "two"
		next(t, subscribers[0], "two")
		subscribers[0].Close()
		synctest.Wait()
		if s.opened.Load() != 1 || s.closed.Load() != 1 || hub.Len() != 0 {
			t.Errorf("opened %d, closed %d, %d topics left", s.opened.Load(), s.closed.Load(), hub.Len())
		}
	})
}

func TestKeysAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub subscribe.Hub
		mine, yours := &source{events: make(chan string)}, &source{events: make(chan string)}
		a, b := join(t, &hub, "view a", mine, subscribe.Options{}), join(t, &hub, "view b", yours, subscribe.Options{})
		// Without a key nothing is shared.
		private := &source{events: make(chan string)}
		c, d := join(t, &hub, "", private, subscribe.Options{}), join(t, &hub, "", private, subscribe.Options{})
		mine.events <- "mine"
		yours.events <- "yours"
		next(t, a, "mine")
		next(t, b, "yours")
		if private.opened.Load() != 2 {
			t.Errorf("opened %d times, want 2", private.opened.Load())
		}
		for _, subscriber := range []*subscribe.Subscriber{a, b, c, d} {
			subscriber.Close()
		}
		synctest.Wait()
	})
}

func TestSlowOnesDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub subscribe.Hub
		s := &source{events: make(chan string)}
		slow := join(t, &hub, "k", s, subscribe.Options{Queue: 3})
		board := join(t, &hub, "k", s, subscribe.Options{Queue: 2, Latest: true})
		quick := join(t, &hub, "k", s, subscribe.Options{Queue: 1})
		start := time.Now()
		for i := range 10 {
			s.events <- fmt.Sprint(i)
			next(t, quick, fmt.Sprint(i))
		}
		if time.Since(start) != 0 {
			t.Error("the quick one had to wait")
		}
		if _, err := slow.Next(t.Context()); !errors.Is(err, subscribe.ErrSlow) {
			t.Errorf("slow: %v, want ErrSlow", err)
		}
		next(t, board, "8")
		next(t, board, "9")
		slow.Close()
		board.Close()
		quick.Close()
		synctest.Wait()
		if s.closed.Load() != 1 {
			t.Error("upstream is still open")
		}
	})
}

func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, failed := range []error{nil, errors.New("subgraph gone")} {
			var hub subscribe.Hub
			s := &source{events: make(chan string), failed: failed}
			a := join(t, &hub, "k", s, subscribe.Options{})
			s.events <- "last"
			close(s.events)
			synctest.Wait()
			next(t, a, "last") // what came before the end is not lost
			want := failed
			if want == nil {
				want = io.EOF
			}
			if _, err := a.Next(t.Context()); err != want {
				t.Errorf("ended with %v, want %v", err, want)
			}
			a.Close()
			// A new one begins anew.
			again := &source{events: make(chan string)}
			b := join(t, &hub, "k", again, subscribe.Options{})
			b.Close()
			synctest.Wait()
			if again.opened.Load() != 1 || again.closed.Load() != 1 {
				t.Error("the next subscriber did not open a new upstream")
			}
		}
	})
}

func TestContextEndsASubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub subscribe.Hub
		s := &source{events: make(chan string)}
		ctx, cancel := context.WithCancel(t.Context())
		subscriber, err := hub.Join(ctx, "k", s.open, subscribe.Options{})
		if err != nil {
			t.Fatal(err)
		}
		stay := join(t, &hub, "k", s, subscribe.Options{})
		cancel()
		synctest.Wait()
		if _, err := subscriber.Next(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v, want canceled", err)
		}
		s.events <- "still here" // the first one's context is not the feed's
		next(t, stay, "still here")
		stay.Close()
		synctest.Wait()
		if s.closed.Load() != 1 {
			t.Error("upstream is still open")
		}
	})
}

func TestOpenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub subscribe.Hub
		refused := errors.New("refused")
		for range 2 {
			if _, err := hub.Join(t.Context(), "k", func(context.Context) (subscribe.Feed, error) { return nil, refused }, subscribe.Options{}); err != refused {
				t.Errorf("joined with %v, want refused", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		closed := false
		_, err := hub.Join(ctx, "k", func(ctx context.Context) (subscribe.Feed, error) {
			<-ctx.Done() // nobody waits for it any more
			closed = true
			return nil, ctx.Err()
		}, subscribe.Options{})
		synctest.Wait()
		if !errors.Is(err, context.DeadlineExceeded) || !closed || hub.Len() != 0 {
			t.Errorf("joined with %v, opening stopped %v, %d topics left", err, closed, hub.Len())
		}
	})
}

// TestNothingIsMissed has a feed whose events are there before anybody has come back from joining.
func TestNothingIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			var hub subscribe.Hub
			s := &source{events: make(chan string, 3)}
			for _, event := range []string{"a", "b", "c"} {
				s.events <- event
			}
			close(s.events)
			subscriber := join(t, &hub, "k", s, subscribe.Options{})
			for _, event := range []string{"a", "b", "c"} {
				next(t, subscriber, event)
			}
			if _, err := subscriber.Next(t.Context()); err != io.EOF {
				t.Errorf("ended with %v, want EOF", err)
			}
			subscriber.Close()
		}
	})
}
