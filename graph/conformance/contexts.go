package conformance

import (
	"fmt"
	"slices"
	"strings"
)

const contextName = "a__given"

// giveContext lets, sometimes, the query root and some entities set a context, and
// gives other entities fields with an argument that the nearest of them fills.
func (g *generator) giveContext() {
	g.context = -1
	if !g.chance(35) {
		return
	}
	g.context = g.r.IntN(len(g.graphs))
	selection := []string{"... on Query { given }"}
	for _, t := range g.types {
		if !t.entity || t.object || !g.chance(40) {
			continue
		}
		for _, f := range t.fields {
			if strings.Trim(f.typ, "!") == "String" && f.in != nil && !f.hidden && g.chance(60) {
				t.sets = true
				selection = append(selection, "... on "+t.name+" { "+f.name+" }")
				break
			}
		}
	}
	for _, t := range g.types {
		if !t.entity || t.object || t.stub[g.context] || !slices.Contains(t.graphs, g.context) || !g.chance(60) {
			continue
		}
		f := &generatedField{name: fmt.Sprintf("x%d", len(t.fields)), typ: "String", in: []*generatedIn{{graph: g.context, context: strings.Join(selection, " ")}}}
		if g.chance(30) {
			f.arguments = "(a: Int = 1)"
		}
		t.fields = append(t.fields, f)
	}
}
