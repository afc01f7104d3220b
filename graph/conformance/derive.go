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

// addRequires adds a field that needs others, which its subgraph does not have.
func (g *generator) addRequires(t *generated) {
	graph := g.one(t.graphs)
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
	target := g.named(named)
	if target == nil || !target.entity || !slices.Contains(target.graphs, graph) {
		return ""
	}
	for _, inner := range target.fields {
		if !leaf(strings.Trim(inner.typ, "[]!")) || inner.in == nil || !g.chance(50) {
			continue
		}
		if inner.inGraph(graph) == nil {
			inner.in = append(inner.in, &generatedIn{graph: graph, external: true})
		}
		return f.name + " { " + inner.name + " }"
	}
	return ""
}

// provide lets a field's subgraph provide a leaf of what it leads to.
func (g *generator) provide(f *generatedField, in *generatedIn) {
	target := g.named(strings.Trim(f.typ, "[]!"))
	if target == nil || !target.entity || !slices.Contains(target.graphs, in.graph) {
		return
	}
	for _, inner := range target.fields {
		if !leaf(strings.Trim(inner.typ, "[]!")) || inner.in == nil {
			continue
		}
		there := inner.inGraph(in.graph)
		if there == nil {
			inner.in = append(inner.in, &generatedIn{graph: in.graph, external: true})
		} else if !there.external {
			continue
		}
		in.provides = inner.name
		return
	}
}

