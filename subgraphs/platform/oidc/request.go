package oidc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// who is a person who is signed in, as requests, devices and grants keep them.
type who struct {
	SessionID   *string        `db:"session_id"`
	Kind        *access.Kind   `db:"kind"`
	PrincipalID *string        `db:"principal_id"`
	Subject     string         `db:"subject"`
	Methods     pq.StringArray `db:"methods"` // amr, RFC 8176
	AuthTime    *time.Time     `db:"auth_time"`
}

// request is an authorization request. It implements op.AuthRequest.
type request struct {
	who
	ID            string         `db:"id"`
	AppID         string         `db:"client_app_id"`
	ClientID      string         `db:"client_id"` // of the application
	BrowserHash   []byte         `db:"browser_hash"`
	RedirectURI   string         `db:"redirect_uri"`
	Scopes        pq.StringArray `db:"scopes"`
	State         string         `db:"state"`
	Nonce         string         `db:"nonce"`
	CodeChallenge string         `db:"code_challenge"`
	Prompts       pq.StringArray `db:"prompts"`
	MaxAge        *int           `db:"max_age"`
	Locale        string         `db:"locale"`
	LoginHint     string         `db:"login_hint"`
	CreatedAt     time.Time      `db:"created_at"`
	ExpiresAt     time.Time      `db:"expires_at"`
	UsedAt        *time.Time     `db:"used_at"`
	GrantID       *string        `db:"grant_id"`
}

const requestColumns = `r.id, r.client_app_id, a.client_id, r.browser_hash, r.redirect_uri, r.scopes, r.state, r.nonce, r.code_challenge, r.prompts, r.max_age, r.locale,
	r.login_hint, r.created_at, r.expires_at, r.session_id, r.kind, r.principal_id, r.subject, r.methods, r.auth_time, r.used_at, r.grant_id`

func (r *request) GetID() string          { return r.ID }
func (r *request) GetACR() string         { return "" }
func (r *request) GetAMR() []string       { return r.Methods }
func (r *request) GetAudience() []string  { return []string{r.ClientID} }
func (r *request) GetAuthTime() time.Time { return *r.AuthTime }
func (r *request) GetClientID() string    { return r.ClientID }
func (r *request) GetNonce() string       { return r.Nonce }
func (r *request) GetRedirectURI() string { return r.RedirectURI }
func (r *request) GetScopes() []string    { return wireNames(r.Scopes) }
func (r *request) GetState() string       { return r.State }
func (r *request) GetSubject() string     { return r.Subject }
func (r *request) Done() bool             { return r.AuthTime != nil }
func (r *request) prompted(p string) bool { return slices.Contains(r.Prompts, p) }
func (r *request) browserIs(c string) bool {
	return c != "" && string(hashOf(c)) == string(r.BrowserHash)
}

func (r *request) GetResponseType() protocol.ResponseType { return protocol.ResponseTypeCode }
func (r *request) GetResponseMode() protocol.ResponseMode { return "" }

func (r *request) GetCodeChallenge() *protocol.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &protocol.CodeChallenge{Challenge: r.CodeChallenge, Method: protocol.CodeChallengeMethodS256}
}

// Bounds of what an application may send along.
const (
	maxState = 1024
	maxNonce = 512
	maxHint  = 64
)

