package oidc

import (
	"context"
	"errors"
	"fmt"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/jmoiron/sqlx"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// storage is what the protocol's library asks and tells. It implements
// op.Storage, op.DeviceAuthorizationStorage and op.ClientCredentialsStorage.
type storage struct{ *Provider }

// exchange is one HTTP request on its way through the library.
type exchange struct {
	browser string // the cookie of the browser that brought it
	device  *device
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// errClient refuses an application that is not there, or does not work now.
var errClient = errors.New("oidc: there is no such application, or it is not in use")

// working gives an application with which people can sign in.
func (p *Provider) working(ctx context.Context, clientID string) (*clientapp.ClientApp, error) {
	app, err := p.Apps.ByClientID(ctx, clientID)
	if err != nil {
		return nil, protocol.ErrServerError().WithParent(err)
	}
	if app == nil || !app.State.Works() {
		return nil, errClient
	}
	return app, nil
}

// GetClientByClientID implements op.Storage.
func (s *storage) GetClientByClientID(ctx context.Context, clientID string) (op.Client, error) {
	app, err := s.working(ctx, clientID)
	if errors.Is(err, errClient) {
		return nil, protocol.ErrInvalidClient().WithParent(err)
	}
	if err != nil {
		return nil, err
	}
	return client{app}, nil
}

// AuthorizeClientIDSecret implements op.Storage.
func (s *storage) AuthorizeClientIDSecret(ctx context.Context, clientID, clientSecret string) error {
	_, err := s.ClientCredentials(ctx, clientID, clientSecret)
	return err
}

// ClientCredentials implements op.ClientCredentialsStorage.
func (s *storage) ClientCredentials(ctx context.Context, clientID, clientSecret string) (op.Client, error) {
	app, err := s.working(ctx, clientID)
	if err != nil {
		return nil, err
	}
	right, err := s.Apps.Authenticate(ctx, app, clientSecret)
	if err != nil {
		return nil, protocol.ErrServerError().WithParent(err)
	}
	if !right {
		return nil, errClient
	}
	return client{app}, nil
}

// appRequest is an application that asks for itself. It implements op.TokenRequest.
type appRequest struct {
	app    *clientapp.ClientApp
	scopes []string
}

func (r *appRequest) GetSubject() string    { return r.app.ClientID }
func (r *appRequest) GetAudience() []string { return []string{r.app.ClientID} }
func (r *appRequest) GetScopes() []string   { return wireNames(r.scopes) }

// ClientCredentialsTokenRequest implements op.ClientCredentialsStorage: an
// application by itself may run the operations that it was granted, no more.
func (s *storage) ClientCredentialsTokenRequest(ctx context.Context, clientID string, _ []string) (op.TokenRequest, error) {
	app, err := s.working(ctx, clientID)
	if err != nil {
		return nil, err
	}
	if !app.Has(clientapp.ScopeAPI) {
		return nil, protocol.ErrUnauthorizedClient().WithDescription("the scope api was not granted")
	}
	return &appRequest{app, []string{string(clientapp.ScopeAPI)}}, nil
}

// CreateAccessToken implements op.Storage.
func (s *storage) CreateAccessToken(ctx context.Context, asked op.TokenRequest) (string, time.Time, error) {
	made, err := s.create(ctx, asked, "", false)
	return made.accessID, made.expires, err
}

// CreateAccessAndRefreshTokens implements op.Storage.
func (s *storage) CreateAccessAndRefreshTokens(ctx context.Context, asked op.TokenRequest, current string) (string, string, time.Time, error) {
	made, err := s.create(ctx, asked, current, true)
	return made.accessID, made.refresh, made.expires, err
}

func (s *storage) create(ctx context.Context, asked op.TokenRequest, current string, refresh bool) (issued, error) {
	switch r := asked.(type) {
	case *request:
		return s.byCode(ctx, r, refresh)
	case *refreshRequest:
		return s.rotate(ctx, r.tokenID, r.current)
	case *op.DeviceAuthorizationState:
		return s.byDevice(ctx, exchangeOf(ctx).device, refresh)
	case *appRequest:
		return s.forApp(ctx, r.app, r.scopes)
	}
	return issued{}, fmt.Errorf("oidc: no tokens for a %T", asked)
}

// refreshRequest is a refresh token that came. It implements op.RefreshTokenRequest.
type refreshRequest struct {
	*held
	tokenID string
	current []string // the scopes that are asked for now
}

func (r *refreshRequest) GetAMR() []string       { return r.Methods }
func (r *refreshRequest) GetAudience() []string  { return []string{r.ClientID} }
func (r *refreshRequest) GetAuthTime() time.Time { return *r.AuthTime }
func (r *refreshRequest) GetClientID() string    { return r.ClientID }
func (r *refreshRequest) GetScopes() []string    { return wireNames(r.current) }
func (r *refreshRequest) GetSubject() string     { return r.Subject }

// SetCurrentScopes narrows the access token; the library has checked that they
// are fewer.
func (r *refreshRequest) SetCurrentScopes(wire []string) {
	r.current = r.current[:0:0]
	for _, name := range wire {
		if scope, ok := clientapp.ScopeOf(name); ok {
			r.current = append(r.current, string(scope))
		}
	}
}

// TokenRequestByRefreshToken implements op.Storage. Whether the token was used
// before is found out when it is changed, in one transaction.
func (s *storage) TokenRequestByRefreshToken(ctx context.Context, token string) (op.RefreshTokenRequest, error) {
	id, _, ok := s.split(refreshPrefix, token)
	if !ok {
		return nil, op.ErrInvalidRefreshToken
	}
	var h *held
	err := s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		h, err = find(ctx, tx, id, s.now(), "")
		return err
	})
	if err != nil {
		return nil, err
	}
	if h == nil || !h.Refresh || h.RotatedAt == nil && !h.counts(s.now()) {
		return nil, op.ErrInvalidRefreshToken
	}
	return &refreshRequest{held: h, tokenID: id, current: h.Scopes}, nil
}

