package transport

import (
	"net/http"
	"net/netip"
	"strings"
)

// admit turns away what comes while the server drains.
func admit(s *Server, _ *exchange) *refusal {
	if s.streams.draining() {
		return draining()
	}
	return nil
}

// client notes who says to be asking, and from which address.
func client(s *Server, x *exchange) *refusal {
	if values := x.r.Header["X-Client-Id"]; len(values) > 0 {
		x.client = values[0]
	}
	x.address = s.address(x.r)
	s.introduced(x)
	return nil
}

// introduced notes the client's name where it is known.
func (s *Server) introduced(x *exchange) {
	if s.Operations.Known(x.client) {
		x.asked.Client = x.client
	}
}

// address is the client's own: the peer's, or the one that trusted proxies
// vouch for, the nearest first.
func (s *Server) address(r *http.Request) netip.Addr { return Address(r, s.TrustedProxies) }

// Address is the address of who asks: the peer's, or the one that the trusted
// proxies vouch for by X-Forwarded-For, the nearest first. It is the zero Addr
// where the peer has none.
func Address(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap()
	if len(trusted) == 0 {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusts(trusted, address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address
}

func trusts(trusted []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
