package oidc

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// flow is what somebody signs in for: an application's request, or a device.
// Where it leads on is kept here; no page takes an address to return to.
type flow struct {
	app     *clientapp.ClientApp
	request *request
	device  *device
	code    string // the user code, as typed
	tongue  tongue
}

// errBrowser refuses a request that another browser brought.
var errBrowser = errors.New("oidc: the request came by another browser")

// flow finds what the page is about.
func (p *Provider) flow(r *http.Request) (*flow, error) {
	f := &flow{}
	var err error
	clientID := ""
	if code := r.FormValue("user_code"); code != "" {
		if f.device, err = p.waiting(r, code); err != nil {
			return nil, err
		}
		f.code, clientID = tidyCode(code), f.device.ClientID
		f.tongue = tongueOf(r, "")
	} else {
		if f.request, err = p.request(r.Context(), r.FormValue("request")); err != nil {
			return nil, err
		}
		if !f.request.browserIs(knownBrowser(r)) {
			return nil, errBrowser
		}
		clientID = f.request.ClientID
		f.tongue = tongueOf(r, f.request.Locale)
	}
	f.app, err = p.working(r.Context(), clientID)
	return f, err
}

// lost answers where there is no flow.
func (p *Provider) lost(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errBrowser) {
		p.fail(w, r, http.StatusBadRequest, "errBrowser")
		return
	}
	if said, code := sentence(err); code == fault.RateLimited {
		p.show(w, r, page{Tongue: tongueOf(r, ""), Title: "errorTitle", Kind: "error", Error: said, status: http.StatusTooManyRequests})
		return
	}
	p.broken(w, r, err)
}

func (f *flow) query() string {
	if f.device != nil {
		return "user_code=" + url.QueryEscape(f.code)
	}
	return "request=" + url.QueryEscape(f.request.ID)
}

func (f *flow) fields() flowFields {
	if f.device != nil {
		return flowFields{UserCode: f.code}
	}
	return flowFields{Request: f.request.ID}
}

func (f *flow) returns() string {
	if f.request != nil {
		return f.request.RedirectURI
	}
	return ""
}

// accepts says whether who is signed in may go on without signing in anew.
func (f *flow) accepts(p *Provider, in *ssoSession) bool {
	if in == nil || in.Pending || !in.suits(f.app) {
		return false
	}
	r := f.request
	if r == nil || !in.AuthenticatedAt.Before(r.CreatedAt) {
		return true
	}
	if r.prompted(protocol.PromptLogin) || r.prompted(protocol.PromptSelectAccount) {
		return false
	}
	return r.MaxAge == nil || p.now().Sub(in.AuthenticatedAt).Seconds() <= float64(*r.MaxAge)
}

// ways are the ways to sign in that the application's audience has.
func (f *flow) ways() []string {
	switch f.app.Audience {
	case clientapp.ForCitizens:
		return []string{"code", "password"}
	case clientapp.ForWorkers:
		return []string{"worker"}
	default:
		return []string{"code", "password", "worker"}
	}
}

// page begins a page of the flow.
func (f *flow) page(title, kind string) page {
	return page{Tongue: f.tongue, Title: title, Kind: kind, Query: template.URL(f.query()), Flow: f.fields(), returns: f.returns(),
		App: &appShown{Name: f.app.Name, Homepage: f.app.Homepage, Sandbox: f.app.State == clientapp.Sandbox}}
}

// CaptchaImage is the picture of a captcha, which is a data: URL of our own.
func (p page) CaptchaImage() template.URL {
	if p.Captcha == nil || p.Captcha.Image == nil {
		return ""
	}
	return template.URL(*p.Captcha.Image)
}

// login is the page where people sign in.
func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	f, err := p.flow(r)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	in, err := p.signedIn(r)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	if r.Method == http.MethodPost {
		if !p.posted(r) {
			p.fail(w, r, http.StatusForbidden, "errForm")
			return
		}
		p.signIn(w, r, f, in)
		return
	}
	if f.accepts(p, in) {
		http.Redirect(w, r, Path+"/agree?"+f.query(), http.StatusSeeOther)
		return
	}
	if f.request != nil && f.request.prompted(protocol.PromptNone) {
		op.AuthRequestError(w, r, f.request, protocol.ErrLoginRequired(), p.op)
		return
	}
	shown := f.page("signIn", "login")
	shown.Ways = f.ways()
	shown.Way = shown.Ways[0]
	if way := r.FormValue("way"); slices.Contains(shown.Ways, way) {
		shown.Way = way
	}
	if f.request != nil && shown.Way != "worker" {
		shown.Mobile = f.request.LoginHint
	}
	if in != nil && in.Pending {
		p.pending(&shown, in)
	} else if in != nil && !in.suits(f.app) {
		shown.Notice = shown.Say("notSuited")
	}
	p.show(w, r, shown)
}

// pending turns the page to what a worker's sign-in still lacks.
func (p *Provider) pending(shown *page, in *ssoSession) {
	switch in.Principal.Confined {
	case access.FactorDue:
		shown.Way, shown.Ways = "factor", nil
	case access.PasswordDue:
		shown.Error = shown.Say("passwordDue")
	default:
		shown.Error = shown.Say("enrolmentDue")
	}
}

