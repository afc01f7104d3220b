package platform_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// No way leads to an address that nobody registered.
func TestNoOpenRedirect(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID")
	native := s.app("NATIVE", "http://127.0.0.1/callback", "OPENID")
	b := s.browser()
	token := shop.signedIn(b, "13800000171")
	idToken := token.Extra("id_token").(string)
	variants := []string{
		"", "https://evil.example", "https://evil.example/callback", callback + "/", callback + "?x=1", callback + "#x", callback + "/../evil", callback + "/%2e%2e/evil",
		"https://shop.example.cn.evil.example/callback", "https://shop.example.cn@evil.example/callback", "https://evil.example/https://shop.example.cn/callback",
		"https://shop.example.cn:444/callback", "http://shop.example.cn/callback", "HTTPS://shop.example.cn/callback", "https://SHOP.example.cn/callback",
		"//shop.example.cn/callback", "https:/shop.example.cn/callback", "https://shop.example.cn\\@evil.example/callback", "javascript:alert(1)", "data:text/html,x",
		"https://shop.example.cn/callback%00", "https://shop.example.cn/callback%0d%0aX: y", " " + callback, callback + " ", "https%3A%2F%2Fshop.example.cn%2Fcallback",
	}
	for _, address := range variants {
		b.get(shop.address(newAttempt(), oauth2.SetAuthURLParam("redirect_uri", address)))
		if b.left != nil || b.code != http.StatusBadRequest {
			t.Errorf("redirect_uri %q: %d, left for %v", address, b.code, b.left)
		}
		b.get(s.server.URL + "/oidc/end_session?" + url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {address}}.Encode())
		if b.left != nil {
			t.Errorf("post_logout_redirect_uri %q: left for %v", address, b.left)
		}
		if address == "" { // that signed out
			b.get(shop.address(newAttempt())).shows("短信验证码")
			b.enter("13800000171")
		}
	}
	// of a native program's loopback address the port alone is free
	for address, fine := range map[string]bool{
		"http://127.0.0.1:49152/callback": true, "http://127.0.0.1/callback": true, "http://127.0.0.1:49152/other": false, "http://127.0.0.1:80@evil.example/callback": false,
		"http://evil@127.0.0.1/callback": false, "http://127.0.0.1.evil.example/callback": false, "http://10.0.0.1/callback": false, "http://127.0.0.1:1/callback?x=1": false,
	} {
		b.get(native.address(newAttempt(), oauth2.SetAuthURLParam("redirect_uri", address)))
		if shown := strings.Contains(b.page, "授权确认"); shown != fine || b.left != nil {
			t.Errorf("native redirect_uri %q: %d, left for %v", address, b.code, b.left)
		}
	}
	// the login page takes no address to return to
	a := newAttempt()
	fresh := s.browser()
	fresh.get(shop.address(a)).shows("短信验证码")
	for _, name := range []string{"return", "return_to", "redirect_uri", "next", "url", "continue", "redirect"} {
		fresh.get(fresh.at.String() + "&" + name + "=https%3A%2F%2Fevil.example").shows("短信验证码")
		if strings.Contains(fresh.page, "evil.example") {
			t.Errorf("the login page repeats %s", name)
		}
	}
	fresh.enter("13800000172").shows("授权确认")
	fresh.allow()
	shop.returned(fresh, a)
	// a wrong parameter is told to the application, at the registered address only
	b.get(shop.address(newAttempt(), oauth2.SetAuthURLParam("response_type", "token")))
	if b.left == nil || !strings.HasPrefix(b.left.String(), callback) || b.left.Query().Get("code") != "" {
		t.Errorf("response_type=token: %d, left for %v", b.code, b.left)
	}
	for name, value := range map[string]string{"code_challenge_method": "plain", "code_challenge": "", "response_mode": "form_post", "request": "e30.e30."} {
		if name == "code_challenge" {
			b.get(shop.AuthCodeURL("state")) // a public application without PKCE
		} else {
			b.get(shop.address(newAttempt(), oauth2.SetAuthURLParam(name, value)))
		}
		if b.left == nil || b.left.Query().Get("error") == "" || b.left.Query().Get("code") != "" {
			t.Errorf("%s=%s: %d, left for %v", name, value, b.code, b.left)
		}
	}
	b.get(shop.address(newAttempt()) + "&redirect_uri=https%3A%2F%2Fevil.example")
	if b.left != nil || b.code != http.StatusBadRequest {
		t.Errorf("two addresses: %d, left for %v", b.code, b.left)
	}
}

