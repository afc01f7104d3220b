package feedback

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/event"
)

// watchQueue is how many changes a subscriber may lag behind.
const watchQueue = 64

// Watch hands changed cases to the workers who watch an area in this process;
// each case is read once, however many watch.
type Watch struct {
	Desk   *Desk
	Source event.Live
	Log    *slog.Logger

	mu          sync.Mutex
	subscribers map[*subscriber]struct{}
}

type subscriber struct {
	area  string
	cases chan *FeedbackCase
}

// Subscribe gives each case of the area after each change of it, until the
// context ends. Who lags too far behind has the channel closed: a client that
// reconnects reads the list again.
func (w *Watch) Subscribe(ctx context.Context, code string) (<-chan *FeedbackCase, error) {
	if err := Scope(ctx, access.FeedbackView, code); err != nil {
		return nil, err
	}
	s := &subscriber{area: code, cases: make(chan *FeedbackCase, watchQueue)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subscribers == nil {
		w.subscribers = map[*subscriber]struct{}{}
	}
	w.subscribers[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.drop(s)
	})
	return s.cases, nil
}

// drop ends a subscription; the lock is held.
func (w *Watch) drop(s *subscriber) {
	if _, there := w.subscribers[s]; there {
		delete(w.subscribers, s)
		close(s.cases)
	}
}

// Run hands changes on until the context ends.
func (w *Watch) Run(ctx context.Context) error {
	events, err := w.Source.Live(ctx, SubjectChanged)
	if err != nil {
		return err
	}
	for e := range events {
		var changed Changed
		if err := e.Read(&changed); err != nil {
			w.Log.WarnContext(ctx, "event not understood", "error", err)
			continue
		}
		if w.watched(e.AreaCode) {
			w.hand(ctx, changed.CaseID)
		}
	}
	return nil
}

func (w *Watch) watched(code string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.subscribers {
		if division.Covers(s.area, code) {
			return true
		}
	}
	return false
}

// hand reads the case as the system; who is handed it was found to have the
// area in scope when subscribing.
func (w *Watch) hand(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "feedback watch"), 5*time.Second)
	defer cancel()
	var c *FeedbackCase
	err := w.Desk.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		c, err = one(ctx, tx, id)
		return err
	})
	if err != nil || c == nil {
		w.Log.WarnContext(ctx, "changed case not read", "case", id, "error", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.subscribers {
		if !division.Covers(s.area, c.AreaCode) {
			continue
		}
		select {
		case s.cases <- c:
		default:
			w.drop(s)
		}
	}
}
