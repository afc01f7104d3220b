package graph_test

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/span"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// engineOver is an engine whose subgraphs are both at the URL.
func engineOver(t *testing.T, url string, o graph.Options) *graph.Engine {
	t.Helper()
	super, err := supergraph.Load(composed)
	if err != nil {
		t.Fatal(err)
	}
	d, err := dispatch.NewHTTP(map[string]string{"PEOPLE": url, "REVIEWS": url}, dispatch.HTTPOptions{Timeout: 200 * time.Millisecond, MaxReply: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.CloseIdle)
	e, err := graph.New(super, &guard.Breakers{Inner: d, Failures: 2}, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestFailedFetchesAreTold(t *testing.T) {
	answer := func(status int, kind, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		reason string
		answer func(http.ResponseWriter)
	}{
		{dispatch.ReasonStatus, answer(502, "text/html", "13800001111")},
		{dispatch.ReasonTimeout, func(http.ResponseWriter) { time.Sleep(300 * time.Millisecond) }},
		{dispatch.ReasonTooLarge, answer(200, "application/json", strings.Repeat(" ", 100_000))},
		{graph.ReasonUndecodable, answer(200, "application/json", "13800001111")},
		{graph.ReasonUndecodable, answer(200, "application/json", `{"data":null,"errors":[{"message":13800001111}]}`)},
		{graph.ReasonUndecodable, answer(200, "application/json", `{"data":null}`)},
		{dispatch.ReasonRefused, nil},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) }))
		t.Cleanup(server.Close)
		url := server.URL
		if c.answer == nil {
			listening, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			url = "http://" + listening.Addr().String()
			_ = listening.Close()
		}
		var told []graph.FailedFetch
		e := engineOver(t, url, graph.Options{Failed: func(_ context.Context, f graph.FailedFetch) { told = append(told, f) }})
		op := prepare(t, e, `query Me {me{id}}`)
		for range 3 {
			ask(t.Context(), e, op, graph.Call{})
		}
		want := c.reason
		for i, f := range told {
			if i == 2 && c.reason != graph.ReasonUndecodable { // two failures open the breaker; an answer, be it nonsense, does not
				want = graph.ReasonLeftAlone
			}
			if f.Operation != "Me" || f.Subgraph != "people" || f.Reason != want || f.Err == nil || strings.Contains(f.Err.Error(), "1380000") {
				t.Errorf("%s: told %+v", want, f)
			}
		}
		if len(told) != 3 {
			t.Errorf("%s: told %d times, want 3", c.reason, len(told))
		}
	}
}

// A client that leaves is no failure of the subgraph.
func TestCancelledFetchesAreNotTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel(); time.Sleep(50 * time.Millisecond) }))
	t.Cleanup(server.Close)
	e := engineOver(t, server.URL, graph.Options{Failed: func(_ context.Context, f graph.FailedFetch) { t.Errorf("told %+v", f) }})
	ask(ctx, e, prepare(t, e, `{me{id}}`), graph.Call{})
}

// recorder gives a context under a recorded root span, and what was recorded
// when that one has ended.
func recorder(t *testing.T, options ...sdktrace.TracerProviderOption) (ctx context.Context, recorded func() tracetest.SpanStubs) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(spans))...)
	ctx, root := provider.Tracer("test").Start(t.Context(), "request")
	return ctx, func() tracetest.SpanStubs { root.End(); return spans.GetSpans() }
}

// tree is each span with the names of its parents, root first.
func tree(spans tracetest.SpanStubs) []string {
	byID := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID()] = s
	}
	var names []string
	for _, s := range spans {
		name := s.Name
		for parent, ok := byID[s.Parent.SpanID()]; ok; parent, ok = byID[parent.Parent.SpanID()] {
			name = parent.Name + " > " + name
		}
		names = append(names, name)
	}
	return names
}

func TestSpansOfARequest(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, w *world, e *graph.Engine) {
		ctx, recorded := recorder(t)
		run := func(ctx context.Context) {
			op, errs := e.PrepareContext(ctx, `query($n: Int) {users(first: $n){id reviews{body}}}`, "")
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			ask(ctx, e, op, graph.Call{Trace: span.Parent(ctx)})
		}
		run(ctx)
		spans := recorded()
		want := []string{
			"request > parse", "request > validate", "request > plan", "request > compile",
			"request > fetch people", "request > fetch reviews", "request",
		}
		if diff := cmp.Diff(want, tree(spans)); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
		ctx, recorded = recorder(t) // prepared now
		run(ctx)
		if diff := cmp.Diff(want[4:], tree(recorded())); diff != "" {
			t.Errorf("spans of the second request (-want +got):\n%s", diff)
		}
		ctx, recorded = recorder(t, sdktrace.WithSampler(sdktrace.NeverSample()))
		run(ctx)
		if spans := recorded(); len(spans) > 0 {
			t.Errorf("recorded though not sampled: %v", tree(spans))
		}
	})
}

