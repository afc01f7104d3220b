package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// background is the work behind the requests: relays of the outboxes and the
// subgraphs' consumers. What fails is tried again; it never ends by itself.
type background struct {
	relays []*outbox.Relay
	ctx    context.Context // of the work
	cancel context.CancelFunc
	group  sync.WaitGroup
	log    *slog.Logger
}

func startBackground(running map[string]resolvers, relays []*outbox.Relay, log *slog.Logger) *background {
	ctx, cancel := context.WithCancel(context.Background())
	b := &background{relays: relays, ctx: ctx, cancel: cancel, log: log}
	for name, r := range running {
		b.keep(name, r.Run)
	}
	for _, relay := range relays {
		b.keep("outbox of "+relay.Subgraph, relay.Run)
	}
	return b
}

// keep runs the work until stop, again after a failure.
func (b *background) keep(name string, work func(context.Context) error) {
	ctx := b.ctx
	b.group.Go(func() {
		for ctx.Err() == nil {
			err := work(ctx)
			if ctx.Err() != nil || err == nil {
				return
			}
			b.log.ErrorContext(ctx, "background work failed, starting again", "work", name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
}

// How long the work may take to end, and one outbox to be flushed. What cannot
// be flushed stays in the outbox until the next start.
const (
	endPatience    = 10 * time.Second
	outboxPatience = 5 * time.Second
)

// stop ends the work and then flushes what the last requests committed, if the
// state is still there.
func (b *background) stop(ctx context.Context) error {
	b.cancel()
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	ended := make(chan struct{})
	go func() { b.group.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("background work did not end: %w", ctx.Err())
	}
	if !b.reachable(ctx) {
		return nil
	}
	var failed []error
	for _, relay := range b.relays {
		ctx, cancel := context.WithTimeout(ctx, outboxPatience)
		failed = append(failed, relay.Flush(ctx))
		cancel()
	}
	return errors.Join(failed...)
}

// reachable says whether there is a database to flush from.
func (b *background) reachable(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return len(b.relays) > 0 && b.relays[0].DB.Ping(ctx) == nil
}
