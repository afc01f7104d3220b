package bearer

import (
	"sync"
	"time"
)

const (
	// seenFor is how long a checked token is not checked again: so long counts
	// one whose key was withdrawn.
	seenFor = time.Minute
	// seenMost bounds the tokens that are remembered.
	seenMost = 20_000
)

// seen remembers checked tokens for a moment. When full it forgets all: the
// next look costs one check each.
type seen struct {
	mu     sync.RWMutex
	tokens map[string]seenToken
}

type seenToken struct {
	claims *Claims
	until  time.Time
}

func (s *seen) get(token string, now time.Time) *Claims {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found, ok := s.tokens[token]; ok && now.Before(found.until) {
		return found.claims
	}
	return nil
}

func (s *seen) put(token string, c *Claims, now time.Time) {
	until := now.Add(seenFor)
	if c.expires.Before(until) {
		until = c.expires
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil || len(s.tokens) >= seenMost {
		s.tokens = map[string]seenToken{}
	}
	s.tokens[token] = seenToken{c, until}
}
