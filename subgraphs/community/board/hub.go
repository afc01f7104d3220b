package board

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

const (
	// debounce gathers the changes of a burst into one computation.
	debounce = 250 * time.Millisecond
	// refresh recomputes without a change: a new day, what became overdue,
	// activities that ended, and events that a broken connection lost.
	refresh = time.Minute
	// computeTimeout bounds one computation.
	computeTimeout = 10 * time.Second
)

// Hub computes boards and hands them to all who watch in this process: one
// computation after a burst of changes, however many watch.
type Hub struct {
	DB     *database.DB
	Source event.Live
	Clock  func() time.Time
	Log    *slog.Logger

	mu      sync.Mutex
	watches map[string]*watch // by area code, while somebody watches
}

// watch is one area that somebody watches.
type watch struct {
	subscribers map[chan *Board]struct{}
	latest      *Board
	dirty       chan struct{} // holds one wake-up at most
	stop        context.CancelFunc
}

// Board gives the area's board at this moment, to whoever may see it.
func (h *Hub) Board(ctx context.Context, code string) (*Board, error) {
	if err := feedback.Scope(ctx, access.BoardView, code); err != nil {
		return nil, err
	}
	return h.compute(ctx, code)
}

// Subscribe gives the area's board now and after each change, until the context
// ends. Who reads slowly misses the boards in between, never the latest.
func (h *Hub) Subscribe(ctx context.Context, code string) (<-chan *Board, error) {
	if err := feedback.Scope(ctx, access.BoardView, code); err != nil {
		return nil, err
	}
	boards := make(chan *Board, 1)
	h.join(code, boards)
	context.AfterFunc(ctx, func() { h.leave(code, boards) })
	return boards, nil
}

// join adds the subscriber; the first one of an area starts its watch.
func (h *Hub) join(code string, boards chan *Board) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watches[code]
	if w == nil {
		ctx, cancel := context.WithCancel(access.AsSystem(context.Background(), "board"))
		w = &watch{subscribers: map[chan *Board]struct{}{}, dirty: make(chan struct{}, 1), stop: cancel}
		if h.watches == nil {
			h.watches = map[string]*watch{}
		}
		h.watches[code] = w
		go h.run(ctx, code, w)
	}
	w.subscribers[boards] = struct{}{}
	if w.latest != nil {
		boards <- w.latest // the channel is new: there is room
	}
}

// leave removes the subscriber and closes its channel; the last one of an area
// ends its watch.
func (h *Hub) leave(code string, boards chan *Board) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watches[code]
	delete(w.subscribers, boards)
	close(boards)
	if len(w.subscribers) == 0 {
		w.stop()
		delete(h.watches, code)
	}
}

// run computes the area's board at once, then after each burst of changes and
// each minute.
func (h *Hub) run(ctx context.Context, code string, w *watch) {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	for {
		b, err := h.compute(ctx, code)
		if ctx.Err() != nil {
			return
		}
		retry := (<-chan time.Time)(nil)
		if err != nil {
			h.Log.WarnContext(ctx, "board not computed, will try again", "area", code, "error", err)
			retry = time.After(time.Second)
		} else {
			h.publish(w, b)
		}
		select {
		case <-ctx.Done():
			return
		case <-retry:
			continue
		case <-ticker.C:
			continue
		case <-w.dirty:
		}
		// The first change of a burst starts the wait; the later ones do not
		// prolong it, so a busy area is not starved.
		select {
		case <-ctx.Done():
			return
		case <-time.After(debounce):
		}
		select { // what came in while waiting is in this computation
		case <-w.dirty:
		default:
		}
	}
}

// compute reads as the system: the board is the same for all who may see it.
func (h *Hub) compute(ctx context.Context, code string) (b *Board, err error) {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "board"), computeTimeout)
	defer cancel()
	err = h.DB.Snapshot(ctx, func(tx *sqlx.Tx) error {
		b, err = Compute(ctx, tx, code, h.Clock())
		return err
	})
	return b, err
}

// publish replaces whatever a subscriber has not read yet.
func (h *Hub) publish(w *watch, b *Board) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.latest = b
	for boards := range w.subscribers {
		select {
		case <-boards:
		default:
		}
		boards <- b // only publish and join send, both under the lock: there is room
	}
}

// Run wakes the watched areas that each event lies in, until the context ends.
func (h *Hub) Run(ctx context.Context) error {
	events, err := h.Source.Live(ctx, "community.>")
	if err != nil {
		return err
	}
	for e := range events {
		if strings.HasSuffix(e.Subject, ".changed") {
			h.wake(e.AreaCode)
		}
	}
	return nil
}

// wake marks the area and all above it.
func (h *Hub) wake(code string) {
	if !area.Exists(code) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for ; code != ""; code = division.Parent(code) {
		if w := h.watches[code]; w != nil {
			select {
			case w.dirty <- struct{}{}:
			default: // woken already
			}
		}
	}
}
