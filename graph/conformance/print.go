package conformance

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

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
			w(" {")
			for _, value := range []string{"RED", "GREEN", "BLUE"} {
				w(" %s", value)
				for k, graph := range g.graphs {
					if value == "RED" || g.colors[value][k] {
						w(" @join__enumValue(graph: %s)", graph)
					}
				}
			}
			w(" }")
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
		if t.sets {
			w(" @context(name: %q)", contextName)
		}
		for _, graph := range t.graphs {
			if !t.entity {
				w(" @join__type(graph: %s)", g.graphs[graph])
			}
			for _, key := range t.keys[graph] {
				w(" @join__type(graph: %s, key: %q", g.graphs[graph], key)
				if t.stub[graph] {
					w(", resolvable: false")
				}
				w(")")
			}
		}
		g.printFields(t.fields)
	}
	for _, i := range g.interfaces {
		if !g.printable(i.name) {
			continue
		}
		w("interface %s", i.name)
		if i.above != nil {
			w(" implements %s", i.above.name)
			for _, graph := range i.graphs {
				w(" @join__implements(graph: %s, interface: %q)", g.graphs[graph], i.above.name)
			}
		}
		for _, graph := range i.graphs {
			w(" @join__type(graph: %s", g.graphs[graph])
			if i.keyed {
				w(", key: \"id\"")
			}
			if i.objects[graph] {
				w(", isInterfaceObject: true")
				if i.stub && graph == 1 {
					w(", resolvable: false")
				}
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
			for _, part := range []struct{ name, value string }{{"requires", in.requires}, {"provides", in.provides}, {"override", in.override}, {"overrideLabel", in.label}, {"type", in.typ}} {
				if part.value != "" {
					fmt.Fprintf(&g.out, ", %s: %q", part.name, part.value)
				}
			}
			if in.context != "" {
				fmt.Fprintf(&g.out, ", contextArguments: [{context: %q, name: \"given\", type: \"String\", selection: %q}]", contextName, in.context)
			}
			if in.external {
				g.out.WriteString(", external: true")
			}
			if in.overridden {
				g.out.WriteString(", usedOverridden: true")
			}
			g.out.WriteString(")")
		}
		if f.hidden {
			g.out.WriteString(" @inaccessible")
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

// printRoots writes the roots: fields that lead to everything.
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
	for _, name := range []string{"Query", "Mutation", "Subscription"} {
		fmt.Fprintf(&g.out, "type %s", name)
		for _, graph := range g.graphs {
			fmt.Fprintf(&g.out, " @join__type(graph: %s)", graph)
		}
		fields := root.fields
		if name == "Query" && g.context >= 0 {
			fmt.Fprintf(&g.out, " @context(name: %q)", contextName)
			fields = append(slices.Clone(fields), &generatedField{name: "given", typ: "String", in: []*generatedIn{{graph: g.context}}})
		}
		if name != "Query" { // it runs in one subgraph, so no type may be split over several
			fields = slices.DeleteFunc(slices.Clone(fields), func(f *generatedField) bool {
				t := g.named(strings.Trim(f.typ, "[]!"))
				return t != nil && t.split && len(t.graphs) > 1
			})
		}
		if name == "Subscription" { // which has one source
			for i, f := range fields {
				copied := *f
				copied.in = []*generatedIn{f.in[g.r.IntN(len(f.in))]}
				fields[i] = &copied
			}
		}
		g.printFields(fields)
	}
}
