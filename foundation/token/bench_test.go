package token_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// BenchmarkAccess is what the gateway pays for each request that bears an
// access token: at its first, the signature; at all others, a look.
func BenchmarkAccess(b *testing.B) {
	key, err := token.NewKey(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	signer := token.NewSigner(key, time.Now)
	text, _, err := signer.Access(&access.Principal{
		Kind: access.Worker, ID: "0194fdc2-0000-7000-8000-000000000001", Name: "李敏", AreaCode: "510104017001",
		UnitID: "0194fdc2-0000-7000-8000-000000000002", Roles: []access.Role{access.CommunityWorker},
		Session: "0194fdc2-0000-7000-8000-000000000003", Client: "workbench",
	})
	if err != nil {
		b.Fatal(err)
	}
	check := func(b *testing.B, verifier *token.Verifier) {
		if p, _, err := verifier.Access(text); err != nil || p.Name != "李敏" {
			b.Fatal(p, err)
		}
	}
	b.Run("first time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			check(b, token.NewVerifier(key, time.Now))
		}
	})
	b.Run("seen before", func(b *testing.B) {
		verifier := token.NewVerifier(key, time.Now)
		check(b, verifier)
		b.ReportAllocs()
		for b.Loop() {
			check(b, verifier)
		}
	})
	b.Run("seen before, on all cores", func(b *testing.B) {
		verifier := token.NewVerifier(key, time.Now)
		check(b, verifier)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				check(b, verifier)
			}
		})
	})
}
