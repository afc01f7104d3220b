package conformance_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// allVariables are given to every operation; those that it does not declare are ignored.
var allVariables = json.RawMessage(`{"x": true, "y": false, "z": true, "n": 3}`)

var update = flag.Bool("update", false, "write the answers into testdata instead of comparing them")

// TestGoldens runs every operation of testdata, and of the planner's goldens,
// against subgraphs in memory, and compares with one schema that has all the
// data. The cases of testdata hold the answer over the first universe.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("../plan/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	more, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, more...) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			contents := map[string]string{}
			for _, f := range archive.Files {
				contents[f.Name] = string(f.Data)
			}
			super, err := supergraph.Load(conformance.Whole(contents["supergraph.graphql"]))
			if err != nil {
				t.Fatal(err)
			}
			labels := strings.Fields(contents["labels"])
			out := &txtar.Archive{Comment: archive.Comment}
			for _, f := range archive.Files {
				if !strings.HasSuffix(f.Name, ".json") {
					out.Files = append(out.Files, f)
				}
				if !strings.HasSuffix(f.Name, ".graphql") || f.Name == "supergraph.graphql" {
					continue
				}
				name := strings.TrimSuffix(f.Name, ".graphql")
				var answer []byte
				t.Run(name, func(t *testing.T) {
					for seed := range uint64(6) {
						if data := run(t, super, seed, labels, string(f.Data)); seed == 0 {
							answer = append(data, '\n')
						}
					}
					if want := contents[name+".json"]; want != string(answer) && !*update && strings.HasPrefix(file, "testdata") {
						t.Errorf("answered\n%s, want\n%s", answer, want)
					}
				})
				out.Files = append(out.Files, txtar.File{Name: name + ".json", Data: answer})
			}
			t.Run("random", func(t *testing.T) { randomOperations(t, super, labels) })
			if *update && strings.HasPrefix(file, "testdata") {
				if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// randomOperations runs random queries, and mutations where there are any: one for 25 cases of TestRandom.
func randomOperations(t *testing.T, super *supergraph.Supergraph, labels []string) {
	r := rand.New(rand.NewPCG(1, 2))
	queries := reference.Random{Schema: super.Public, Rand: r, Depth: 6, Width: 4, Argument: func(_ string, argument *ast.ArgumentDefinition) (string, bool) {
		if r.IntN(3) == 0 {
			return "", false
		}
		switch kind := super.Public.Types[argument.Type.Name()]; {
		case argument.Type.Elem != nil:
			return "[]", true
		case kind.Kind == ast.Enum:
			return kind.EnumValues[0].Name, true
		case kind.Name == "Int" || kind.Name == "Float":
			return fmt.Sprint(r.IntN(3)), true
		case kind.Name == "ID" || kind.Name == "String":
			return fmt.Sprintf("%q", fmt.Sprint(r.IntN(3))), true
		case kind.Name == "Boolean":
			return "true", true
		}
		return "", false
	}}
	for k := range max(20, *cases/25) {
		query := queries.Query()
		if k%4 == 3 && super.Public.Mutation != nil {
			query = mutation(&queries)
		}
		document, errs := validate.Parse(query, validate.Limits{})
		if len(errs) == 0 {
			errs = validate.Document(super.Public, document, validate.Limits{Fields: 3000})
		}
		if len(errs) == 0 {
			run(t, super, uint64(k%6), labels, query)
		}
	}
}

func run(t *testing.T, super *supergraph.Supergraph, seed uint64, labels []string, query string) []byte {
	t.Helper()
	universe := &conformance.Universe{Super: super, Seed: seed}
	if seed > 2 {
		universe.Nulls = 15
	}
	subgraphs, err := conformance.NewSubgraphs(universe)
	if err != nil {
		t.Fatal(err)
	}
	subgraphs.Labels = map[string]bool{}
	for _, label := range labels {
		subgraphs.Labels[label] = true
	}
	engine, err := graph.New(super, subgraphs, graph.Options{Plan: plan.Options{Labels: labels}, Random: func() float64 { return 0.999 }})
	if err != nil {
		t.Fatal(err)
	}
	operation, errs := engine.Prepare(query, "")
	if len(errs) > 0 {
		t.Fatal(query, errs, errs[0].Unwrap())
	}
	want := []byte(nil)
	if !strings.Contains(query, "__schema") && !strings.Contains(query, "__type(") {
		if want, _, err = conformance.Answer(t.Context(), universe, query, allVariables); err != nil {
			t.Fatal(err)
		}
	}
	call := graph.Call{Variables: allVariables}
	if operation.Kind() == "subscription" {
		stream, errs := engine.Subscribe(t.Context(), operation, call)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		defer stream.Close()
		for range 2 {
			response, err := stream.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			compare(t, want, response, seed, operation, query)
		}
		if _, err := stream.Next(t.Context()); err != io.EOF {
			t.Errorf("after the last event: %v", err)
		}
		return want
	}
	compare(t, want, engine.Execute(t.Context(), operation, call), seed, operation, query)
	return want
}

func compare(t *testing.T, want []byte, response *graph.Response, seed uint64, operation *graph.Operation, query string) {
	t.Helper()
	defer response.Release()
	if want == nil {
		return
	}
	if difference := conformance.Compare(want, response.Body, true); difference != "" {
		t.Errorf("seed %d: %s\n%s\n%s", seed, difference, query, plan.Print(operation.Plan()))
	}
}
