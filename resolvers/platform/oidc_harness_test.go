package platform_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"github.com/lib/pq"
	"github.com/pquerna/otp/totp"
	"golang.org/x/oauth2"

	"github.com/citizencloud/citizencloud/resolvers/platform"
)

// signOn is the platform with its OpenID Connect provider behind HTTP.
type signOn struct {
	*world
	server *httptest.Server
}

func newSignOn(t *testing.T) *signOn {
	t.Helper()
	s := &signOn{}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.OpenIDHandler().ServeHTTP(w, r) }))
	t.Cleanup(s.server.Close)
	s.world = newWorld(t, func(d *platform.Deps) { d.PublicURL = s.server.URL })
	return s
}

// registered is an application as a relying party knows itself.
type registered struct {
	oauth2.Config
	s  *signOn
	id string
}

const everything = "OPENID PROFILE PHONE PHONE_FULL REALNAME AREA ORGANIZATION API OFFLINE_ACCESS"

// app registers a live application; its secret is its client ID turned round.
func (s *signOn) app(kind, redirect, scopes string, change ...string) *registered {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	r := &registered{s: s, id: id}
	r.ClientID = "app-" + id[24:]
	redirects, logouts := []string{}, []string{}
	if redirect != "" {
		redirects, logouts = []string{redirect}, []string{strings.Replace(redirect, "/callback", "/bye", 1)}
	}
	s.sql(`INSERT INTO platform.client_app (id, client_id, name, summary, kind, audience, unit_id, area_code, redirect_uris, logout_uris, scopes, granted_scopes,
		state, created_by, submitted_by, reviewed_by, created_at, updated_at)
		VALUES ($1, $2, '邻里商店', '测试用的应用', $3, 'EVERYBODY', $4, $5, $6, $7, $8, $8, 'LIVE', $9, $9, $10, now(), now())`,
		id, r.ClientID, kind, s.workers[here], here, pq.Array(redirects), pq.Array(logouts), pq.Array(strings.Fields(scopes)), s.workers[here], s.workers[city])
	for _, c := range change {
		s.sql(`UPDATE platform.client_app SET `+c+` WHERE id = $1`, id)
	}
	issuer := s.server.URL + "/oidc"
	r.RedirectURL = redirect
	r.Endpoint = oauth2.Endpoint{AuthURL: issuer + "/authorize", TokenURL: issuer + "/oauth/token", DeviceAuthURL: issuer + "/device_authorization", AuthStyle: oauth2.AuthStyleInParams}
	for _, scope := range strings.Fields(scopes) {
		r.Scopes = append(r.Scopes, strings.ToLower(scope))
	}
	if kind == "WEB" {
		r.ClientSecret, r.Endpoint.AuthStyle = "secret of "+id, oauth2.AuthStyleInHeader
		sum := sha256.Sum256([]byte(r.ClientSecret))
		s.sql(`INSERT INTO platform.client_app_secret (id, client_app_id, hash, hint, created_by, created_at) VALUES ($1, $1, $2, 'last', $3, now())`, id, sum[:], s.workers[here])
	}
	return r
}

// browser is somebody's browser: cookies, and pages with forms.
type browser struct {
	s    *signOn
	jar  *cookiejar.Jar
	page string   // the last page's text
	at   *url.URL // its address
	code int      // its status
	head http.Header
	// left is the address of an application to which a page led; it is not followed.
	left *url.URL
}

func (s *signOn) browser() *browser {
	jar, err := cookiejar.New(nil)
	s.must(err)
	return &browser{s: s, jar: jar}
}

func (b *browser) do(r *http.Request) *browser {
	b.s.t.Helper()
	b.left = nil
	home := strings.TrimPrefix(b.s.server.URL, "http://")
	client := &http.Client{Jar: b.jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if next.URL.Host != home {
			b.left = next.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	response, err := client.Do(r.WithContext(b.s.t.Context()))
	if err != nil && b.left == nil {
		b.s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	b.s.must(err)
	b.page, b.at, b.code, b.head = string(text), response.Request.URL, response.StatusCode, response.Header
	return b
}

func (b *browser) get(address string) *browser {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	b.s.must(err)
	return b.do(r)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
var formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)

// fields are the hidden fields of the page's form.
func (b *browser) fields() url.Values {
	values := url.Values{}
	for _, found := range hidden.FindAllStringSubmatch(b.page, -1) {
		values.Set(html.UnescapeString(found[1]), html.UnescapeString(found[2]))
	}
	return values
}

// submit sends the page's form with the fields besides, "name=value".
func (b *browser) submit(fields ...string) *browser {
	b.s.t.Helper()
	action := formAction.FindStringSubmatch(b.page)
	if action == nil {
		b.s.t.Fatalf("%s has no form: %d\n%s", b.at, b.code, b.page)
	}
	values := b.fields()
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		values.Add(name, value)
	}
	return b.post(action[1], values)
}

func (b *browser) post(path string, values url.Values, header ...string) *browser {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.s.server.URL+path, strings.NewReader(values.Encode()))
	b.s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

// shows ends the test unless the page has the text.
func (b *browser) shows(text string) *browser {
	b.s.t.Helper()
	if !strings.Contains(b.page, text) {
		b.s.t.Fatalf("%s (%d) does not show %q, left for %v:\n%s", b.at, b.code, text, b.left, b.page)
	}
	return b
}

// enter signs the citizen of the number in on the present page.
func (b *browser) enter(mobile string) *browser {
	b.s.t.Helper()
	b.s.forgetLimits()
	b.submit("action=send", "mobile="+mobile).shows("验证码已发送")
	return b.submit("action=enter", "mobile="+mobile, "code="+b.s.phone.code("+86"+mobile))
}

// allow agrees to all that the page asks for.
func (b *browser) allow() *browser {
	b.s.t.Helper()
	fields := []string{"decision=allow"}
	for _, found := range regexp.MustCompile(`name="scope" value="([A-Z_]+)"`).FindAllStringSubmatch(b.page, -1) {
		fields = append(fields, "scope="+found[1])
	}
	return b.submit(fields...)
}

// attempt is one way of an application to its code.
type attempt struct {
	verifier, state, nonce string
}

func newAttempt() attempt {
	return attempt{oauth2.GenerateVerifier(), "state of " + uuid.NewString(), "nonce of " + uuid.NewString()}
}

// address is where the application sends the browser.
func (r *registered) address(a attempt, more ...oauth2.AuthCodeOption) string {
	return r.AuthCodeURL(a.state, append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier), gooidc.Nonce(a.nonce)}, more...)...)
}

