package token

import (
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// seenLimit bounds the remembered tokens of one process, about 40 MB.
const seenLimit = 50_000

// seen remembers verified tokens until they expire, so that a signature is
// checked once. When full it forgets all: the next look costs one check each.
type seen struct {
	mu     sync.RWMutex
	tokens map[string]seenToken
}

type seenToken struct {
	principal *access.Principal
	until     time.Time
}

func (s *seen) get(text string, now time.Time) (*access.Principal, time.Time, bool) {
	s.mu.RLock()
	t, ok := s.tokens[text]
	s.mu.RUnlock()
	if !ok || !now.Before(t.until) {
		return nil, time.Time{}, false
	}
	return t.principal, t.until, true
}

func (s *seen) put(text string, p *access.Principal, until, now time.Time) {
	if !now.Before(until) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil || len(s.tokens) >= seenLimit {
		s.tokens = make(map[string]seenToken)
	}
	s.tokens[text] = seenToken{principal: p, until: until}
}
