package graph_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/plan"
)

// explanation is what answers tell of their making.
type explanation struct {
	Data       json.RawMessage
	Errors     json.RawMessage
	Extensions struct {
		Plan    json.RawMessage
		Choices []struct {
			Field string
			Ways  []struct {
				Subgraph string
				Cost     int
				Taken    bool
			}
		}
		Timings struct {
			Unit   string
			Cached bool
			Total  float64
			Stages []struct {
				Name            string
				Start, Duration float64
			}
			Fetches []struct {
				ID, Bytes, Entities int
				Subgraph, Status    string
				Start, Duration     float64
			}
		}
	}
}

func TestExplain(t *testing.T) {
	everyWay(t, graph.Options{Dedupe: graph.DedupeAll}, func(t *testing.T, w *world, e *graph.Engine) {
		const query = `{users(first:3){id reviews{body author{id}}}}`
		plainly := ask(t.Context(), e, prepare(t, e, query), graph.Call{View: "x"})
		for _, text := range []string{query, query + " "} { // the second one is prepared by the request that wants to know
			x := graph.Explain{Plan: true, Choices: true, Timings: true, Received: time.Now()}
			x.Asked = time.Now()
			op := prepare(t, e, text)
			answer := ask(t.Context(), e, op, graph.Call{View: "x", Explain: x})
			var got explanation
			if err := json.Unmarshal([]byte(answer), &got); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
			if `{"data":`+string(got.Data)+`}` != plainly {
				t.Errorf("data %s, want %s", got.Data, plainly)
			}
			printed, err := plan.JSON(op.Plan())
			if err != nil {
				t.Fatal(err)
			}
			if want := compact(t, printed); string(got.Extensions.Plan) != want {
				t.Errorf("plan %s, want %s", got.Extensions.Plan, want)
			}
			timings := got.Extensions.Timings
			if len(timings.Fetches) != 2 || timings.Unit != "ms" || timings.Cached != (text == query) {
				t.Fatalf("timings %+v", timings)
			}
			f := timings.Fetches[1]
			if f.ID != 1 || f.Subgraph != "REVIEWS" || f.Entities != 3 || f.Bytes < 50 || f.Status != "ok" ||
				f.Start < timings.Fetches[0].Start+timings.Fetches[0].Duration || f.Start+f.Duration > timings.Total {
				t.Errorf("fetches %+v in %v", timings.Fetches, timings.Total)
			}
			var stages []string
			for _, s := range timings.Stages {
				stages = append(stages, s.Name)
			}
			want := "receive prepare run write"
			if text != query {
				want = "receive parse validate plan compile run write"
			}
			if got := strings.Join(stages, " "); got != want {
				t.Errorf("stages %s, want %s", got, want)
			}
		}
	})
}

func TestExplainOnlyRunsNothing(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, w *world, e *graph.Engine) {
		op := prepare(t, e, `mutation {rename(id:"1",name:"新"){id reviews{body author{name id}}}}`)
		answer := ask(t.Context(), e, op, graph.Call{Explain: graph.Explain{Plan: true, Choices: true, Timings: true, Only: true}})
		var got explanation
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		if got.Data != nil || got.Errors != nil || got.Extensions.Plan == nil || len(got.Extensions.Choices) == 0 || strings.Contains(answer, "timings") {
			t.Errorf("answer %s", answer)
		}
		if len(w.changed()) > 0 {
			t.Error("it was run")
		}
	})
}

func TestExplainTellsWhatFailed(t *testing.T) {
	e := engineOver(t, "http://127.0.0.1:1/", graph.Options{})
	answer := ask(t.Context(), e, prepare(t, e, `{me{id}}`), graph.Call{Explain: graph.Explain{Timings: true}})
	var got explanation
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if f := got.Extensions.Timings.Fetches; len(f) != 1 || f[0].Status != "refused" || string(got.Data) != `{"me":null}` || got.Errors == nil {
		t.Errorf("answer %s", answer)
	}
}

func TestNothingIsExplainedUnasked(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, _ *world, e *graph.Engine) {
		if answer := ask(t.Context(), e, prepare(t, e, `{whoami}`), graph.Call{}); strings.Contains(answer, "extensions") {
			t.Errorf("answer %s", answer)
		}
	})
}

func compact(t *testing.T, indented []byte) string {
	t.Helper()
	compacted, err := json.Marshal(json.RawMessage(indented))
	if err != nil {
		t.Fatal(err)
	}
	return string(compacted)
}
