package transport

import (
	"time"

	"github.com/citizencloud/citizencloud/graph/guard"
)

// authenticate finds out who asks. From here on x.ctx carries the principal.
func authenticate(s *Server, x *exchange) *refusal {
	if s.Authenticator == nil {
		return nil
	}
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

// limit lets the request pass the gate.
func limit(s *Server, x *exchange) *refusal {
	if s.Gate == nil {
		return nil
	}
	caller := guard.Caller{Client: x.client, Address: x.address, Subject: x.identity.Subject}
	if refused := s.Gate.Enter(caller, time.Now()); refused != nil {
		return guarded(refused)
	}
	return nil
}
