package oidc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// endReason is why a family of tokens ended before its time.
type endReason string

const (
	grantReused    endReason = "REUSED"     // a code or a refresh token came a second time
	grantRevoked   endReason = "REVOKED"    // by the application
	grantSignedOut endReason = "SIGNED_OUT" // by the person
)

// grant is what an application got: one family of tokens.
type grant struct {
	who
	ID        string         `db:"id"`
	AppID     string         `db:"client_app_id"`
	Scopes    pq.StringArray `db:"scopes"`
	ExpiresAt time.Time      `db:"expires_at"`
	EndedAt   *time.Time     `db:"ended_at"`
}

// held is a token with its family, whose application and session live.
type held struct {
	grant
	App          clientapp.ClientApp `db:"-"`
	ClientID     string              `db:"client_id"`
	Refresh      bool                `db:"refresh"`
	TokenScopes  pq.StringArray      `db:"token_scopes"`
	IssuedAt     time.Time           `db:"issued_at"`
	TokenExpires time.Time           `db:"token_expires_at"`
	RotatedAt    *time.Time          `db:"rotated_at"`
	RevokedAt    *time.Time          `db:"revoked_at"`
	SessionLives bool                `db:"session_lives"`
}

// counts says whether the token counts at the time.
func (h *held) counts(now time.Time) bool {
	return h.EndedAt == nil && h.RevokedAt == nil && h.RotatedAt == nil && h.SessionLives && now.Before(h.TokenExpires) && now.Before(h.ExpiresAt)
}

const heldColumns = `g.id, g.client_app_id, g.session_id, g.kind, g.principal_id, g.subject, g.scopes, g.methods, g.auth_time, g.expires_at, g.ended_at,
	a.client_id, t.refresh, t.scopes AS token_scopes, t.issued_at, t.expires_at AS token_expires_at, t.rotated_at, t.revoked_at,
	(g.session_id IS NULL OR s.ended_at IS NULL AND s.expires_at > $2) AND a.state IN ('SANDBOX', 'LIVE') AS session_lives`

const heldFrom = ` FROM platform.oidc_token t JOIN platform.oidc_grant g ON g.id = t.grant_id JOIN platform.client_app a ON a.id = g.client_app_id
	LEFT JOIN platform.session s ON s.id = g.session_id`

// find gives the token of the ID, nil if there is none.
func find(ctx context.Context, tx sqlx.ExtContext, tokenID string, now time.Time, lock string) (*held, error) {
	var h held
	err := sqlx.GetContext(ctx, tx, &h, `SELECT `+heldColumns+heldFrom+` WHERE t.hash = $1`+lock, hashOf(tokenID), now)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("oidc: finding a token: %w", err)
	}
	return &h, nil
}

// counting gives the token of the ID when it counts now, nil otherwise.
func (p *Provider) counting(ctx context.Context, tokenID string) (h *held, err error) {
	err = p.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		h, err = find(ctx, tx, tokenID, p.now(), "")
		return err
	})
	if err != nil || h == nil || !h.counts(p.now()) {
		return nil, err
	}
	return h, nil
}

// insertGrant begins a family.
func insertGrant(ctx context.Context, tx sqlx.ExtContext, g *grant, now time.Time) (err error) {
	if g.ID, err = identifier.New(); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.oidc_grant (id, client_app_id, session_id, kind, principal_id, subject, scopes, methods, auth_time, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		g.ID, g.AppID, g.SessionID, *g.Kind, g.PrincipalID, g.Subject, g.Scopes, g.Methods, *g.AuthTime, now, g.ExpiresAt)
	if err != nil {
		return fmt.Errorf("oidc: beginning a family of tokens: %w", err)
	}
	return nil
}

// sessionEnds gives when the session ends at the latest, errSession when it has.
func sessionEnds(ctx context.Context, tx sqlx.ExtContext, id string, now time.Time) (end time.Time, err error) {
	err = sqlx.GetContext(ctx, tx, &end, `SELECT expires_at FROM platform.session WHERE id = $1 AND ended_at IS NULL AND expires_at > $2`, id, now)
	if errors.Is(err, sql.ErrNoRows) {
		return end, errSession
	}
	if err != nil {
		return end, fmt.Errorf("oidc: reading a session: %w", err)
	}
	return end, nil
}

var errSession = protocol.ErrInvalidGrant().WithDescription("the sign-in has ended")

// issued are tokens that were just made.
type issued struct {
	accessID string
	refresh  string // the whole token; "" for none
	expires  time.Time
}

