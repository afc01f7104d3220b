package main

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// TestPrincipalsAreClaims: roles grant scopes, and nobody has none.
func TestPrincipalsAreClaims(t *testing.T) {
	key, err := token.NewKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a := authenticator{verifier: token.NewVerifier(key, time.Now)}
	signed := func(p *access.Principal) string {
		text, _, err := token.NewSigner(key, time.Now).Access(p)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	for _, test := range []struct {
		name, authorization string
		signed, sends       bool
	}{
		{"nobody", "", false, false},
		{"a citizen", signed(&access.Principal{Kind: access.Citizen, ID: "c", Session: "s"}), true, false},
		{"a community worker", signed(&access.Principal{Kind: access.Worker, ID: "w", Session: "s", Roles: []access.Role{access.CommunityWorker}}), true, true},
		{"an auditor", signed(&access.Principal{Kind: access.Worker, ID: "w", Session: "s", Roles: []access.Role{access.AuditAdmin}}), true, false},
	} {
		_, identity, err := a.Authenticate(t.Context(), test.authorization)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if c := identity.Claims; c == nil && (test.signed || test.sends) ||
			c != nil && (c.Authenticated() != test.signed || c.HasScope(string(access.NoticeSend)) != test.sends || c.HasPolicy(string(access.NoticeSend))) {
			t.Errorf("%s: the claims are wrong", test.name)
		}
	}
}