// Forms count from our own page in the same browser only, and a request in the
// browser that brought it.
func TestForeignFormsAndRequests(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID PROFILE")
	b := s.browser()
	b.get(shop.address(newAttempt())).shows("短信验证码")
	b.enter("13800000173").shows("授权确认")
	fields := b.fields()
	fields.Set("decision", "allow")
	without := url.Values{}
	for name, values := range fields {
		if name != "csrf" {
			without[name] = values
		}
	}
	refused := func(what string) {
		t.Helper()
		if b.left != nil || b.code != http.StatusForbidden {
			t.Errorf("%s: %d, left for %v", what, b.code, b.left)
		}
	}
	b.post("/oidc/agree", without)
	refused("a form without the token")
	wrong := url.Values{"csrf": {"x"}, "decision": {"allow"}, "request": fields["request"]}
	b.post("/oidc/agree", wrong)
	refused("a form with a wrong token")
	b.post("/oidc/agree", fields, "Origin", "https://evil.example")
	refused("a form of another site")
	b.post("/oidc/agree", fields, "Sec-Fetch-Site", "cross-site")
	refused("a form that the browser calls cross-site")
	if n := s.number(`SELECT count(*) FROM platform.consent`); n != 0 {
		t.Fatal("somebody agreed")
	}
	// the request's ID alone is worth nothing elsewhere
	thief := s.browser()
	thief.get(s.server.URL + "/oidc/login?request=" + fields.Get("request")).shows("不是在此浏览器中发起")
	thief.get(s.server.URL + "/oidc/agree?request=" + fields.Get("request")).shows("不是在此浏览器中发起")
	b.post("/oidc/agree", fields)
	if b.left == nil || b.left.Query().Get("code") == "" {
		t.Fatalf("the true form: %d, left for %v", b.code, b.left)
	}
	for _, path := range []string{"/oidc/authorize/callback?id=" + fields.Get("request"), "/oidc/healthz", "/oidc/ready"} {
		if thief.get(s.server.URL + path); thief.code != http.StatusNotFound || thief.left != nil {
			t.Errorf("%s: %d, left for %v", path, thief.code, thief.left)
		}
	}
	// agreeing once more to the same request gives no second code
	b.post("/oidc/agree", fields)
	if b.left != nil || b.code != http.StatusBadRequest {
		t.Errorf("a request for the second time: %d, left for %v", b.code, b.left)
	}
	// refusing is told to the application
	clinic := s.app("BROWSER", "https://clinic.example.cn/callback", "OPENID")
	b.get(clinic.address(newAttempt())).shows("授权确认")
	b.submit("decision=deny")
	if b.left == nil || b.left.Query().Get("error") != "access_denied" {
		t.Errorf("refusing: %v", b.left)
	}
	// what is unticked is not given
	market := s.app("BROWSER", "https://market.example.cn/callback", "OPENID PROFILE PHONE_FULL API")
	a := newAttempt()
	b.get(market.address(a)).shows("您的完整手机号")
	b.submit("decision=allow", "scope=PROFILE", "scope=AREA") // area was never asked for
	token, err := market.Exchange(t.Context(), market.returned(b, a), oauth2.VerifierOption(a.verifier))
	if err != nil {
		t.Fatal(err)
	}
	if got := token.Extra("scope"); got != "openid profile" {
		t.Errorf("the scope is %q", got)
	}
}

