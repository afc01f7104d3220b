package transport

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/persisted"
)

// noting takes note of what it is called with.
type noting struct {
	fakeEngine
	calls []graph.Call
	asked []Asked
	ids   []string
}

type notingOperation struct {
	Operation
	engine *noting
}

func (e *noting) Prepare(ctx context.Context, query, name string) (Operation, gqlerror.List) {
	operation, errs := e.fakeEngine.Prepare(ctx, query, name)
	return &notingOperation{operation, e}, errs
}

func (o *notingOperation) Execute(ctx context.Context, call graph.Call) *graph.Response {
	o.engine.calls, o.engine.asked, o.engine.ids = append(o.engine.calls, call), append(o.engine.asked, AskedOf(ctx)), append(o.engine.ids, RequestID(ctx))
	return o.Operation.Execute(ctx, call)
}

// The engine hears who asks what in bounded words, the request's ID, and its
// span: over HTTP and within a WebSocket.
func TestTheEngineHearsWhoAsks(t *testing.T) {
	engine, spans := &noting{}, tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("test")
	s := newServer(t, func(o *Options) { o.Engine, o.Operations, o.Tracer = engine, policy(t, persisted.Development), tracer })
	id := fmt.Sprintf(`{"documentId":%q}`, hash(homeQuery))
	header := map[string]string{"Content-Type": "application/json", "X-Client-Id": "app", "X-Request-Id": "mine", "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	sent{body: id, header: header}.do(t, s)
	sent{body: `{"query":"query Free { echo }"}`, header: header}.do(t, s)
	server := listen(t, s)
	d := dial(t, server.URL, nil)
	d.say(`{"type":"connection_init","payload":{"clientId":"app"}}`)
	d.hear("connection_ack")
	for i, payload := range []string{id, `{"query":"{ echo }"}`} {
		d.say(fmt.Sprintf(`{"type":"subscribe","id":"%d","payload":%s}`, i, payload))
		d.hear(`"next"`)
		d.hear(`"complete"`)
	}
	want := []Asked{{"app", "Home"}, {"app", Other}, {"app", "Home"}, {"app", Other}}
	if !slices.Equal(engine.asked, want) {
		t.Errorf("asked %v, want %v", engine.asked, want)
	}
	for len(spans.GetSpans()) < len(want) && t.Context().Err() == nil {
		runtime.Gosched() // each ends after its answer
	}
	ended := map[string]tracetest.SpanStub{} // in whatever order
	for _, span := range spans.GetSpans() {
		ended["00-"+span.SpanContext.TraceID().String()+"-"+span.SpanContext.SpanID().String()+"-01"] = span
	}
	var names []string
	for i, call := range engine.calls {
		span, found := ended[call.Trace]
		if !found {
			t.Fatalf("call %d has trace %s, which no span has", i, call.Trace)
		}
		names = append(names, span.Name)
		if call.ID == "" || call.ID != engine.ids[i] || i < 2 && (call.ID != "mine" || span.SpanContext.TraceID().String() != "4bf92f3577b34da6a3ce929d0e0e4736") {
			t.Errorf("call %d: ID %q, in the context %q, trace %s", i, call.ID, engine.ids[i], span.SpanContext.TraceID())
		}
	}
	if want := []string{"query Home", "query", "query Home", "query"}; !slices.Equal(names, want) {
		t.Errorf("spans %v, want %v", names, want)
	}
}

func TestSubgraphCountsItsOperations(t *testing.T) {
	var seen []Asked
	s := NewSubgraph(SubgraphOptions{Schema: &library{librarySchema}, Observe: func(o Observation) { seen = append(seen, o.Asked) }})
	for _, query := range []string{`query($r: [_Any!]!) { _entities(representations: $r) { __typename } }`, `query MadeUp { who }`, `{`} {
		sent{body: fmt.Sprintf(`{"query":%q,"variables":{"r":[]}}`, query)}.do(t, s)
	}
	if want := []Asked{{Other, "_entities"}, {Other, "who"}, {Other, Other}}; !slices.Equal(seen, want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}

func TestLoad(t *testing.T) {
	engine := &fakeEngine{hold: make(chan struct{})}
	s := newServer(t, func(o *Options) { o.Engine = engine })
	server := listen(t, s)
	d := ready(t, server.URL)
	d.say(`{"type":"subscribe","id":"a","payload":{"query":"subscription { news }"}}`)
	<-engine.topic("news").joined
	d.say(`{"type":"subscribe","id":"b","payload":{"query":"{ wait }"}}`)
	d.say(`{"type":"subscribe","id":"c","payload":{"query":"{ echo }"}}`)
	d.hear(`"next"`, `"c"`)
	d.hear(`"complete"`, `"c"`)
	for s.Load() != (Load{Running: 1, Subscriptions: 1, Streams: 1}) && t.Context().Err() == nil {
		runtime.Gosched() // b and the subscription are on their way
	}
	close(engine.hold)
	d.hear(`"next"`, `"b"`)
	d.hear(`"complete"`, `"b"`)
	engine.topic("news").finish()
	d.hear(`"complete"`, `"a"`)
	_ = d.conn.CloseNow()
	for s.Load() != (Load{}) && t.Context().Err() == nil {
		runtime.Gosched()
	}
}
