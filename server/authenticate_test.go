package main

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// BenchmarkAuthenticate is what the gateway does to find out who asks, with a
// token that it has seen before: the look, whether the session was ended, the
// principal in the context, and the view that answers may be shared by.
func BenchmarkAuthenticate(b *testing.B) {
	key, err := token.NewKey(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	text, _, err := token.NewSigner(key, time.Now).Access(&access.Principal{
		Kind: access.Worker, ID: "0194fdc2-0000-7000-8000-000000000001", Name: "李敏", AreaCode: "510104017001", UnitID: "0194fdc2-0000-7000-8000-000000000002",
		Roles: []access.Role{access.CommunityWorker}, Session: "0194fdc2-0000-7000-8000-000000000003", Client: "workbench",
	})
	if err != nil {
		b.Fatal(err)
	}
	a, header := authenticator{verifier: token.NewVerifier(key, time.Now), ended: &revocation{}}, "Bearer "+text
	b.ReportAllocs()
	for b.Loop() {
		if _, who, err := a.Authenticate(b.Context(), header); err != nil || who.Subject == "" {
			b.Fatal(who, err)
		}
	}
}
