package conformance

import (
	"fmt"
	"slices"
)

// interfaceObject makes, sometimes, an interface of two entities that one
// subgraph, or two, know as an object.
func (g *generator) interfaceObject() {
	if len(g.graphs) < 2 || !g.chance(50) {
		return
	}
	home, away := 0, 1
	i := &generatedInterface{name: "M", graphs: []int{home, away}, objects: map[int]bool{away: true}, keyed: true}
	shared := &generatedField{name: "m0", typ: "String", in: []*generatedIn{{graph: home}}}
	i.fields = []*generatedField{{name: "id", typ: "ID!", in: []*generatedIn{{graph: home}, {graph: away}}}, shared}
	i.stub = g.chance(15)
	if !i.stub {
		added := &generatedField{name: "m1", typ: "Int", in: []*generatedIn{{graph: away}}}
		if g.chance(50) {
			shared.in = append(shared.in, &generatedIn{graph: away, external: true})
			added.in[0].requires = "m0"
		}
		i.fields = append(i.fields, added)
		for k := range g.r.IntN(3) {
			typ := []string{"[Int!]!", "Color", "JSON"}[g.r.IntN(3)]
			for _, t := range g.types {
				if t.entity && slices.Contains(t.graphs, away) && g.chance(40) {
					typ = t.name
				}
			}
			i.fields = append(i.fields, &generatedField{name: fmt.Sprintf("n%d", k), typ: typ, in: []*generatedIn{{graph: away}}})
		}
	}
	if len(g.graphs) > 3 && g.chance(50) {
		far := &generatedField{name: "m9", typ: "String", in: []*generatedIn{{graph: 3}}}
		if last := i.fields[len(i.fields)-1]; last.name == "m1" && g.chance(60) {
			last.in = append(last.in, &generatedIn{graph: 3, external: true})
			far.in[0].requires = "m1"
		}
		i.graphs, i.objects[3] = append(i.graphs, 3), true
		i.fields[0].in = append(i.fields[0].in, &generatedIn{graph: 3})
		i.fields = append(i.fields, far)
	}
	for k := range 2 {
		t := &generated{name: fmt.Sprintf("M%d", k), entity: true, object: true, graphs: []int{home}, keys: map[int][]string{home: {"id"}}, implements: map[string][]int{"M": {home}}}
		t.fields = []*generatedField{
			{name: "id", typ: "ID!", in: []*generatedIn{{graph: home}}},
			{name: "m0", typ: "String", in: []*generatedIn{{graph: home}}},
			{name: fmt.Sprintf("own%d", k), typ: "Int", in: []*generatedIn{{graph: home}}},
		}
		for _, f := range i.fields {
			if f.inGraph(home) == nil {
				t.fields = append(t.fields, &generatedField{name: f.name, typ: f.typ, object: true})
			}
		}
		if len(g.graphs) > 2 && g.chance(50) {
			t.graphs = append(t.graphs, 2)
			t.keys[2] = []string{"id"}
			t.fields[0].in = append(t.fields[0].in, &generatedIn{graph: 2})
			t.fields = append(t.fields, &generatedField{name: "far", typ: "String", in: []*generatedIn{{graph: 2}}})
		}
		g.types = append(g.types, t)
	}
	g.interfaces = append(g.interfaces, i)
	if g.chance(40) {
		g.secondObject(home, away, g.types[len(g.types)-2:])
	}
}

// secondObject makes another interface of some of the members, or all, that the same
// subgraph knows as an object too.
func (g *generator) secondObject(home, away int, members []*generated) {
	i := &generatedInterface{name: "L", graphs: []int{home, away}, objects: map[int]bool{away: true}, keyed: true}
	i.fields = []*generatedField{
		{name: "id", typ: "ID!", in: []*generatedIn{{graph: home}, {graph: away}}},
		{name: "l0", typ: "Int", in: []*generatedIn{{graph: away}}},
		{name: "l1", typ: []string{"String", "L", "M"}[g.r.IntN(3)], in: []*generatedIn{{graph: away}}},
	}
	for _, t := range members[g.r.IntN(len(members)):] {
		t.implements["L"] = []int{home}
		for _, f := range i.fields[1:] {
			t.fields = append(t.fields, &generatedField{name: f.name, typ: f.typ, object: true})
		}
	}
	g.interfaces = append(g.interfaces, i)
}

// covariant makes, sometimes, an interface with a field of which each member
// has a narrower type.
func (g *generator) covariant() {
	graph := g.r.IntN(len(g.graphs))
	var members []*generated
	for _, t := range g.types {
		if t.entity && !t.object && !t.stub[graph] && slices.Contains(t.graphs, graph) {
			members = append(members, t)
		}
	}
	if len(members) < 2 || !g.chance(50) {
		return
	}
	list := g.chance(40)
	wrap := func(name string, strict bool) string {
		if list {
			name = "[" + name + "]"
		}
		if strict {
			name += "!"
		}
		return name
	}
	i := &generatedInterface{name: "C", graphs: []int{graph}, keyed: false, made: true}
	i.fields = []*generatedField{{name: "co", typ: wrap("C", false), in: []*generatedIn{{graph: graph}}}}
	for k, t := range members {
		t.fields = append(t.fields, &generatedField{name: "co", typ: wrap(members[(k+1)%len(members)].name, g.chance(40)), in: []*generatedIn{{graph: graph}}})
		t.implements["C"] = []int{graph}
	}
	g.interfaces = append(g.interfaces, i)
}
