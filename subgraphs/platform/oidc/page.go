package oidc

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
)

//go:embed page.html
var pageText string

// pages is parsed when the first one is shown.
var pages = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(pageText) })

// page is what a page shows.
type page struct {
	Tongue  tongue
	Title   string // key of words
	Kind    string // of the template
	Error   string // a sentence
	Notice  string // a sentence
	App     *appShown
	Query   template.URL // request=… or user_code=…, behind which flow the page stands
	Flow    flowFields
	CSRF    string
	Nonce   string
	Way     string // of signing in
	Ways    []string
	Mobile  string
	Login   string
	Captcha *captcha.Captcha
	Scopes  []scopeShown
	Account string
	Code    string // the user code of a device
	Fields  map[string]string
	status  int
	returns string // the address to which a form of this page may lead on
}

type appShown struct {
	Name, Unit, Homepage string
	Sandbox              bool
}

type scopeShown struct {
	Value, Words string
	Required     bool
}

// flowFields are the hidden fields of a form that say which flow it is of.
type flowFields struct{ Request, UserCode string }

// Say gives the words for the key in the page's language.
func (p page) Say(key string) string { return p.Tongue.say(key) }

// Lang is the page's language.
func (p page) Lang() string { return p.Tongue.tag() }

// show writes the page. Nothing of it runs, loads, or is framed; its forms lead
// to us, or where the application is known to return to.
func (p *Provider) show(w http.ResponseWriter, r *http.Request, shown page) {
	templates, err := pages()
	shown.Nonce, shown.CSRF = secret()[:22], p.csrfToken(p.browser(w, r))
	var text bytes.Buffer
	if err == nil {
		err = templates.Execute(&text, shown)
	}
	if err != nil {
		p.Log.ErrorContext(r.Context(), "a page of the sign-in cannot be shown", "error", err)
		http.Error(w, chinese.say("errInternal"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'nonce-"+shown.Nonce+"'; form-action 'self'"+source(shown.returns)+"; frame-ancestors 'none'; base-uri 'none'")
	if shown.status == 0 {
		shown.status = http.StatusOK
	}
	w.WriteHeader(shown.status)
	_, _ = text.WriteTo(w)
}

// source is an address as a source of a content security policy.
func source(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "" || err != nil:
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return " " + u.Scheme + "://" + u.Host
	default:
		return " " + u.Scheme + ":"
	}
}

// fail shows a page with the sentence of the key.
func (p *Provider) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	t := tongueOf(r, r.FormValue("ui_locales"))
	p.show(w, r, page{Tongue: t, Title: "errorTitle", Kind: "error", Error: t.say(key), status: status})
}

// broken is fail for what is our fault, or for a request that is gone.
func (p *Provider) broken(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errGone) || errors.Is(err, errSession) {
		p.fail(w, r, http.StatusBadRequest, "errGone")
		return
	}
	if errors.Is(err, errClient) {
		p.fail(w, r, http.StatusBadRequest, "errClient")
		return
	}
	p.Log.ErrorContext(r.Context(), "a page of the sign-in failed", "path", r.URL.Path, "error", err)
	p.fail(w, r, http.StatusInternalServerError, "errInternal")
}

// sentence is what people may read of an error, "" where it is our fault.
func sentence(err error) (string, fault.Code) {
	var f *fault.Fault
	if errors.As(err, &f) && f.Code != fault.Internal {
		return f.Message, f.Code
	}
	return "", fault.Internal
}

// csrfToken is what forms of the browser carry.
func (p *Provider) csrfToken(browser string) string {
	mac := hmac.New(sha256.New, p.csrf)
	mac.Write([]byte(browser))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// posted says whether a form came from our own page in this browser.
func (p *Provider) posted(r *http.Request) bool {
	browser := knownBrowser(r)
	return browser != "" && p.origins().Check(r) == nil && hmac.Equal([]byte(r.PostFormValue("csrf")), []byte(p.csrfToken(browser)))
}

// origins refuses forms that other sites' pages send.
func (p *Provider) origins() *http.CrossOriginProtection {
	protection := http.NewCrossOriginProtection()
	_ = protection.AddTrustedOrigin(strings.TrimSuffix(p.PublicURL, "/")) // checked by CheckPublicURL
	return protection
}

// from gives the client's address, as the nearest trusted proxies vouch for it.
func (p *Provider) from(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	address := peer.Addr().Unmap()
	trusts := func(a netip.Addr) bool {
		for _, network := range p.Proxies {
			if network.Contains(a) {
				return true
			}
		}
		return false
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusts(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address.String()
}

// remote puts where the request came from into its context.
func (p *Provider) remote(r *http.Request) *http.Request {
	id := r.Header.Get("X-Request-Id")
	if len(id) > 100 {
		id = ""
	}
	return r.WithContext(access.WithRemote(r.Context(), access.Remote{Address: p.from(r), Client: "sso", Request: id}))
}
