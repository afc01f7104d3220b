package conformance_test

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
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
			if *update && strings.HasPrefix(file, "testdata") {
				if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
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
	engine, err := graph.New(super, subgraphs, graph.Options{Plan: plan.Options{Labels: labels}})
	if err != nil {
		t.Fatal(err)
	}
	operation, errs := engine.Prepare(query, "")
	if len(errs) > 0 {
		t.Fatal(errs)
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
			compare(t, want, response, seed, operation)
		}
		if _, err := stream.Next(t.Context()); err != io.EOF {
			t.Errorf("after the last event: %v", err)
		}
		return want
	}
	compare(t, want, engine.Execute(t.Context(), operation, call), seed, operation)
	return want
}

func compare(t *testing.T, want []byte, response *graph.Response, seed uint64, operation *graph.Operation) {
	t.Helper()
	defer response.Release()
	if want == nil {
		return
	}
	if difference := conformance.Compare(want, response.Body, true); difference != "" {
		t.Errorf("seed %d: %s\n%s", seed, difference, plan.Print(operation.Plan()))
	}
}
