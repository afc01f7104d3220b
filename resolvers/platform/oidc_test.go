package platform_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const callback = "https://shop.example.cn/callback"

// The whole way of a relying party, with the libraries that relying parties use.
func TestCodeFlowWithARelyingParty(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, everything)
	provider := s.provider(t.Context())
	shop.Endpoint = provider.Endpoint()
	a, b := newAttempt(), s.browser()
	b.get(shop.address(a)).shows("邻里商店")
	if policy := b.head.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the login page's policy is %q", policy)
	}
	b.enter("13800000161").shows("授权确认")
	for _, words := range []string{"您的完整手机号", "您的实名认证等级", "在您不使用时保持授权", "机构" + here} {
		b.shows(words)
	}
	b.allow()
	token, err := shop.Exchange(t.Context(), shop.returned(b, a), oauth2.VerifierOption(a.verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&gooidc.Config{ClientID: shop.ClientID}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Nonce != a.nonce {
		t.Errorf("the nonce came back as %q", idToken.Nonce)
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	if _, err := provider.Verifier(&gooidc.Config{ClientID: "another"}).Verify(t.Context(), raw); err == nil {
		t.Error("the ID token counts for another application")
	}
	if strings.Contains(raw, "138") {
		t.Error("the ID token holds a number")
	}
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Masked   string `json:"phone_number_masked"`
		Phone    string `json:"phone_number"`
		Level    string `json:"assurance_level"`
		Nickname string `json:"nickname"`
	}
	if err := info.Claims(&claims); err != nil || info.Subject != idToken.Subject || claims.Masked != "138****0161" || claims.Phone != "+8613800000161" || claims.Level != "L0" || claims.Nickname == "" {
		t.Errorf("%s %+v %v", info.Subject, claims, err)
	}
	// another application knows the same person under another name, and less
	clinic := s.app("WEB", "https://clinic.example.cn/callback", "OPENID PHONE")
	a = newAttempt()
	b.get(clinic.address(a)).shows("授权确认").allow()
	other, err := clinic.Exchange(t.Context(), clinic.returned(b, a), oauth2.VerifierOption(a.verifier))
	if err != nil {
		t.Fatal(err)
	}
	if info, err = provider.UserInfo(t.Context(), oauth2.StaticTokenSource(other)); err != nil {
		t.Fatal(err)
	}
	claims.Phone, claims.Level, claims.Nickname = "", "", ""
	if err := info.Claims(&claims); err != nil || info.Subject == idToken.Subject || claims.Phone != "" || claims.Level != "" || claims.Nickname != "" || claims.Masked == "" {
		t.Errorf("the other application: %s %+v %v", info.Subject, claims, err)
	}
	if other.RefreshToken != "" {
		t.Error("a refresh token without offline_access")
	}
}

// One sign-in serves every application; what was agreed to is not asked again.
func TestSingleSignOn(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID PROFILE")
	b := s.browser()
	shop.signedIn(b, "13800000162")
	a := newAttempt()
	b.get(shop.address(a)) // straight back: signed in, and agreed before
	shop.returned(b, a)
	workbench := s.app("BROWSER", "https://work.example.cn/callback", "OPENID PROFILE API", `own_client = 'workbench'`)
	a = newAttempt()
	b.get(workbench.address(a)) // the platform's own asks nothing
	if _, err := workbench.Exchange(t.Context(), workbench.returned(b, a), oauth2.VerifierOption(a.verifier)); err != nil {
		t.Error(err)
	}
	// a new sign-in where the application wants one
	s.clock.move(time.Second)
	b.get(shop.address(newAttempt(), oauth2.SetAuthURLParam("prompt", "login"))).shows("短信验证码")
	b.get(shop.address(newAttempt(), oauth2.SetAuthURLParam("prompt", "consent"))).shows("授权确认")
	// and none where it wants none
	stranger := s.browser().get(shop.address(newAttempt(), oauth2.SetAuthURLParam("prompt", "none")))
	if stranger.left == nil || stranger.left.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none for nobody: %v", stranger.left)
	}
	fresh := s.app("BROWSER", "https://fresh.example.cn/callback", "OPENID")
	b.get(fresh.address(newAttempt(), oauth2.SetAuthURLParam("prompt", "none")))
	if b.left == nil || b.left.Query().Get("error") != "interaction_required" {
		t.Errorf("prompt=none without a consent: %v", b.left)
	}
	// English for whoever wants it
	b.get(fresh.address(newAttempt(), oauth2.SetAuthURLParam("ui_locales", "en"))).shows("Allow access")
	// the cookies
	for _, c := range b.jar.Cookies(mustURL(t, s.server.URL+"/oidc/login")) {
		if c.Name == "cc_sso" && len(c.Value) != 43 {
			t.Errorf("the cookie is %q", c.Value)
		}
	}
	if n := s.number(`SELECT count(*) FROM platform.sso_session`); n != 1 {
		t.Errorf("%d sign-ins are kept", n)
	}
	response, err := http.Get(s.server.URL + "/oidc/login?request=x")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("the login page without a request: %d", response.StatusCode)
	}
}
