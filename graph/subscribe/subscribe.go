// Package subscribe lets many subscribers share one upstream: each event is
// made once and its bytes are handed to all. Every subscriber has a bounded
// queue of its own, so that a slow one never delays the others.
//
// Start reading at Hub.Join.
package subscribe

import (
	"context"
	"errors"
	"sync"
)

// ErrSlow ends a subscriber that did not keep up.
var ErrSlow = errors.New("subscriber too slow")

// Event is one event's complete response. It is shared: nobody may change it.
type Event struct {
	Body   []byte
	Errors int
}

// Feed makes the events of one topic.
type Feed interface {
	// Next waits for the next event; io.EOF after the last.
	Next(ctx context.Context) (Event, error)
	Close()
}

// Options of one subscriber.
type Options struct {
	// Queue is how many events wait for the subscriber; 0 means 256.
	Queue int
	// Latest drops the oldest waiting event when the queue is full, for boards where only
	// the newest counts; who joins gets the last event at once. Otherwise the subscriber is
	// ended with ErrSlow.
	Latest bool
}

// Hub holds the topics that run. The zero value is ready.
type Hub struct {
	mu     sync.Mutex
	topics map[string]*topic
}

// topic is one upstream and its subscribers.
type topic struct {
	hub    *Hub
	key    string
	opened chan struct{} // closed when the feed is open, or err says why not
	err    error
	cancel context.CancelFunc

	mu          sync.Mutex
	subscribers map[*Subscriber]struct{}
	last        *Event // nil before the first
}

// Join subscribes to the topic of the key, opening its feed when nobody is subscribed yet; an empty key is
// a topic of one's own. The feed runs in the context of who came first, without its end.
func (h *Hub) Join(ctx context.Context, key string, open func(context.Context) (Feed, error), o Options) (*Subscriber, error) {
	if o.Queue == 0 {
		o.Queue = 256
	}
	s := h.enter(ctx, key, open, o)
	select {
	case <-s.topic.opened:
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
	if err := s.topic.err; err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// enter makes a subscriber of the topic of a key, which is started when there is none. It is one from then on,
// so that it misses nothing that comes while the feed is being opened.
func (h *Hub) enter(ctx context.Context, key string, open func(context.Context) (Feed, error), o Options) *Subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[key]
	if t == nil {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		t = &topic{hub: h, key: key, opened: make(chan struct{}), cancel: cancel, subscribers: map[*Subscriber]struct{}{}}
		if key != "" {
			if h.topics == nil {
				h.topics = map[string]*topic{}
			}
			h.topics[key] = t
		}
		// Whoever leaves while the feed is being opened must not wait for it.
		defer func() { go t.run(own, open) }()
	}
	s := &Subscriber{topic: t, options: o, wake: make(chan struct{}, 1)}
	t.mu.Lock()
	if o.Latest && t.last != nil {
		s.push(*t.last)
	}
	t.subscribers[s] = struct{}{}
	t.mu.Unlock()
	s.stop = context.AfterFunc(ctx, s.leave)
	return s
}

// Len is the number of topics with a key that run.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.topics)
}

// run opens the feed and hands out its events until it ends or everybody has left.
func (t *topic) run(ctx context.Context, open func(context.Context) (Feed, error)) {
	defer t.cancel()
	feed, err := open(ctx)
	if err != nil {
		t.err = err
		t.finish(err)
		close(t.opened)
		return
	}
	close(t.opened)
	defer feed.Close()
	for {
		event, err := feed.Next(ctx)
		if err != nil {
			t.finish(err)
			return
		}
		t.broadcast(event)
	}
}

func (t *topic) broadcast(event Event) {
	t.mu.Lock()
	t.last = &event
	dropped := false
	for s := range t.subscribers {
		if !s.push(event) {
			delete(t.subscribers, s)
			dropped = true
		}
	}
	t.mu.Unlock()
	if dropped {
		t.leave(func() {})
	}
}

// finish ends the topic: no more joiners, and each subscriber ends after its queue.
func (t *topic) finish(err error) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hub.topics[t.key] == t {
		delete(t.hub.topics, t.key)
	}
	for s := range t.subscribers {
		s.end(err)
	}
	clear(t.subscribers)
}

// leave makes a change after which the topic may have nobody left; then it stops the upstream. It holds the
// hub meanwhile, so that nobody joins a topic that is being stopped.
func (t *topic) leave(change func()) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	if len(t.subscribers) > 0 {
		return
	}
	if t.hub.topics[t.key] == t {
		delete(t.hub.topics, t.key)
	}
	t.cancel()
}
