package oidc

import (
	"context"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// Bearer is what an access token of an application says to the gateway.
type Bearer struct {
	// Principal is the person, as they are now; nil for an application that acts
	// for itself.
	Principal *access.Principal
	App       *clientapp.ClientApp
	Until     time.Time
}

// IsAccessToken says whether the text looks like an access token of an application.
func IsAccessToken(text string) bool { return strings.HasPrefix(text, accessPrefix) }

// Bearer reads an access token; nil for one that does not count. Only the scope
// api lets an application into the graph.
func (p *Provider) Bearer(ctx context.Context, token string) (*Bearer, error) {
	id, _, ok := p.split(accessPrefix, token)
	if !ok {
		return nil, nil
	}
	h, err := p.counting(ctx, id)
	if err != nil || h == nil || h.Refresh || !contains(h.TokenScopes, clientapp.ScopeAPI) {
		return nil, err
	}
	app, err := p.Apps.ByClientID(ctx, h.ClientID)
	if err != nil || app == nil || !app.State.Works() {
		return nil, err
	}
	b := &Bearer{App: app, Until: h.TokenExpires}
	if h.SessionID == nil {
		return b, nil
	}
	if b.Principal, err = p.standing(ctx, h); err != nil || b.Principal == nil {
		return nil, err
	}
	b.Principal.Client = app.Client()
	return b, nil
}

func contains(scopes []string, s clientapp.Scope) bool {
	for _, one := range scopes {
		if one == string(s) {
			return true
		}
	}
	return false
}
