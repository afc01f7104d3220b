package inbox

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// InboxChange is what a subscriber gets: how much waits now, and the item that
// came, changed or went.
type InboxChange struct {
	Counts  InboxCounts
	Item    *InboxItem // nil at the beginning, and of what went
	ItemID  *string    // nil at the beginning
	Removed bool
}

// gather is how long further changes are waited for, so that many at once cost
// one counting.
const gather = 50 * time.Millisecond

// Changes gives the state of the caller's inbox at once, and then each change.
func (s *Service) Changes(ctx context.Context) (<-chan *InboxChange, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	moves, err := s.Hub.Listen(ctx, p.Session, Addressees(p)...)
	if err != nil {
		return nil, err
	}
	first, err := s.Counts(ctx)
	if err != nil {
		return nil, err
	}
	changes := make(chan *InboxChange, 1)
	changes <- &InboxChange{Counts: *first}
	go func() {
		defer close(changes)
		for moved := range moves {
			together, open := more(ctx, moves, moved)
			if !s.tell(ctx, p, together, changes) || !open {
				return
			}
		}
	}()
	return changes, nil
}

// more takes what follows shortly.
func more(ctx context.Context, moves <-chan Moved, first Moved) (together []Moved, open bool) {
	together = []Moved{first}
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for len(together) < maxMarked {
		select {
		case moved, ok := <-moves:
			if !ok {
				return together, false
			}
			together = append(together, moved)
		case <-timer.C:
			return together, true
		case <-ctx.Done():
			return together, false
		}
	}
	return together, true
}

// tell sends the changes, each item's last one, with the counts after all of them.
func (s *Service) tell(ctx context.Context, p *access.Principal, moves []Moved, to chan<- *InboxChange) bool {
	last, order := map[string]Moved{}, []string{}
	for _, moved := range moves {
		if _, known := last[moved.ItemID]; !known {
			order = append(order, moved.ItemID)
		}
		last[moved.ItemID] = moved
	}
	counts, err := s.Counts(ctx)
	if err != nil {
		return false // the client connects again and gets the present state
	}
	items, err := s.byIDs(ctx, p, order)
	if err != nil {
		return false
	}
	for _, id := range order {
		change := &InboxChange{Counts: *counts, ItemID: &id, Item: items[id], Removed: items[id] == nil}
		select {
		case to <- change:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