// CreateAuthRequest implements op.Storage: it checks what the library leaves to
// us, and keeps the request for the browser that brought it.
func (s *storage) CreateAuthRequest(ctx context.Context, asked *protocol.AuthRequest, _ string) (op.AuthRequest, error) {
	app, err := s.working(ctx, asked.ClientID)
	if err != nil {
		return nil, err
	}
	bad := protocol.ErrInvalidRequest
	switch {
	case !slices.Contains(asked.Scopes, protocol.ScopeOpenID):
		return nil, protocol.ErrInvalidScope().WithDescription("the scope openid is missing")
	case asked.CodeChallenge != "" && asked.CodeChallengeMethod != protocol.CodeChallengeMethodS256:
		return nil, bad().WithDescription("code_challenge_method must be S256")
	case asked.CodeChallenge == "" && !app.Confidential():
		return nil, bad().WithDescription("this application must use PKCE: code_challenge is missing")
	case asked.CodeChallenge != "" && len(asked.CodeChallenge) != 43:
		return nil, bad().WithDescription("code_challenge must be the 43 characters of a SHA-256 in base64url")
	case asked.ResponseMode != "" && asked.ResponseMode != protocol.ResponseModeQuery:
		return nil, bad().WithDescription("response_mode must be query")
	case len(asked.State) > maxState || len(asked.Nonce) > maxNonce || len(asked.LoginHint) > maxHint || len(asked.Prompt) > 4 || len(asked.Scopes) > 40:
		return nil, bad().WithDescription("state, nonce, login_hint, prompt or scope is too long")
	case strings.ContainsRune(asked.State+asked.Nonce+asked.LoginHint, 0):
		return nil, bad().WithDescription("a parameter holds a zero byte")
	}
	x := exchangeOf(ctx)
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	now := s.now()
	r := &request{ID: id, AppID: app.ID, ClientID: app.ClientID, BrowserHash: hashOf(x.browser), RedirectURI: asked.RedirectURI,
		Scopes: granted(app, asked.Scopes), State: asked.State, Nonce: asked.Nonce, CodeChallenge: asked.CodeChallenge,
		Prompts: pq.StringArray(asked.Prompt), LoginHint: asked.LoginHint, CreatedAt: now, ExpiresAt: now.Add(requestLife)}
	if r.Prompts == nil {
		r.Prompts = pq.StringArray{}
	}
	if asked.MaxAge != nil {
		age := int(min(*asked.MaxAge, 1<<30))
		r.MaxAge = &age
	}
	for _, tag := range asked.UILocales {
		r.Locale = tag.String()
		break
	}
	if len(r.Locale) > 20 {
		r.Locale = ""
	}
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		_, err := sqlx.NamedExecContext(ctx, tx, `
			INSERT INTO platform.oidc_request (id, client_app_id, browser_hash, redirect_uri, scopes, state, nonce, code_challenge, prompts, max_age, locale, login_hint, created_at, expires_at)
			VALUES (:id, :client_app_id, :browser_hash, :redirect_uri, :scopes, :state, :nonce, :code_challenge, :prompts, :max_age, :locale, :login_hint, :created_at, :expires_at)`, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("oidc: keeping a request: %w", err)
	}
	return r, nil
}

var errGone = errors.New("oidc: the request is not there, or its time is over")

// request gives a request that still waits, errGone if there is none.
func (p *Provider) request(ctx context.Context, id string) (*request, error) {
	if !input.ID(id) {
		return nil, errGone
	}
	return p.findRequest(ctx, `r.id = $1 AND r.expires_at > $2 AND r.used_at IS NULL`, id, p.now())
}

func (p *Provider) findRequest(ctx context.Context, where string, args ...any) (*request, error) {
	var r request
	err := p.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		return sqlx.GetContext(ctx, tx, &r, `SELECT `+requestColumns+` FROM platform.oidc_request r JOIN platform.client_app a ON a.id = r.client_app_id WHERE `+where, args...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("oidc: reading a request: %w", err)
	}
	return &r, nil
}

// AuthRequestByID implements op.Storage.
func (s *storage) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	return s.request(ctx, id)
}

// complete notes who agreed to which of the scopes.
func (p *Provider) complete(ctx context.Context, r *request, app *clientapp.ClientApp, in *ssoSession, scopes []string) error {
	r.who = in.as(p.subject(app, in.Kind, in.PrincipalID))
	r.Scopes = scopes
	err := p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		result, err := sqlx.NamedExecContext(ctx, tx, `
			UPDATE platform.oidc_request SET scopes = :scopes, session_id = :session_id, kind = :kind, principal_id = :principal_id, subject = :subject,
				methods = :methods, auth_time = :auth_time
			WHERE id = :id AND used_at IS NULL AND code_hash IS NULL`, r)
		if err != nil {
			return fmt.Errorf("oidc: completing a request: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errGone, err) // it has its code already
		}
		return nil
	})
	return err
}

// SaveAuthCode implements op.Storage: the code counts for a minute. A request
// gets one code.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE platform.oidc_request SET code_hash = $2, expires_at = $3 WHERE id = $1 AND used_at IS NULL AND code_hash IS NULL AND auth_time IS NOT NULL`,
			id, hashOf(code), s.now().Add(codeLife))
		if err != nil {
			return fmt.Errorf("oidc: keeping a code: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errGone, err)
		}
		return nil
	})
}

// AuthRequestByCode implements op.Storage. A code that comes a second time ends
// what the first time gave (RFC 6749, section 4.1.2).
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	if _, err := s.tokens.open(accessPrefix, code); err != nil {
		return nil, err
	}
	r, err := s.findRequest(ctx, `r.code_hash = $1`, hashOf(code))
	if err != nil {
		return nil, err
	}
	if r.UsedAt != nil {
		return nil, s.replayed(ctx, r)
	}
	if !s.now().Before(r.ExpiresAt) {
		return nil, errGone
	}
	return r, nil
}

func (s *storage) replayed(ctx context.Context, r *request) error {
	if r.GrantID != nil {
		if err := s.endGrant(ctx, *r.GrantID, grantReused); err != nil {
			return err
		}
		s.record(ctx, "oidcCodeReplayed", nil, "ClientApp", r.AppID, map[string]any{"grantId": *r.GrantID})
	}
	return errors.New("oidc: the code was used before")
}

// DeleteAuthRequest implements op.Storage. The request stays until its time is
// over: a second use of its code must be seen.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }
