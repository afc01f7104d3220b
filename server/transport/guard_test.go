package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
)

// tokens knows one token, and tells of it in context, view and subject.
var tokens = guard.AuthenticatorFunc(func(ctx context.Context, authorization string) (context.Context, guard.Identity, error) {
	switch authorization {
	case "":
		return ctx, guard.Identity{View: "public"}, nil
	case "Bearer good":
		return context.WithValue(ctx, principalKey{}, "王芳"), guard.Identity{View: "citizen:7", Subject: "7"}, nil
	case "Bearer locked":
		return nil, guard.Identity{}, &guard.Refusal{Code: "LOCKED", Message: "账号已锁定"}
	}
	return nil, guard.Identity{}, errors.New("token: signature: secret detail")
})

func TestAuthentication(t *testing.T) {
	server := newServer(t, func(o *Options) { o.Authenticator = tokens })
	for _, test := range []struct {
		authorization string
		status        int
		part          string
	}{
		{"", 200, `"view":"public","authorization":"","principal":""`},
		{"Bearer good", 200, `"view":"citizen:7","authorization":"Bearer good","principal":"王芳"`},
		{"Bearer bad", 401, `"code":"UNAUTHENTICATED"`},
		{"Bearer locked", 403, `"code":"LOCKED"`},
	} {
		header := map[string]string{"Content-Type": "application/json", "Accept": "application/json"}
		if test.authorization != "" {
			header["Authorization"] = test.authorization
		}
		response := sent{header: header, body: `{"query":"{ echo }"}`}.do(t, server)
		body := read(t, response)
		if response.StatusCode != test.status || !strings.Contains(body, test.part) || strings.Contains(body, "secret") {
			t.Errorf("%q: %d %s", test.authorization, response.StatusCode, body)
		}
		if (response.Header.Get("WWW-Authenticate") == "Bearer") != (test.status == 401) {
			t.Errorf("%q: WWW-Authenticate %q", test.authorization, response.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestRateLimits(t *testing.T) {
	rules := &guard.Rules{}
	server := newServer(t, func(o *Options) {
		o.Gate = &guard.Gate{PerAddress: guard.Rate{PerSecond: 0.1, Burst: 2}, Rules: rules, Buckets: guard.NewLimiter(0)}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's address
	})
	ask := func(address, query string) (int, string, string) {
		response := sent{
			body:   fmt.Sprintf(`{"query":%q}`, query),
			header: map[string]string{"Content-Type": "application/json", "Accept": "application/json", "X-Forwarded-For": address},
		}.do(t, server)
		return response.StatusCode, response.Header.Get("Retry-After"), read(t, response)
	}
	for i, want := range []int{200, 200, 429} {
		status, retry, body := ask("198.51.100.7", "{ echo }")
		if status != want {
			t.Errorf("request %d: %d %s", i, status, body)
		}
		if want == 429 && (retry != "10" || failureOf(t, body).Extensions.RetryAfter != 10 || failureOf(t, body).Extensions.Code != "RATE_LIMITED") {
			t.Errorf("Retry-After %q, %s", retry, body)
		}
	}
	if status, _, _ := ask("198.51.100.8", "{ echo }"); status != 200 {
		t.Errorf("another address: %d", status)
	}
	// What the client itself writes before the proxy's entry is not believed.
	if status, _, _ := ask("203.0.113.1, 198.51.100.7", "{ echo }"); status != 429 {
		t.Errorf("a made-up X-Forwarded-For got through: %d", status)
	}
	if err := rules.Set([]guard.Rule{{Resource: "operation:Home", Kind: guard.Degrade, Message: "首页维护中"}}); err != nil {
		t.Fatal(err)
	}
	if status, _, body := ask("198.51.100.9", "query Home { echo }"); status != 503 || !strings.Contains(body, "首页维护中") {
		t.Errorf("a degraded operation: %d %s", status, body)
	}
}

func TestAddress(t *testing.T) {
	server := newServer(t, func(o *Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	for _, test := range []struct{ peer, forwarded, want string }{
		{"198.51.100.1:80", "", "198.51.100.1"},
		{"198.51.100.1:80", "203.0.113.9", "198.51.100.1"}, // no proxy of ours
		{"10.0.0.1:80", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:80", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"10.0.0.1:80", "nonsense", "10.0.0.1"},
		{"10.0.0.1:80", "", "10.0.0.1"},
		{"[::1]:80", "2001:db8::1", "2001:db8::1"},
		{"@", "", "invalid IP"},
	} {
		request := newRequest(test.peer, test.forwarded)
		if got := server.address(request).String(); got != test.want {
			t.Errorf("%s for %q: %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
}

const homeQuery = "query Home { echo }"

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func policy(t testing.TB, mode persisted.Mode) *persisted.Policy {
	t.Helper()
	manifest := fmt.Sprintf(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":%q,"name":"Home","type":"query","body":%q}]}`, hash(homeQuery), homeQuery)
	store, err := persisted.Load(map[string][]byte{"app": []byte(manifest), "workbench": []byte(manifest), "partner": []byte(manifest)})
	if err != nil {
		t.Fatal(err)
	}
	return &persisted.Policy{Mode: mode, Store: store, PersistedOnly: map[string]bool{"partner": true}, Automatic: persisted.NewAutomatic(0)}
}

// Mode × client × form, over POST, GET and both media types.
func TestPersistedOperations(t *testing.T) {
	id := hash(homeQuery)
	forms := map[string]struct{ body, parameters string }{
		"hash":       {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + id + `"}}}`, "extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+id+`"}}`)},
		"HASH":       {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.ToUpper(id) + `"}}}`, "extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+strings.ToUpper(id)+`"}}`)},
		"documentId": {`{"documentId":"sha256:` + id + `","operationName":"Home"}`, "documentId=" + id + "&operationName=Home"},
		"unknown":    {`{"documentId":"0"}`, "documentId=0"},
		"not found":  {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"0"}}}`, "extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"0"}}`)},
		"text":       {`{"query":"{ echo }"}`, "query=" + url.QueryEscape("{ echo }")},
	}
	for _, test := range []struct {
		mode               persisted.Mode
		client, form, code string
		asJSON, asResponse int // status by media type
	}{
		{persisted.Production, "app", "hash", "", 200, 200},
		{persisted.Production, "app", "HASH", "", 200, 200},
		{persisted.Production, "app", "documentId", "", 200, 200},
		{persisted.Production, "app", "unknown", "OPERATION_UNKNOWN", 200, 400},
		{persisted.Production, "app", "not found", "PERSISTED_QUERY_NOT_FOUND", 200, 400},
		{persisted.Production, "app", "text", "OPERATION_NOT_ALLOWED", 200, 403},
		{persisted.Production, "stranger", "hash", "CLIENT_UNKNOWN", 403, 403},
		{persisted.Production, "", "documentId", "CLIENT_UNKNOWN", 403, 403},
		{persisted.Development, "app", "text", "", 200, 200},
		{persisted.Development, "app", "hash", "", 200, 200},
		{persisted.Development, "", "text", "", 200, 200},
		{persisted.Development, "stranger", "text", "CLIENT_UNKNOWN", 403, 403},
		{persisted.Development, "partner", "text", "OPERATION_NOT_ALLOWED", 200, 403},
		{persisted.Development, "partner", "hash", "", 200, 200},
		{persisted.Production, "partner", "hash", "", 200, 200},
	} {
		server := newServer(t, func(o *Options) { o.Operations = policy(t, test.mode) })
		for accept, want := range map[string]int{"application/json": test.asJSON, "application/graphql-response+json": test.asResponse} {
			for _, method := range []string{"POST", "GET"} {
				form := forms[test.form]
				r := sent{method: method, header: map[string]string{"Content-Type": "application/json", "Accept": accept}}
				if test.client != "" {
					r.header["X-Client-Id"] = test.client
				}
				if r.body = form.body; method == "GET" {
					r.path, r.body = "/graphql?"+form.parameters, ""
				}
				response := r.do(t, server)
				body := read(t, response)
				if got := failureOf(t, body).Extensions.Code; response.StatusCode != want || got != test.code {
					t.Errorf("%s %s, client %q, %s, %s: %d %s, want %d %q", test.mode, method, test.client, test.form, accept, response.StatusCode, body, want, test.code)
				}
			}
		}
	}
}

func TestHealth(t *testing.T) {
	var problem error
	server := newServer(t, func(o *Options) { o.Ready = func() error { return problem } })
	check := func(status int, body string) {
		t.Helper()
		response := sent{method: "GET", path: "/health"}.do(t, server)
		if got := read(t, response); response.StatusCode != status || got != body {
			t.Errorf("%d %s, want %d %s", response.StatusCode, got, status, body)
		}
	}
	check(200, `{"status":"ok"}`)
	problem = errors.New("postgres at 10.0.0.7 is away")
	check(503, `{"status":"unavailable"}`)
	problem = nil
	check(200, `{"status":"ok"}`)
}
