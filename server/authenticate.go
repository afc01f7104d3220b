package main

import (
	"context"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/graph/guard"
)

// authenticator finds the principal of an access token and puts it into the
// context; to the gateway it shows an opaque view only.
type authenticator struct {
	verifier *token.Verifier
	ended    *revocation // nil knows of none
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
	principal, until, err := a.verifier.Access(text)
	if err != nil || a.ended.has(principal.Session) {
		return nil, guard.Identity{}, guard.Unauthenticated("登录已失效，请重新登录")
	}
	return access.With(ctx, principal), guard.Identity{
		View: principal.View(), Scope: principal.Scope(), Subject: string(principal.Kind) + ":" + principal.ID, Expires: until,
	}, nil
}

// cutBearer takes the token out of the header; the scheme's case does not matter.
func cutBearer(authorization string) (string, bool) {
	const scheme = "bearer "
	if len(authorization) <= len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(authorization[len(scheme):]), true
}
