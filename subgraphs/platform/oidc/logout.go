package oidc

import (
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// logout ends the sign-in of the browser (OpenID Connect RP-Initiated Logout).
// Who shows by an ID token of the signed-in person that they are an application
// of theirs is believed; all others' requests are confirmed by the person, so
// that no page elsewhere can sign somebody out.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	req, err := op.ParseEndSessionRequest(r, p.op.Decoder())
	if err != nil {
		p.fail(w, r, http.StatusBadRequest, "errLogout")
		return
	}
	ctx := op.ContextWithIssuer(r.Context(), p.issuer)
	asked, err := op.ValidateEndSessionRequest(ctx, req, p.op)
	if err != nil {
		p.Log.InfoContext(ctx, "a sign-out was refused", "error", err)
		p.fail(w, r, http.StatusBadRequest, "errLogout")
		return
	}
	in, err := p.signedIn(r)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	decision := ""
	if r.Method == http.MethodPost {
		decision = r.PostFormValue("decision")
	}
	known := in != nil && req.IdTokenHint != "" && p.belongs(r, asked, in)
	switch {
	case in == nil || known:
	case decision == "":
		fields := map[string]string{}
		for name, value := range map[string]string{"client_id": req.ClientID, "post_logout_redirect_uri": req.PostLogoutRedirectURI, "state": req.State} {
			if value != "" {
				fields[name] = value
			}
		}
		p.show(w, r, page{Tongue: tongueOf(r, r.FormValue("ui_locales")), Title: "signOutTitle", Kind: "logout", Fields: fields, returns: req.PostLogoutRedirectURI})
		return
	case !p.posted(r):
		p.fail(w, r, http.StatusForbidden, "errForm")
		return
	case decision != "leave":
		t := tongueOf(r, "")
		p.show(w, r, page{Tongue: t, Title: "signOutTitle", Kind: "done", Notice: t.say("stillIn")})
		return
	}
	if in != nil {
		if err := p.leave(w, r, in); err != nil {
			p.broken(w, r, err)
			return
		}
	}
	http.Redirect(w, r, asked.RedirectURI, http.StatusSeeOther)
}

// belongs says whether the ID token of the request is of who is signed in.
func (p *Provider) belongs(r *http.Request, asked *op.EndSessionRequest, in *ssoSession) bool {
	app, err := p.Apps.ByClientID(r.Context(), asked.ClientID)
	return err == nil && app != nil && asked.UserID == p.subject(app, in.Kind, in.PrincipalID)
}

// signedOut is where a sign-out leads that names no other address.
func (p *Provider) signedOut(w http.ResponseWriter, r *http.Request) {
	t := tongueOf(r, r.FormValue("ui_locales"))
	p.show(w, r, page{Tongue: t, Title: "signOutTitle", Kind: "done", Notice: t.say("signedOut")})
}
