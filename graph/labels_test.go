package graph_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

const moving = conformance.Definitions + `
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") C @join__graph(name: "c", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
  user: User @join__field(graph: A)
  top: String @join__field(graph: A, overrideLabel: "percent(25.5)") @join__field(graph: B, override: "a", overrideLabel: "percent(25.5)")
}
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  still: String @join__field(graph: C)
  name: String @join__field(graph: A, overrideLabel: "percent(50)") @join__field(graph: B, override: "a", overrideLabel: "percent(50)")
  age: Int @join__field(graph: A, overrideLabel: "percent(25.5)") @join__field(graph: B, override: "a", overrideLabel: "percent(25.5)")
  always: Int @join__field(graph: A, overrideLabel: "percent(100)") @join__field(graph: B, override: "a", overrideLabel: "percent(100)")
  never: Int @join__field(graph: A, overrideLabel: "percent(0)") @join__field(graph: B, override: "a", overrideLabel: "percent(0)")
  beta: Int @join__field(graph: A, overrideLabel: "beta") @join__field(graph: B, override: "a", overrideLabel: "beta")
}
`

// asked notes which subgraphs are sent fetches, and counts the documents.
type asked struct {
	dispatch.Dispatcher
	mu        sync.Mutex
	subgraphs []string
	documents int
}

func (a *asked) Prepare(d *dispatch.Document) (dispatch.Prepared, error) {
	a.documents++
	prepared, err := a.Dispatcher.Prepare(d)
	return &askedPrepared{prepared, a, d.Subgraph}, err
}

type askedPrepared struct {
	dispatch.Prepared
	asked    *asked
	subgraph string
}

func (p *askedPrepared) Fetch(ctx context.Context, r *dispatch.Request) (*dispatch.Reply, error) {
	p.asked.mu.Lock()
	p.asked.subgraphs = append(p.asked.subgraphs, p.subgraph)
	p.asked.mu.Unlock()
	return p.Prepared.Fetch(ctx, r)
}

// TestLabelsAreRolledForEachRequest: each request is planned by its own rolls, and each distinct outcome once.
func TestLabelsAreRolledForEachRequest(t *testing.T) {
	super, err := supergraph.Load(moving)
	if err != nil {
		t.Fatal(err)
	}
	universe := &conformance.Universe{Super: super}
	subgraphs, err := conformance.NewSubgraphs(universe) // they refuse what the labels give to another
	if err != nil {
		t.Fatal(err)
	}
	a := &asked{Dispatcher: subgraphs}
	var rolls []float64
	engine, err := graph.New(super, a, graph.Options{
		Plan: plan.Options{Labels: []string{"beta"}},
		Random: func() float64 {
			next := rolls[0] // a roll too many panics
			rolls = rolls[1:]
			return next
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string, of ...float64) string {
		t.Helper()
		operation, errs := engine.Prepare(query, "")
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		want, _, err := conformance.Answer(t.Context(), universe, query, nil)
		if err != nil {
			t.Fatal(err)
		}
		rolls, a.subgraphs = of, nil
		response := engine.Execute(t.Context(), operation, graph.Call{})
		defer response.Release()
		if difference := conformance.Compare(want, response.Body, true); difference != "" {
			t.Errorf("%s: %s", query, difference)
		}
		if len(rolls) > 0 {
			t.Errorf("%s: %d rolls are left", query, len(rolls))
		}
		return strings.Join(a.subgraphs, " ")
	}
	for range 2 {
		for _, test := range []struct {
			query  string
			labels string // the active ones
			rolls  []float64
			want   string
		}{
			{`{user{id still}}`, "", nil, "A C"},
			{`{user{name}}`, "", []float64{0.5}, "A"},
			{`{user{name}}`, "percent(50)", []float64{0.49}, "A B"},
			{`{user{age}}`, "percent(25.5)", []float64{0.254}, "A B"},
			{`{user{age}}`, "", []float64{0.255}, "A"},
			{`{top user{age}}`, "percent(25.5)", []float64{0.1}, "A B B"}, // one roll for a label
			{`{top user{age}}`, "", []float64{0.9}, "A"},
			{`{user{always never}}`, "", nil, "A B"},
			{`{user{beta}}`, "", nil, "A B"},
		} {
			subgraphs.Labels = map[string]bool{test.labels: true, "percent(100)": true, "beta": true}
			got := run(test.query, test.rolls...)
			if strings.Count(got, "A") != strings.Count(test.want, "A") || strings.Count(got, "B") != strings.Count(test.want, "B") || len(got) != len(test.want) {
				t.Errorf("%s with %q: asked %s, want %s", test.query, test.labels, got, test.want)
			}
		}
	}
	// Of one operation with two labels there are four plans at most, whatever is rolled.
	const both = `query Both {user{name age}}`
	subgraphs.Labels = nil
	run(both, 0.9, 0.9)
	before := a.documents
	for range 3 {
		for _, labels := range []string{"", "percent(25.5)", "percent(50)", "percent(25.5) percent(50)"} {
			subgraphs.Labels = map[string]bool{}
			var of []float64
			for _, label := range []string{"percent(25.5)", "percent(50)"} { // in the order in which a plan names them
				roll := 0.9
				if strings.Contains(labels, label) {
					subgraphs.Labels[label] = true
					roll = 0.1
				}
				of = append(of, roll)
			}
			run(both, of...)
		}
	}
	if made := a.documents - before; made != 6 { // three plans of two fetches
		t.Errorf("%d documents were prepared, want 6", made)
	}
}

// TestRollsOfConcurrentRequests runs under the race detector.
func TestRollsOfConcurrentRequests(t *testing.T) {
	super, err := supergraph.Load(moving)
	if err != nil {
		t.Fatal(err)
	}
	subgraphs, err := conformance.NewSubgraphs(&conformance.Universe{Super: super})
	if err != nil {
		t.Fatal(err)
	}
	subgraphs.Labels = nil
	engine, err := graph.New(super, subgraphs, graph.Options{Random: rand.Float64, Dedupe: graph.DedupeAll})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			operation, errs := engine.Prepare(`{top user{id still name age}}`, "")
			if len(errs) > 0 {
				t.Error(errs)
				return
			}
			engine.Execute(t.Context(), operation, graph.Call{View: "v"}).Release()
		})
	}
	wait.Wait()
}
