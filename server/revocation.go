package main

import (
	"context"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// sessionEnded is the subject on which the platform subgraph tells of sessions
// that were ended: signed out, replaced, or revoked.
const sessionEnded = "platform.session.ended"

// revocation knows the sessions that ended while their access tokens still
// count. It is fed by events, so that a request asks nobody.
type revocation struct {
	mu    sync.RWMutex
	ended map[string]time.Time // session → when its last token expires
}

// has says whether the session was ended.
func (r *revocation) has(session string) bool {
	if r == nil || session == "" {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ended[session]
	return ok
}

// run reads what ended within a token's life and what ends from now on, until
// the context ends.
func (r *revocation) run(ctx context.Context, bus *event.Bus, now func() time.Time) error {
	return bus.Since(ctx, sessionEnded, now().Add(-token.Lifetime), func(e event.Event) {
		var ended struct {
			SessionID string `json:"sessionId"`
		}
		if e.Read(&ended) == nil {
			r.add(ended.SessionID, e.At.Add(token.Lifetime), now())
		}
	})
}

// add remembers a session, and forgets those whose tokens have expired.
func (r *revocation) add(session string, until, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = map[string]time.Time{}
	}
	if len(r.ended)%256 == 255 {
		for other, over := range r.ended {
			if now.After(over) {
				delete(r.ended, other)
			}
		}
	}
	if now.Before(until) {
		r.ended[session] = until
	}
}
