package notification

import (
	"context"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
)

// Live is where events come from at once; *event.Bus is the real one.
type Live interface {
	Live(ctx context.Context, subject string) (<-chan event.Event, error)
}

// Hub hands each new notification to the listeners of its recipient: one
// listening to the bus for all listeners of the process, while there are any.
// A listener whose session ends is cut off.
type Hub struct {
	bus       Live
	mu        sync.Mutex
	listeners map[Recipient]map[*listener]struct{}
	stop      context.CancelFunc // nil while nobody listens
}

// listener is one subscription of a recipient.
type listener struct {
	session string // the signed-in session; "" if none
	queue   chan *Notification
}

// NewHub makes a hub on the bus.
func NewHub(bus Live) *Hub {
	return &Hub{bus: bus, listeners: map[Recipient]map[*listener]struct{}{}}
}

// queueSize is how many notifications a listener may lag behind.
const queueSize = 64

// Listen gives the recipient's notifications from now on. The channel closes
// when the context or the session ends, or the listener lags too far behind.
func (h *Hub) Listen(ctx context.Context, to Recipient, session string) (<-chan *Notification, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == nil {
		if err := h.start(); err != nil {
			return nil, err
		}
	}
	l := &listener{session: session, queue: make(chan *Notification, queueSize)}
	if h.listeners[to] == nil {
		h.listeners[to] = map[*listener]struct{}{}
	}
	h.listeners[to][l] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(to, l)
	})
	return l.queue, nil
}

// Listeners is the number of listeners of this process.
func (h *Hub) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, of := range h.listeners {
		n += len(of)
	}
	return n
}

// start listens to the bus until stop is called: longer than the first listener.
func (h *Hub) start() error {
	live, cancel := context.WithCancel(context.Background())
	created, err := h.bus.Live(live, createdSubject)
	if err != nil {
		cancel()
		return err
	}
	placed, err := h.bus.Live(live, placedSubject)
	if err != nil {
		cancel()
		return err
	}
	ended, err := h.bus.Live(live, session.EndedSubject)
	if err != nil {
		cancel()
		return err
	}
	h.stop = cancel
	go h.pump(live, created, h.hand)
	go h.pump(live, placed, h.handAll)
	go h.pump(live, ended, h.cut)
	return nil
}

// pump takes events until its listening was stopped.
func (h *Hub) pump(live context.Context, events <-chan event.Event, take func(event.Event)) {
	for e := range events {
		h.mu.Lock()
		if live.Err() == nil { // else a later listening has taken over
			take(e)
		}
		h.mu.Unlock()
	}
}

// hand gives a new notification to its recipient's listeners.
func (h *Hub) hand(e event.Event) {
	var created Created
	if e.Read(&created) == nil {
		h.give(created)
	}
}

func (h *Hub) give(created Created) {
	to := Recipient{Kind: created.RecipientKind, ID: created.RecipientID}
	for l := range h.listeners[to] {
		select {
		case l.queue <- created.notification():
		default:
			h.remove(to, l)
		}
	}
}

// cut closes the listeners of an ended session.
func (h *Hub) cut(e event.Event) {
	var ended session.Ended
	if e.Read(&ended) != nil || ended.SessionID == "" {
		return
	}
	to := Recipient{Kind: ended.Kind, ID: ended.PrincipalID}
	for l := range h.listeners[to] {
		if l.session == ended.SessionID {
			h.remove(to, l)
		}
	}
}

// remove closes the listener, once, and with the last one the listening to the bus.
func (h *Hub) remove(to Recipient, l *listener) {
	if _, there := h.listeners[to][l]; !there {
		return
	}
	close(l.queue)
	if delete(h.listeners[to], l); len(h.listeners[to]) == 0 {
		delete(h.listeners, to)
	}
	if len(h.listeners) == 0 {
		h.stop()
		h.stop = nil
	}
}
