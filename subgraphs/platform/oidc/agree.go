package oidc

import (
	"net/http"
	"slices"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// fits says whether a scope means anything for the kind of person.
func fits(scope string, kind access.Kind) bool {
	switch clientapp.Scope(scope) {
	case clientapp.ScopePhone, clientapp.ScopePhoneFull, clientapp.ScopeRealName:
		return kind == access.Citizen
	case clientapp.ScopeOrganization:
		return kind == access.Worker
	}
	return true
}

// asked are the scopes that the person is asked for.
func (f *flow) asked(in *ssoSession) []string {
	var all []string
	if f.device != nil {
		all = f.device.Scopes
	} else {
		all = f.request.Scopes
	}
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !fits(s, in.Kind) })
}

// agree is the page where people say what an application may learn or do. The
// platform's own clients, and who agreed before, go straight on; on a device
// everybody is asked, for it is another one than this browser's.
func (p *Provider) agree(w http.ResponseWriter, r *http.Request) {
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
	if r.Method == http.MethodPost && !p.posted(r) {
		p.fail(w, r, http.StatusForbidden, "errForm")
		return
	}
	if !f.accepts(p, in) {
		http.Redirect(w, r, Path+"/login?"+f.query(), http.StatusSeeOther)
		return
	}
	if r.Method == http.MethodPost {
		p.decided(w, r, f, in)
		return
	}
	asked := f.asked(in)
	if f.request != nil {
		covered := f.app.FirstParty()
		if !covered {
			before, err := p.Consents.Of(r.Context(), f.app.ID, in.Principal)
			if err != nil {
				p.broken(w, r, err)
				return
			}
			covered = before.Covers(asked, p.now())
		}
		if covered && !f.request.prompted(protocol.PromptConsent) {
			p.goOn(w, r, f, in, asked)
			return
		}
		if f.request.prompted(protocol.PromptNone) {
			op.AuthRequestError(w, r, f.request, protocol.ErrInteractionRequired(), p.op)
			return
		}
	}
	p.ask(w, r, f, in, asked, "")
}

// ask shows what is asked for.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request, f *flow, in *ssoSession, asked []string, wrong string) {
	shown := f.page("agreeTitle", "agree")
	shown.Error, shown.Account = wrong, in.Principal.Name
	if wrong != "" {
		shown.status = http.StatusUnprocessableEntity
	}
	if f.device != nil {
		shown.Code = f.code[:4] + "-" + f.code[4:]
	}
	for _, s := range asked {
		shown.Scopes = append(shown.Scopes, scopeShown{Value: s, Words: shown.Say(s), Required: s == string(clientapp.ScopeOpenID)})
	}
	units, err := p.Units.ByIDs(asSystem(r.Context()), []string{f.app.UnitID})
	if err != nil {
		p.broken(w, r, err)
		return
	}
	if unit := units[f.app.UnitID]; unit != nil {
		shown.App.Unit = unit.Name
	}
	p.show(w, r, shown)
}

func (p *Provider) decided(w http.ResponseWriter, r *http.Request, f *flow, in *ssoSession) {
	ctx := r.Context()
	asked := f.asked(in)
	switch r.PostFormValue("decision") {
	case "switch":
		if err := p.leave(w, r, in); err != nil {
			p.broken(w, r, err)
			return
		}
		http.Redirect(w, r, Path+"/login?"+f.query(), http.StatusSeeOther)
	case "allow":
		chosen := slices.DeleteFunc(slices.Clone(asked), func(s string) bool {
			return s != string(clientapp.ScopeOpenID) && !slices.Contains(r.PostForm["scope"], s)
		})
		if !f.app.FirstParty() {
			most := 0
			if f.app.State == clientapp.Sandbox {
				most = clientapp.SandboxPeople
			}
			if err := p.Consents.Grant(ctx, f.app.ID, in.Principal, chosen, most); err != nil {
				if said, code := sentence(err); code == fault.Full {
					p.ask(w, r, f, in, asked, said)
					return
				}
				p.broken(w, r, err)
				return
			}
		}
		p.record(ctx, "oidcConsent", in.Principal, "ClientApp", f.app.ID, map[string]any{"clientId": f.app.ClientID, "scopes": chosen})
		p.goOn(w, r, f, in, chosen)
	default:
		p.record(ctx, "oidcRefuse", in.Principal, "ClientApp", f.app.ID, map[string]any{"clientId": f.app.ClientID})
		if f.device != nil {
			p.settle(w, r, f, nil, nil)
			return
		}
		op.AuthRequestError(w, r, f.request, &protocol.Error{ErrorType: protocol.AccessDenied, Description: "the person refused"}, p.op)
	}
}

// goOn gives the application its code, or lets the device in.
func (p *Provider) goOn(w http.ResponseWriter, r *http.Request, f *flow, in *ssoSession, scopes []string) {
	if f.device != nil {
		p.settle(w, r, f, in, scopes)
		return
	}
	if err := p.complete(r.Context(), f.request, f.app, in, scopes); err != nil {
		p.broken(w, r, err)
		return
	}
	op.AuthResponse(f.request, p.op, w, r)
}
