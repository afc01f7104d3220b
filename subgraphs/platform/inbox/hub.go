package inbox

import (
	"context"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
)

// Live is where events come from at once; *event.Bus is the real one.
type Live interface {
	Live(ctx context.Context, subject string) (<-chan event.Event, error)
}

// Hub tells the listeners of this process what changed in their inboxes: one
// listening to the bus for all, while there are any.
type Hub struct {
	bus       Live
	mu        sync.Mutex
	listeners map[string]map[*listener]struct{} // by addressee
	count     int
	stop      context.CancelFunc // nil while nobody listens
}

// listener is one subscription of a worker.
type listener struct {
	principal  *access.Principal
	addressees []string
	queue      chan Moved
	closed     bool
}

// NewHub makes a hub on the bus.
func NewHub(bus Live) *Hub {
	return &Hub{bus: bus, listeners: map[string]map[*listener]struct{}{}}
}

// queueSize is how many changes a listener may lag behind.
const queueSize = 256

// listen gives what changes in the worker's inbox from now on, until the
// context or the session ends, or the listener lags too far behind.
func (h *Hub) listen(ctx context.Context, p *access.Principal) (<-chan Moved, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == nil {
		if err := h.start(); err != nil {
			return nil, err
		}
	}
	l := &listener{principal: p, addressees: Addressees(p), queue: make(chan Moved, queueSize)}
	for _, addressee := range l.addressees {
		if h.listeners[addressee] == nil {
			h.listeners[addressee] = map[*listener]struct{}{}
		}
		h.listeners[addressee][l] = struct{}{}
	}
	h.count++
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(l)
	})
	return l.queue, nil
}

// Listeners is the number of listeners of this process.
func (h *Hub) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// start listens to the bus until stop is called: longer than the first listener.
func (h *Hub) start() error {
	live, cancel := context.WithCancel(context.Background())
	changed, err := h.bus.Live(live, SubjectChanged)
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
	go h.pump(live, changed, h.hand)
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

// hand gives the changes to whom they concern.
func (h *Hub) hand(e event.Event) {
	var change Change
	if e.Read(&change) != nil {
		return
	}
	for _, moved := range change.Items {
		for l := range h.listeners[moved.Addressee] {
			select {
			case l.queue <- moved:
			default:
				h.remove(l)
			}
		}
	}
}

// cut closes the listeners of an ended session.
func (h *Hub) cut(e event.Event) {
	var ended session.Ended
	if e.Read(&ended) != nil || ended.SessionID == "" {
		return
	}
	for l := range h.listeners[OfWorker(ended.PrincipalID)] {
		if l.principal.Session == ended.SessionID {
			h.remove(l)
		}
	}
}

// remove closes the listener, once, and with the last one the listening to the bus.
func (h *Hub) remove(l *listener) {
	if l.closed {
		return
	}
	l.closed = true
	close(l.queue)
	for _, addressee := range l.addressees {
		if delete(h.listeners[addressee], l); len(h.listeners[addressee]) == 0 {
			delete(h.listeners, addressee)
		}
	}
	if h.count--; h.count == 0 {
		h.stop()
		h.stop = nil
	}
}
