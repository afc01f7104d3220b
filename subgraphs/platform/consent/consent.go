// Package consent holds what people agreed to 授权同意: which application may
// learn or do what of theirs, since when and until when. A person sees and
// withdraws it; what the application held then counts no more.
//
// Start reading at Consent, then Service.
package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// State is where a consent stands: GRANTED→REVOKED|EXPIRED.
type State string

// The states.
const (
	Granted State = "GRANTED"
	Revoked State = "REVOKED"
	Expired State = "EXPIRED"
)

// Lifetime is how long a consent counts before it is asked for once more.
const Lifetime = 365 * 24 * time.Hour

// Consent is what one person agreed to for one application.
type Consent struct {
	ID          string         `db:"id"`
	ClientAppID string         `db:"client_app_id"`
	Kind        access.Kind    `db:"kind"`
	PrincipalID string         `db:"principal_id"`
	Scopes      pq.StringArray `db:"scopes"`
	State       State          `db:"state"`
	GrantedAt   time.Time      `db:"granted_at"`
	ExpiresAt   time.Time      `db:"expires_at"`
	EndedAt     *time.Time     `db:"ended_at"`
	// of the application, whatever the caller may see of it otherwise
	AppName     string `db:"app_name"`
	AppSummary  string `db:"app_summary"`
	AppHomepage string `db:"app_homepage"`
}

// Covers says whether the consent counts at the time and has all the scopes.
func (c *Consent) Covers(scopes []string, at time.Time) bool {
	return c != nil && c.State == Granted && at.Before(c.ExpiresAt) &&
		!slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) })
}

// Withdrawn is the event of a consent that ended.
const Withdrawn = "platform.consent.withdrawn"

// Service keeps consents.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "consent") }

const selected = `SELECT c.id, c.client_app_id, c.kind, c.principal_id, c.scopes, c.state, c.granted_at, c.expires_at, c.ended_at,
	a.name AS app_name, a.summary AS app_summary, a.homepage AS app_homepage
	FROM platform.consent c JOIN platform.client_app a ON a.id = c.client_app_id `

// Of gives the person's present consent for the application, nil if there is
// none. For package oidc, as the system.
func (s *Service) Of(ctx context.Context, appID string, p *access.Principal) (*Consent, error) {
	var c Consent
	err := s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		return sqlx.GetContext(ctx, tx, &c, selected+`WHERE c.kind = $1 AND c.principal_id = $2 AND c.client_app_id = $3 AND c.state = 'GRANTED'`, p.Kind, p.ID, appID)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("consent: reading: %w", err)
	}
	return &c, nil
}

// Grant keeps that the person agreed, in the place of what they agreed to
// before for the application. most bounds how many people may ever agree, 0 for
// any number; beyond it the answer is fault.Full. For package oidc, as the system.
func (s *Service) Grant(ctx context.Context, appID string, p *access.Principal, scopes []string, most int) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.now()
		if most > 0 {
			// of two at the same time the second one counts the first
			if _, err := tx.ExecContext(ctx, `SELECT id FROM platform.client_app WHERE id = $1 FOR UPDATE`, appID); err != nil {
				return fmt.Errorf("consent: granting: %w", err)
			}
			var others int
			err := sqlx.GetContext(ctx, tx, &others, `
				SELECT count(DISTINCT (kind, principal_id)) FROM platform.consent WHERE client_app_id = $1 AND (kind, principal_id) <> ($2, $3)`, appID, p.Kind, p.ID)
			if err != nil {
				return fmt.Errorf("consent: counting: %w", err)
			}
			if others >= most {
				return fault.New(fault.Full, "该应用正在试用，最多 %d 人可以登录", most)
			}
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE platform.consent SET state = 'REVOKED', ended_at = $4 WHERE kind = $1 AND principal_id = $2 AND client_app_id = $3 AND state = 'GRANTED'`,
			p.Kind, p.ID, appID, now)
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO platform.consent (id, client_app_id, kind, principal_id, scopes, state, granted_at, expires_at)
				VALUES ($1, $2, $3, $4, $5, 'GRANTED', $6, $7)`, id, appID, p.Kind, p.ID, pq.Array(scopes), now, now.Add(Lifetime))
		}
		if err != nil {
			return fmt.Errorf("consent: granting: %w", err)
		}
		return nil
	})
}

