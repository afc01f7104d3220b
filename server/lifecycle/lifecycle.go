// Package lifecycle starts the parts of a process in order and stops them in
// the opposite order, each within its time, whether the process ends by a
// signal, by a part that fails, or by an error while starting. Start reading
// at Group.Run.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Part is one thing that runs.
type Part struct {
	// Name says what it is, in the log and in errors.
	Name string
	// Start returns when the part is ready; it may return a channel that
	// closes or delivers when the part ends by itself. Nil starts nothing.
	Start func(ctx context.Context) (ended <-chan error, err error)
	// Stop ends the part; its context ends after Patience. Nil stops nothing.
	// It is called once, and only if Start succeeded.
	Stop func(ctx context.Context) error
	// Patience is the longest time for Stop; 0 is 10 seconds.
	Patience time.Duration
}

// Group is the parts of a process, in the order in which they start.
type Group struct {
	// Log gets a line for each part that is late or fails at the stop.
	Log   *slog.Logger
	parts []Part
}

// Add appends a part.
func (g *Group) Add(part Part) { g.parts = append(g.parts, part) }

// Run starts all parts, calls ready, waits until ctx ends or a part ends by
// itself, and stops all parts, last started first. It returns the error that
// ended it: nil after ctx ended and everything stopped. A part that fails to
// start stops those before it; ctx may end while parts start.
func (g *Group) Run(ctx context.Context, ready func()) error {
	ended := make(chan error, len(g.parts))
	started := 0
	var cause error
	for _, part := range g.parts {
		if cause = ctx.Err(); cause != nil {
			break
		}
		if part.Start == nil {
			started++
			continue
		}
		watch, err := part.Start(ctx)
		if err != nil {
			cause = err
			break
		}
		started++
		if watch != nil {
			go func() {
				err := <-watch
				if err == nil {
					err = errors.New("ended")
				}
				ended <- fmt.Errorf("%s: %w", part.Name, err)
			}()
		}
	}
	if cause == nil {
		if ready != nil {
			ready()
		}
		select {
		case <-ctx.Done():
		case cause = <-ended:
		}
	} else if ctx.Err() != nil {
		// A signal while starting is a wish, not a failure.
		cause = nil
	}
	return errors.Join(cause, g.stop(context.WithoutCancel(ctx), started))
}

// stop ends the first started parts in the opposite order. One that fails or
// is late does not keep the others from their turn.
func (g *Group) stop(ctx context.Context, started int) error {
	var failed []error
	for i := started - 1; i >= 0; i-- {
		part := g.parts[i]
		if part.Stop == nil {
			continue
		}
		if err := stopOne(ctx, part); err != nil {
			g.Log.Error("stop", "part", part.Name, "error", err)
			failed = append(failed, fmt.Errorf("stop %s: %w", part.Name, err))
		}
	}
	return errors.Join(failed...)
}

func stopOne(ctx context.Context, part Part) error {
	patience := part.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- part.Stop(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	// It has been told; a moment more to return, then we go on without it.
	select {
	case err := <-stopped:
		return err
	case <-time.After(time.Second):
		return fmt.Errorf("not stopped after %s", patience)
	}
}
