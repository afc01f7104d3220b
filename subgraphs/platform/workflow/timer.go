package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// How often time limits are looked after, and how many instances at a time.
const (
	scanPause = 20 * time.Second
	scanBatch = 200
)

// Run publishes the definitions that come with the platform, fulfils requests
// and keeps the time limits, until the context ends. Any number of processes may.
func (s *Service) Run(ctx context.Context, from Consumer) error {
	for {
		err := s.Install(ctx)
		if err == nil || ctx.Err() != nil {
			break
		}
		s.Log.WarnContext(ctx, "workflow definitions not installed, will try again", "error", err)
		if !pause(ctx, time.Second) {
			return nil
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return from.ConsumeStored(ctx, durable, requestedSubject, s.Fulfil) })
	group.Go(func() error { return from.ConsumeStored(ctx, leftDurable, worker.LeftSubject, s.HandOver) })
	group.Go(func() error {
		return from.ConsumeStored(ctx, "platform-workday", "community.workday.changed", s.KeepCalendar)
	})
	group.Go(func() error {
		for {
			if err := s.KeepTime(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "time limits not kept, will try again", "error", err)
			}
			if !pause(ctx, scanPause) {
				return nil
			}
		}
	})
	return group.Wait()
}

// pause waits; false when the context ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// KeepTime looks after all time limits that have run out. Each instance is a
// transaction of its own: who dies in between has done some of them wholly, and
// the others are found by the next look.
func (s *Service) KeepTime(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "workflow")
	for {
		var ids []string
		err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
			return tx.SelectContext(ctx, &ids, `
				SELECT instance_id FROM (SELECT instance_id, check_at FROM platform.workflow_task WHERE check_at <= $1 ORDER BY check_at LIMIT $2) AS late
				GROUP BY instance_id ORDER BY min(check_at)`, s.Now(), scanBatch)
		})
		if err != nil {
			return fmt.Errorf("workflow: looking for time limits: %w", err)
		}
		done := 0
		for _, id := range ids {
			moved, err := s.keepTime(ctx, id)
			if err != nil {
				return err
			}
			if moved {
				done++
			}
		}
		if done == 0 { // nothing left, or what is left another process has in hand
			return nil
		}
	}
}

// keepTime looks after one instance; false when there was nothing to do, or
// somebody else is at it: they, or the next look, will.
func (s *Service) keepTime(ctx context.Context, id string) (moved bool, err error) {
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		i, err := lock(ctx, tx, "i.id = $1", true, id)
		if err != nil || i == nil {
			return err
		}
		if err := s.bind(ctx, tx, i); err != nil {
			return err
		}
		run, err := s.load(ctx, tx, i)
		if err != nil {
			return err
		}
		w := newWorld(ctx, tx, s.Now())
		after, effects, called := engine.CheckTime(i.definition, run, w.engine())
		if !called {
			return w.err
		}
		moved = true
		return errors.Join(w.err, saving{s: s, tx: tx, w: w, i: i, before: run.Tasks, after: after, effects: effects}.write(ctx))
	})
	return moved && err == nil, err
}
