// Package bearer finds out who asks by tokens that somebody else issued: JWTs
// (RFC 7519, checked as RFC 8725 advises) signed with RSA, elliptic-curve or
// Ed25519 keys of a JWK set (RFC 7517). What it finds are claims for the
// schema's access rules; the subgraphs get the token as it came.
//
// Start reading at New and Authenticator.Authenticate; keys.go gets the keys.
package bearer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/citizencloud/citizencloud/graph/guard"
)

// methods are the signatures that are accepted: never a shared secret, whose
// holder could sign too, and never none.
var methods = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// leeway is how far the issuer's clock may be off.
const leeway = 10 * time.Second

// maxToken bounds a token that is looked at, in bytes.
const maxToken = 16 << 10

// Options of an Authenticator.
type Options struct {
	// Keys is the JWK set: a file, or an http or https URL.
	Keys string
	// Issuer and Audience must be those of the token; "" is not checked.
	Issuer, Audience string
	// Refused is told why keys could not be renewed; nil for nobody.
	Refused func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authenticator implements guard.Authenticator. It is safe for concurrent use.
type Authenticator struct {
	parser *jwt.Parser
	keys   keys
	seen   seen
	now    func() time.Time
}

// New gets the keys, and renews those of a URL until the context ends. A URL
// that does not answer at first is no error: until it does no token counts.
func New(ctx context.Context, o Options) (*Authenticator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	found, err := newKeys(ctx, o)
	if err != nil {
		return nil, err
	}
	checks := []jwt.ParserOption{jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(o.Now)}
	if o.Issuer != "" {
		checks = append(checks, jwt.WithIssuer(o.Issuer))
	}
	if o.Audience != "" {
		checks = append(checks, jwt.WithAudience(o.Audience))
	}
	return &Authenticator{parser: jwt.NewParser(checks...), keys: found, now: o.Now}, nil
}

// viewPrefix begins the authorisation view: as without an authenticator it is
// the whole header, for what a subgraph makes of a token only it knows.
const viewPrefix = "authorization:"

// Authenticate implements guard.Authenticator.
func (a *Authenticator) Authenticate(ctx context.Context, authorization string) (context.Context, guard.Identity, error) {
	if authorization == "" {
		return ctx, guard.Identity{View: viewPrefix, Claims: nobody}, nil
	}
	const scheme = "bearer "
	if len(authorization) <= len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return nil, guard.Identity{}, guard.Unauthenticated("Authorization 请求头须为 Bearer 令牌")
	}
	found, err := a.check(ctx, strings.TrimSpace(authorization[len(scheme):]))
	if err != nil {
		return nil, guard.Identity{}, guard.Unauthenticated("登录凭证无效或已过期，请重新登录")
	}
	return ctx, guard.Identity{View: viewPrefix + authorization, Subject: found.subject, Expires: found.expires, Claims: found}, nil
}

var errToken = errors.New("bearer: the token does not count")

// check gives the claims of a token. One that was checked a moment ago costs a
// look-up.
func (a *Authenticator) check(ctx context.Context, token string) (*Claims, error) {
	if len(token) > maxToken {
		return nil, errToken
	}
	now := a.now()
	if found := a.seen.get(token, now); found != nil {
		return found, nil
	}
	var read claims
	if _, err := a.parser.ParseWithClaims(token, &read, a.key(ctx)); err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	found := read.made()
	a.seen.put(token, found, now)
	return found, nil
}

// key finds the key of a token. What a token calls critical we do not know of.
func (a *Authenticator) key(ctx context.Context) jwt.Keyfunc {
	find := a.keys.KeyfuncCtx(ctx)
	return func(token *jwt.Token) (any, error) {
		if _, critical := token.Header["crit"]; critical {
			return nil, errToken
		}
		return find(token)
	}
}
