package oidc

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

const (
	sweepEvery = 10 * time.Minute
	sweepBatch = 5000
	sweepKept  = 24 * time.Hour // after their end: for inquiries, and so that reuse is still seen
)

// Run removes what ran out, ends consents whose time is over, and makes the
// next key when one is due, until the context ends.
func (p *Provider) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for _, work := range []func(context.Context) error{p.Sweep, p.Consents.Expire, p.rotateWhenDue} {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				p.Log.WarnContext(ctx, "the sign-in's housekeeping failed, will try again", "error", err)
			}
		}
	}
}

// Sweep removes up to five thousand rows of each table that ran out a day ago.
func (p *Provider) Sweep(ctx context.Context) error {
	return p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		before := p.now().Add(-sweepKept)
		for _, statement := range []string{
			`DELETE FROM platform.oidc_token WHERE hash IN (SELECT hash FROM platform.oidc_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			`DELETE FROM platform.oidc_request WHERE id IN (SELECT id FROM platform.oidc_request WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			`DELETE FROM platform.oidc_device WHERE id IN (SELECT id FROM platform.oidc_device WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			`DELETE FROM platform.oidc_grant WHERE id IN (SELECT id FROM platform.oidc_grant WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			`DELETE FROM platform.sso_session WHERE id IN (SELECT id FROM platform.sso_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			`DELETE FROM platform.oidc_key WHERE id IN (SELECT id FROM platform.oidc_key WHERE published_until < $1 ORDER BY published_until LIMIT $2)`,
		} {
			if _, err := tx.ExecContext(ctx, statement, before, sweepBatch); err != nil {
				return fmt.Errorf("oidc: sweeping: %w", err)
			}
		}
		return nil
	})
}
