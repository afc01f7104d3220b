package event

import (
	"context"
	"sync"
)

// Live is where events come from at once; *Bus is the real one.
type Live interface {
	Live(ctx context.Context, subject string) (<-chan Event, error)
}

// Hub hands what happens to the listeners of this process: one listening to the
// bus for all of them, while there are any. A listener hears of its topics; one
// that lags too far behind is cut off, so that it never holds up the others.
type Hub[T any] struct {
	bus     Live
	size    int
	takes   map[string]Take[T]
	opening sync.Mutex // held while the bus is asked for events; mu is not

	mu        sync.Mutex
	listeners map[string]map[*listener[T]]struct{} // by topic
	count     int
	stop      context.CancelFunc // nil while nobody listens
}

// Take reads an event and gives it to whom it concerns, by Give and Cut. It is
// called by one goroutine at a time.
type Take[T any] func(h *Hub[T], e Event)

// listener is one that listens.
type listener[T any] struct {
	session string
	topics  []string
	queue   chan T
	closed  bool
}

// NewHub makes a hub over the bus. A listener may lag behind by as many values
// as size says; takes has, by subject, what is done with an event.
func NewHub[T any](bus Live, size int, takes map[string]Take[T]) *Hub[T] {
	return &Hub[T]{bus: bus, size: size, takes: takes, listeners: map[string]map[*listener[T]]struct{}{}}
}

// Listen gives what comes for the topics from now on. The channel closes when
// the context ends, the session is cut (see Cut; "" for none), or the listener
// lags too far behind.
func (h *Hub[T]) Listen(ctx context.Context, session string, topics ...string) (<-chan T, error) {
	l := &listener[T]{session: session, topics: topics, queue: make(chan T, h.size)}
	if err := h.join(l); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(l)
	})
	return l.queue, nil
}

// join adds the listener, and with the first one the listening to the bus.
func (h *Hub[T]) join(l *listener[T]) error {
	h.opening.Lock()
	defer h.opening.Unlock()
	h.mu.Lock()
	open := h.stop != nil
	if open {
		h.add(l)
	}
	h.mu.Unlock()
	if open {
		return nil
	}
	// Longer than the first listener, so not in its context.
	live, cancel := context.WithCancel(context.Background())
	events := make(map[string]<-chan Event, len(h.takes))
	for subject := range h.takes {
		var err error
		if events[subject], err = h.bus.Live(live, subject); err != nil {
			cancel()
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop = cancel
	h.add(l)
	for subject, take := range h.takes {
		go h.pump(live, events[subject], take)
	}
	return nil
}

func (h *Hub[T]) add(l *listener[T]) {
	for _, topic := range l.topics {
		if h.listeners[topic] == nil {
			h.listeners[topic] = map[*listener[T]]struct{}{}
		}
		h.listeners[topic][l] = struct{}{}
	}
	h.count++
}

// pump takes events until its listening was stopped.
func (h *Hub[T]) pump(live context.Context, events <-chan Event, take Take[T]) {
	for e := range events {
		h.mu.Lock()
		if live.Err() == nil { // else a later listening has taken over
			take(h, e)
		}
		h.mu.Unlock()
	}
}

// Give hands the value to the topic's listeners. Only a Take may call it.
func (h *Hub[T]) Give(topic string, value T) {
	for l := range h.listeners[topic] {
		select {
		case l.queue <- value:
		default:
			h.remove(l)
		}
	}
}

// Cut closes the topic's listeners of a session. Only a Take may call it.
func (h *Hub[T]) Cut(topic, session string) {
	for l := range h.listeners[topic] {
		if session != "" && l.session == session {
			h.remove(l)
		}
	}
}

// Listeners is how many listen in this process.
func (h *Hub[T]) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// remove closes the listener, once, and with the last one the listening to the
// bus; the lock is held.
func (h *Hub[T]) remove(l *listener[T]) {
	if l.closed {
		return
	}
	l.closed = true
	close(l.queue)
	for _, topic := range l.topics {
		if delete(h.listeners[topic], l); len(h.listeners[topic]) == 0 {
			delete(h.listeners, topic)
		}
	}
	if h.count--; h.count == 0 {
		h.stop()
		h.stop = nil
	}
}
