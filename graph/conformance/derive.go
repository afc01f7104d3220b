package conformance

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// derive adds to a type what refers to fields that exist already: @requires,
// @provides, @override.
func (g *generator) derive(t *generated) {
	if !t.entity || t.object {
		return
	}
	for range g.r.IntN(3) {
		g.addRequires(t)
	}
	g.deepenKey(t)
	for _, f := range t.fields {
		if len(f.in) == 1 && f.in[0].requires == "" && f.arguments == "" && g.chance(20) {
			g.override(t, f)
		}
	}
	for _, f := range t.fields {
		for _, in := range f.in {
			if !in.external && !in.overridden && g.chance(25) {
				g.provide(f, in)
			}
		}
	}
}

// deepenKey adds to the key of some subgraph a field that leads to an entity, or
// a list.
func (g *generator) deepenKey(t *generated) {
	if len(t.graphs) < 2 || !g.chance(40) {
		return
	}
	graph := t.graphs[1+g.r.IntN(len(t.graphs)-1)]
	if len(t.keys[graph]) != 1 || t.stub[graph] {
		return
	}
	for _, f := range t.fields {
		in := f.inGraph(graph)
		if in == nil || in.external || in.requires != "" || f.arguments != "" || f.name == "id" || f.name == "code" {
			continue
		}
		if hub := f.inGraph(t.graphs[0]); hub == nil || hub.external || hub.requires != "" {
			continue
		}
		switch {
		case f.typ == "[Int!]!" || f.typ == "[String!]!":
			t.keys[graph] = []string{t.keys[graph][0] + " " + f.name}
			return
		case strings.HasSuffix(f.typ, "!") && !strings.HasPrefix(f.typ, "["):
			target := g.named(strings.Trim(f.typ, "!"))
			if target == nil || !target.entity || target.object {
				continue
			}
			id := target.field("id")
			here, there := id.inGraph(graph), id.inGraph(t.graphs[0])
			if here == nil || here.external || there == nil || there.external {
				continue
			}
			t.keys[graph] = []string{t.keys[graph][0] + " " + f.name + " { id }"}
			return
		}
	}
}

