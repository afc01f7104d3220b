// Package carrier hands messages to those who carry them out of the platform:
// providers of short messages, and the push services of Apple, Huawei and
// Xiaomi. What nobody configured is simulated.
//
// Short messages go in two lanes. One-time codes have one to themselves
// (Codes): they wait in no queue, and use slots of each provider that a mass
// sending cannot take. Everything else is the mass lane (Router).
//
// Start reading at Provider and Router; the lanes are in lane.go, an operator's
// gateway by HTTP in gateway.go, its receipts in receipt.go, simulators in
// simulator.go, push services in push.go.
package carrier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// Text is one short message.
type Text struct {
	// Key is the provider's idempotency key: the same one handed over twice is sent once.
	Key    string
	Mobile string // E.164
	Text   string
	// Code is the one-time code in it, and Scene what for; "" in the mass lane.
	Code  string
	Scene sms.Scene
}

// Provider hands short messages to a mobile operator. Submit returns when the
// provider has taken the message; whether it arrived a Receipt tells later. An
// error is a Refusal, or nobody knows whether the provider took it.
type Provider interface {
	Name() string
	Submit(ctx context.Context, text Text) (ref string, err error)
}

// Receipt tells what became of a message.
type Receipt struct {
	Provider  string
	Key       string
	Delivered bool
	Reason    string // a code, where it was not delivered
}

// Refusal says that the message was certainly not taken.
type Refusal struct {
	Permanent bool // no provider will take it: the number does not exist, or refuses all
	Reason    string
}

// Error implements error.
func (r *Refusal) Error() string { return "carrier: refused: " + r.Reason }

// Refused gives the refusal that the error is, nil when it is none: then the
// provider may have taken the message.
func Refused(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// Share is a provider and how much of all messages it gets in good times.
type Share struct {
	Provider Provider
	Weight   int
}

// Router spreads short messages over providers by weight. One that fails loses
// weight by halves, and gets it back little by little as it works again.
type Router struct {
	mu    sync.Mutex
	seats []*seat
}

type seat struct {
	provider Provider
	lane     *lanes
	base     float64
	weight   float64 // now
	credit   float64
}

const (
	leastWeight = 1.0 / 64 // of the base: enough to notice that it works again
	regained    = 1.0 / 16 // of the base, with each success
)

// NewRouter makes a router; each provider takes slots messages at once, of
// which reserved are for codes alone.
func NewRouter(slots, reserved int, shares ...Share) (*Router, error) {
	if len(shares) == 0 || reserved < 1 || slots <= reserved {
		return nil, errors.New("carrier: a router needs a provider, and slots for both lanes")
	}
	r := &Router{}
	for _, s := range shares {
		if s.Weight < 1 {
			return nil, fmt.Errorf("carrier: %s: the weight must be at least 1", s.Provider.Name())
		}
		r.seats = append(r.seats, &seat{provider: s.Provider, lane: newLanes(slots, reserved), base: float64(s.Weight), weight: float64(s.Weight)})
	}
	return r, nil
}

// Choose names the provider for the next message, another one than avoid where
// there is one. Over any while each gets its weight's share (smooth weighted
// round robin).
func (r *Router) Choose(avoid string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *seat
	total := 0.0
	for _, s := range r.seats {
		if s.provider.Name() == avoid && len(r.seats) > 1 {
			continue
		}
		s.credit += s.weight
		total += s.weight
		if best == nil || s.credit > best.credit {
			best = s
		}
	}
	best.credit -= total
	return best.provider.Name()
}

// Submit hands the message to the named provider in the mass lane. A name that
// is no longer known is a refusal.
func (r *Router) Submit(ctx context.Context, provider string, text Text) (string, error) {
	s := r.seat(provider)
	if s == nil {
		return "", &Refusal{Reason: "NO_PROVIDER"}
	}
	done, err := s.lane.mass(ctx)
	if err != nil {
		return "", &Refusal{Reason: "BUSY"}
	}
	defer done()
	return r.submit(ctx, s, text)
}

// submitTimeout bounds one handing over.
const submitTimeout = 10 * time.Second

func (r *Router) submit(ctx context.Context, s *seat, text Text) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	ref, err := s.provider.Submit(ctx, text)
	if refused := Refused(err); err == nil || refused != nil && refused.Permanent {
		r.judge(s, true) // a number that does not exist is no failure of the provider's
	} else {
		r.judge(s, false)
	}
	return ref, err
}

func (r *Router) seat(name string) *seat {
	for _, s := range r.seats {
		if s.provider.Name() == name {
			return s
		}
	}
	return nil
}

func (r *Router) judge(s *seat, worked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if worked {
		s.weight = min(s.base, s.weight+s.base*regained)
	} else {
		s.weight = max(s.base*leastWeight, s.weight/2)
	}
}

// Weights are the providers' present weights by name.
func (r *Router) Weights() map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	weights := make(map[string]float64, len(r.seats))
	for _, s := range r.seats {
		weights[s.provider.Name()] = s.weight
	}
	return weights
}

// Busy is how many messages the named provider is being handed right now.
func (r *Router) Busy(provider string) int {
	if s := r.seat(provider); s != nil {
		return len(s.lane.all)
	}
	return 0
}
