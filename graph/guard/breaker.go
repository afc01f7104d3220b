package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/graph/dispatch"
)

// Breakers wraps a dispatcher with one breaker for each subgraph. After
// Failures in a row without an answer a subgraph is left alone for Pause, and
// its fetches fail at once; then one fetch tries, and decides for the others.
// A subgraph that a rule degrades is not asked at all. An answer with GraphQL
// errors is an answer.
type Breakers struct {
	Inner    dispatch.Dispatcher
	Failures int           // 0 means 10
	Pause    time.Duration // 0 means 5 s
	Rules    *Rules        // may be nil

	mu       sync.Mutex
	breakers map[string]*breaker
}

// ErrBroken is in the chain of errors of fetches that were not sent, because
// the subgraph's breaker is open or a rule degrades it.
var ErrBroken = errors.New("subgraph is left alone")

// Prepare implements dispatch.Dispatcher.
func (b *Breakers) Prepare(document *dispatch.Document) (dispatch.Prepared, error) {
	inner, err := b.Inner.Prepare(document)
	if err != nil {
		return nil, err
	}
	return &guarded{inner: inner, breaker: b.of(document.Subgraph)}, nil
}

func (b *Breakers) of(subgraph string) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.breakers == nil {
		b.breakers = map[string]*breaker{}
	}
	found := b.breakers[subgraph]
	if found == nil {
		found = &breaker{resource: "subgraph:" + subgraph, failures: b.Failures, pause: b.Pause, rules: b.Rules}
		if found.failures <= 0 {
			found.failures = 10
		}
		if found.pause <= 0 {
			found.pause = 5 * time.Second
		}
		b.breakers[subgraph] = found
	}
	return found
}

type guarded struct {
	inner   dispatch.Prepared
	breaker *breaker
}

// Fetch implements dispatch.Prepared.
func (g *guarded) Fetch(ctx context.Context, request *dispatch.Request) (*dispatch.Reply, error) {
	trial, err := g.breaker.enter(time.Now())
	if err != nil {
		return nil, err
	}
	outcome := unknown // stays so if Fetch panics: a trial must end all the same
	defer func() { g.breaker.leave(trial, outcome, time.Now()) }()
	reply, err := g.inner.Fetch(ctx, request)
	outcome = outcomeOf(ctx, err)
	return reply, err
}

// Subscribe implements dispatch.Prepared.
func (g *guarded) Subscribe(ctx context.Context, request *dispatch.Request) (dispatch.Source, error) {
	trial, err := g.breaker.enter(time.Now())
	if err != nil {
		return nil, err
	}
	outcome := unknown
	defer func() { g.breaker.leave(trial, outcome, time.Now()) }()
	source, err := g.inner.Subscribe(ctx, request)
	outcome = outcomeOf(ctx, err)
	return source, err
}

// outcome is what a fetch tells of its subgraph.
type outcome int

const (
	unknown outcome = iota // the client went away
	answered
	failed
)

// outcomeOf: a deadline that passed is the subgraph's failure, it was too slow.
func outcomeOf(ctx context.Context, err error) outcome {
	switch {
	case err == nil:
		return answered
	case errors.Is(ctx.Err(), context.Canceled):
		return unknown
	}
	return failed
}

// breaker is closed while row < failures; open until retry; then one tries.
type breaker struct {
	resource string
	failures int
	pause    time.Duration
	rules    *Rules

	mu     sync.Mutex
	row    int // failures in a row
	retry  time.Time
	trying bool
}

func (b *breaker) thresholds() (failures int, pause time.Duration) {
	failures, pause = b.failures, b.pause
	if b.rules == nil {
		return failures, pause
	}
	if rule, ok := b.rules.breaker(b.resource); ok {
		failures = int(rule.Threshold)
		if rule.Pause > 0 {
			pause = rule.Pause
		}
	}
	return failures, pause
}

// enter lets a fetch pass, as the trial of an open breaker or as one of many.
func (b *breaker) enter(now time.Time) (trial bool, err error) {
	if b.rules != nil {
		if refusal := b.rules.degraded(b.resource); refusal != nil {
			return false, fmt.Errorf("guard: %s is degraded by rule: %w: %w", b.resource, ErrBroken, refusal)
		}
	}
	failures, _ := b.thresholds()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.row < failures {
		return false, nil
	}
	if b.trying || now.Before(b.retry) {
		return false, fmt.Errorf("guard: %s failed %d times in a row: %w", b.resource, b.row, ErrBroken)
	}
	b.trying = true
	return true, nil
}

func (b *breaker) leave(trial bool, outcome outcome, now time.Time) {
	failures, pause := b.thresholds()
	b.mu.Lock()
	defer b.mu.Unlock()
	if trial {
		b.trying = false
	}
	switch outcome {
	case answered:
		b.row = 0
	case failed:
		b.row++
		if b.row >= failures {
			b.retry = now.Add(pause)
		}
	}
}
