package transport

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/guard"
)

// stage is one step of the road; a refusal ends it there.
type stage func(s *Server, x *exchange) *refusal

// road is what every operation over HTTP goes through before it runs, be it
// answered at once or streamed.
var road = [...]stage{admit, negotiate, client, approach, body, persist, authenticate, limit, prepare}

// exchange is one request on its way, and what the stages found out about it.
// It is pooled: nothing of it may be kept.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	started time.Time
	id      string // request ID

	media     media       // of the answer
	events    bool        // the endpoint only streams
	eventsToo bool        // the client accepts text/event-stream besides
	safe      bool        // the method is GET: nothing may be changed
	header    http.Header // what may reach subgraphs is part of it
	shared    bool        // operations of one WebSocket have that header in common: it must not be changed
	client    string
	address   netip.Addr
	envelope  envelope
	identity  guard.Identity
	admitted  bool // by the application whose token it came with

	operation  Operation
	registered bool // the operation stands in the client's manifest
	asked      *Asked
	prepared   time.Time // when its preparation began; only where answers explain themselves
	call       graph.Call
	span       trace.Span // of the request; nil where nothing is traced

	buffer  []byte // the request's body
	written bool   // the answer's head is out
	status  int
	errors  int
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// serve runs one endpoint for one request: it makes the exchange, writes a
// refusal, and catches panics.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, endpoint func(*exchange) *refusal) {
	x := exchanges.Get().(*exchange)
	*x = exchange{w: w, r: r, header: r.Header, started: time.Now(), buffer: x.buffer[:0]}
	defer s.finish(x)
	identify(x)
	refused := s.cors(x)
	if refused == nil && !x.written {
		refused = endpoint(x)
	}
	if refused != nil {
		s.tell(x, refused)
		x.refuse(refused)
	}
}

// keepBuffer is the size of buffers that go back to a pool; larger ones are
// the collector's.
const keepBuffer = 64 << 10

func (s *Server) finish(x *exchange) {
	if panicked := recover(); panicked != nil {
		s.recovered(x, panicked)
	}
	x.recordedAll()
	x.account()
	s.observe(x)
	if cap(x.buffer) > keepBuffer {
		x.buffer = nil
	}
	*x = exchange{buffer: x.buffer}
	exchanges.Put(x)
}

func (s *Server) observe(x *exchange) {
	if s.Observe == nil || x.status == http.StatusSwitchingProtocols { // a WebSocket's operations are seen one by one
		return
	}
	seen := Observation{Asked: *x.asked, Status: x.status, Errors: x.errors, Duration: time.Since(x.started)}
	if x.operation != nil {
		seen.Kind = string(x.operation.Kind())
	}
	s.Observe(seen)
}

// travel takes the request along the road.
func (s *Server) travel(x *exchange) *refusal {
	for _, step := range road {
		if refused := step(s, x); refused != nil {
			return refused
		}
	}
	return nil
}

// answer is the endpoint /graphql.
func (s *Server) answer(x *exchange) *refusal {
	s.record(x)
	if refused := s.travel(x); refused != nil {
		return s.inMedia(x, refused)
	}
	if x.call.Explain.Only {
		return s.explained(x)
	}
	if x.media == mediaEvents {
		return s.run(x)
	}
	return execute(s, x)
}
