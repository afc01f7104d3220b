package platform_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// A refresh token is used once; one that comes again ends all that its family got.
func TestRefreshTokensRotateAndReuseEndsTheFamily(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("WEB", callback, "OPENID OFFLINE_ACCESS PROFILE")
	first := shop.signedIn(s.browser(), "13800000163")
	if first.RefreshToken == "" || first.AccessToken == first.RefreshToken {
		t.Fatalf("%+v", first)
	}
	next, err := shop.refresh(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if next.RefreshToken == first.RefreshToken || next.AccessToken == first.AccessToken {
		t.Error("the tokens did not change")
	}
	if !shop.active(next.AccessToken) || !shop.active(next.RefreshToken) || shop.active(first.RefreshToken) {
		t.Error("introspection does not know which tokens count")
	}
	if _, err := shop.refresh(first.RefreshToken); refusal(err) != "invalid_grant" {
		t.Errorf("a used refresh token: %v", err)
	}
	if _, err := shop.refresh(next.RefreshToken); refusal(err) != "invalid_grant" {
		t.Errorf("its successor, after the reuse: %v", err)
	}
	if shop.active(next.AccessToken) || shop.active(next.RefreshToken) {
		t.Error("the family still counts after the reuse")
	}
	if n := s.number(`SELECT count(*) FROM platform.oidc_grant WHERE end_reason = 'REUSED'`); n != 1 {
		t.Errorf("%d families ended by reuse", n)
	}
	s.flush()
	// another application's refresh token
	clinic := s.app("WEB", "https://clinic.example.cn/callback", "OPENID OFFLINE_ACCESS")
	own := clinic.signedIn(s.browser(), "13800000164")
	if _, err := shop.refresh(own.RefreshToken); refusal(err) != "invalid_grant" {
		t.Errorf("another application's refresh token: %v", err)
	}
	if shop.active(own.AccessToken) {
		t.Error("an application learns of another's token")
	}
	if _, err := clinic.refresh(own.RefreshToken); err != nil {
		t.Errorf("the attempt of another application used the token up: %v", err)
	}
	// an access token is no refresh token, and the other way round
	if _, err := clinic.refresh(own.AccessToken); refusal(err) != "invalid_grant" {
		t.Errorf("an access token refreshes: %v", err)
	}
	if status := s.userinfo(own.RefreshToken); status == http.StatusOK {
		t.Error("a refresh token reads the userinfo")
	}
}

// refresh changes the token, once.
func (r *registered) refresh(token string) (*oauth2.Token, error) {
	return r.TokenSource(r.s.t.Context(), &oauth2.Token{RefreshToken: token, Expiry: time.Unix(1, 0)}).Token()
}

func (s *signOn) userinfo(token string) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+"/oidc/userinfo", nil)
	s.must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	s.must(err)
	_ = response.Body.Close()
	return response.StatusCode
}

// Codes: once, for a minute, for who asked, with the right verifier.
func TestCodesThatMustBeRefused(t *testing.T) {
	s := newSignOn(t)
	shop, clinic := s.app("BROWSER", callback, "OPENID PROFILE"), s.app("BROWSER", "https://clinic.example.cn/callback", "OPENID")
	b := s.browser()
	shop.signedIn(b, "13800000165")
	code := func(options ...oauth2.AuthCodeOption) (attempt, string) {
		a := newAttempt()
		b.get(shop.address(a, options...))
		return a, shop.returned(b, a)
	}
	a, used := code()
	token, err := shop.Exchange(t.Context(), used, oauth2.VerifierOption(a.verifier))
	if err != nil {
		t.Fatal(err)
	}
	if status := s.userinfo(token.AccessToken); status != http.StatusOK {
		t.Fatalf("userinfo: %d", status)
	}
	if _, err := shop.Exchange(t.Context(), used, oauth2.VerifierOption(a.verifier)); refusal(err) != "invalid_grant" {
		t.Errorf("a code for the second time: %v", err)
	}
	if status := s.userinfo(token.AccessToken); status == http.StatusOK {
		t.Error("what a code gave still counts after its replay")
	}
	a, fresh := code()
	if _, err := shop.Exchange(t.Context(), fresh, oauth2.VerifierOption(oauth2.GenerateVerifier())); refusal(err) != "invalid_grant" {
		t.Errorf("a wrong verifier: %v", err)
	}
	if _, err := shop.Exchange(t.Context(), fresh); refusal(err) != "invalid_request" {
		t.Errorf("no verifier: %v", err)
	}
	other := *clinic
	other.RedirectURL = callback
	if _, err := other.Exchange(t.Context(), fresh, oauth2.VerifierOption(a.verifier)); refusal(err) != "invalid_grant" {
		t.Errorf("another application's code: %v", err)
	}
	elsewhere := *shop
	elsewhere.RedirectURL = callback + "/"
	if _, err := elsewhere.Exchange(t.Context(), fresh, oauth2.VerifierOption(a.verifier)); refusal(err) != "invalid_grant" {
		t.Errorf("another address: %v", err)
	}
	for _, forged := range []string{fresh[:len(fresh)-2] + "xx", "cca.AAAA", "", strings.Repeat("a", 5000), token.AccessToken} {
		if _, err := shop.Exchange(t.Context(), forged, oauth2.VerifierOption(a.verifier)); err == nil {
			t.Errorf("the forged code %.20q counts", forged)
		}
	}
	if _, err := shop.Exchange(t.Context(), fresh, oauth2.VerifierOption(a.verifier)); err != nil {
		t.Errorf("the attempts before used the code up: %v", err)
	}
	a, late := code()
	s.clock.move(61 * time.Second)
	if _, err := shop.Exchange(t.Context(), late, oauth2.VerifierOption(a.verifier)); refusal(err) != "invalid_grant" {
		t.Errorf("a code after a minute: %v", err)
	}
}