// addRequires adds a field that needs others, which its subgraph does not have.
func (g *generator) addRequires(t *generated) {
	graph := g.one(t.graphs)
	if t.stub[graph] {
		return
	}
	var parts []string
	for _, f := range t.fields {
		if len(parts) == 2 {
			break
		}
		if f.in == nil || f.inGraph(graph) != nil && !f.inGraph(graph).external || !g.chance(40) {
			continue
		}
		part := g.requirement(f, graph)
		if part == "" {
			continue
		}
		if f.inGraph(graph) == nil {
			f.in = append(f.in, &generatedIn{graph: graph, external: true})
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return
	}
	t.fields = append(t.fields, &generatedField{
		name: fmt.Sprintf("r%d", len(t.fields)), typ: "String",
		in: []*generatedIn{{graph: graph, requires: strings.Join(parts, " ")}},
	})
}

// requirement prints how a field is required: leaves as they are, of an entity
// some leaf of it.
func (g *generator) requirement(f *generatedField, graph int) string {
	named := strings.Trim(f.typ, "[]!")
	if leaf(named) {
		if f.arguments != "" && g.chance(60) {
			return fmt.Sprintf("%s(a: %d)", f.name, 1+g.r.IntN(3))
		}
		return f.name
	}
	arguments := ""
	if f.arguments != "" && g.chance(60) {
		arguments = fmt.Sprintf("(a: %d)", 1+g.r.IntN(3))
	}
	if target := g.named(named); target != nil {
		if inner := g.requiredLeaf(target, graph); inner != "" {
			return f.name + arguments + " { " + inner + " }"
		}
		return ""
	}
	for _, u := range g.unions {
		if u.name != named {
			continue
		}
		// Only where the subgraph knows all that can come.
		for _, in := range f.in {
			if !in.external && !slices.ContainsFunc(u.members[in.graph], func(member string) bool { return slices.Contains(u.members[graph], member) }) {
				return ""
			}
			for _, member := range u.members[in.graph] {
				if !in.external && !slices.Contains(u.members[graph], member) {
					return ""
				}
			}
		}
		var parts []string
		for _, member := range u.members[graph] {
			if inner := g.requiredLeaf(g.named(member), graph); inner != "" && g.chance(70) {
				parts = append(parts, "... on "+member+" { "+inner+" }")
			}
		}
		if len(parts) > 0 {
			return f.name + arguments + " { " + strings.Join(parts, " ") + " }"
		}
	}
	return ""
}

// requiredLeaf picks a leaf field of an entity for a field set of the subgraph.
func (g *generator) requiredLeaf(target *generated, graph int) string {
	if !target.entity || !slices.Contains(target.graphs, graph) {
		return ""
	}
	for _, inner := range target.fields {
		if !leaf(strings.Trim(inner.typ, "[]!")) || inner.in == nil || !g.chance(50) {
			continue
		}
		if inner.inGraph(graph) == nil {
			inner.in = append(inner.in, &generatedIn{graph: graph, external: true})
		}
		return inner.name
	}
	return ""
}

// provide lets a field's subgraph provide leaves of what it leads to, or of
// what lies one field deeper.
func (g *generator) provide(f *generatedField, in *generatedIn) {
	named := strings.Trim(f.typ, "[]!")
	if target := g.named(named); target != nil {
		in.provides = g.provided(target, in.graph)
		if in.provides == "" && g.chance(50) {
			for _, inner := range target.fields {
				deeper := g.named(strings.Trim(inner.typ, "[]!"))
				there := inner.inGraph(in.graph)
				if deeper == nil || there == nil || there.external || there.overridden || there.requires != "" {
					continue
				}
				if leaf := g.provided(deeper, in.graph); leaf != "" {
					in.provides = inner.name + " { " + leaf + " }"
					return
				}
			}
		}
		return
	}
	for _, u := range g.unions {
		if u.name != named {
			continue
		}
		var parts []string
		for _, member := range u.members[in.graph] {
			if leaf := g.provided(g.named(member), in.graph); leaf != "" {
				parts = append(parts, "... on "+member+" { "+leaf+" }")
			}
		}
		in.provides = strings.Join(parts, " ")
	}
}

// provided picks a leaf field of an entity that is external in the subgraph.
func (g *generator) provided(target *generated, graph int) string {
	if !target.entity || target.object || !slices.Contains(target.graphs, graph) {
		return ""
	}
	for _, inner := range target.fields {
		if !leaf(strings.Trim(inner.typ, "[]!")) || inner.in == nil {
			continue
		}
		there := inner.inGraph(graph)
		if there == nil {
			inner.in = append(inner.in, &generatedIn{graph: graph, external: true})
		} else if !there.external {
			continue
		}
		return inner.name
	}
	return ""
}

// override moves a field to another subgraph of its type.
func (g *generator) override(t *generated, f *generatedField) {
	from := f.in[0]
	if f.name == "id" || f.name == "code" || from.external || !leaf(strings.Trim(f.typ, "[]!")) {
		return
	}
	for _, to := range t.graphs {
		if to != from.graph && f.inGraph(to) == nil && !t.stub[to] {
			moved := &generatedIn{graph: to, override: strings.ToLower(g.graphs[from.graph])}
			if g.chance(50) {
				moved.label, from.label = "percent(50)", "percent(50)"
			} else {
				from.overridden = true
			}
			f.in = append(f.in, moved)
			return
		}
	}
}

func (f *generatedField) inGraph(graph int) *generatedIn {
	for _, in := range f.in {
		if in.graph == graph {
			return in
		}
	}
	return nil
}

func (g *generator) named(name string) *generated {
	for _, t := range g.types {
		if t.name == name {
			return t
		}
	}
	return nil
}

func leaf(name string) bool {
	switch name {
	case "Int", "String", "Color", "Float", "Boolean", "JSON", "ID":
		return true
	}
	return false
}

// implementAll lets entities implement the plain interfaces: an interface has
// the fields that all its members have alike, in each subgraph those that the
// members there define. An interface of some of another one's members, in some of
// its subgraphs, has its fields and more, so it can implement that one.
func (g *generator) implementAll() {
	var above *generatedInterface
	var aboveHere map[int][]*generated
	for _, i := range g.interfaces {
		if i.objects != nil || i.made {
			continue
		}
		nested := above != nil && len(above.fields) > 0 && g.chance(50)
		var members []*generated
		for _, t := range g.types {
			if t.entity && !t.object && (!nested || len(t.implements[above.name]) > 0) && g.chance(60) {
				members = append(members, t)
			}
		}
		if len(members) == 0 {
			continue
		}
		here := map[int][]*generated{}
		for _, t := range members {
			for _, graph := range t.graphs {
				if g.chance(75) && (!nested || slices.Contains(above.graphs, graph) && slices.Contains(aboveHere[graph], t)) {
					here[graph] = append(here[graph], t)
				}
			}
		}
		for graph := range here {
			i.graphs = append(i.graphs, graph)
		}
		sort.Ints(i.graphs)
		var implementing []*generated
		for _, t := range members {
			for _, graph := range i.graphs {
				if slices.Contains(here[graph], t) {
					t.implements[i.name] = append(t.implements[i.name], graph)
				}
			}
			if len(t.implements[i.name]) > 0 {
				implementing = append(implementing, t)
			}
		}
		if nested {
			i.above = above
		}
		g.interfaceFields(i, implementing, here)
		if i.above != nil && slices.ContainsFunc(above.fields, func(f *generatedField) bool {
			return !slices.ContainsFunc(i.fields, func(own *generatedField) bool { return own.name == f.name && (!own.hidden || f.hidden) })
		}) {
			i.above = nil
		}
		above, aboveHere = i, here
	}
}

func (g *generator) interfaceFields(i *generatedInterface, members []*generated, here map[int][]*generated) {
	if len(members) == 0 {
		return
	}
	for _, f := range members[0].fields {
		field := &generatedField{name: f.name, typ: f.typ, arguments: f.arguments}
		common := true
		for _, t := range members {
			other := t.field(f.name)
			common = common && other != nil && other.typ == f.typ && other.arguments == f.arguments
			field.hidden = field.hidden || common && other.hidden
		}
		if !common {
			continue
		}
		for _, graph := range i.graphs {
			all, strict := true, "?"
			for _, t := range here[graph] {
				in := t.field(f.name).inGraph(graph)
				if in == nil {
					all = false
					break
				}
				if strict == "?" {
					strict = in.typ
				} else if strict != in.typ {
					strict = "" // what is common to them
				}
			}
			if all && strict != "?" {
				field.in = append(field.in, &generatedIn{graph: graph, typ: strict})
			}
		}
		if len(field.in) > 0 {
			i.fields = append(i.fields, field)
		}
	}
	if !slices.ContainsFunc(i.fields, func(f *generatedField) bool { return !f.hidden }) {
		i.fields = nil
	}
	// A subgraph in which no field is common does not define the interface.
	i.graphs = slices.DeleteFunc(i.graphs, func(graph int) bool {
		return !slices.ContainsFunc(i.fields, func(f *generatedField) bool { return f.inGraph(graph) != nil })
	})
	for _, t := range members {
		t.implements[i.name] = slices.DeleteFunc(t.implements[i.name], func(graph int) bool { return !slices.Contains(i.graphs, graph) })
		if len(t.implements[i.name]) == 0 {
			delete(t.implements, i.name)
		}
	}
}

func (t *generated) field(name string) *generatedField {
	for _, f := range t.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}