// GetRefreshTokenInfo implements op.Storage.
func (s *storage) GetRefreshTokenInfo(_ context.Context, _, token string) (string, string, error) {
	id, subject, ok := s.split(refreshPrefix, token)
	if !ok {
		return "", "", op.ErrInvalidRefreshToken
	}
	return subject, id, nil
}

// RevokeToken implements op.Storage (RFC 7009): an access token ends alone, a
// refresh token with its whole family. What we do not know needs no revoking.
func (s *storage) RevokeToken(ctx context.Context, tokenID, _, clientID string) *protocol.Error {
	foreign := false
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.now()
		h, err := find(ctx, tx, tokenID, now, ` FOR UPDATE OF t, g`)
		if err != nil || h == nil {
			return err
		}
		if foreign = h.ClientID != clientID; foreign {
			return nil
		}
		if h.Refresh {
			return end(ctx, tx, `id = $3`, grantRevoked, now, h.ID)
		}
		_, err = tx.ExecContext(ctx, `UPDATE platform.oidc_token SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL`, hashOf(tokenID), now)
		return err
	})
	if err != nil {
		return protocol.ErrServerError().WithParent(err)
	}
	if foreign {
		return protocol.ErrInvalidClient().WithDescription("the token is another application's")
	}
	return nil
}

// TerminateSession implements op.Storage; logout.go does it by the cookie.
func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

// SetUserinfoFromScopes implements op.Storage: ID tokens hold no personal data.
func (s *storage) SetUserinfoFromScopes(context.Context, *protocol.UserInfo, string, string, []string) error {
	return nil
}

// GetPrivateClaimsFromScopes implements op.Storage; access tokens hold none.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID implements op.Storage: no application signs assertions.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("oidc: applications have no keys here")
}

// ValidateJWTProfileScopes implements op.Storage.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errors.New("oidc: applications have no keys here")
}

// Health implements op.Storage.
func (s *storage) Health(ctx context.Context) error { return s.DB.Ping(ctx) }