// Tokens end with their time, their session, their application and their consent.
func TestWhatEndsAToken(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("WEB", callback, "OPENID OFFLINE_ACCESS")
	b := s.browser()
	token := shop.signedIn(b, "13800000166")
	again := func(what string) {
		t.Helper()
		a := newAttempt()
		b.get(shop.address(a))
		if strings.Contains(b.page, "授权确认") {
			b.allow()
		}
		var err error
		if token, err = shop.Exchange(t.Context(), shop.returned(b, a), oauth2.VerifierOption(a.verifier)); err != nil || !shop.active(token.AccessToken) {
			t.Fatalf("before %s: %v", what, err)
		}
	}
	gone := func(what string) {
		t.Helper()
		if shop.active(token.AccessToken) || s.userinfo(token.AccessToken) == http.StatusOK {
			t.Errorf("the access token counts after %s", what)
		}
	}
	s.clock.move(15*time.Minute + time.Second)
	gone("a quarter of an hour")
	if !shop.active(token.RefreshToken) {
		t.Error("the refresh token went with it")
	}
	again("the revocation")
	if status, _ := shop.ask("/revoke", url.Values{"token": {token.AccessToken}}); status != http.StatusOK {
		t.Errorf("revoking: %d", status)
	}
	gone("its revocation")
	if !shop.active(token.RefreshToken) {
		t.Error("revoking an access token ended the family")
	}
	again("the revocation of the refresh token")
	clinic := s.app("WEB", "https://clinic.example.cn/callback", "OPENID")
	if status, _ := clinic.ask("/revoke", url.Values{"token": {token.RefreshToken}}); status == http.StatusOK || !shop.active(token.RefreshToken) {
		t.Errorf("another application revokes: %d", status)
	}
	if status, _ := clinic.ask("/revoke", url.Values{"token": {"something else"}}); status != http.StatusOK {
		t.Errorf("revoking what there is not: %d", status)
	}
	shop.ask("/revoke", url.Values{"token": {token.RefreshToken}, "token_type_hint": {"refresh_token"}})
	gone("the revocation of its family")
	again("the suspension")
	s.sql(`UPDATE platform.client_app SET state = 'SUSPENDED' WHERE id = $1`, shop.id)
	if status := s.userinfo(token.AccessToken); status == http.StatusOK {
		t.Error("a suspended application reads the userinfo")
	}
	if _, err := shop.refresh(token.RefreshToken); err == nil {
		t.Error("a suspended application refreshes")
	}
	if b.get(shop.address(newAttempt())); b.code != http.StatusBadRequest || b.left != nil {
		t.Errorf("a suspended application signs in: %d, left for %v", b.code, b.left)
	}
	b.shows("已停用")
	s.sql(`UPDATE platform.client_app SET state = 'LIVE' WHERE id = $1`, shop.id)
	again("the withdrawal")
	var owner struct{ ID, PrincipalID string }
	s.must(s.database.Owner.QueryRowContext(t.Context(), `SELECT id, principal_id FROM platform.consent WHERE client_app_id = $1 AND state = 'GRANTED'`, shop.id).Scan(&owner.ID, &owner.PrincipalID))
	citizen := &access.Principal{Kind: access.Citizen, ID: owner.PrincipalID}
	get[any](s.world, citizen, `mutation($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { consent { id state } } }`, `{"i": {"id": "`+owner.ID+`"}}`)
	gone("the withdrawal")
	if _, err := shop.refresh(token.RefreshToken); refusal(err) != "invalid_grant" {
		t.Errorf("refreshed after the withdrawal: %v", err)
	}
	b.get(shop.address(newAttempt())).shows("授权确认") // asked anew
	again("the end of the session")
	s.sql(`UPDATE platform.session SET ended_at = now(), end_reason = 'SIGNED_OUT' WHERE principal_id = $1`, owner.PrincipalID)
	gone("the end of its session")
	b.get(shop.address(newAttempt())).shows("短信验证码")
}

