package supergraph

import (
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

// members finds the object types of every abstract type, over all subgraphs.
func (r *reader) members() {
	for _, t := range r.order {
		if t.Kind == ast.Object {
			t.Members = []*Type{t}
		}
		for _, name := range t.Definition.Interfaces {
			implemented := r.super.types[name]
			if implemented == nil || implemented.Kind != ast.Interface {
				continue
			}
			t.Interfaces = append(t.Interfaces, implemented)
			if t.Kind == ast.Object {
				implemented.Members = append(implemented.Members, t)
			}
		}
		sortTypes(t.Interfaces)
		if t.Kind == ast.Union {
			for _, name := range t.Definition.Types {
				if member := r.super.types[name]; member != nil {
					t.Members = append(t.Members, member)
				}
			}
		}
	}
	for _, t := range r.order {
		sortTypes(t.Members)
	}
}

// membersIn finds which object types each subgraph knows as members of an
// abstract type: by @join__implements and @join__unionMember, and where a
// version does not write them, by which types the subgraph knows at all.
func (r *reader) membersIn() {
	implements := map[string]map[string]map[int]bool{} // type → interface → subgraph
	for _, t := range r.order {
		for _, directive := range t.Definition.Directives {
			if directive.Name != r.links.join+"__implements" {
				continue
			}
			subgraph := r.super.byID[text(directive, "graph")]
			if subgraph == nil {
				continue
			}
			name := text(directive, "interface")
			if implements[t.Name] == nil {
				implements[t.Name] = map[string]map[int]bool{}
			}
			if implements[t.Name][name] == nil {
				implements[t.Name][name] = map[int]bool{}
			}
			implements[t.Name][name][subgraph.Index] = true
		}
	}
	for _, t := range r.order {
		unionMembers := map[string]map[int]bool{}
		if t.Kind == ast.Union {
			for _, directive := range t.Definition.Directives {
				if directive.Name != r.links.join+"__unionMember" {
					continue
				}
				member := text(directive, "member")
				if subgraph := r.super.byID[text(directive, "graph")]; subgraph != nil {
					if unionMembers[member] == nil {
						unionMembers[member] = map[int]bool{}
					}
					unionMembers[member][subgraph.Index] = true
				}
			}
		}
		for _, in := range t.In {
			if t.Kind == ast.Object || in.InterfaceObject {
				in.Members = t.Members
				continue
			}
			for _, member := range t.Members {
				index := in.Subgraph.Index
				if member.For(index) == nil {
					continue
				}
				switch t.Kind {
				case ast.Union:
					if len(unionMembers) > 0 && !unionMembers[member.Name][index] {
						continue
					}
				case ast.Interface:
					if graphs, annotated := implements[member.Name][t.Name]; annotated && !graphs[index] {
						continue
					}
				}
				in.Members = append(in.Members, member)
			}
		}
	}
}

// dropUnreachable removes value types from the subgraphs that cannot return
// them: join v0.1 does not say which subgraphs define a value type.
func (r *reader) dropUnreachable() {
	for _, subgraph := range r.super.Subgraphs {
		reached := map[*Type]bool{}
		var reach func(t *Type)
		reach = func(t *Type) {
			if t == nil || reached[t] || t.For(subgraph.Index) == nil {
				return
			}
			reached[t] = true
			for _, member := range t.Members {
				reach(member)
			}
			for _, definition := range t.Definition.Fields {
				if field := t.fields[definition.Name]; field.For(subgraph.Index) != nil {
					reach(r.super.types[definition.Type.Name()])
				}
			}
		}
		for _, operation := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
			reach(r.super.types[r.super.RootType(operation)])
		}
		for _, t := range r.order {
			if in := t.For(subgraph.Index); in != nil && len(in.Keys) > 0 {
				reach(t)
			}
		}
		for _, t := range r.order {
			if reached[t] || !t.Composite() {
				continue
			}
			t.In = withoutSubgraph(t.In, subgraph)
			for _, field := range t.fields {
				kept := field.In[:0]
				for _, in := range field.In {
					if in.Subgraph != subgraph {
						kept = append(kept, in)
					}
				}
				field.In = kept
			}
		}
	}
}

func withoutSubgraph(views []*TypeIn, subgraph *Subgraph) []*TypeIn {
	kept := views[:0]
	for _, in := range views {
		if in.Subgraph != subgraph {
			kept = append(kept, in)
		}
	}
	return kept
}

func sortTypes(types []*Type) {
	sort.Slice(types, func(i, j int) bool { return types[i].Name < types[j].Name })
}

// contexts finds which types set which contexts: by @context on themselves, and
// of an object type on an interface or union that it is a member of.
func (r *reader) contexts() {
	if r.links.context == "" {
		return
	}
	for _, t := range r.order {
		for _, directive := range t.Definition.Directives {
			if directive.Name != r.links.context {
				continue
			}
			for _, setting := range append([]*Type{t}, t.Members...) {
				if setting.contexts == nil {
					setting.contexts = map[string]bool{}
				}
				setting.contexts[text(directive, "name")] = true
			}
		}
	}
}
