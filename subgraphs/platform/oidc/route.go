package oidc

import (
	"encoding/json"
	"net/http"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
)

// maxBody bounds what is read of a request.
const maxBody = 64 << 10

// routes are all addresses below Path. The library's callback is not among
// them: who knew a request's ID could fetch its code there.
func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	library := http.HandlerFunc(p.library)
	mux.HandleFunc("GET "+protocol.DiscoveryEndpoint, p.discovery)
	for _, path := range []string{"/keys", "/userinfo"} {
		mux.Handle("GET "+path, library)
		mux.HandleFunc("OPTIONS "+path, preflight)
	}
	for _, path := range []string{"/oauth/token", "/oauth/introspect", "/userinfo", "/revoke"} {
		mux.Handle("POST "+path, library)
	}
	for _, path := range []string{"/oauth/token", "/revoke"} {
		mux.HandleFunc("OPTIONS "+path, preflight)
	}
	mux.HandleFunc("POST /device_authorization", p.deviceAuthorization)
	for path, handler := range map[string]http.HandlerFunc{
		"/authorize": p.authorize, "/login": p.login, "/agree": p.agree, "/device": p.devices, "/end_session": p.logout,
	} {
		mux.HandleFunc("GET "+path, handler)
		mux.HandleFunc("POST "+path, handler)
	}
	mux.HandleFunc("GET /signed-out", p.signedOut)
	inner := http.StripPrefix(Path, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		inner.ServeHTTP(w, p.remote(r))
	})
}

// library hands a request to the protocol's library.
func (p *Provider) library(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*") // without cookies: nothing here reads one
	p.op.ServeHTTP(w, r.WithContext(withExchange(r.Context(), &exchange{})))
}

// preflight lets pages of applications without a server ask for tokens.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// discovery tells what there is: less than the library could.
func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	told := op.CreateDiscoveryConfig(op.ContextWithIssuer(r.Context(), p.issuer), p.op, p.op.Storage())
	told.ResponseTypesSupported = []string{"code"}
	told.ResponseModesSupported = []string{"query"}
	told.GrantTypesSupported = []protocol.GrantType{protocol.GrantTypeCode, protocol.GrantTypeRefreshToken, protocol.GrantTypeDeviceCode, protocol.GrantTypeClientCredentials}
	told.SubjectTypesSupported = []string{"pairwise"}
	basic := []protocol.AuthMethod{protocol.AuthMethodBasic}
	told.TokenEndpointAuthMethodsSupported = []protocol.AuthMethod{protocol.AuthMethodNone, protocol.AuthMethodBasic, protocol.AuthMethodPost}
	told.IntrospectionEndpointAuthMethodsSupported = basic
	told.RevocationEndpointAuthMethodsSupported = told.TokenEndpointAuthMethodsSupported
	told.IntrospectionEndpointAuthSigningAlgValuesSupported, told.RevocationEndpointAuthSigningAlgValuesSupported = nil, nil
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(told)
}

// authorize begins a sign-in. What is wrong with the application or its address
// is told here: nothing may be sent to an address that nobody registered.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || len(r.Form) > 40 {
		p.fail(w, r, http.StatusBadRequest, "errForm")
		return
	}
	for _, values := range r.Form {
		if len(values) > 1 { // RFC 6749, section 3.1: once each
			p.fail(w, r, http.StatusBadRequest, "errForm")
			return
		}
	}
	app, err := p.working(r.Context(), r.Form.Get("client_id"))
	if err != nil {
		p.broken(w, r, err)
		return
	}
	if !returnsTo(app, r.Form.Get("redirect_uri")) {
		p.fail(w, r, http.StatusBadRequest, "errRedirect")
		return
	}
	x := &exchange{browser: p.browser(w, r)}
	p.op.ServeHTTP(w, r.WithContext(withExchange(r.Context(), x)))
}

// deviceAuthorization begins a sign-in on a device.
func (p *Provider) deviceAuthorization(w http.ResponseWriter, r *http.Request) {
	if from := limit.Network(access.RemoteOf(r.Context()).Address); from != "" {
		wait, err := limit.Counter{Redis: p.Redis}.Take(r.Context(), "platform:oidc:devices:"+from, devicesBegun)
		if err != nil || wait > 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "slow_down"})
			return
		}
	}
	p.library(w, r)
}
