package transport

import (
	"net/http"
	"net/url"
	"strings"
)

// cors answers pages of other sites: those of Origins may call us, all others
// may not, which their browsers see to. A preflight is answered here.
func (s *Server) cors(x *exchange) *refusal {
	if len(s.origins) > 0 {
		header := x.w.Header()
		header["Vary"] = []string{"Origin"}
		if origin := x.r.Header.Get("Origin"); s.origins[origin] {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
			if x.r.Method == http.MethodOptions {
				header.Set("Access-Control-Allow-Methods", "GET, POST")
				header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Client-Id, X-Request-Id, Apollo-Require-Preflight, Traceparent, Tracestate")
				header.Set("Access-Control-Max-Age", "7200")
			}
		}
	}
	if x.r.Method == http.MethodOptions {
		x.w.Header().Set("Allow", "GET, POST, OPTIONS")
		x.status, x.written = http.StatusNoContent, true
		x.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// ownOrigin says whether the page that opens a WebSocket is ours, or one of
// Origins. Browsers always send Origin; programs need not.
func (s *Server) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || s.origins[origin] {
		return true
	}
	parsed, err := url.Parse(origin)
	return err == nil && parsed.Host != "" && strings.EqualFold(parsed.Host, r.Host)
}
