package realname

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
)

const (
	sweepEvery = time.Minute
	// How long something may wait: the citizen without going on, a provider
	// without an answer, a counter after the time that was booked.
	idleTime      = 30 * time.Minute
	judgementTime = 10 * time.Minute
	noShowTime    = 7 * day
	sweepBatch    = 100
)

// Run gives up what nobody goes on with, ends what has run out, and erases
// evidence, until the context ends. Several processes may run it at once.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "real-name verifications not swept, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.kick:
		case <-ticker.C:
		}
	}
}

// Sweep does what is due now, all of it.
func (s *Service) Sweep(ctx context.Context) error {
	var failures []error
	for _, one := range []func(context.Context) (int, error){s.giveUpDue, s.expireDue, s.EraseDue} {
		for {
			n, err := one(ctx)
			if err != nil {
				failures = append(failures, err)
			}
			if err != nil || n < sweepBatch {
				break
			}
		}
	}
	return errors.Join(failures...)
}

// giveUpDue ends verifications that wait too long.
func (s *Service) giveUpDue(ctx context.Context) (int, error) {
	now := s.Now()
	ids, err := s.due(ctx, `
		SELECT v.id FROM platform.realname_verification v LEFT JOIN platform.realname_slot s ON s.id = v.slot_id
		WHERE v.state IN ('CREATED', 'PROCESSING', 'SUBMITTED') AND (v.method <> 'OFFLINE' AND v.updated_at <= CASE v.state WHEN 'CREATED' THEN $1::timestamptz ELSE $2::timestamptz END
			OR v.method = 'OFFLINE' AND s.ends_at <= $3::timestamptz)
		ORDER BY v.updated_at LIMIT $4`, now.Add(-idleTime), now.Add(-judgementTime), now.Add(-noShowTime), sweepBatch)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		err := s.each(ctx, id, func(tx *sqlx.Tx, v *IdentityVerification) error {
			switch {
			case v.Method == Offline && (v.State == Created || v.State == Submitted):
				return s.fail(ctx, tx, v, NoShow, change{action: GiveUp, by: system})
			case v.State == Created && !now.Before(v.UpdatedAt.Add(idleTime)):
				return s.fail(ctx, tx, v, TimedOut, change{action: GiveUp, by: system})
			case v.State == Processing && v.Method != Offline && !now.Before(v.UpdatedAt.Add(judgementTime)):
				return s.fail(ctx, tx, v, ProviderAway, change{action: GiveUp, by: system})
			}
			return nil // somebody was faster
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// expireDue brings accounts whose proof has run out down to L1: that name and
// number belong together stays true.
func (s *Service) expireDue(ctx context.Context) (int, error) {
	now := s.Now()
	ids, err := s.due(ctx, `SELECT id FROM platform.realname_verification WHERE state = 'VERIFIED' AND valid_until <= $1 ORDER BY valid_until LIMIT $2`, now, sweepBatch)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		err := s.each(ctx, id, func(tx *sqlx.Tx, v *IdentityVerification) error {
			if v.State != Verified || v.ValidUntil == nil || now.Before(*v.ValidUntil) {
				return nil
			}
			return s.lower(ctx, tx, v, citizen.L1, change{to: Expired, action: Expire, by: system})
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

func (s *Service) due(ctx context.Context, query string, args ...any) (ids []string, err error) {
	ctx = asSystem(ctx)
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error { return tx.SelectContext(ctx, &ids, query, args...) })
	return ids, err
}

// each changes one verification in a transaction of its own.
func (s *Service) each(ctx context.Context, id string, apply func(*sqlx.Tx, *IdentityVerification) error) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		v, err := s.take(ctx, tx, id)
		if err != nil || v == nil {
			return err
		}
		return apply(tx, v)
	})
}
