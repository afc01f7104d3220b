package plan_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// TestDeterministic plans random operations over random supergraphs twice, each
// time from the text on: the plans must be the same, byte for byte.
func TestDeterministic(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		sdl := conformance.Definitions + conformance.Generate(random)
		queries := reference.Random{
			Schema: load(t, sdl).Public, Rand: random, Depth: 5, Width: 4,
			Argument: func(string, *ast.ArgumentDefinition) (string, bool) { return "2", random.IntN(2) > 0 },
		}
		for range 5 {
			query := queries.Query()
			first, ok := planOnce(t, sdl, query)
			if !ok {
				continue
			}
			for range 3 {
				if again, _ := planOnce(t, sdl, query); again != first {
					t.Fatalf("seed %d: %s\n%s", seed, query, cmp.Diff(first, again))
				}
			}
		}
	}
}

func planOnce(t *testing.T, sdl, query string) (string, bool) {
	t.Helper()
	super := load(t, sdl)
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) == 0 {
		errs = validate.Document(super.Public, document, validate.Limits{Fields: 3000})
	}
	if len(errs) > 0 {
		return "", false
	}
	planned, err := plan.New(super, plan.Options{}).Plan(document, document.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	text := plan.Print(planned)
	for _, f := range planned.Fetches {
		text += f.Document + "\n"
	}
	return text, true
}

// FuzzPlan takes any text the whole way from the parser to the plan, over the
// supergraphs of the goldens.
func FuzzPlan(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	var supers []*supergraph.Supergraph
	for i, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			switch {
			case part.Name == "supergraph.graphql":
				supers = append(supers, load(f, conformance.Whole(string(part.Data))))
			case strings.HasSuffix(part.Name, ".graphql"):
				f.Add(i, string(part.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which int, query string) {
		if which < 0 {
			return
		}
		super := supers[which%len(supers)]
		limits := validate.Limits{Fields: 2000}
		document, errs := validate.Parse(query, limits)
		if len(errs) == 0 {
			errs = validate.Document(super.Public, document, limits)
		}
		if len(errs) > 0 {
			return
		}
		start := time.Now()
		for _, operation := range document.Operations {
			planned, err := plan.New(super, plan.Options{}).Plan(document, operation)
			if err != nil {
				t.Fatal(err)
			}
			checkDocuments(t, super, planned)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
