package guard

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often something may happen: PerSecond in the long run, Burst at
// once. The zero Rate is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) unlimited() bool { return r.PerSecond <= 0 }

// Limiter counts per key, in the process, with one token bucket each. It
// keeps a bounded number of buckets; the least recently used go first, so a
// flood of new keys costs no memory. It is safe for concurrent use.
type Limiter struct {
	most   int
	mu     sync.Mutex
	order  *list.List // of *bucket, the most recently used first
	byName map[string]*list.Element
}

type bucket struct {
	name   string
	rate   Rate
	tokens *rate.Limiter
}

// NewLimiter keeps at most that many buckets; 0 means 65,536.
func NewLimiter(most int) *Limiter {
	if most <= 0 {
		most = 1 << 16
	}
	return &Limiter{most: most, order: list.New(), byName: map[string]*list.Element{}}
}

// Take takes one token from the key's bucket. If there is none it takes
// nothing, and says after what time there will be one.
func (l *Limiter) Take(key string, allowed Rate, now time.Time) (ok bool, retryAfter time.Duration) {
	if allowed.unlimited() {
		return true, 0
	}
	tokens := l.bucket(key, allowed)
	reservation := tokens.ReserveN(now, 1)
	if !reservation.OK() {
		return false, time.Second // a burst of zero: nothing is ever allowed
	}
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return false, wait
	}
	return true, 0
}

func (l *Limiter) bucket(key string, allowed Rate) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if element, ok := l.byName[key]; ok {
		l.order.MoveToFront(element)
		found := element.Value.(*bucket)
		if found.rate != allowed { // the rule was changed
			found.rate = allowed
			found.tokens = rate.NewLimiter(rate.Limit(allowed.PerSecond), allowed.Burst)
		}
		return found.tokens
	}
	made := &bucket{key, allowed, rate.NewLimiter(rate.Limit(allowed.PerSecond), allowed.Burst)}
	l.byName[key] = l.order.PushFront(made)
	if l.order.Len() > l.most {
		oldest := l.order.Remove(l.order.Back()).(*bucket)
		delete(l.byName, oldest.name)
	}
	return made.tokens
}
