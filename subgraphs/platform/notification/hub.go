package notification

import (
	"context"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/event"
)

// Live is where events come from at once; *event.Bus is the real one.
type Live interface {
	Live(ctx context.Context, subject string) (<-chan event.Event, error)
}

// Hub hands each new notification to the listeners of its recipient: one
// listening to the bus for all listeners of the process, while there are any.
type Hub struct {
	bus       Live
	mu        sync.Mutex
	listeners map[Recipient]map[chan *Notification]struct{}
	stop      context.CancelFunc // nil while nobody listens
}

// NewHub makes a hub on the bus.
func NewHub(bus Live) *Hub {
	return &Hub{bus: bus, listeners: map[Recipient]map[chan *Notification]struct{}{}}
}

// queue is how many notifications a listener may lag behind.
const queue = 64

// Listen gives the recipient's notifications from now on. The channel closes
// when the context ends or the listener lags too far behind.
func (h *Hub) Listen(ctx context.Context, to Recipient) (<-chan *Notification, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == nil {
		live, cancel := context.WithCancel(context.Background()) // it outlives the first listener
		events, err := h.bus.Live(live, createdSubject)
		if err != nil {
			cancel()
			return nil, err
		}
		h.stop = cancel
		go h.pump(live, events)
	}
	listener := make(chan *Notification, queue)
	if h.listeners[to] == nil {
		h.listeners[to] = map[chan *Notification]struct{}{}
	}
	h.listeners[to][listener] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(to, listener)
	})
	return listener, nil
}

// remove closes the listener, once, and with the last one the listening to the bus.
func (h *Hub) remove(to Recipient, listener chan *Notification) {
	if _, there := h.listeners[to][listener]; !there {
		return
	}
	close(listener)
	if delete(h.listeners[to], listener); len(h.listeners[to]) == 0 {
		delete(h.listeners, to)
	}
	if len(h.listeners) == 0 {
		h.stop()
		h.stop = nil
	}
}

// pump hands events over until its listening was stopped.
func (h *Hub) pump(live context.Context, events <-chan event.Event) {
	for e := range events {
		var created Created
		if e.Read(&created) != nil {
			continue
		}
		to := Recipient{Kind: created.RecipientKind, ID: created.RecipientID}
		h.mu.Lock()
		if live.Err() != nil { // a later listening has taken over
			h.mu.Unlock()
			return
		}
		for listener := range h.listeners[to] {
			select {
			case listener <- created.notification():
			default:
				h.remove(to, listener)
			}
		}
		h.mu.Unlock()
	}
}