// The login page is under the same limits, locks and captchas as the graph.
func TestBruteForceAtTheLoginPage(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID")
	b := s.browser()
	b.get(shop.address(newAttempt()) + "&way=worker")
	b.get(b.at.String() + "&way=worker").shows("登录名")
	for i := range 5 {
		b.submit("action=enter", "login=w"+here, "password=wrong")
		if i < 4 {
			b.shows("还可尝试")
		}
	}
	b.shows("已锁定")
	if b.code != http.StatusTooManyRequests {
		t.Errorf("locked: %d", b.code)
	}
	b.submit("action=enter", "login=w"+here, "password="+strings.ReplaceAll(password, " ", "%20")).shows("已锁定")
	if code := s.ask(nil, `mutation { signInWorker(input: {login: "w`+here+`", password: "`+password+`"}) { accessToken } }`, "").code(); code != "LOCKED" {
		t.Errorf("the graph, after the page's tries: %q", code)
	}
	// a citizen's password asks for a captcha after some tries
	mobile := "13800000174"
	s.signIn(mobile)
	page := b.get(shop.address(newAttempt())).at.String()
	b.get(page + "&way=password").shows("密码")
	for range 3 {
		b.submit("action=enter", "mobile="+mobile, "password=wrong password").shows("还可尝试")
	}
	b.submit("action=enter", "mobile="+mobile, "password=wrong password").shows("图中的字符")
	if !strings.Contains(b.page, `src="data:image/`) {
		t.Error("no picture")
	}
	b.submit("action=question", "mobile="+mobile, "password=x").shows("请回答")
	// codes: five wrong ones use a code up
	b.get(page).shows("短信验证码")
	s.forgetLimits()
	b.submit("action=send", "mobile="+mobile)
	right := s.phone.code("+86" + mobile)
	for range 5 {
		b.submit("action=enter", "mobile="+mobile, "code=000000")
	}
	b.submit("action=enter", "mobile="+mobile, "code="+right)
	if strings.Contains(b.page, "授权确认") || b.left != nil {
		t.Error("a code counts after five wrong ones")
	}
	// and one cannot ask for codes without end
	b.submit("action=send", "mobile="+mobile)
	if b.code != http.StatusTooManyRequests {
		t.Errorf("asking for codes again at once: %d", b.code)
	}
}

// Workers sign in with their second factor, and are nobody before.
func TestWorkersSecondFactorAtTheLoginPage(t *testing.T) {
	s := newSignOn(t)
	tool := s.app("BROWSER", callback, "OPENID PROFILE ORGANIZATION AREA", `audience = 'WORKERS'`)
	b := s.browser()
	a := newAttempt()
	b.get(tool.address(a)).shows("登录名")
	b.submit("action=enter", "login=w"+street, "password="+password).shows("授权确认").shows("您的单位、岗位和角色")
	b.allow()
	tool.returned(b, a)
	enrolled := s.enrolled(street)
	b = s.browser()
	b.get(tool.address(newAttempt()))
	b.submit("action=enter", "login=w"+street, "password="+password).shows("动态验证码")
	factor := b.page
	b.get(tool.address(newAttempt())).shows("动态验证码") // not signed in yet
	b.page = factor
	b.submit("action=enter", "code=000000")
	if b.left != nil || strings.Contains(b.page, "授权确认") {
		t.Error("a wrong second factor lets in")
	}
	s.clock.move(31 * time.Second)
	b.submit("action=enter", "code="+enrolled())
	if b.left == nil && !strings.Contains(b.page, "授权确认") {
		t.Fatalf("the right second factor: %d\n%s", b.code, b.page)
	}
	if n := s.number(`SELECT count(*) FROM platform.sso_session WHERE 'otp' = ANY (methods) AND NOT pending`); n != 1 {
		t.Errorf("%d sign-ins with a second factor", n)
	}
	// a citizen cannot use a worker's application
	c := s.browser()
	shop := s.app("BROWSER", "https://citizen.example.cn/callback", "OPENID", `audience = 'CITIZENS'`)
	shop.signedIn(c, "13800000175")
	c.get(tool.address(newAttempt())).shows("换一个账户")
}
