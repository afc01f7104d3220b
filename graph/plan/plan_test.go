package plan_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"golang.org/x/tools/txtar"

	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

var update = flag.Bool("update", false, "write the goldens instead of comparing them")

// planText plans the first operation of a document, after validating it.
func planText(t testing.TB, planner *plan.Planner, super *supergraph.Supergraph, query string) *plan.Plan {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	if errs := validator.ValidateWithRules(super.Public, document, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	planned, err := planner.Plan(document, document.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

func load(t testing.TB, sdl string) *supergraph.Supergraph {
	t.Helper()
	super, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	return super
}

// TestGolden plans every operation of testdata/*.txtar: a file
// `supergraph.graphql`, and for each `NAME.graphql` the expected `NAME.plan`.
// An archive whose supergraph starts with `# include FILE` takes it from that file.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, f := range archive.Files {
		contents[f.Name] = string(f.Data)
	}
	sdl := contents["supergraph.graphql"]
	super := load(t, conformance.Whole(sdl))
	var options plan.Options
	if labels := strings.Fields(contents["labels"]); len(labels) > 0 {
		options.Labels = labels
	}
	planner := plan.New(super, options)
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".plan") {
			continue
		}
		out.Files = append(out.Files, f)
		if f.Name == "supergraph.graphql" || f.Name == "labels" {
			continue
		}
		planned := planText(t, planner, super, string(f.Data))
		checkDocuments(t, super, planned)
		got := plan.Print(planned)
		name := strings.TrimSuffix(f.Name, ".graphql") + ".plan"
		out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(got)})
		if !*update && contents[name] != got {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(contents[name], got))
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkDocuments parses what would be sent and compares the order of fetches.
func checkDocuments(t *testing.T, super *supergraph.Supergraph, planned *plan.Plan) {
	t.Helper()
	for i, f := range planned.Fetches {
		if f.ID != i {
			t.Errorf("fetch %d has ID %d", i, f.ID)
		}
		for _, before := range f.After {
			if before >= i {
				t.Errorf("fetch %d waits for %d", i, before)
			}
		}
		document, err := parser.ParseQuery(&ast.Source{Input: f.Document})
		if err != nil {
			t.Errorf("document of fetch %d: %v\n%s", i, err, f.Document)
			continue
		}
		schema, err := conformance.Schema(super, super.Subgraph(f.Subgraph))
		if err != nil {
			t.Error(err)
			continue
		}
		if errs := validator.ValidateWithRules(schema, document, nil); len(errs) > 0 {
			t.Errorf("document of fetch %d is not valid in %s: %v\n%s", i, f.Subgraph, errs, f.Document)
		}
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestBenchmarkPlan(t *testing.T) {
	super := load(t, readFile(t, "benchmark.graphql"))
	planned := planText(t, plan.New(super, plan.Options{}), super, readFile(t, "benchmark.query.graphql"))
	checkDocuments(t, super, planned)
	if len(planned.Fetches) != 7 {
		t.Errorf("%d fetches, want 7", len(planned.Fetches))
	}
}

func BenchmarkPlan(b *testing.B) {
	super := load(b, readFile(b, "benchmark.graphql"))
	planner := plan.New(super, plan.Options{})
	document, err := parser.ParseQuery(&ast.Source{Input: readFile(b, "benchmark.query.graphql")})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := planner.Plan(document, document.Operations[0]); err != nil {
			b.Fatal(err)
		}
	}
}
