package transport

import (
	"bytes"
	"net/netip"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/project"
)

// Refused is a request that was turned away, or of whose answer a part was
// (authorization by filter).
type Refused struct {
	Asked
	Code    string     // of the refusal, one of those that are made here or in package graph
	Address netip.Addr // the client's; invalid when not known
}

// tell tells whoever wants to know that the exchange was refused.
func (s *Server) tell(x *exchange, r *refusal) {
	if s.Refused == nil || r == nil {
		return
	}
	s.Refused(Refused{Asked: *x.asked, Code: r.reason(), Address: x.address})
}

// tellDenied tells of an answer in which fields are null because the caller may
// not see them.
func (s *Server) tellDenied(x *exchange, response *graph.Response) {
	if s.Refused != nil && response.HasData && response.Errors > 0 && bytes.Contains(response.Body, unauthorized) {
		s.Refused(Refused{Asked: *x.asked, Code: project.CodeUnauthorized, Address: x.address})
	}
}

var (
	unauthorized = []byte(`"code":"` + project.CodeUnauthorized + `"`)
	codeKey      = []byte(`"code":"`)
)

// reason is the code of the first error.
func (r *refusal) reason() string {
	switch {
	case r.response != nil:
		if _, rest, found := bytes.Cut(r.response.Body, codeKey); found {
			if code, _, found := bytes.Cut(rest, []byte{'"'}); found {
				return string(code)
			}
		}
	case len(r.errors) > 0:
		if code, ok := r.errors[0].Extensions["code"].(string); ok {
			return code
		}
	case r.errors == nil:
		return r.code
	}
	return codeInternal
}
