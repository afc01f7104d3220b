package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// What is passed on to the platform's process says whose it is: the peer, or
// whom a trusted proxy vouches for; what clients write themselves counts nowhere.
func TestPassingOnTellsWhoAsks(t *testing.T) {
	var heard string
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard = addresses([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})(r).String()
	}))
	defer behind.Close()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct{ peer, forwarded, want string }{
		"a client":                     {"203.0.113.9:1234", "", "203.0.113.9"},
		"a client that makes one up":   {"203.0.113.9:1234", "198.51.100.1", "203.0.113.9"},
		"a proxy":                      {"10.1.1.1:1234", "198.51.100.1", "198.51.100.1"},
		"a proxy after a made-up one":  {"10.1.1.1:1234", "1.2.3.4, 198.51.100.1", "198.51.100.1"},
		"two proxies":                  {"10.1.1.1:1234", "198.51.100.1, 10.2.2.2", "198.51.100.1"},
		"a proxy that says nonsense":   {"10.1.1.1:1234", "unknown", "10.1.1.1"},
		"a client that claims a proxy": {"203.0.113.9:1234", "10.1.1.1", "203.0.113.9"},
	} {
		r := httptest.NewRequest("POST", "/logs", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		passOn(behind.URL+"/graphql", proxies).ServeHTTP(httptest.NewRecorder(), r)
		if heard != c.want {
			t.Errorf("%s: %s, want %s", name, heard, c.want)
		}
	}
}
