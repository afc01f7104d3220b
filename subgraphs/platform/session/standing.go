package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Standing gives who the session belongs to as they are now, confined ones too,
// and when that ends by itself at the latest; nil when the session has ended or
// who it belongs to may not act. For package oidc, whose applications' tokens
// live by a session.
func (s *Service) Standing(ctx context.Context, id string) (*access.Principal, time.Time, error) {
	var p *access.Principal
	var until time.Time
	err := s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		var r row
		err := sqlx.GetContext(ctx, tx, &r, `SELECT `+columns+` FROM platform.session s WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2`, id, s.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("session: reading: %w", err)
		}
		if p, until, err = s.acting(ctx, tx, r); err != nil || p == nil {
			return err
		}
		if until.IsZero() || until.After(r.ExpiresAt) {
			until = r.ExpiresAt
		}
		p.Session, p.Client = r.ID, r.Client
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return p, until, nil
}