// signIn signs in by what the form says, through the services that the graph's
// mutations use: the same limits, locks and captchas hold.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, f *flow, in *ssoSession) {
	shown := f.page("signIn", "login")
	shown.Ways, shown.Way = f.ways(), r.PostFormValue("way")
	shown.Mobile, shown.Login = cut(r.PostFormValue("mobile"), 20), cut(r.PostFormValue("login"), 64)
	if shown.Way != "factor" && !slices.Contains(shown.Ways, shown.Way) {
		p.fail(w, r, http.StatusBadRequest, "errForm")
		return
	}
	entered, err := p.enterBy(w, r, &shown, in)
	if err != nil {
		p.again(w, r, shown, err)
		return
	}
	if entered == nil { // a code was sent, or a captcha changed
		p.show(w, r, shown)
		return
	}
	p.record(r.Context(), "oidcSignIn", entered.Principal, "Session", entered.SessionID, map[string]any{"clientId": f.app.ClientID, "methods": entered.Methods})
	if entered.Pending {
		p.pending(&shown, entered)
		p.show(w, r, shown)
		return
	}
	http.Redirect(w, r, Path+"/login?"+f.query(), http.StatusSeeOther)
}

func cut(text string, length int) string {
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length])
	}
	return text
}

func (p *Provider) enterBy(w http.ResponseWriter, r *http.Request, shown *page, in *ssoSession) (*ssoSession, error) {
	ctx, form := r.Context(), r.PostFormValue
	var solved *captcha.Answer
	if form("captcha_id") != "" && form("captcha") != "" {
		solved = &captcha.Answer{ID: form("captcha_id"), Text: form("captcha")}
	}
	machine := session.Machine{ID: knownBrowser(r), Name: "浏览器（统一登录）"}
	switch action := form("action"); {
	case action == "question":
		return nil, p.puzzle(r, shown, captcha.Question)
	case shown.Way == "code" && action == "send":
		sent, err := p.Sessions.RequestCode(ctx, form("mobile"), sms.SignIn, solved)
		if err == nil {
			_ = sent
			shown.Notice = shown.Say("codeSent")
		}
		return nil, err
	case shown.Way == "code":
		done, err := p.Sessions.SignInByCode(ctx, form("mobile"), form("code"), machine)
		if err != nil {
			return nil, err
		}
		return p.enter(w, r, done.Viewer.Viewer, "sms")
	case shown.Way == "password":
		done, err := p.Sessions.SignInByPassword(ctx, form("mobile"), form("password"), solved, machine)
		if err != nil {
			return nil, err
		}
		return p.enter(w, r, done.Viewer.Viewer, "pwd")
	case shown.Way == "worker":
		_, worker, err := p.Sessions.SignInWorker(ctx, form("login"), form("password"))
		if err != nil {
			return nil, err
		}
		return p.enter(w, r, worker.Viewer, "pwd")
	default: // the second factor
		if in == nil || !in.Pending {
			return nil, fault.New(fault.Unauthenticated, "登录已失效，请重新登录")
		}
		if _, _, _, err := p.Sessions.VerifySecondFactor(access.With(ctx, in.Principal), form("code")); err != nil {
			return nil, err
		}
		who, _, err := p.Sessions.Standing(ctx, in.SessionID)
		if err != nil || who == nil {
			return nil, errors.Join(fault.New(fault.Unauthenticated, "登录已失效，请重新登录"), err)
		}
		return p.enter(w, r, who, "pwd", "otp", "mfa")
	}
}

// again shows the form once more with what was wrong, and a captcha where one is due.
func (p *Provider) again(w http.ResponseWriter, r *http.Request, shown page, err error) {
	said, code := sentence(err)
	if said == "" {
		p.broken(w, r, err)
		return
	}
	shown.Error, shown.status = said, http.StatusUnprocessableEntity
	switch code {
	case fault.RateLimited, fault.Locked:
		shown.status = http.StatusTooManyRequests
	case fault.Unavailable:
		shown.status = http.StatusServiceUnavailable
	case fault.CaptchaRequired:
		if err := p.puzzle(r, &shown, captcha.Picture); err != nil {
			p.broken(w, r, err)
			return
		}
	case fault.InvalidInput:
		if r.PostFormValue("captcha_id") != "" {
			if err := p.puzzle(r, &shown, captcha.Picture); err != nil {
				p.broken(w, r, err)
				return
			}
		}
	}
	if shown.Way == "factor" {
		shown.Ways = nil
	}
	p.show(w, r, shown)
}

// puzzle puts a captcha for the form's way onto the page.
func (p *Provider) puzzle(r *http.Request, shown *page, by captcha.Way) error {
	scene := captcha.Password
	if shown.Way == "code" {
		scene = captcha.SMSCode
	}
	made, err := p.Captchas.Make(r.Context(), scene, by)
	if err != nil {
		return err
	}
	shown.Captcha = &made
	return nil
}