// Page is a page of consents.
type Page struct {
	Consents []*Consent
	Info     *keyset.PageInfo
}

// own gives the signed-in citizen or worker.
func own(ctx context.Context) (*access.Principal, error) {
	p := access.From(ctx)
	if p == nil || p.Kind == access.System {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	return p, nil
}

// Own gives a page of what the caller agreed to, the newest first, with what
// ended if all is asked for.
func (s *Service) Own(ctx context.Context, all bool, page keyset.Page) (Page, error) {
	p, err := own(ctx)
	if err != nil {
		return Page{}, err
	}
	before := identifier.Last
	if page.After != nil {
		if before = page.After[0]; !input.ID(before) {
			return Page{}, fault.Invalid("after", "游标无效")
		}
	}
	var list []*Consent
	err = s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error { // who may not see applications sees the names of these
		return sqlx.SelectContext(ctx, tx, &list, selected+`
			WHERE c.kind = $1 AND c.principal_id = $2 AND c.id < $3 AND ($4 OR c.state = 'GRANTED') ORDER BY c.id DESC LIMIT $5`, p.Kind, p.ID, before, all, page.Limit())
	})
	if err != nil {
		return Page{}, fmt.Errorf("consent: listing: %w", err)
	}
	shown, info := keyset.Of(page, list, func(c *Consent) []string { return []string{c.ID} })
	return Page{shown, info}, nil
}

// Withdraw ends a consent of the caller's, and all that the application held by it.
func (s *Service) Withdraw(ctx context.Context, id string) (*Consent, error) {
	p, err := own(ctx)
	if err != nil {
		return nil, err
	}
	missing := fault.New(fault.NotFound, "未找到该授权")
	if !input.ID(id) {
		return nil, missing
	}
	var c Consent
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.now()
		err := sqlx.GetContext(ctx, tx, &c, selected+`WHERE c.id = $1 AND c.kind = $2 AND c.principal_id = $3 FOR UPDATE OF c`, id, p.Kind, p.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return missing
		}
		if err != nil {
			return fmt.Errorf("consent: withdrawing: %w", err)
		}
		if c.State != Granted {
			return fault.New(fault.Conflict, "该授权已经结束")
		}
		before := map[string]any{"state": c.State, "scopes": c.Scopes}
		c.State, c.EndedAt = Revoked, &now
		_, err = tx.ExecContext(ctx, `UPDATE platform.consent SET state = 'REVOKED', ended_at = $2 WHERE id = $1`, id, now)
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				UPDATE platform.oidc_grant SET ended_at = $4, end_reason = 'CONSENT' WHERE client_app_id = $1 AND kind = $2 AND principal_id = $3 AND ended_at IS NULL`,
				c.ClientAppID, p.Kind, p.ID, now)
		}
		if err != nil {
			return fmt.Errorf("consent: withdrawing: %w", err)
		}
		audit.Change(ctx, audit.Target{Kind: "Consent", ID: id, Area: p.AreaCode}, before, map[string]any{"state": c.State})
		return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: Withdrawn, Payload: map[string]any{"consentId": id, "clientAppId": c.ClientAppID}})
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Expire ends up to a thousand consents whose time is over.
func (s *Service) Expire(ctx context.Context) error {
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE platform.consent SET state = 'EXPIRED', ended_at = expires_at
			WHERE id IN (SELECT id FROM platform.consent WHERE state = 'GRANTED' AND expires_at <= $1 ORDER BY expires_at LIMIT 1000)`, s.now())
		if err != nil {
			return fmt.Errorf("consent: expiring: %w", err)
		}
		return nil
	})
}