// issue makes an access token of the scopes, and a refresh token of all the family's if asked for.
func (p *Provider) issue(ctx context.Context, tx sqlx.ExtContext, g *grant, scopes []string, refresh bool, now time.Time) (issued, error) {
	made := issued{accessID: secret(), expires: earlier(now.Add(accessLife), g.ExpiresAt)}
	if err := insertToken(ctx, tx, made.accessID, g.ID, false, scopes, now, made.expires); err != nil {
		return issued{}, err
	}
	if !refresh {
		return made, nil
	}
	id := secret()
	made.refresh = p.tokens.seal(refreshPrefix, id+":"+g.Subject)
	return made, insertToken(ctx, tx, id, g.ID, true, g.Scopes, now, earlier(now.Add(refreshLife[*g.Kind]), g.ExpiresAt))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func insertToken(ctx context.Context, tx sqlx.ExtContext, id, grantID string, refresh bool, scopes []string, now, until time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform.oidc_token (hash, grant_id, refresh, scopes, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		hashOf(id), grantID, refresh, pq.Array(scopes), now, until)
	if err != nil {
		return fmt.Errorf("oidc: keeping a token: %w", err)
	}
	return nil
}

// byCode turns a request whose code came into a family, once.
func (p *Provider) byCode(ctx context.Context, r *request, refresh bool) (made issued, err error) {
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := p.now()
		ends, err := sessionEnds(ctx, tx, *r.SessionID, now)
		if err != nil {
			return err
		}
		g := &grant{who: r.who, AppID: r.AppID, Scopes: r.Scopes, ExpiresAt: ends}
		if err := insertGrant(ctx, tx, g, now); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE platform.oidc_request SET used_at = $2, grant_id = $3 WHERE id = $1 AND used_at IS NULL`, r.ID, now, g.ID)
		if err != nil {
			return fmt.Errorf("oidc: using a code: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(protocol.ErrInvalidGrant().WithDescription("the code was used before"), err)
		}
		made, err = p.issue(ctx, tx, g, r.Scopes, refresh, now)
		return err
	})
	return made, err
}

// rotate changes a refresh token for the next one and an access token. One that
// was changed before ends its family (RFC 9700, section 4.14).
func (p *Provider) rotate(ctx context.Context, tokenID string, scopes []string) (made issued, err error) {
	var reused *held
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := p.now()
		h, err := find(ctx, tx, tokenID, now, ` FOR UPDATE OF t, g`)
		if err != nil {
			return err
		}
		if h == nil || !h.Refresh {
			return protocol.ErrInvalidGrant()
		}
		if h.RotatedAt != nil && h.EndedAt == nil {
			reused = h
			return end(ctx, tx, `id = $3`, grantReused, now, h.ID) // and commit
		}
		if !h.counts(now) {
			return protocol.ErrInvalidGrant()
		}
		if _, err := tx.ExecContext(ctx, `UPDATE platform.oidc_token SET rotated_at = $2 WHERE hash = $1`, hashOf(tokenID), now); err != nil {
			return fmt.Errorf("oidc: rotating: %w", err)
		}
		made, err = p.issue(ctx, tx, &h.grant, scopes, true, now)
		return err
	})
	if err == nil && reused != nil {
		p.record(ctx, "oidcRefreshReused", nil, "ClientApp", reused.AppID, map[string]any{"grantId": reused.ID})
		err = protocol.ErrInvalidGrant().WithDescription("the refresh token was used before")
	}
	return made, err
}

// end ends families for a reason; the condition's own arguments begin at $3.
func end(ctx context.Context, tx sqlx.ExtContext, where string, why endReason, now time.Time, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE platform.oidc_grant SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND `+where, append([]any{now, why}, args...)...)
	if err != nil {
		return fmt.Errorf("oidc: ending a family of tokens: %w", err)
	}
	return nil
}

func (p *Provider) endGrant(ctx context.Context, id string, why endReason) error {
	return p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return end(ctx, tx, `id = $3`, why, p.now(), id) })
}

// forApp begins a family of the application's own, for the client credentials grant.
func (p *Provider) forApp(ctx context.Context, app *clientapp.ClientApp, scopes []string) (made issued, err error) {
	kind, now := access.Kind("app"), p.now()
	g := &grant{who: who{Kind: &kind, Subject: app.ClientID, Methods: pq.StringArray{}, AuthTime: &now}, AppID: app.ID, Scopes: scopes, ExpiresAt: now.Add(accessLife)}
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		if err := insertGrant(ctx, tx, g, now); err != nil {
			return err
		}
		made, err = p.issue(ctx, tx, g, scopes, false, now)
		return err
	})
	return made, err
}