// Each event has a trace of its own that leads back to the request.
func TestSpansOfAnEvent(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, w *world, e *graph.Engine) {
		spans := tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		ctx, root := provider.Tracer("test").Start(t.Context(), "request")
		stream, errs := e.Subscribe(ctx, prepare(t, e, `subscription Said {reviewed{id author{name}}}`), graph.Call{Trace: span.Parent(ctx)})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		defer stream.Close()
		root.End()
		spans.Reset()
		for _, id := range []string{"11", "22"} {
			w.reviews.events <- review(id)
			response, err := stream.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			response.Release()
		}
		made := spans.GetSpans()
		var events []tracetest.SpanStub
		for _, s := range made {
			if s.Name == "event Said" {
				events = append(events, s)
				if s.Parent.IsValid() || len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != root.SpanContext().SpanID() {
					t.Errorf("parent %v, links %v", s.Parent, s.Links)
				}
			}
		}
		if len(events) < 2 || events[0].SpanContext.TraceID() == events[1].SpanContext.TraceID() {
			t.Fatalf("events %v", tree(made))
		}
		if names := tree(made); !slices.Contains(names, "event Said > fetch people") {
			t.Errorf("no fetch under an event: %v", names)
		}
	})
}

// A subgraph hears the trace of the fetch, sampled or not, and the request's ID.
func TestTraceReachesSubgraphs(t *testing.T) {
	var mu sync.Mutex
	var heard []http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r.Header)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"data":{"me":null}}`))
	}))
	t.Cleanup(server.Close)
	e := engineOver(t, server.URL, graph.Options{})
	op := prepare(t, e, `{me{id}}`)
	own := http.Header{"Traceparent": {"00-11111111111111111111111111111111-2222222222222222-01"}, "Tracestate": {"a=b"}}
	ask(t.Context(), e, op, graph.Call{Header: own})
	ctx, recorded := recorder(t)
	ask(ctx, e, op, graph.Call{Header: own, Trace: span.Parent(ctx), ID: "id-1"})
	spans := recorded()
	unsampled, _ := recorder(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	ask(unsampled, e, op, graph.Call{Header: own, Trace: span.Parent(unsampled)})
	for i, want := range []string{
		own.Get("Traceparent"), span.Parent(trace.ContextWithSpanContext(t.Context(), spans[0].SpanContext)), span.Parent(unsampled),
	} {
		if got := heard[i]["Traceparent"]; len(got) != 1 || got[0] != want {
			t.Errorf("request %d: traceparent %q, want %q", i, got, want)
		}
	}
	if !strings.HasSuffix(heard[1].Get("Traceparent"), "-01") || !strings.HasSuffix(heard[2].Get("Traceparent"), "-00") {
		t.Error("the sampling decision did not go on")
	}
	if heard[1].Get("X-Request-Id") != "id-1" || heard[1].Get("Tracestate") != "a=b" {
		t.Errorf("heard %v", heard[1])
	}
}

// What is not recorded costs the engine nothing.
func TestUnsampledTracesAllocateNothing(t *testing.T) {
	w := newWorld(t)
	super, err := supergraph.Load(composed)
	if err != nil {
		t.Fatal(err)
	}
	e, err := graph.New(super, dispatch.NewInProcess(local(w)), graph.Options{Failed: func(context.Context, graph.FailedFetch) {}})
	if err != nil {
		t.Fatal(err)
	}
	op := prepare(t, e, `{whoami}`)
	unsampled, _ := recorder(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	parent := span.Parent(unsampled)
	// The least of several averages: a collection in between empties the pools, and
	// under the race detector they drop some of what they are given. AllocsPerRun
	// cuts its average down to a whole number, which may differ by one for nothing.
	measure := func(ctx context.Context, call graph.Call) float64 {
		least := math.Inf(1)
		for range 10 {
			const runs = 200
			whole := testing.AllocsPerRun(1, func() {
				for range runs {
					e.Execute(ctx, op, call).Release()
				}
			})
			least = min(least, whole/runs)
		}
		return least
	}
	off, on := measure(t.Context(), graph.Call{}), measure(unsampled, graph.Call{Trace: parent})
	if on > off+0.5 {
		t.Errorf("%v allocations for an unsampled request, %v where nothing is traced", on, off)
	}
}

func TestPreparationsAreCounted(t *testing.T) {
	var told []graph.Preparation
	e := engineOver(t, "http://127.0.0.1:1/", graph.Options{Prepared: func(p graph.Preparation) { told = append(told, p) }})
	for range 3 {
		prepare(t, e, `{me{id}}`)
		if _, errs := e.Prepare(`{nope}`, ""); len(errs) == 0 {
			t.Fatal("prepared")
		}
	}
	if diff := cmp.Diff(graph.Stats{Hits: 2, Misses: 4, Refused: 3, Kept: 1}, e.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if len(told) != 4 || told[0].Refused || told[0].Plan == 0 || !told[1].Refused || told[1].Plan != 0 || told[1].Parse == 0 {
		t.Errorf("told %+v", told)
	}
}
