package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// largeSupergraph has as many entity types, spread over ten subgraphs.
func largeSupergraph(types int) string {
	var b strings.Builder
	b.WriteString(conformance.Definitions + "enum join__Graph {\n")
	for g := range 10 {
		fmt.Fprintf(&b, "  G%d @join__graph(name: \"g%d\", url: \"http://g%d\")\n", g, g, g)
	}
	b.WriteString("}\ntype Query @join__type(graph: G0) {\n")
	for i := range types {
		fmt.Fprintf(&b, "  t%d(id: ID!): T%d\n", i, i)
	}
	b.WriteString("}\n")
	for i := range types {
		fmt.Fprintf(&b, "\"\"\"Type %d\"\"\"\ntype T%d", i, i)
		for g := range 3 {
			fmt.Fprintf(&b, " @join__type(graph: G%d, key: \"id\")", (i+g)%10)
		}
		b.WriteString(" {\n  id: ID!\n")
		for f := range 8 {
			fmt.Fprintf(&b, "  \"\"\"Field\"\"\"\n  f%d(a: Int = 1): String @join__field(graph: G%d)\n", f, (i+f%3)%10)
		}
		fmt.Fprintf(&b, "  next: [T%d!] @join__field(graph: G%d)\n}\n", (i+1)%types, i%10)
	}
	return b.String()
}

// manyPlans is a chain of shareable fields, each in four subgraphs: the naive
// number of plans is four to the depth and more.
func manyPlans(depth int) (sdl, query string) {
	var b, q strings.Builder
	graphs := []string{"A", "B", "C", "D"}
	b.WriteString(conformance.Definitions + "enum join__Graph {")
	join := func(key string) string {
		text := ""
		for _, g := range graphs {
			text += " @join__type(graph: " + g + key + ")"
		}
		return text
	}
	for _, g := range graphs {
		fmt.Fprintf(&b, " %s @join__graph(name: \"%s\", url: \"http://%s\")", g, g, g)
	}
	fmt.Fprintf(&b, "}\ntype Query%s { start: N0 }\n", join(""))
	q.WriteString("{ start ")
	for i := range depth {
		fmt.Fprintf(&b, "type N%d%s { id: ID! next: N%d shared: Int", i, join(`, key: "id"`), i+1)
		q.WriteString("{ shared ")
		for k, g := range graphs {
			fmt.Fprintf(&b, " own%d: Int @join__field(graph: %s)", k, g)
			if k%2 == i%2 {
				fmt.Fprintf(&q, "own%d ", k)
			}
		}
		b.WriteString(" }\n")
		q.WriteString("next ")
	}
	fmt.Fprintf(&b, "type N%d%s { id: ID! }\n", depth, join(`, key: "id"`))
	q.WriteString("{ id } " + strings.Repeat("}", depth+1))
	return b.String(), q.String()
}

// TestManyPlans holds the planner to its bound where the naive search has more
// than a million plans.
func TestManyPlans(t *testing.T) {
	sdl, query := manyPlans(12)
	super := load(t, sdl)
	planner := plan.New(super, plan.Options{})
	start := time.Now()
	planned := planText(t, planner, super, query)
	if took := time.Since(start); took > 500*time.Millisecond { // generous: the race detector slows
		t.Errorf("took %s", took)
	}
	checkDocuments(t, super, planned)
	if len(planned.Fetches) > 24 {
		t.Errorf("%d fetches", len(planned.Fetches))
	}
}

// TestBudget plans with next to no budget: greedy, yet whole.
func TestBudget(t *testing.T) {
	sdl, query := manyPlans(8)
	super := load(t, sdl)
	planned := planText(t, plan.New(super, plan.Options{Budget: 1}), super, query)
	checkDocuments(t, super, planned)
}

func BenchmarkManyPlans(b *testing.B) {
	sdl, query := manyPlans(12)
	super := load(b, sdl)
	planner := plan.New(super, plan.Options{})
	document, err := parser.ParseQuery(&ast.Source{Input: query})
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

func BenchmarkLoad(b *testing.B) {
	sdl := largeSupergraph(2000)
	b.SetBytes(int64(len(sdl)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := supergraph.Load(sdl); err != nil {
			b.Fatal(err)
		}
	}
}

// manyMembers is an interface with as many members, whose field `size` another
// subgraph resolves; the interface leads to itself.
func manyMembers(members int) (sdl, query string) {
	var b strings.Builder
	b.WriteString(conformance.Definitions + `enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { nodes: [Node] @join__field(graph: A) }
interface Node @join__type(graph: A) @join__type(graph: B) { id: ID! name: String @join__field(graph: A) size: Int @join__field(graph: B) next: Node @join__field(graph: A) }
`)
	for i := range members {
		fmt.Fprintf(&b, `type T%d implements Node @join__implements(graph: A, interface: "Node") @join__implements(graph: B, interface: "Node") @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") { id: ID! name: String @join__field(graph: A) size: Int @join__field(graph: B) next: Node @join__field(graph: A) own%d: Int @join__field(graph: A) }
`, i, i)
	}
	return b.String(), `{ nodes { name size ... on T1 { own1 } next { name size ... on T2 { own2 } next { size next { name } } } } }`
}

func BenchmarkManyMembers(b *testing.B) {
	sdl, query := manyMembers(300)
	super := load(b, sdl)
	planner := plan.New(super, plan.Options{})
	document, err := parser.ParseQuery(&ast.Source{Input: query})
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
