package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/server/embedded"
	"github.com/citizencloud/citizencloud/server/telemetry"
	platformlog "github.com/citizencloud/citizencloud/subgraphs/platform/log"
)

// service is what takes a command's requests: the gateway alone, the whole
// platform, or one subgraph. wire.go builds the latter two.
type service struct {
	// Handler answers everything, /health too: 200 when requests can be served.
	Handler http.Handler
	// Drain refuses new work (health 503), lets requests in flight finish and
	// tells subscribers; it returns when nobody is left or ctx ends. Nil has
	// nothing besides what the HTTP server drains itself.
	Drain func(ctx context.Context) error
	// Stop ends the work behind the requests: flushes the outbox, stops relays
	// and jobs, closes connections. It runs after Drain, before the state
	// stops. Nil has none.
	Stop func(ctx context.Context) error
	// Ended delivers when the service ends by itself; nil never does.
	Ended <-chan error
}

// installation is what the service of the platform or of a subgraph stands on.
type installation struct {
	// State is open: addresses, files, and the data folder for keys.
	State *embedded.State
	// Development runs free queries and shows the explorer and the inbox.
	Development bool
	// Outside are the services that citizens sign in by.
	Outside providers
	// Scale is the demonstration data to load into an empty database: demo, city, none.
	Scale string
	// Remote are the subgraphs that are reached by URL.
	Remote map[string]string
	// Dedupe shares identical work in flight.
	Dedupe graph.Dedupe
	// MaxCosts are what operations may cost, by client; see clientCosts.
	MaxCosts map[string]float64
	Log      *slog.Logger
	// Logs sends the log's lines to where they are collected; nil sends none.
	Logs *platformlog.Shipper
	// LogMonths is how many whole months of logs are kept.
	LogMonths int
	// Metrics are counted here; nil counts none.
	Metrics *prometheus.Registry
	// Tracer records requests; nil records none.
	Tracer trace.Tracer
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// PublicURL is where browsers reach the platform; "" offers no OpenID Connect.
	PublicURL string
	// Greet shows the first administrator's login and password to whoever
	// started us, as long as nobody has signed in; nil shows nothing.
	Greet func(login, password string)
	// URL is where we are reached, for what we print.
	URL string
}

func dedupe(name string) graph.Dedupe {
	switch name {
	case "subgraph":
		return graph.DedupeSubgraph
	case "all":
		return graph.DedupeAll
	}
	return graph.DedupeNone
}

func metricsHandler(registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", telemetry.Handler(registry))
	return mux
}
