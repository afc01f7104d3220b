package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
	"github.com/citizencloud/citizencloud/server/telemetry"
	"github.com/citizencloud/citizencloud/server/transport"
)

// watched is a gateway whose log, metrics and traces the test reads.
type watched struct {
	*stage
	url      string
	registry *prometheus.Registry
	spans    *tracetest.InMemoryExporter
	log      *bytes.Buffer
}

// look serves the stage's graph, in the process or over HTTP, to one who looks.
func (s *stage) look(t *testing.T, remote bool, mode persisted.Mode) *watched {
	t.Helper()
	w := &watched{stage: s, registry: prometheus.NewRegistry(), spans: tracetest.NewInMemoryExporter(), log: new(bytes.Buffer)}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(w.spans)).Tracer("test")
	d := s.dispatcher
	if remote {
		urls := map[string]string{}
		for _, subgraph := range s.super.Subgraphs {
			r := s.running[subgraph.Name]
			server := httptest.NewServer(transport.NewSubgraph(transport.SubgraphOptions{
				Schema: r.Executable(), Context: r.Context, Authenticator: authenticator{verifier: s.ground.verifier}, Tracer: tracer}))
			t.Cleanup(server.Close)
			urls[subgraph.ID] = server.URL + "/graphql"
		}
		over, err := dispatch.NewHTTP(urls, dispatch.HTTPOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(over.CloseIdle)
		d = over
	}
	log := telemetry.NewLog(w.log, "info", true, transport.RequestID)
	observer := newObserver(log, w.registry)
	engine, err := graph.New(s.super, &guard.Breakers{Inner: observer.watch(d, s.super)}, observer.options(graph.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	observer.engine(engine)
	server := transport.New(transport.Options{
		Engine: transport.NewGeneration(engine), Operations: &persisted.Policy{Mode: mode, Store: s.manifests},
		Authenticator: authenticator{verifier: s.ground.verifier}, Tracer: tracer, Observe: observe(w.registry), Logger: log,
		Explain: mode == persisted.Development,
	})
	showLoad(w.registry, server)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	w.url = listening.URL
	return w
}

// ask sends a request of the app's and gives the answer.
func (w *watched) ask(t *testing.T, body string, header map[string]string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Client-Id", "app")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// appHome is the app's first operation, by its ID.
func (s *stage) appHome(t *testing.T) string {
	t.Helper()
	for _, operation := range s.manifests.Operations("app") {
		if operation.Name == "AppHome" {
			return fmt.Sprintf(`{"documentId":%q}`, operation.ID)
		}
	}
	t.Fatal("no AppHome")
	return ""
}

func TestObserved(t *testing.T) {
	s := raise(t)
	t.Run("Traces", s.testTraces)
	t.Run("Metrics", s.testMetrics)
	t.Run("Explained", s.testExplained)
}

const clientsTrace, clientsSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

// testTraces: one operation is one tree, gateway → fetch → resolver → SQL, below
// the client's own span, in one process and in several.
func (s *stage) testTraces(t *testing.T) {
	citizen := s.people()["citizen"]
	token, _, err := s.ground.signer.Access(citizen)
	if err != nil {
		t.Fatal(err)
	}
	for name, remote := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			w := s.look(t, remote, persisted.Production)
			answer := w.ask(t, s.appHome(t), map[string]string{
				"Authorization": "Bearer " + token, "Traceparent": "00-" + clientsTrace + "-" + clientsSpan + "-01"})
			if strings.Contains(answer, `"errors"`) {
				t.Fatal(answer)
			}
			spans := w.spans.GetSpans()
			byID := map[trace.SpanID]tracetest.SpanStub{}
			for _, span := range spans {
				byID[span.SpanContext.SpanID()] = span
			}
			chains := map[string]int{}
			for _, span := range spans {
				chain, parent := kindOf(span), span
				for parent.Parent.SpanID().String() != clientsSpan {
					found, ok := byID[parent.Parent.SpanID()]
					if !ok {
						t.Fatalf("%s: the parent of %s is nowhere", span.Name, parent.Name)
					}
					if parent = found; kindOf(parent) != "resolver" || !strings.HasPrefix(chain, "resolver") { // resolvers within resolvers count as one
						chain = kindOf(parent) + " > " + chain
					}
				}
				chains[chain]++
				if got := span.SpanContext.TraceID().String(); got != clientsTrace {
					t.Errorf("%s is of trace %s", span.Name, got)
				}
				told := fmt.Sprint(span.Name, span.Attributes, span.Events, span.Status)
				for _, secret := range []string{citizen.ID, citizen.Name, token} {
					if strings.Contains(told, secret) {
						t.Errorf("%s tells %s: %s", span.Name, secret, told)
					}
				}
			}
			fetch := "query AppHome > fetch > "
			if remote {
				fetch += "query > "
			}
			for _, want := range []string{"query AppHome", "query AppHome > plan", "query AppHome > fetch", fetch + "resolver", fetch + "resolver > SQL"} {
				if chains[want] == 0 {
					t.Errorf("no span %s; there are %v", want, slices.Sorted(maps.Keys(chains)))
				}
			}
			if chains["query AppHome"] != 1 || chains["query AppHome > plan"] != 1 || chains[fetch+"resolver > SQL"] < 5 {
				t.Errorf("spans %v", chains)
			}
			for chain := range chains {
				if strings.HasSuffix(chain, "SQL") && chain != fetch+"resolver > SQL" {
					t.Errorf("a statement stands at %s", chain)
				}
			}
			w.spans.Reset()
			w.ask(t, s.appHome(t), map[string]string{"Authorization": "Bearer " + token, "Traceparent": "00-" + clientsTrace + "-" + clientsSpan + "-00"})
			if spans := w.spans.GetSpans(); len(spans) > 0 {
				t.Errorf("%d spans though the client did not sample", len(spans))
			}
		})
	}
}