// Keys change without anybody signing in anew.
func TestKeysRotate(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID")
	b := s.browser()
	token := shop.signedIn(b, "13800000167")
	kids := func() map[string]bool {
		response, err := http.Get(s.server.URL + "/oidc/keys")
		s.must(err)
		defer func() { _ = response.Body.Close() }()
		var set struct{ Keys []map[string]string }
		s.must(json.NewDecoder(response.Body).Decode(&set))
		found := map[string]bool{}
		for _, k := range set.Keys {
			found[k["kid"]] = true
			if k["d"] != "" || k["p"] != "" || k["use"] != "sig" || k["alg"] != "RS256" {
				t.Errorf("a published key is %v", k)
			}
		}
		return found
	}
	before := kids()
	if len(before) != 1 {
		t.Fatalf("%d keys", len(before))
	}
	s.must(s.OpenID().Rotate(t.Context()))
	if len(kids()) != 2 {
		t.Fatal("the next key is not published ahead")
	}
	kid := func() string {
		t.Helper()
		a := newAttempt()
		b.get(shop.address(a))
		token, err := shop.Exchange(t.Context(), shop.returned(b, a), oauth2.VerifierOption(a.verifier))
		s.must(err)
		raw := token.Extra("id_token").(string)
		if _, err := s.provider(t.Context()).Verifier(&gooidc.Config{ClientID: shop.ClientID}).Verify(t.Context(), raw); err != nil {
			t.Error(err)
		}
		return header(t, raw)
	}
	if !before[kid()] {
		t.Error("the next key signs before others can know it")
	}
	s.clock.move(11 * time.Minute)
	if before[kid()] {
		t.Error("the old key still signs")
	}
	// a token of the old key counts as long as it lives
	raw := token.Extra("id_token").(string)
	if _, err := s.provider(t.Context()).Verifier(&gooidc.Config{ClientID: shop.ClientID}).Verify(t.Context(), raw); err != nil {
		t.Error(err)
	}
	s.clock.move(26 * time.Hour)
	if now := kids(); len(now) != 1 || before[header(t, raw)] && now[header(t, raw)] {
		t.Errorf("the old key stays published: %v", now)
	}
	if n := s.number(`SELECT count(*) FROM platform.oidc_key WHERE position('-----BEGIN' IN encode(secret, 'escape')) > 0`); n != 0 {
		t.Error("a key is not sealed")
	}
}

// header is the kid of a token.
func header(t *testing.T, raw string) string {
	t.Helper()
	part, _, _ := strings.Cut(raw, ".")
	var h struct{ Kid string }
	if err := json.Unmarshal(decoded(t, part), &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

// What ran out is removed, and nothing else.
func TestWhatRanOutIsSwept(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID OFFLINE_ACCESS")
	token := shop.signedIn(s.browser(), "13800000168")
	s.clock.move(23 * time.Hour)
	s.must(s.OpenID().Sweep(t.Context()))
	if n := s.number(`SELECT count(*) FROM platform.oidc_token`); n != 2 {
		t.Errorf("%d tokens are left after a day", n)
	}
	s.clock.move(3 * time.Hour)
	s.must(s.OpenID().Sweep(t.Context()))
	if n := s.number(`SELECT count(*) FROM platform.oidc_token`); n != 1 {
		t.Errorf("%d tokens are left later", n)
	}
	if n := s.number(`SELECT count(*) FROM platform.oidc_request`); n != 0 {
		t.Errorf("%d requests are left", n)
	}
	if _, err := shop.refresh(token.RefreshToken); err != nil {
		t.Error(err)
	}
}
