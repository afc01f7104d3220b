package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A gateway explains itself to whoever asks in development mode, and to nobody
// otherwise.
func TestGatewayExplainsInDevelopmentMode(t *testing.T) {
	file := upstream(t, func(w http.ResponseWriter, _ *http.Request) { hello(w) })
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	for mode, explains := range map[string]bool{"development": true, "production": false} {
		p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--mode", mode)
		request, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/graphql", strings.NewReader(`{"query":"{hello}"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Explain", "plan, timings")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		_, err = io.Copy(&body, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		told := strings.Contains(body.String(), `"timings"`) && strings.Contains(body.String(), `"plan"`)
		if told != explains || !strings.HasPrefix(body.String(), `{"data":{"hello":"你好"}`) {
			t.Errorf("%s mode: %s", mode, body.String())
		}
		if status, _ := p.get("/explorer/plan"); (status == 200) != explains {
			t.Errorf("%s mode: the plan viewer answers %d", mode, status)
		}
	}
}