// override moves a field to another subgraph of its type.
func (g *generator) override(t *generated, f *generatedField) {
	from := f.in[0]
	if f.name == "id" || f.name == "code" || from.external || !leaf(strings.Trim(f.typ, "[]!")) {
		return
	}
	for _, to := range t.graphs {
		if to != from.graph && f.inGraph(to) == nil {
			from.overridden = true
			f.in = append(f.in, &generatedIn{graph: to, override: strings.ToLower(g.graphs[from.graph])})
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
// members there define.
func (g *generator) implementAll() {
	for _, i := range g.interfaces {
		if i.object >= 0 {
			continue
		}
		var members []*generated
		for _, t := range g.types {
			if t.entity && !t.object && g.chance(60) {
				members = append(members, t)
			}
		}
		if len(members) == 0 {
			continue
		}
		here := map[int][]*generated{}
		for _, t := range members {
			for _, graph := range t.graphs {
				if g.chance(75) {
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
		g.interfaceFields(i, implementing, here)
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

// print writes the supergraph.
func (g *generator) print() string {
	w := func(format string, arguments ...any) { fmt.Fprintf(&g.out, format, arguments...) }
	w("enum join__Graph {\n")
	for _, graph := range g.graphs {
		w("  %s @join__graph(name: %q, url: \"http://%s\")\n", graph, strings.ToLower(graph), strings.ToLower(graph))
	}
	w("}\n")
	for _, name := range []string{"enum Color", "scalar JSON"} {
		w("%s", name)
		for _, graph := range g.graphs {
			w(" @join__type(graph: %s)", graph)
		}
		if strings.HasPrefix(name, "enum") {
			w(" { RED GREEN BLUE }")
		}
		w("\n")
	}
	for _, t := range g.types {
		w("type %s", t.name)
		var names []string
		for name := range t.implements {
			names = append(names, name)
		}
		sort.Strings(names)
		names = slices.DeleteFunc(names, func(name string) bool { return !g.printable(name) })
		if len(names) > 0 {
			w(" implements %s", strings.Join(names, " & "))
		}
		for _, name := range names {
			for _, graph := range t.implements[name] {
				w(" @join__implements(graph: %s, interface: %q)", g.graphs[graph], name)
			}
		}
		for _, graph := range t.graphs {
			if !t.entity {
				w(" @join__type(graph: %s)", g.graphs[graph])
			}
			for _, key := range t.keys[graph] {
				w(" @join__type(graph: %s, key: %q)", g.graphs[graph], key)
			}
		}
		g.printFields(t.fields)
	}
	for _, i := range g.interfaces {
		if !g.printable(i.name) {
			continue
		}
		w("interface %s", i.name)
		for _, graph := range i.graphs {
			w(" @join__type(graph: %s", g.graphs[graph])
			if i.keyed {
				w(", key: \"id\"")
			}
			if graph == i.object {
				w(", isInterfaceObject: true")
			}
			w(")")
		}
		g.printFields(i.fields)
	}
	for _, u := range g.unions {
		g.printUnion(u)
	}
	g.printRoots()
	return g.out.String()
}

func (g *generator) printable(name string) bool {
	for _, i := range g.interfaces {
		if i.name == name {
			return len(i.fields) > 0
		}
	}
	return false
}

func (g *generator) printFields(fields []*generatedField) {
	g.out.WriteString(" {\n")
	for _, f := range fields {
		fmt.Fprintf(&g.out, "  %s%s: %s", f.name, f.arguments, f.typ)
		if f.object {
			g.out.WriteString(" @join__field")
		}
		for _, in := range f.in {
			fmt.Fprintf(&g.out, " @join__field(graph: %s", g.graphs[in.graph])
			for _, part := range []struct{ name, value string }{{"requires", in.requires}, {"provides", in.provides}, {"override", in.override}, {"type", in.typ}} {
				if part.value != "" {
					fmt.Fprintf(&g.out, ", %s: %q", part.name, part.value)
				}
			}
			if in.external {
				g.out.WriteString(", external: true")
			}
			if in.overridden {
				g.out.WriteString(", usedOverridden: true")
			}
			g.out.WriteString(")")
		}
		g.out.WriteString("\n")
	}
	g.out.WriteString("}\n")
}

func (g *generator) printUnion(u *generatedUnion) {
	var members []string
	fmt.Fprintf(&g.out, "union %s", u.name)
	for graph := range g.graphs {
		if len(u.members[graph]) == 0 {
			continue
		}
		fmt.Fprintf(&g.out, " @join__type(graph: %s)", g.graphs[graph])
		for _, member := range u.members[graph] {
			fmt.Fprintf(&g.out, " @join__unionMember(graph: %s, member: %q)", g.graphs[graph], member)
			if !slices.Contains(members, member) {
				members = append(members, member)
			}
		}
	}
	if len(members) == 0 {
		// No subgraph knows a member: the union is not there. A comment keeps the text valid.
		text := g.out.String()
		g.out.Reset()
		g.out.WriteString(strings.TrimSuffix(text, "union "+u.name))
		return
	}
	fmt.Fprintf(&g.out, " = %s\n", strings.Join(members, " | "))
}

// printRoots writes the query and mutation roots: fields that lead to everything.
func (g *generator) printRoots() {
	root := &generated{name: "Query", graphs: make([]int, len(g.graphs))}
	for i := range root.graphs {
		root.graphs[i] = i
	}
	count := 0
	add := func(typ string, graphs []int) {
		f := &generatedField{name: fmt.Sprintf("q%d", count), typ: typ}
		count++
		if g.chance(30) {
			f.typ = "[" + typ + "]"
		}
		for _, graph := range graphs {
			f.in = append(f.in, &generatedIn{graph: graph})
		}
		root.fields = append(root.fields, f)
	}
	for _, t := range g.types {
		if t.split {
			add(t.name, t.graphs)
			continue
		}
		add(t.name, g.some(t.graphs, 40))
	}
	for _, i := range g.interfaces {
		if g.printable(i.name) {
			add(i.name, []int{g.one(i.graphs)})
		}
	}
	for _, u := range g.unions {
		var graphs []int
		for graph := range g.graphs {
			if len(u.members[graph]) > 0 {
				graphs = append(graphs, graph)
			}
		}
		if len(graphs) > 0 {
			add(u.name, g.some(graphs, 50))
		}
	}
	for _, name := range []string{"Query", "Mutation"} {
		fmt.Fprintf(&g.out, "type %s", name)
		for _, graph := range g.graphs {
			fmt.Fprintf(&g.out, " @join__type(graph: %s)", graph)
		}
		fields := root.fields
		if name == "Mutation" { // it runs in one subgraph, so no type may be split over several
			fields = slices.DeleteFunc(slices.Clone(fields), func(f *generatedField) bool {
				t := g.named(strings.Trim(f.typ, "[]!"))
				return t != nil && t.split && len(t.graphs) > 1
			})
		}
		g.printFields(fields)
	}
}
