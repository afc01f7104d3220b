package supergraph

// externals marks the fields that must be external in a subgraph though nothing
// says so: what a field of the subgraph requires, or provides of an interface
// object, the subgraph does not resolve itself. Some compositions leave
// @join__field out where all subgraphs of a type define a field, and with it
// that the field is external in one.
func (r *reader) externals() {
	for _, t := range r.order {
		for _, definition := range t.Definition.Fields {
			for _, in := range t.fields[definition.Name].In {
				r.external(t, in.Subgraph, in.Requires)
				if target := r.super.types[in.Type.Name()]; target != nil && len(in.Provides) > 0 {
					if view := target.For(in.Subgraph.Index); view != nil && view.InterfaceObject {
						r.external(target, in.Subgraph, in.Provides)
					}
				}
			}
		}
	}
}

func (r *reader) external(t *Type, subgraph *Subgraph, set FieldSet) {
	for _, item := range set {
		if item.Name == "" {
			r.external(t, subgraph, item.Fields)
			continue
		}
		field := t.fields[item.Name]
		if field == nil || field.Definition.Directives.ForName(r.links.join+"__field") != nil {
			continue
		}
		if in := field.For(subgraph.Index); in != nil && !in.InKey {
			in.External = true
		}
	}
}
