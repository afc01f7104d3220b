package plan_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
)

// cover is an entity whose fields are each in three of twenty subgraphs: the
// fewest fetches are a set cover.
func cover(fields int) (sdl, query string) {
	r := rand.New(rand.NewPCG(3, 3))
	var b, q strings.Builder
	b.WriteString(conformance.Definitions + "enum join__Graph {")
	for g := range 21 {
		fmt.Fprintf(&b, " G%d @join__graph(name: \"g%d\", url: \"http://g%d\")", g, g, g)
	}
	b.WriteString("}\ntype Query @join__type(graph: G20) { start: E }\ntype E")
	for g := range 21 {
		fmt.Fprintf(&b, " @join__type(graph: G%d, key: \"id\")", g)
	}
	b.WriteString(" {\n  id: ID!\n")
	q.WriteString("{ start {")
	for f := range fields {
		fmt.Fprintf(&b, "  f%d: Int", f)
		for _, g := range r.Perm(20)[:3] {
			fmt.Fprintf(&b, " @join__field(graph: G%d)", g)
		}
		b.WriteString("\n")
		fmt.Fprintf(&q, " f%d", f)
	}
	b.WriteString("}\n")
	q.WriteString("} }")
	return b.String(), q.String()
}

func TestCover(t *testing.T) {
	for fields, most := range map[int]int{10: 6, 20: 7, 40: 9} {
		sdl, query := cover(fields)
		super := load(t, sdl)
		if planned := planText(t, plan.New(super, plan.Options{}), super, query); len(planned.Fetches) > most {
			t.Errorf("%d fields: %d fetches, want at most %d", fields, len(planned.Fetches), most)
		}
	}
}

func BenchmarkCover(b *testing.B) {
	for _, fields := range []int{10, 20, 40} {
		b.Run(fmt.Sprint(fields), func(b *testing.B) {
			sdl, query := cover(fields)
			super := load(b, sdl)
			planner := plan.New(super, plan.Options{})
			document, err := parser.ParseQuery(&ast.Source{Input: query})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := planner.Plan(document, document.Operations[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
