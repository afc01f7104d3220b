package telemetry

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNothingIsTracedWithoutAnEndpoint(t *testing.T) {
	for _, environment := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
	} {
		for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"} {
			t.Setenv(name, environment[name])
		}
		tracing, err := NewTracing(t.Context(), "test", "1", slog.New(slog.DiscardHandler))
		if err != nil || tracing != nil || tracing.Tracer() != nil || tracing.Stop(t.Context()) != nil {
			t.Errorf("%v: %v %v", environment, tracing, err)
		}
	}
}

func TestSpansReachACollector(t *testing.T) {
	type received struct {
		path string
		body []byte
	}
	heard := make(chan received, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- received{r.URL.Path, body}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=试点")
	tracing, err := NewTracing(t.Context(), "citizencloud-test", "1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.Tracer().Start(t.Context(), "query AppHome")
	span.End()
	if err := tracing.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := <-heard
	for _, want := range []string{"query AppHome", "citizencloud-test", "1.2.3", "试点"} {
		if !bytes.Contains(got.body, []byte(want)) {
			t.Errorf("the collector did not hear of %s", want)
		}
	}
	if got.path != "/v1/traces" {
		t.Errorf("sent to %s", got.path)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	if _, err := NewTracing(t.Context(), "test", "1", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a protocol that is not spoken is accepted")
	}
}
