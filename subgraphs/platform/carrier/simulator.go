package carrier

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// Simulator is a provider of short messages that sends nothing. It behaves as a
// real one: it takes a key once, refuses numbers that cannot be, and tells
// what became of each message a while later.
type Simulator struct {
	name    string
	delay   time.Duration // from taking a message to its receipt
	receive func(context.Context, []Receipt)

	mu      sync.Mutex
	taken   map[string]string // ref by key: of this and the last period
	before  map[string]string
	pending []Receipt
	count   int
	// Fault, where set, is asked before each message and after it was taken:
	// what it gives is answered in place of the truth. Tests set it.
	Fault func(text Text, taken bool) error
}

// NewSimulator makes it; receive gets the receipts, in batches, while Run runs.
func NewSimulator(name string, delay time.Duration, receive func(context.Context, []Receipt)) *Simulator {
	return &Simulator{name: name, delay: delay, receive: receive, taken: map[string]string{}}
}

// Name implements Provider.
func (s *Simulator) Name() string { return s.name }

// remembered is how many keys a simulator remembers at least.
const remembered = 200_000

// Submit implements Provider.
func (s *Simulator) Submit(ctx context.Context, text Text) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s.Fault != nil {
		if err := s.Fault(text, false); err != nil {
			return "", err
		}
	}
	if len(text.Mobile) != 14 || !strings.HasPrefix(text.Mobile, "+861") {
		return "", &Refusal{Permanent: true, Reason: "BAD_NUMBER"}
	}
	ref := s.take(text)
	if s.Fault != nil {
		if err := s.Fault(text, true); err != nil {
			return "", err
		}
	}
	return ref, nil
}

func (s *Simulator) take(text Text) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref, ok := s.taken[text.Key]; ok {
		return ref
	}
	if ref, ok := s.before[text.Key]; ok {
		return ref
	}
	if len(s.taken) >= remembered {
		s.before, s.taken = s.taken, map[string]string{}
	}
	s.count++
	ref := fmt.Sprintf("%s-%d", s.name, s.count)
	s.taken[text.Key] = ref
	s.pending = append(s.pending, Receipt{Provider: s.name, Key: text.Key, Delivered: !strings.HasSuffix(text.Mobile, "0000"), Reason: reason(text.Mobile)})
	return ref
}

// reason makes numbers that end in 0000 unreachable, so that failures can be seen.
func reason(mobile string) string {
	if strings.HasSuffix(mobile, "0000") {
		return "UNREACHABLE"
	}
	return ""
}

// Taken is how many messages were taken: how many would have gone out.
func (s *Simulator) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Flush tells the receipts that are due now.
func (s *Simulator) Flush(ctx context.Context) {
	s.mu.Lock()
	receipts := s.pending
	s.pending = nil
	s.mu.Unlock()
	for len(receipts) > 0 {
		n := min(len(receipts), 500)
		s.receive(ctx, receipts[:n])
		receipts = receipts[n:]
	}
}

// Run tells receipts until the context ends.
func (s *Simulator) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.delay)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.Flush(ctx)
		}
	}
}

// ErrAway is what a provider answers that did not answer: it may have taken the message.
var ErrAway = errors.New("carrier: no answer")

// Shown is a provider of the development mode that also shows the codes it took
// in the inbox.
type Shown struct {
	Provider
	Inbox *sms.Simulator
}

// Submit implements Provider.
func (s Shown) Submit(ctx context.Context, text Text) (string, error) {
	ref, err := s.Provider.Submit(ctx, text)
	if err != nil || text.Code == "" {
		return ref, err
	}
	return ref, s.Inbox.Send(ctx, sms.Message{Mobile: text.Mobile, Scene: text.Scene, Code: text.Code})
}

// Nobody is the provider where none is configured and nothing may be simulated:
// it refuses, so that nothing counts as sent.
type Nobody struct{}

// Name implements Provider.
func (Nobody) Name() string { return "nobody" }

// Submit implements Provider: it refuses for good.
func (Nobody) Submit(context.Context, Text) (string, error) {
	return "", &Refusal{Permanent: true, Reason: "NO_PROVIDER"}
}
