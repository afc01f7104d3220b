package main

import (
	"context"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
)

// authenticator finds the principal of an access token and puts it into the
// context; to the gateway it shows an opaque view only.
type authenticator struct {
	verifier *token.Verifier
	ended    *revocation   // nil knows of none
	apps     *applications // nil takes no tokens of applications
}

// Authenticate implements guard.Authenticator.
func (a authenticator) Authenticate(ctx context.Context, authorization string) (context.Context, guard.Identity, error) {
	if authorization == "" {
		var nobody *access.Principal
		return ctx, guard.Identity{View: nobody.View()}, nil
	}
	text, ok := cutBearer(authorization)
	if !ok {
		return nil, guard.Identity{}, guard.Unauthenticated("Authorization 请求头须为 Bearer 令牌")
	}
	if a.apps != nil && oidc.IsAccessToken(text) {
		return a.apps.authenticate(ctx, text, a.ended)
	}
	principal, until, err := a.verifier.Access(text)
	if err != nil || a.ended.has(principal.Session) {
		return nil, guard.Identity{}, guard.Unauthenticated("登录已失效，请重新登录")
	}
	ctx = access.With(ctx, principal)
	return ctx, guard.Identity{
		Claims: (*rights)(access.From(ctx)),
		View:   principal.View(), Scope: principal.Scope(), Subject: string(principal.Kind) + ":" + principal.ID, Expires: until,
	}, nil
}

// rights are a principal for the schema's access rules: whoever is signed in is
// authenticated, and the actions that roles grant are the scopes.
type rights access.Principal

// Authenticated implements authorize.Claims.
func (r *rights) Authenticated() bool { return r != nil }

// HasScope implements authorize.Claims.
func (r *rights) HasScope(name string) bool {
	return (*access.Principal)(r).May(access.Action(name))
}

// HasPolicy implements authorize.Claims: no policies are evaluated here.
func (r *rights) HasPolicy(string) bool { return false }

// cutBearer takes the token out of the header; the scheme's case does not matter.
func cutBearer(authorization string) (string, bool) {
	const scheme = "bearer "
	if len(authorization) <= len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(authorization[len(scheme):]), true
}