// returned is the code that the browser brought back to the application.
func (r *registered) returned(b *browser, a attempt) string {
	r.s.t.Helper()
	if b.left == nil || !strings.HasPrefix(b.left.String(), r.RedirectURL+"?") {
		r.s.t.Fatalf("the browser stands at %s (%d), left for %v:\n%s", b.at, b.code, b.left, b.page)
	}
	if got := b.left.Query().Get("state"); got != a.state {
		r.s.t.Fatalf("the state came back as %q", got)
	}
	code := b.left.Query().Get("code")
	if code == "" {
		r.s.t.Fatalf("no code: %s", b.left)
	}
	return code
}

// signedIn goes the whole way with a new person in a new browser.
func (r *registered) signedIn(b *browser, mobile string) *oauth2.Token {
	r.s.t.Helper()
	a := newAttempt()
	b.get(r.address(a)).shows("邻里商店")
	b.enter(mobile).shows("授权确认")
	b.allow()
	token, err := r.Exchange(r.s.t.Context(), r.returned(b, a), oauth2.VerifierOption(a.verifier))
	r.s.must(err)
	return token
}

// provider is the relying party's view of us, by discovery.
func (s *signOn) provider(ctx context.Context) *gooidc.Provider {
	s.t.Helper()
	p, err := gooidc.NewProvider(ctx, s.server.URL+"/oidc")
	s.must(err)
	return p
}

// refusal is the error code of a refused token request, "" for none.
func refusal(err error) string {
	if refused, ok := err.(*oauth2.RetrieveError); ok {
		return refused.ErrorCode
	}
	if err != nil {
		return fmt.Sprint(err)
	}
	return ""
}

// ask sends a form to the provider as the application, and gives status and body.
func (r *registered) ask(path string, values url.Values) (int, string) {
	r.s.t.Helper()
	if r.ClientSecret == "" {
		values.Set("client_id", r.ClientID)
	}
	request, err := http.NewRequestWithContext(r.s.t.Context(), http.MethodPost, r.s.server.URL+"/oidc"+path, strings.NewReader(values.Encode()))
	r.s.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.ClientSecret != "" {
		request.SetBasicAuth(url.QueryEscape(r.ClientID), url.QueryEscape(r.ClientSecret))
	}
	response, err := http.DefaultClient.Do(request)
	r.s.must(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	r.s.must(err)
	return response.StatusCode, string(text)
}

// active says whether introspection calls the token active.
func (r *registered) active(token string) bool {
	r.s.t.Helper()
	status, body := r.ask("/oauth/introspect", url.Values{"token": {token}})
	if status != http.StatusOK {
		r.s.t.Fatalf("introspection: %d %s", status, body)
	}
	return strings.Contains(body, `"active":true`)
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// enrolled gives the worker of the place a second factor; the function makes codes.
func (s *signOn) enrolled(code string) func() string {
	s.t.Helper()
	in := get[struct{ SignInWorker tokens }](s.world, nil, `mutation { signInWorker(input: {login: "w`+code+`", password: "`+password+`"}) { accessToken } }`, "").SignInWorker
	p, _, err := s.verifier.Access(in.AccessToken)
	s.must(err)
	secret := get[struct{ EnrolSecondFactor struct{ Secret string } }](s.world, p, `mutation { enrolSecondFactor { secret } }`, "").EnrolSecondFactor.Secret
	generate := func() string {
		text, err := totp.GenerateCode(secret, s.clock.now())
		s.must(err)
		return text
	}
	get[any](s.world, p, `mutation { verifySecondFactor(input: {code: "`+generate()+`"}) { accessToken } }`, "")
	return generate
}
