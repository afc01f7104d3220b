package oidc

import (
	"context"
	"fmt"
	"strings"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/mask"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// claimNames are what discovery tells that we may say of a person.
var claimNames = []string{"sub", "aud", "exp", "iat", "iss", "auth_time", "nonce", "amr", "azp", "at_hash", "name", "nickname", "phone_number",
	"phone_number_verified", "phone_number_masked", "assurance_level", "area_code", "organization", "post", "roles", "kind"}

// scopeNames are the scopes that discovery tells.
func scopeNames() []string {
	names := make([]string, len(clientapp.Scopes))
	for i, s := range clientapp.Scopes {
		names[i] = s.Wire()
	}
	return names
}

// split opens a token: its ID and its subject.
func (p *Provider) split(prefix, token string) (id, subject string, ok bool) {
	plain, err := p.tokens.open(prefix, token)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(plain, ":")
}

// standing gives who the token belongs to as they are now; nil where they may
// not act any more, or have not signed in wholly.
func (p *Provider) standing(ctx context.Context, h *held) (*access.Principal, error) {
	if h.SessionID == nil {
		return nil, nil
	}
	who, _, err := p.Sessions.Standing(ctx, *h.SessionID)
	if err != nil || who == nil || who.Confined != "" || who.ID != *h.PrincipalID {
		return nil, err
	}
	return who, nil
}

// SetUserinfoFromToken implements op.Storage: what the token's scopes tell.
func (s *storage) SetUserinfoFromToken(ctx context.Context, info *protocol.UserInfo, tokenID, _, _ string) error {
	h, err := s.counting(ctx, tokenID)
	if err != nil {
		return protocol.ErrServerError().WithParent(err)
	}
	if h == nil || h.Refresh {
		return protocol.ErrAccessDenied().WithDescription("the access token does not count any more")
	}
	who, err := s.standing(ctx, h)
	if err != nil {
		return protocol.ErrServerError().WithParent(err)
	}
	if who == nil {
		return protocol.ErrAccessDenied().WithDescription("the access token does not count any more")
	}
	info.Subject = h.Subject
	if err := s.tell(ctx, info, h, who); err != nil {
		return protocol.ErrServerError().WithParent(err)
	}
	return nil
}

// tell adds what the scopes allow to be known of the person.
func (p *Provider) tell(ctx context.Context, info *protocol.UserInfo, h *held, who *access.Principal) error {
	has := func(s clientapp.Scope) bool {
		for _, one := range h.TokenScopes {
			if one == string(s) {
				return true
			}
		}
		return false
	}
	info.AppendClaims("kind", string(who.Kind))
	if has(clientapp.ScopeProfile) {
		if who.Kind == access.Citizen {
			info.Nickname = who.Name
		} else {
			info.Name = who.Name
		}
	}
	if has(clientapp.ScopeArea) && who.AreaCode != "" {
		info.AppendClaims("area_code", who.AreaCode)
	}
	if who.Kind == access.Worker {
		return p.tellWorker(ctx, info, has(clientapp.ScopeOrganization), who)
	}
	found, err := p.Citizens.ByIDs(access.With(ctx, who), []string{who.ID})
	if err != nil || found[who.ID] == nil {
		return fmt.Errorf("oidc: reading a citizen: %w", err)
	}
	c := found[who.ID]
	if has(clientapp.ScopeRealName) {
		info.AppendClaims("assurance_level", string(c.AssuranceLevel))
	}
	if has(clientapp.ScopePhone) && c.Mobile != nil {
		info.AppendClaims("phone_number_masked", mask.Mobile(*c.Mobile))
	}
	if !has(clientapp.ScopePhoneFull) {
		return nil
	}
	mobile, err := p.Citizens.Mobile(ctx, who.ID)
	if err != nil || mobile == "" {
		return err
	}
	// the look stands in the audit log before it happens
	if err := p.recordNow(ctx, "oidcPhoneTold", who, audit.Target{Kind: "Citizen", ID: who.ID, Area: who.AreaCode}, map[string]any{"clientId": h.ClientID, "revealed": "mobile"}); err != nil {
		return err
	}
	info.PhoneNumber, info.PhoneNumberVerified = mobile, true
	return nil
}

func (p *Provider) tellWorker(ctx context.Context, info *protocol.UserInfo, organization bool, who *access.Principal) error {
	if !organization {
		return nil
	}
	units, err := p.Units.ByIDs(access.With(ctx, who), []string{who.UnitID})
	if err != nil {
		return err
	}
	if unit := units[who.UnitID]; unit != nil {
		info.AppendClaims("organization", map[string]any{"id": unit.ID, "name": unit.Name})
	}
	workers, err := p.Workers.ByIDs(access.With(ctx, who), []string{who.ID})
	if err != nil {
		return err
	}
	if w := workers[who.ID]; w != nil {
		info.AppendClaims("post", w.Post)
	}
	roles := make([]string, len(who.Roles))
	for i, role := range who.Roles {
		roles[i] = string(role)
	}
	info.AppendClaims("roles", roles)
	return nil
}

// SetIntrospectionFromToken implements op.Storage (RFC 7662). An application
// learns of its own tokens only; all others are not active to it.
func (s *storage) SetIntrospectionFromToken(ctx context.Context, told *protocol.IntrospectionResponse, tokenID, _, clientID string) error {
	h, err := s.counting(ctx, tokenID)
	if err != nil {
		return err
	}
	if h == nil || h.ClientID != clientID {
		return errGone
	}
	if h.SessionID != nil {
		if who, err := s.standing(ctx, h); err != nil || who == nil {
			return fmt.Errorf("oidc: the person may not act: %w", err)
		}
	}
	told.Scope, told.ClientID, told.Subject = wireNames(h.TokenScopes), h.ClientID, h.Subject
	told.TokenType, told.Issuer, told.Audience = protocol.BearerToken, op.IssuerFromContext(ctx), []string{h.ClientID}
	if h.Refresh {
		told.TokenType = "refresh_token"
	}
	told.IssuedAt, told.Expiration, told.AuthTime = protocol.FromTime(h.IssuedAt), protocol.FromTime(h.TokenExpires), protocol.FromTime(*h.AuthTime)
	told.AuthenticationMethodsReferences = protocol.AuthenticationMethodsReferences(h.Methods)
	return nil
}
