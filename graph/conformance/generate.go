package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Generate writes a random supergraph that a composition could have made:
// every field can be reached from everywhere. It begins after Definitions.
func Generate(random *rand.Rand) string {
	g := &generator{r: random}
	return g.schema()
}

// generator holds the types of the supergraph that is being made.
type generator struct {
	r          *rand.Rand
	graphs     []string
	types      []*generated
	interfaces []*generatedInterface
	unions     []*generatedUnion
	colors     map[string][]bool // by enum value: the subgraphs that have it
	strict     bool              // some fields have types in a subgraph that are stricter than the schema's
	context    int               // the subgraph of the context, or -1
	out        strings.Builder
}

// generated is an object type. Entities have keys; the others are value types.
type generated struct {
	name   string
	entity bool
	graphs []int
	keys   map[int][]string // by subgraph
	stub   map[int]bool     // subgraphs that know no more than the key, and cannot be entered by it
	fields []*generatedField
	// split value types have each field in one subgraph only.
	split bool
	// implements are interfaces, by subgraph.
	implements map[string][]int
	// object marks members of an interface object, which stay out of its subgraph.
	object bool
	sets   bool // the context
}

type generatedField struct {
	name, typ, arguments string
	in                   []*generatedIn
	object               bool // resolved by the interface object only
	hidden               bool // inaccessible
}

type generatedIn struct {
	graph                        int
	external, overridden         bool
	requires, provides, override string
	label                        string
	typ                          string
	context                      string // the selection of its context argument
}

type generatedInterface struct {
	name    string
	graphs  []int
	fields  []*generatedField
	objects map[int]bool // the subgraphs that know it as an interface object
	keyed   bool
	stub    bool                // the interface object cannot be entered
	made    bool                // its members and fields are given already
	above   *generatedInterface // the one that it implements
}

type generatedUnion struct {
	name    string
	members map[int][]string
}

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

// some picks at least one of the numbers, in order.
func (g *generator) some(of []int, percent int) []int {
	var picked []int
	for _, n := range of {
		if g.chance(percent) {
			picked = append(picked, n)
		}
	}
	if len(picked) == 0 {
		picked = []int{of[g.r.IntN(len(of))]}
	}
	return picked
}

func (g *generator) one(of []int) int { return of[g.r.IntN(len(of))] }

func (g *generator) schema() string {
	for i := range 2 + g.r.IntN(4) {
		g.graphs = append(g.graphs, string(rune('A'+i)))
	}
	all := make([]int, len(g.graphs))
	for i := range all {
		all[i] = i
	}
	g.strict = g.chance(50)
	g.colors = map[string][]bool{}
	for _, value := range []string{"GREEN", "BLUE"} {
		for range g.graphs {
			g.colors[value] = append(g.colors[value], g.chance(60))
		}
		g.colors[value][0] = true
	}
	for i := range 2 + g.r.IntN(4) {
		t := &generated{name: fmt.Sprintf("E%d", i), entity: true, stub: map[int]bool{}, graphs: g.some(all, 60), keys: map[int][]string{}, implements: map[string][]int{}}
		g.giveKeys(t)
		g.types = append(g.types, t)
	}
	for i := range g.r.IntN(3) {
		t := &generated{name: fmt.Sprintf("V%d", i), graphs: g.some(all, 70), implements: map[string][]int{}, split: g.chance(40)}
		always := &generatedField{name: "v", typ: "Int"}
		for _, graph := range t.graphs {
			always.in = append(always.in, &generatedIn{graph: graph})
		}
		t.fields = append(t.fields, always)
		g.types = append(g.types, t)
	}
	g.interfaceObject()
	g.covariant()
	g.makeUnions()
	for _, name := range []string{"I0", "I1"} {
		if g.chance(60) {
			g.interfaces = append(g.interfaces, &generatedInterface{name: name})
		}
	}
	for _, t := range g.types {
		for range 2 + g.r.IntN(4) {
			g.addField(t)
		}
	}
	for _, t := range g.types {
		g.derive(t)
	}
	g.giveContext()
	g.implementAll()
	return g.print()
}

