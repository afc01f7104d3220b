package message

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
)

// Consumer is where events come from; *event.Bus is the real one.
type Consumer interface {
	Consume(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error
}

const (
	deliverers = 4           // that hand over to providers, in each process
	look       = time.Second // how often each looks without being woken
)

// Run expands and delivers until the context ends. Any number of processes may.
func (s *Service) Run(ctx context.Context, from Consumer) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return from.Consume(ctx, durable, steppedSubject, s.Stepped) })
	group.Go(func() error { return s.loop(ctx, 0, s.DeliverInside) })
	for i := range deliverers {
		group.Go(func() error { return s.loop(ctx, 1+i, s.DeliverOutside) })
	}
	group.Go(func() error {
		ticker := time.NewTicker(look)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
				if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
					s.Log.WarnContext(ctx, "messages not looked after, will try again", "error", err)
				}
			}
		}
	})
	return group.Wait()
}

// loop works as long as there is something to do, then waits to be woken.
func (s *Service) loop(ctx context.Context, number int, work func(context.Context) (int, error)) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		n, err := work(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "deliveries not made, will try again", "error", err)
		}
		if n > 0 && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wakes[number]:
		case <-ticker.C:
		}
	}
}

// stir wakes what delivers in this process.
func (s *Service) stir() {
	for _, wake := range s.wakes {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// Tick begins the messages whose time has come, goes on with those whose event
// was lost, gives up on receipts, and ends the messages that are done.
func (s *Service) Tick(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "message")
	var steps []step
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		steps, err = waiting(ctx, tx, s.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, next := range steps {
		if err := s.Step(ctx, next.MessageID, next.Step); err != nil {
			return err
		}
	}
	if n, err := s.GiveUpOnReceipts(ctx); err != nil {
		return err
	} else if n > 0 {
		s.stir()
	}
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		done, err := complete(ctx, tx, s.Now())
		if err != nil {
			return err
		}
		return announceProgress(ctx, tx, done...)
	})
}
