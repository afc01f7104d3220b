package token_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
)

func key(t *testing.T, b byte) *token.Key {
	t.Helper()
	k, err := token.NewKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAccessTokenCarriesThePrincipal(t *testing.T) {
	now := time.Now
	want := &access.Principal{Kind: access.Worker, ID: "w1", Name: "李敏", AreaCode: "510104017001", UnitID: "u1",
		Roles: []access.Role{access.CommunityWorker}, Session: "s1", Client: "workbench",
		Prefixes: []string{"510104", "510107060"}, AssignmentID: "a1", DelegationID: "d1", Confined: access.FactorDue,
		ProvenAt: time.Now().Truncate(time.Second), ProvenBy: access.ByCode}
	text, _, err := token.NewSigner(key(t, 1), now).Access(want)
	if err != nil {
		t.Fatal(err)
	}
	verifier := token.NewVerifier(key(t, 1), now)
	for range 2 { // the second time from memory
		got, _, err := verifier.Access(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTokensThatMustBeRefused(t *testing.T) {
	at := time.Now()
	clock := func() time.Time { return at }
	signer := token.NewSigner(key(t, 1), clock)
	good, _, _ := signer.Access(&access.Principal{Kind: access.Citizen, ID: "c1", Session: "s"})
	forged, _, _ := token.NewSigner(key(t, 2), clock).Access(&access.Principal{Kind: access.Citizen, ID: "c1"})
	receipt, _ := signer.Receipt(token.Receipt{FileID: "f", Owner: "c1"})
	verifier := token.NewVerifier(key(t, 1), clock)
	for name, text := range map[string]string{"another key's": forged, "a receipt": receipt, "rubbish": "a.b.c", "none": "",
		"no signature": good[:len(good)-10]} {
		if _, _, err := verifier.Access(text); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verifier.Receipt(good, "c1"); !errors.Is(err, token.ErrInvalid) {
		t.Error("an access token counts as a receipt")
	}
	if _, err := verifier.Receipt(receipt, "c2"); !errors.Is(err, token.ErrInvalid) {
		t.Error("another's receipt counts")
	}
	if _, _, err := verifier.Access(good); err != nil {
		t.Fatal(err)
	}
	at = at.Add(token.Lifetime + time.Second)
	if _, _, err := verifier.Access(good); !errors.Is(err, token.ErrInvalid) {
		t.Error("a remembered token outlives its time")
	}
	if _, _, err := signer.Access(&access.Principal{Kind: access.System}); err == nil {
		t.Error("a token for the system")
	}
}

func TestLoadKeyMakesOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "token.key")
	ids := make(chan string, 8)
	for range 8 {
		go func() {
			k, err := token.LoadKey(path)
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- k.ID
		}()
	}
	first := <-ids
	for range 7 {
		if id := <-ids; id != first {
			t.Errorf("two keys: %s and %s", first, id)
		}
	}
}

// A scope of nothing is not the scope of the area.
func TestAccessTokenOfNoScopeStaysSo(t *testing.T) {
	text, _, err := token.NewSigner(key(t, 1), time.Now).Access(&access.Principal{Kind: access.Worker, ID: "w1", AreaCode: "510104017001", Prefixes: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := token.NewVerifier(key(t, 1), time.Now).Access(text)
	if err != nil || p.Covers("510104017001") {
		t.Errorf("%+v %v", p, err)
	}
}

func TestForgedScopes(t *testing.T) {
	signer, verifier := token.NewSigner(key(t, 1), time.Now), token.NewVerifier(key(t, 1), time.Now)
	worker := &access.Principal{Kind: access.Worker, ID: "w1", AreaCode: "510104017001", Roles: []access.Role{access.CommunityWorker}}
	good, _, _ := signer.Access(worker)
	parts := strings.Split(good, ".")
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{`"510104017001"`: `"510100000000"`, `"COMMUNITY_WORKER"`: `"SYSTEM_ADMIN"`, `"sid"`: `"scope":["5101"],"sid"`} {
		changed := strings.Replace(string(body), from, to, 1)
		if changed == string(body) {
			t.Fatalf("no %s in %s", from, body)
		}
		text := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
		if _, _, err := verifier.Access(text); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s counts: %v", to, err)
		}
	}
	for _, prefix := range []string{"", "5", "51", "5101,5102", "%"} { // even signed
		worker.Prefixes = []string{"510104017001", prefix}
		text, _, _ := signer.Access(worker)
		if _, _, err := verifier.Access(text); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a scope of %q counts: %v", prefix, err)
		}
	}
}

// What acts by a delegation ends with it.
func TestAccessTokenEndsEarly(t *testing.T) {
	at := time.Now().Truncate(time.Second)
	clock := func() time.Time { return at }
	text, until, err := token.NewSigner(key(t, 1), clock).AccessUntil(&access.Principal{Kind: access.Worker, ID: "w1"}, at.Add(time.Minute))
	if err != nil || !until.Equal(at.Add(time.Minute)) {
		t.Fatal(until, err)
	}
	verifier := token.NewVerifier(key(t, 1), clock)
	if _, _, err := verifier.Access(text); err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Minute)
	if _, _, err := verifier.Access(text); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("it lives on: %v", err)
	}
}
