// Package transport is where bytes come in and go out: GraphQL over HTTP, over
// server-sent events (graphql-sse, distinct connections) and over WebSocket
// (graphql-transport-ws). It knows protocols; what an operation means it
// leaves to the Engine.
//
// Start reading at Server.ServeHTTP and at road (road.go): the stages that a
// request goes through, each in a file of its own. stream.go, sse.go and
// websocket.go carry subscriptions; subgraph.go serves one subgraph alone.
package transport

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
)

// Options of a Server; only Engine must be given.
type Options struct {
	Engine Engine
	// Operations decides what each client may run; nil lets everything run.
	Operations *persisted.Policy
	// Authenticator finds out who asks; nil lets all in as nobody, and passes
	// Authorization on. The view is then that header: whoever bears one
	// authorization sees the same.
	Authenticator guard.Authenticator
	// Gate holds limits and switches; nil has none.
	Gate *guard.Gate
	// MaxBody is the most bytes of a request's body, unpacked, and of one
	// WebSocket message; 0 means 1 MB.
	MaxBody int64
	// Compress packs answers with gzip where the client accepts it.
	Compress bool
	// Origins are the other sites whose pages may call us, such as
	// "https://portal.example.cn"; our own may always.
	Origins []string
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Latest says for which subscriptions only the newest event counts: a slow
	// client misses those in between. All others, and all where it is nil, end
	// with SUBSCRIBER_TOO_SLOW instead.
	Latest func(client, operation string) bool
	// MaxCost is the most that an operation of this client may be estimated to
	// cost, 0 for any; nil lets every client run any.
	MaxCost func(client string) float64
	// Heartbeat is the time between signs of life on an idle stream; 0 means 15 s.
	Heartbeat time.Duration
	// WriteTimeout is how long one write to a stream's client may take; 0 means 30 s.
	WriteTimeout time.Duration
	// InitTimeout is how long a WebSocket may stay without connection_init; 0 means 5 s.
	InitTimeout time.Duration
	// MaxStreams bounds the open SSE and WebSocket connections; 0 means 50,000.
	MaxStreams int
	// MaxOperations bounds the operations running in one WebSocket; 0 means 100.
	MaxOperations int
	// Ready says why requests cannot be served now, nil when they can; it
	// must be quick. A nil func means always.
	Ready func() error
	// Explorer holds the built GraphiQL page, served at /explorer/; nil for none.
	Explorer fs.FS
	// Explain lets clients ask, by X-Explain, how their answers are made. It shows
	// what only developers are to see.
	Explain bool
	// Tracer records requests; nil records none.
	Tracer trace.Tracer
	// Label names operations in metrics and traces where there are no manifests.
	// There may be only so many names. Nil names none.
	Label func(Operation) string
	// Observe is told of every operation that ended; nil for nobody. It must be quick.
	Observe func(Observation)
	// Refused is told of everything that is turned away; nil for nobody. It must be quick.
	Refused func(Refused)
	// Logger takes what clients do not see; nil means slog.Default().
	Logger *slog.Logger
}

// Observation is one operation, or one subscription, that ended.
type Observation struct {
	Asked
	Kind     string // query, mutation, subscription, "" if not prepared
	Status   int    // of HTTP; 200 for all that ran in a stream
	Errors   int    // entries of errors
	Duration time.Duration
}

// Server serves /graphql, /graphql/stream, /graphql/ws, /health and, if there
// is one, /explorer/. It is an http.Handler, safe for concurrent use.
type Server struct {
	Options
	origins map[string]bool
	streams streams
	load    struct{ running, subscriptions atomic.Int64 }
	pages   http.Handler // the explorer, nil for none
}

// New makes a Server.
func New(o Options) *Server {
	setDefault(&o.MaxBody, 1<<20)
	setDefault(&o.Heartbeat, 15*time.Second)
	setDefault(&o.WriteTimeout, 30*time.Second)
	setDefault(&o.InitTimeout, 5*time.Second)
	setDefault(&o.MaxStreams, 50_000)
	setDefault(&o.MaxOperations, 100)
	if o.Operations == nil {
		o.Operations = &persisted.Policy{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Server{Options: o, origins: map[string]bool{}}
	for _, origin := range o.Origins {
		s.origins[origin] = true
	}
	s.streams.most = o.MaxStreams
	if o.Explorer != nil {
		s.pages = WebClient("/explorer/", o.Explorer)
	}
	return s
}

func setDefault[T int | int64 | time.Duration](value *T, standard T) {
	if *value <= 0 {
		*value = standard
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/graphql":
		s.serve(w, r, s.answer)
	case path == "/graphql/stream":
		s.serve(w, r, s.stream)
	case path == "/graphql/ws":
		s.serve(w, r, s.websocket)
	case path == "/health":
		s.health(w, r)
	case s.pages != nil && (path == "/explorer" || strings.HasPrefix(path, "/explorer/")):
		s.pages.ServeHTTP(w, r)
	default:
		s.serve(w, r, func(x *exchange) *refusal {
			return &refusal{status: http.StatusNotFound, code: codeNotFound, message: "没有这个地址"}
		})
	}
}

// NewHTTPServer is an http.Server for the handler, with limits of time and
// size that no client can do without. How long bodies may take is for each
// handler to say, as Server does: files take longer than operations. Its
// Shutdown leaves WebSockets to Server.Drain, which goes first.
func NewHTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
