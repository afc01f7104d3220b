package session

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// maxRefresh bounds a refresh token's length; ours have 43 characters.
const maxRefresh = 128

// Refresh changes the refresh token for a new one and an access token that
// shows the principal as it is now: a changed post counts from here on. A
// token that was changed before was stolen, or is used by a thief's victim:
// the whole session ends (RFC 9700, section 4.14).
func (s *Service) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	refused := fault.New(fault.Unauthenticated, "登录已失效，请重新登录")
	if refreshToken == "" || len(refreshToken) > maxRefresh {
		return Tokens{}, refused
	}
	key := hash(refreshToken)
	var tokens Tokens
	var ended []string
	var session string
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.Now()
		token, err := lockRefresh(ctx, tx, key)
		if err != nil {
			return err
		}
		if token == nil || token.EndedAt != nil || !now.Before(token.ExpiresAt) {
			return nil
		}
		if token.RotatedAt != nil {
			ended, err = s.end(ctx, tx, token.Kind, token.PrincipalID, token.ID, reused)
			return err // and commit: the session is over
		}
		if !now.Before(token.TokenExpiresAt) {
			return nil
		}
		p, until, err := s.acting(ctx, tx, token.row)
		if err != nil {
			return err
		}
		if p == nil {
			ended, err = s.end(ctx, tx, token.Kind, token.PrincipalID, token.ID, principal)
			return err
		}
		if err := rotate(ctx, tx, key, token.ID, now); err != nil {
			return err
		}
		p.Session, p.Client, session = token.ID, token.Client, token.ID
		token.prove(p, now)
		audit.By(ctx, p)
		audit.Change(ctx, audit.Target{Kind: "Session", ID: token.ID, Area: p.AreaCode}, nil, map[string]any{"refreshed": now})
		tokens, err = s.issue(ctx, tx, p, now, token.ExpiresAt, until)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	s.forget(ctx, ended...)
	if session == "" {
		return Tokens{}, refused
	}
	s.remember(ctx, session)
	return tokens, nil
}

// acting gives who the session belongs to as it is now, nil if they may not
// act, and when that ends by itself.
func (s *Service) acting(ctx context.Context, tx sqlx.ExtContext, r row) (*access.Principal, time.Time, error) {
	if r.Kind != access.Worker {
		p, err := s.Citizens.Acting(ctx, tx, r.PrincipalID)
		return p, time.Time{}, err
	}
	found, err := s.Workers.Acting(ctx, tx, r.PrincipalID, r.hat())
	if err != nil || found == nil {
		return nil, time.Time{}, err
	}
	if err := s.confine(ctx, tx, found, r.SecondFactorAt != nil); err != nil {
		return nil, time.Time{}, err
	}
	return found.Principal, found.Until, nil
}
