package oidc

import (
	"net/url"
	"slices"
	"time"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// client is an application as the protocol's library sees it. It implements op.Client.
type client struct{ app *clientapp.ClientApp }

// GetID is the application's public name.
func (c client) GetID() string { return c.app.ClientID }

// RedirectURIs are compared letter by letter; of a native program's loopback
// address the port is its own choice (RFC 8252, section 7.3).
func (c client) RedirectURIs() []string { return c.app.RedirectURIs }

// PostLogoutRedirectURIs are compared in the same way.
func (c client) PostLogoutRedirectURIs() []string { return c.app.LogoutURIs }

// ApplicationType says whether the application keeps a secret.
func (c client) ApplicationType() op.ApplicationType {
	switch c.app.Kind {
	case clientapp.KindWeb:
		return op.ApplicationTypeWeb
	case clientapp.KindBrowser:
		return op.ApplicationTypeUserAgent
	default:
		return op.ApplicationTypeNative
	}
}

// AuthMethod is how the application shows who it is.
func (c client) AuthMethod() protocol.AuthMethod {
	if c.app.Confidential() {
		return protocol.AuthMethodBasic
	}
	return protocol.AuthMethodNone
}

// ResponseTypes has the code alone: no token ever travels through a browser's address.
func (c client) ResponseTypes() []protocol.ResponseType {
	return []protocol.ResponseType{protocol.ResponseTypeCode}
}

// GrantTypes are what the application's kind allows.
func (c client) GrantTypes() []protocol.GrantType {
	switch c.app.Kind {
	case clientapp.KindDevice:
		return []protocol.GrantType{protocol.GrantTypeDeviceCode, protocol.GrantTypeRefreshToken}
	case clientapp.KindWeb:
		return []protocol.GrantType{protocol.GrantTypeCode, protocol.GrantTypeRefreshToken, protocol.GrantTypeClientCredentials}
	default:
		return []protocol.GrantType{protocol.GrantTypeCode, protocol.GrantTypeRefreshToken}
	}
}

// LoginURL is our own page.
func (c client) LoginURL(id string) string { return Path + "/login?request=" + url.QueryEscape(id) }

// AccessTokenType is opaque: whether it counts is known here alone, and at once.
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

// IDTokenLifetime is that of all.
func (c client) IDTokenLifetime() time.Duration { return idTokenLife }

// DevMode allows loopback addresses without TLS while an application is tried out.
func (c client) DevMode() bool { return c.app.State == clientapp.Sandbox || c.app.FirstParty() }

// RestrictAdditionalIdTokenScopes leaves claims to the userinfo endpoint.
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func([]string) []string { return nil }
}

// RestrictAdditionalAccessTokenScopes restricts nothing.
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

// IsScopeAllowed says whether a review granted the scope.
func (c client) IsScopeAllowed(wire string) bool {
	scope, ok := clientapp.ScopeOf(wire)
	return ok && c.app.Has(scope)
}

// IDTokenUserinfoClaimsAssertion is false: ID tokens hold no personal data.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return false }

// ClockSkew is none.
func (c client) ClockSkew() time.Duration { return 0 }

// returnsTo says whether a sign-in may return to the address.
func returnsTo(app *clientapp.ClientApp, address string) bool {
	if slices.Contains(app.RedirectURIs, address) {
		return true
	}
	if app.Kind != clientapp.KindNative {
		return false
	}
	asked, err := url.Parse(address)
	if err != nil || asked.Scheme != "http" || !clientapp.Loopback(asked) || asked.User != nil || asked.Fragment != "" {
		return false
	}
	return slices.ContainsFunc(app.RedirectURIs, func(one string) bool {
		known, err := url.Parse(one)
		return err == nil && known.Scheme == "http" && known.Hostname() == asked.Hostname() &&
			known.EscapedPath() == asked.EscapedPath() && known.RawQuery == asked.RawQuery
	})
}

// wireNames are the scopes' names in OAuth.
func wireNames(scopes []string) []string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = clientapp.Scope(s).Wire()
	}
	return names
}

// granted are those of the asked names that the application was granted, in the
// order in which people are asked; openid is always one.
func granted(app *clientapp.ClientApp, wire []string) []string {
	scopes := []string{}
	for _, s := range clientapp.Scopes {
		if app.Has(s) && (s == clientapp.ScopeOpenID || slices.Contains(wire, s.Wire())) {
			scopes = append(scopes, string(s))
		}
	}
	return scopes
}
