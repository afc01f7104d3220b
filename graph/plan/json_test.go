package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
)

// TestJSON holds the JSON form of plans against testdata/json/NAME.json: the
// first operation of the golden NAME.txtar. A change of a field's name there
// breaks whoever reads it.
func TestJSON(t *testing.T) {
	for _, name := range []string{"conditions", "interface_object", "joint", "mutation", "requires_nested", "subscription", "union"} {
		t.Run(name, func(t *testing.T) {
			planned := goldenPlan(t, name)
			got, err := plan.JSON(planned)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "json", name+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			again, err := plan.JSON(planned)
			if err != nil || string(again) != string(got) {
				t.Errorf("twice the same plan, not the same bytes (%v)", err)
			}
			var read struct {
				Fetches []struct {
					Document string
					Round    int
					After    []int
				}
			}
			if err := json.Unmarshal(got, &read); err != nil {
				t.Fatal(err)
			}
			for i, f := range read.Fetches {
				if f.Document != planned.Fetches[i].Document {
					t.Errorf("fetch %d: document %q, want %q", i, f.Document, planned.Fetches[i].Document)
				}
				for _, before := range f.After {
					if read.Fetches[before].Round >= f.Round {
						t.Errorf("fetch %d of round %d waits for fetch %d of round %d", i, f.Round, before, read.Fetches[before].Round)
					}
				}
			}
		})
	}
}

// goldenPlan plans the first operation of a golden.
func goldenPlan(t *testing.T, name string) *plan.Plan {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var sdl, query string
	for _, f := range archive.Files {
		switch {
		case f.Name == "supergraph.graphql":
			sdl = string(f.Data)
		case query == "" && strings.HasSuffix(f.Name, ".graphql"):
			query = string(f.Data)
		}
	}
	super := load(t, conformance.Whole(sdl))
	return planText(t, plan.New(super, plan.Options{}), super, query)
}

func TestPredictCalls(t *testing.T) {
	always := plan.Condition(nil)
	maybe := plan.Condition{{{Variable: "more", Is: true}}}
	step := []plan.Step{{Key: "a"}}
	input := []*plan.Input{{Fields: []*plan.InputField{{Name: "id", From: "id", Key: true}}}}
	fetches := []*plan.Fetch{
		{ID: 0, Subgraph: "B", When: always},
		{ID: 1, Subgraph: "A", When: maybe},
		{ID: 2, Subgraph: "A", Path: step, Inputs: input, After: []int{0}},
		{ID: 3, Subgraph: "C", Path: step, Inputs: input, After: []int{1, 2}},
	}
	for _, test := range []struct {
		plan plan.Plan
		want plan.Calls
	}{
		{plan.Plan{Operation: "query"}, plan.Calls{}},
		{plan.Plan{Operation: "query", Fetches: fetches}, plan.Calls{Least: 1, Most: 4, Rounds: 3, Subgraphs: []plan.SubgraphCalls{{"B", 1}, {"A", 2}, {"C", 1}}}},
		{plan.Plan{Operation: "subscription", Fetches: fetches}, plan.Calls{Least: 0, Most: 3, Rounds: 3, Subgraphs: []plan.SubgraphCalls{{"A", 2}, {"C", 1}}}},
	} {
		if diff := cmp.Diff(test.want, plan.PredictCalls(&test.plan)); diff != "" {
			t.Errorf("%s of %d fetches (-want +got):\n%s", test.plan.Operation, len(test.plan.Fetches), diff)
		}
	}
}
