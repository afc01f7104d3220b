package transport

import (
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/graph/guard"
)

// authenticate finds out who asks. From here on x.ctx carries the principal.
func authenticate(s *Server, x *exchange) *refusal {
	if s.Authenticator == nil {
		// Whoever bears one authorization sees the same; what it means only
		// the subgraphs know.
		x.identity.View = anyoneView
		if values := x.header["Authorization"]; len(values) > 0 {
			x.identity.View += strings.Join(values, ",")
		}
		return nil
	}
	x.tellRemote()
	authorization := ""
	switch values := x.header["Authorization"]; len(values) {
	case 0:
	case 1:
		authorization = values[0]
	default:
		return guarded(guard.Unauthenticated("只能有一个 Authorization 请求头"))
	}
	ctx, identity, err := s.Authenticator.Authenticate(x.ctx, authorization)
	if err != nil {
		return guarded(err)
	}
	x.ctx, x.identity = ctx, identity
	return nil
}

// anyoneView is the authorisation view of callers that nobody authenticates.
const anyoneView = "authorization:"

// tellRemote notes where the request came from, for the authenticator and for
// resolvers in the process.
func (x *exchange) tellRemote() {
	x.ctx = access.WithRemote(x.ctx, access.Remote{Address: x.from(), Client: x.client, Request: x.id})
}

// from is the client's address as text, "" when not known.
func (x *exchange) from() string {
	if !x.address.IsValid() {
		return ""
	}
	return x.address.String()
}

// approach lets the request come near by its address alone.
func approach(s *Server, x *exchange) *refusal {
	if refused := s.Gate.Approach(x.address, x.started); refused != nil {
		return guarded(refused)
	}
	return nil
}

// limit lets the caller pass the gate.
func limit(s *Server, x *exchange) *refusal {
	if refused := s.Gate.Enter(guard.Caller{Client: x.client, Subject: x.identity.Subject}, x.started); refused != nil {
		return guarded(refused)
	}
	if app := x.identity.Application; app != nil {
		if refused := app.Admit(x.ctx, x.client, x.envelope.operationName, x.registered); refused != nil {
			return guarded(refused)
		}
		x.admitted = true
	}
	return nil
}

// account tells the application, where the request came with its token, how it ended.
func (x *exchange) account() {
	if x.admitted {
		x.identity.Application.Ended(x.errors)
	}
}