// giveKeys gives every subgraph of an entity a key; the first has them all, so
// that each can be reached from each.
func (g *generator) giveKeys(t *generated) {
	id := &generatedField{name: "id", typ: "ID!"}
	code := &generatedField{name: "code", typ: "String!"}
	for i, graph := range t.graphs {
		keys := []string{"id"}
		if i == 0 {
			keys = []string{"id", "code"}
		} else {
			switch g.r.IntN(5) {
			case 0:
				keys = []string{"code"}
			case 1:
				keys = []string{"id", "code"}
			case 2:
				keys = []string{"id code"}
			case 3:
				t.stub[graph] = g.chance(50)
			}
		}
		t.keys[graph] = keys
		text := strings.Join(keys, " ")
		if strings.Contains(text, "id") {
			id.in = append(id.in, &generatedIn{graph: graph})
		}
		if strings.Contains(text, "code") {
			code.in = append(code.in, &generatedIn{graph: graph})
		}
	}
	code.hidden = g.chance(20)
	t.fields = append(t.fields, id, code)
}

// addField adds a field that leads to a scalar, or to what every subgraph that
// resolves it knows.
func (g *generator) addField(t *generated) {
	f := &generatedField{name: fmt.Sprintf("f%d", len(t.fields))}
	owners := slices.DeleteFunc(slices.Clone(t.graphs), func(graph int) bool { return t.stub[graph] })
	graphs := []int{g.one(owners)}
	if g.chance(35) {
		graphs = g.some(owners, 50)
	}
	if !t.entity {
		graphs = t.graphs
		if t.split {
			graphs = []int{g.one(t.graphs)}
		}
	}
	target := ""
	if g.chance(55) {
		target, graphs = g.target(t, graphs)
	}
	if target != "" && g.chance(15) {
		f.arguments = "(a: Int = 1)"
	}
	if target == "" {
		target = []string{"Int", "String", "Color", "Float", "Boolean", "JSON"}[g.r.IntN(6)]
		if g.chance(25) {
			f.arguments = "(a: Int = 1)"
		}
	}
	switch g.r.IntN(6) {
	case 0:
		target = "[" + target + "]"
	case 1:
		target = "[" + target + "!]!"
	case 2:
		target += "!"
	}
	f.typ = target
	for _, graph := range graphs {
		in := &generatedIn{graph: graph}
		if g.strict && !strings.HasSuffix(target, "!") && g.chance(25) {
			in.typ = target + "!"
		}
		f.in = append(f.in, in)
	}
	t.fields = append(t.fields, f)
}

// target picks a composite type that all the subgraphs know; for a split value
// type the subgraphs are those of the type.
func (g *generator) target(t *generated, graphs []int) (string, []int) {
	var names []string
	for _, other := range g.types {
		if other == t || other.object {
			continue
		}
		switch {
		case other.split:
			// Every part of it must be asked of its holder again.
			if t.entity && containsAll(t.graphs, other.graphs) && !slices.ContainsFunc(other.graphs, func(graph int) bool { return t.stub[graph] }) {
				names = append(names, other.name)
			}
		case containsAll(other.graphs, graphs):
			names = append(names, other.name)
		}
	}
	for _, u := range g.unions {
		if slices.ContainsFunc(u.members[graphs[0]], func(member string) bool {
			return !slices.ContainsFunc(graphs, func(graph int) bool { return !slices.Contains(u.members[graph], member) })
		}) {
			names = append(names, u.name)
		}
	}
	for _, i := range g.interfaces {
		if (i.objects != nil || i.made) && containsAll(i.graphs, graphs) {
			names = append(names, i.name)
		}
	}
	if len(names) == 0 {
		return "", graphs
	}
	name := names[g.r.IntN(len(names))]
	for _, other := range g.types {
		if other.name == name && other.split {
			return name, other.graphs
		}
	}
	return name, graphs
}

func containsAll(set, part []int) bool {
	for _, n := range part {
		if !slices.Contains(set, n) {
			return false
		}
	}
	return true
}

// makeUnions makes unions of entities, with the members that each subgraph knows.
func (g *generator) makeUnions() {
	for i := range g.r.IntN(3) {
		u := &generatedUnion{name: fmt.Sprintf("U%d", i), members: map[int][]string{}}
		for graph := range g.graphs {
			for _, t := range g.types {
				if t.entity && slices.Contains(t.graphs, graph) && g.chance(60) {
					u.members[graph] = append(u.members[graph], t.name)
				}
			}
		}
		g.unions = append(g.unions, u)
	}
}
