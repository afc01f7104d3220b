package oidc

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// The cookies: who is signed in, and which browser it is. Both belong to the
// provider alone.
const (
	ssoCookie     = "cc_sso"
	browserCookie = "cc_browser"
	browserLife   = 365 * 24 * time.Hour
)

// ssoIdle is how long a sign-in lasts unused; its session bounds it too.
var ssoIdle = map[access.Kind]time.Duration{access.Citizen: 7 * 24 * time.Hour, access.Worker: 2 * time.Hour}

// ssoSession is who is signed in in one browser.
type ssoSession struct {
	ID              string         `db:"id"`
	SessionID       string         `db:"session_id"`
	Kind            access.Kind    `db:"kind"`
	PrincipalID     string         `db:"principal_id"`
	Methods         pq.StringArray `db:"methods"`
	Pending         bool           `db:"pending"` // the second factor is missing
	AuthenticatedAt time.Time      `db:"authenticated_at"`
	SeenAt          time.Time      `db:"seen_at"`
	ExpiresAt       time.Time      `db:"expires_at"`
	// Principal is who it is now; set by signedIn.
	Principal *access.Principal `db:"-"`
}

// as is the person as a request or a device keeps them.
func (s *ssoSession) as(subject string) who {
	return who{SessionID: &s.SessionID, Kind: &s.Kind, PrincipalID: &s.PrincipalID, Subject: subject, Methods: s.Methods, AuthTime: &s.AuthenticatedAt}
}

// suits says whether the person is one whom the application is for.
func (s *ssoSession) suits(app *clientapp.ClientApp) bool {
	switch app.Audience {
	case clientapp.ForCitizens:
		return s.Kind == access.Citizen
	case clientapp.ForWorkers:
		return s.Kind == access.Worker
	default:
		return true
	}
}

func (p *Provider) cookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: Path, HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode}
	switch {
	case value == "":
		c.MaxAge = -1
	case life > 0:
		c.MaxAge = int(life / time.Second)
	}
	http.SetCookie(w, c)
}

// browser gives the cookie that names the browser; it is made where there is none.
func (p *Provider) browser(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) == 43 {
		return c.Value
	}
	value := secret()
	p.cookie(w, browserCookie, value, browserLife)
	return value
}

func knownBrowser(r *http.Request) string {
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) == 43 {
		return c.Value
	}
	return ""
}

// signedIn gives who is signed in in the browser, pending ones too; nil for nobody.
func (p *Provider) signedIn(r *http.Request) (*ssoSession, error) {
	c, err := r.Cookie(ssoCookie)
	if err != nil || len(c.Value) != 43 {
		return nil, nil
	}
	ctx, now := r.Context(), p.now()
	var s ssoSession
	err = p.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		return sqlx.GetContext(ctx, tx, &s, `
			SELECT o.id, o.session_id, o.kind, o.principal_id, o.methods, o.pending, o.authenticated_at, o.seen_at, o.expires_at
			FROM platform.sso_session o JOIN platform.session s ON s.id = o.session_id AND s.ended_at IS NULL AND s.expires_at > $2
			WHERE o.hash = $1 AND o.expires_at > $2`, hashOf(c.Value), now)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("oidc: reading a sign-in: %w", err)
	}
	if now.Sub(s.SeenAt) > ssoIdle[s.Kind] {
		return nil, nil
	}
	s.Principal, _, err = p.Sessions.Standing(ctx, s.SessionID)
	if err != nil || s.Principal == nil || s.Pending != (s.Principal.Confined != "") {
		return nil, err
	}
	if now.Sub(s.SeenAt) < time.Minute {
		return &s, nil
	}
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE platform.sso_session SET seen_at = $2 WHERE id = $1`, s.ID, now)
		return err
	})
	return &s, err
}

// enter remembers in the browser who has just signed in, under a new cookie: one
// from before is never taken over.
func (p *Provider) enter(w http.ResponseWriter, r *http.Request, who *access.Principal, methods ...string) (*ssoSession, error) {
	ctx, now := r.Context(), p.now()
	s := &ssoSession{SessionID: who.Session, Kind: who.Kind, PrincipalID: who.ID, Methods: methods, Pending: who.Confined != "",
		AuthenticatedAt: now, SeenAt: now, Principal: who}
	var err error
	if s.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	value := secret()
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if s.ExpiresAt, err = sessionEnds(ctx, tx, who.Session, now); err != nil {
			return err
		}
		if old, err := r.Cookie(ssoCookie); err == nil {
			if _, err := tx.ExecContext(ctx, `DELETE FROM platform.sso_session WHERE hash = $1`, hashOf(old.Value)); err != nil {
				return fmt.Errorf("oidc: forgetting a sign-in: %w", err)
			}
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO platform.sso_session (id, hash, session_id, kind, principal_id, methods, pending, authenticated_at, seen_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
			s.ID, hashOf(value), s.SessionID, s.Kind, s.PrincipalID, s.Methods, s.Pending, now, s.ExpiresAt)
		if err != nil {
			return fmt.Errorf("oidc: keeping a sign-in: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.cookie(w, ssoCookie, value, 0) // as long as the browser runs; the session bounds it
	return s, nil
}

// leave ends the sign-in of the browser: its session, and with it all that
// applications got by it.
func (p *Provider) leave(w http.ResponseWriter, r *http.Request, s *ssoSession) error {
	ctx := r.Context()
	p.cookie(w, ssoCookie, "", 0)
	err := p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		if err := end(ctx, tx, `session_id = $3`, grantSignedOut, p.now(), s.SessionID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM platform.sso_session WHERE session_id = $1`, s.SessionID)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := p.Sessions.SignOut(access.With(ctx, s.Principal), false); err != nil {
		return err
	}
	p.record(ctx, "oidcSignOut", s.Principal, "Session", s.SessionID, map[string]any{"ended": "SIGNED_OUT"})
	return nil
}