// kindOf says of a span what it stands for.
func kindOf(span tracetest.SpanStub) string {
	switch name := span.Name; {
	case strings.HasPrefix(name, "fetch "):
		return "fetch"
	case strings.HasPrefix(name, "SQL "):
		return "SQL"
	case strings.HasPrefix(name, "query ") && name != "query AppHome":
		return "query" // of a subgraph
	case strings.Contains(name, "."):
		return "resolver"
	default:
		return name
	}
}

// testMetrics: operations, fetches and preparations are counted, by words of
// which no client can make more.
func (s *stage) testMetrics(t *testing.T) {
	w := s.look(t, false, persisted.Development)
	flood := func(from int) {
		for i := range 200 {
			w.ask(t, fmt.Sprintf(`{"query":"query Q%d { popularServices(first: 1) { id } }"}`, from+i), map[string]string{"X-Client-Id": "app"})
			w.ask(t, `{"query":"{ nothing`+fmt.Sprint(i)+` }"}`, map[string]string{"X-Client-Id": fmt.Sprint("made-up-", i)})
		}
	}
	w.ask(t, s.appHome(t), nil)
	flood(0)
	before := w.series(t)
	flood(1000)
	if after := w.series(t); len(after) != len(before) {
		t.Errorf("%d series before the flood, %d after", len(before), len(after))
	}
	all := strings.Join(w.series(t), "\n")
	for _, want := range []string{
		`citizencloud_operation_seconds{client="app",kind="query",operation="AppHome",status="200"}`,
		`citizencloud_operation_seconds{client="app",kind="query",operation="other",status="200"}`,
		`citizencloud_operation_seconds{client="other",kind="",operation="other",status="403"}`,
		`citizencloud_fetch_seconds{client="app",operation="AppHome",status="ok",subgraph="citizen"}`,
		`citizencloud_fetch_bytes{subgraph="citizen"}`,
		`citizencloud_prepare_seconds{stage="plan"}`,
		`citizencloud_preparations_total{result="miss"}`,
		`citizencloud_operations_in_flight{}`, `citizencloud_subscriptions{}`, `citizencloud_streams{}`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
	if strings.Contains(all, "Q1") || strings.Contains(all, "made-up") {
		t.Errorf("clients make names:\n%s", all)
	}
}

// series are the names and labels of all that is counted.
func (w *watched) series(t *testing.T) []string {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
			all = append(all, family.GetName()+"{"+strings.Join(labels, ",")+"}")
		}
	}
	slices.Sort(all)
	return all
}

// testExplained: who develops may ask how an answer was made; in production mode
// the header is not even read.
func (s *stage) testExplained(t *testing.T) {
	everything := map[string]string{"X-Explain": "plan, choices, timings"}
	var got struct {
		Data       json.RawMessage
		Extensions map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(s.look(t, false, persisted.Development).ask(t, s.appHome(t), everything)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Data == nil || got.Extensions["plan"] == nil || got.Extensions["choices"] == nil || got.Extensions["timings"] == nil {
		t.Errorf("extensions %v", slices.Sorted(maps.Keys(got.Extensions)))
	}
	subscription := s.look(t, false, persisted.Development).ask(t, `{"query":"subscription { notificationReceived { id } }"}`, map[string]string{"X-Explain": "plan, only"})
	if !strings.HasPrefix(subscription, `{"extensions":{"plan":{"operation":"subscription"`) {
		t.Errorf("of a subscription: %.300s", subscription)
	}
	// What serve itself makes in either mode.
	for _, development := range []bool{true, false} {
		served := s.whole.service(installation{Development: development, Log: slog.New(slog.DiscardHandler)})
		for _, explain := range []string{"plan, choices, timings", "only", "nonsense"} {
			request := httptest.NewRequest("POST", "/graphql", strings.NewReader(s.appHome(t)))
			request.Header = http.Header{"Content-Type": {"application/json"}, "X-Client-Id": {"app"}, "X-Explain": {explain}}
			answer := httptest.NewRecorder()
			served.Handler.ServeHTTP(answer, request)
			body := answer.Body.String()
			switch {
			case !development && (answer.Code != 200 || strings.Contains(body, "timings") || strings.Contains(body, `"plan"`) || !strings.HasPrefix(body, `{"data":{`)):
				t.Errorf("production mode, X-Explain %s: %d %.300s", explain, answer.Code, body)
			case development && explain == "nonsense" && answer.Code != 400, development && explain == "only" && !strings.HasPrefix(body, `{"extensions":{`):
				t.Errorf("development mode, X-Explain %s: %d %.300s", explain, answer.Code, body)
			}
		}
	}
}

// A line that a resolver writes is found by the ID of the request.
func TestResolversLogTheRequest(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(telemetry.NewLog(&out, "info", true, transport.RequestID))
	t.Cleanup(func() { slog.SetDefault(before) })
	s := raise(t)
	_, _ = s.owner.Exec(`ALTER TABLE citizen.service RENAME TO gone`)
	s.look(t, false, persisted.Development).ask(t, `{"query":"{ popularServices(first: 1) { id } }"}`, map[string]string{"X-Request-Id": "mine-1"})
	for line := range strings.SplitSeq(out.String(), "\n") {
		if strings.Contains(line, "resolver failed") && strings.Contains(line, `"request":"mine-1"`) {
			return
		}
	}
	t.Errorf("no line of the resolver's names the request: %s", out.String())
}
