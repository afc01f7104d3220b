package platform_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// poll asks once for a device's tokens.
func (r *registered) poll(code string) (string, *oauth2.Token) {
	r.s.t.Helper()
	_, body := r.ask("/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code}})
	var answer struct {
		Error        string
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		IDToken      string `json:"id_token"`
	}
	r.s.must(json.Unmarshal([]byte(body), &answer))
	if answer.Error == "" && answer.IDToken == "" {
		r.s.t.Errorf("no ID token: %s", body)
	}
	return answer.Error, &oauth2.Token{AccessToken: answer.AccessToken, RefreshToken: answer.RefreshToken}
}

// A big screen without a keyboard is let in from a browser elsewhere (RFC 8628).
func TestDeviceFlow(t *testing.T) {
	s := newSignOn(t)
	screen := s.app("DEVICE", "", "OPENID PROFILE AREA API OFFLINE_ACCESS", `own_client = 'screen', audience = 'WORKERS'`)
	begun, err := screen.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if begun.VerificationURI != s.server.URL+"/oidc/device" || begun.Interval != 5 || len(begun.UserCode) != 9 {
		t.Fatalf("%+v", begun)
	}
	if got, _ := screen.poll(begun.DeviceCode); got != "authorization_pending" {
		t.Errorf("at first: %q", got)
	}
	if got, _ := screen.poll(begun.DeviceCode); got != "slow_down" {
		t.Errorf("at once again: %q", got)
	}
	s.clock.move(6 * time.Second)
	if got, _ := screen.poll(begun.DeviceCode); got != "slow_down" {
		t.Errorf("before the longer time is over: %q", got)
	}
	b := s.browser()
	b.get(begun.VerificationURIComplete).shows(begun.UserCode)
	b.submit("user_code=" + strings.ToLower(strings.ReplaceAll(begun.UserCode, "-", " "))).shows("登录名")
	b.submit("action=enter", "login=w"+street, "password="+password)
	b.shows(begun.UserCode).shows("仅当您面前的设备") // even the platform's own asks
	b.allow().shows("设备已获授权")
	s.clock.move(30 * time.Second)
	got, token := screen.poll(begun.DeviceCode)
	if got != "" || token.AccessToken == "" || token.RefreshToken == "" {
		t.Fatalf("after the consent: %q %+v", got, token)
	}
	if status := s.userinfo(token.AccessToken); status != http.StatusOK {
		t.Errorf("userinfo: %d", status)
	}
	s.clock.move(time.Minute)
	if got, _ := screen.poll(begun.DeviceCode); got != "access_denied" {
		t.Errorf("a device code for the second time: %q", got)
	}
	if _, err := screen.refresh(token.RefreshToken); err != nil {
		t.Error(err)
	}
	// refusing, and being late
	refusedOne, err := screen.DeviceAuth(t.Context())
	s.must(err)
	b.get(refusedOne.VerificationURIComplete)
	b.submit("user_code=" + refusedOne.UserCode).shows("仅当您面前的设备")
	b.submit("decision=deny").shows("已拒绝")
	if got, _ := screen.poll(refusedOne.DeviceCode); got != "access_denied" {
		t.Errorf("a refused device: %q", got)
	}
	late, err := screen.DeviceAuth(t.Context())
	s.must(err)
	s.clock.move(11 * time.Minute)
	if got, _ := screen.poll(late.DeviceCode); got != "expired_token" {
		t.Errorf("a late device: %q", got)
	}
	b.get(late.VerificationURI)
	b.submit("user_code=" + late.UserCode).shows("代码无效或已过期")
	// another application cannot fetch it, and one of another kind cannot begin
	own, err := screen.DeviceAuth(t.Context())
	s.must(err)
	other := s.app("DEVICE", "", "OPENID")
	if got, _ := other.poll(own.DeviceCode); got != "access_denied" {
		t.Errorf("another application's device: %q", got)
	}
	if _, err := s.app("BROWSER", callback, "OPENID").DeviceAuth(t.Context()); refusal(err) != "unauthorized_client" {
		t.Errorf("an application with a browser: %v", err)
	}
	// nobody finds a code by trying
	for range 12 {
		b.get(s.server.URL + "/oidc/device")
		b.submit("user_code=BCDF-GHJK")
	}
	if b.code != http.StatusTooManyRequests {
		t.Errorf("the twelfth wrong code: %d", b.code)
	}
	b.get(s.server.URL + "/oidc/login?user_code=" + url.QueryEscape(own.UserCode))
	if b.code != http.StatusTooManyRequests {
		t.Errorf("around the page: %d", b.code)
	}
}

// Signing out ends the sign-in everywhere, and nobody signs others out.
func TestSigningOut(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID OFFLINE_ACCESS")
	clinic := s.app("WEB", "https://clinic.example.cn/callback", "OPENID OFFLINE_ACCESS")
	b := s.browser()
	first := shop.signedIn(b, "13800000181")
	a := newAttempt()
	b.get(clinic.address(a)).shows("授权确认").allow()
	second, err := clinic.Exchange(t.Context(), clinic.returned(b, a), oauth2.VerifierOption(a.verifier))
	s.must(err)
	leave := s.server.URL + "/oidc/end_session?"
	bye := strings.Replace(callback, "/callback", "/bye", 1)
	// a page elsewhere cannot: somebody has to confirm
	b.get(leave).shows("所有通过统一登录使用的应用都将退出")
	b.submit("decision=stay").shows("您没有退出登录")
	b.post("/oidc/end_session", url.Values{"decision": {"leave"}})
	if b.code != http.StatusForbidden {
		t.Errorf("a foreign form: %d", b.code)
	}
	stranger := s.browser()
	other := shop.signedIn(stranger, "13800000182")
	b.get(leave + url.Values{"id_token_hint": {other.Extra("id_token").(string)}, "post_logout_redirect_uri": {bye}}.Encode()).shows("所有通过统一登录使用的应用都将退出")
	b.get(leave + url.Values{"id_token_hint": {first.Extra("id_token").(string) + "x"}}.Encode()).shows("退出请求无效")
	if !clinic.active(second.AccessToken) {
		t.Fatal("somebody was signed out")
	}
	// the application of the person can, and comes back with its state
	b.get(leave + url.Values{"id_token_hint": {first.Extra("id_token").(string)}, "post_logout_redirect_uri": {bye}, "state": {"s 1"}}.Encode())
	if b.left == nil || b.left.String() != bye+"?state=s+1" {
		t.Fatalf("left for %v (%d)\n%s", b.left, b.code, b.page)
	}
	if clinic.active(second.AccessToken) || clinic.active(second.RefreshToken) || s.userinfo(first.AccessToken) == http.StatusOK {
		t.Error("an application's tokens count after the sign-out")
	}
	if _, err := clinic.refresh(second.RefreshToken); refusal(err) != "invalid_grant" {
		t.Errorf("refreshed after the sign-out: %v", err)
	}
	if n := s.number(`SELECT count(*) FROM platform.session WHERE end_reason = 'SIGNED_OUT' AND client = 'sso'`); n != 1 {
		t.Errorf("%d sessions were signed out", n)
	}
	b.get(shop.address(newAttempt())).shows("短信验证码")
	// by confirming, without an application
	stranger.get(leave)
	stranger.submit("decision=leave").shows("您已退出登录")
	stranger.get(shop.address(newAttempt())).shows("短信验证码")
	if status := s.userinfo(other.AccessToken); status == http.StatusOK {
		t.Error("the other's token counts after the sign-out")
	}
}
