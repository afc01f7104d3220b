package plan_test

import (
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

const weighed = `enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") C @join__graph(name: "c", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { user: User @join__field(graph: A) }
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "number") {
  id: ID! @join__field(graph: A) @join__field(graph: B)
  number: ID! @join__field(graph: B) @join__field(graph: C)
  name: String @join__field(graph: B) @join__field(graph: C)
  only: String @join__field(graph: B)
}`

// TestChoices: B is entered from A by its key at once, C only through B.
func TestChoices(t *testing.T) {
	super := load(t, conformance.Definitions+weighed)
	document, operation := validated(t, super, `{ user { name only } }`)
	got, err := plan.New(super, plan.Options{}).Choices(document, operation)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Choice{{Path: "user.name", Field: "User.name", Ways: []plan.Way{
		{Subgraph: "B", Key: "id", Through: []string{"B"}, Cost: 10_051, Taken: true},
		{Subgraph: "C", Key: "number", Through: []string{"B", "C"}, Cost: 20_101},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestChoicesOfGoldens: for every golden, one way at least is taken of each
// choice, twice the same is told, and the plan is none the wiser.
func TestChoicesOfGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	weighed := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var planner *plan.Planner
		var super *supergraph.Supergraph
		for _, f := range archive.Files {
			switch {
			case f.Name == "supergraph.graphql":
				super = load(t, conformance.Whole(string(f.Data)))
				planner = plan.New(super, plan.Options{})
			case strings.HasSuffix(f.Name, ".graphql"):
				document, operation := validated(t, super, string(f.Data))
				choices, err := planner.Choices(document, operation)
				if err != nil {
					t.Errorf("%s %s: %v", file, f.Name, err)
					continue
				}
				again, err := planner.Choices(document, operation)
				if diff := cmp.Diff(choices, again); diff != "" || err != nil {
					t.Errorf("%s %s: not the same twice (%v):\n%s", file, f.Name, err, diff)
				}
				for _, c := range choices {
					weighed++
					taken := 0
					for _, way := range c.Ways {
						if way.Taken {
							taken++
						}
					}
					if taken == 0 {
						t.Errorf("%s %s: no way taken of %+v", file, f.Name, c)
					}
				}
			}
		}
	}
	if weighed == 0 {
		t.Error("no golden has a choice")
	}
}

func validated(t *testing.T, super *supergraph.Supergraph, query string) (*ast.QueryDocument, *ast.OperationDefinition) {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	if errs := validator.ValidateWithRules(super.Public, document, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	return document, document.Operations[0]
}
