package supergraph

import (
	"fmt"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

// reader turns the join directives of the document into lookups.
type reader struct {
	links     *links
	super     *Supergraph
	sets      map[string]FieldSet  // field sets already parsed, by text
	typeTexts map[string]*ast.Type // type references already parsed, by text
	labels    map[string]bool
	order     []*Type // in document order
}

// types reads every type that belongs to the graph.
func (r *reader) types(document *ast.SchemaDocument) error {
	r.labels = map[string]bool{}
	for _, definition := range document.Definitions {
		if r.links.machinery(definition.Name) {
			continue
		}
		t := &Type{
			Name: definition.Name, Kind: definition.Kind, Definition: definition,
			Inaccessible: r.links.inaccessible != "" && definition.Directives.ForName(r.links.inaccessible) != nil,
			fields:       make(map[string]*Field, len(definition.Fields)),
		}
		r.super.types[t.Name] = t
		r.order = append(r.order, t)
	}
	for _, name := range []string{"Int", "Float", "String", "Boolean", "ID"} {
		if r.super.types[name] == nil {
			r.super.types[name] = &Type{Name: name, Kind: ast.Scalar, Definition: r.super.Full.Types[name]}
		}
	}
	for _, t := range r.order {
		if err := r.joinTypes(t); err != nil {
			return err
		}
	}
	for _, t := range r.order {
		if err := r.fields(t); err != nil {
			return err
		}
	}
	r.members()
	if r.links.joinVersion == "v0.1" {
		r.dropUnreachable()
	}
	r.membersIn()
	r.contexts()
	for _, t := range r.order {
		for _, in := range t.In {
			for _, key := range in.Keys {
				r.markKey(t, in.Subgraph, key.Fields)
			}
		}
	}
	r.externals()
	return nil
}

// joinTypes reads @join__type: which subgraphs know the type, with which keys.
func (r *reader) joinTypes(t *Type) error {
	views := map[int]*TypeIn{}
	for _, directive := range t.Definition.Directives {
		if directive.Name != r.links.join+"__type" {
			continue
		}
		subgraph, err := r.graph(directive, t.Name)
		if err != nil {
			return err
		}
		in := views[subgraph.Index]
		if in == nil {
			in = &TypeIn{Subgraph: subgraph}
			views[subgraph.Index] = in
			t.In = append(t.In, in)
		}
		if flag(directive, "isInterfaceObject", false) {
			in.InterfaceObject = true
		}
		if key := text(directive, "key"); key != "" {
			fields, err := r.set(key)
			if err != nil {
				return fmt.Errorf("supergraph: key of %s: %w", t.Name, err)
			}
			in.Keys = append(in.Keys, &Key{Fields: fields, Resolvable: flag(directive, "resolvable", true)})
		}
	}
	if len(t.In) == 0 {
		// The first versions do not list the subgraphs of value types.
		for _, subgraph := range r.super.Subgraphs {
			t.In = append(t.In, &TypeIn{Subgraph: subgraph})
		}
	}
	sort.Slice(t.In, func(i, j int) bool { return t.In[i].Subgraph.Index < t.In[j].Subgraph.Index })
	return nil
}

// fields reads @join__field: which subgraphs define the field, and how.
func (r *reader) fields(t *Type) error {
	owner := ""
	if directive := t.Definition.Directives.ForName(r.links.join + "__owner"); directive != nil {
		owner = text(directive, "graph")
	}
	for _, definition := range t.Definition.Fields {
		if t.fields[definition.Name] != nil {
			return fmt.Errorf("supergraph: field %s.%s is defined twice", t.Name, definition.Name)
		}
		field := &Field{Name: definition.Name, Definition: definition}
		if target := r.super.types[definition.Type.Name()]; target != nil && target.Composite() {
			field.target = target
		}
		t.fields[field.Name] = field
		annotated := false
		for _, directive := range definition.Directives {
			if directive.Name != r.links.join+"__field" {
				continue
			}
			annotated = true
			if text(directive, "graph") == "" {
				// Without a graph: owned by the owner in v0.1; later by nobody, the
				// field comes from an interface object.
				continue
			}
			in, err := r.field(t, field, directive)
			if err != nil {
				return err
			}
			if field.For(in.Subgraph.Index) == nil {
				field.In = append(field.In, in)
				sort.Slice(field.In, func(i, j int) bool { return field.In[i].Subgraph.Index < field.In[j].Subgraph.Index })
			}
		}
		switch {
		case len(field.In) > 0:
		case owner != "":
			if subgraph := r.super.byID[owner]; subgraph != nil {
				field.In = append(field.In, &FieldIn{Subgraph: subgraph, Type: definition.Type})
			}
		case !annotated:
			for _, in := range t.In {
				field.In = append(field.In, &FieldIn{Subgraph: in.Subgraph, Type: definition.Type})
			}
		}
	}
	return nil
}

func (r *reader) field(t *Type, field *Field, directive *ast.Directive) (*FieldIn, error) {
	place := t.Name + "." + field.Name
	subgraph, err := r.graph(directive, place)
	if err != nil {
		return nil, err
	}
	in := &FieldIn{
		Subgraph:   subgraph,
		Type:       field.Definition.Type,
		External:   flag(directive, "external", false),
		Overridden: flag(directive, "usedOverridden", false),
		Override:   text(directive, "override"),
		Label:      text(directive, "overrideLabel"),
	}
	if in.Label != "" {
		r.labels[in.Label] = true
	}
	if reference := text(directive, "type"); reference != "" {
		if in.Type = r.typeTexts[reference]; in.Type == nil {
			if in.Type, err = parseType(reference); err != nil {
				return nil, fmt.Errorf("supergraph: %s: %w", place, err)
			}
			r.typeTexts[reference] = in.Type
		}
	}
	if in.Requires, err = r.set(text(directive, "requires")); err != nil {
		return nil, fmt.Errorf("supergraph: @requires of %s: %w", place, err)
	}
	if in.Provides, err = r.set(text(directive, "provides")); err != nil {
		return nil, fmt.Errorf("supergraph: @provides of %s: %w", place, err)
	}
	if list := directive.Arguments.ForName("contextArguments"); list != nil {
		for _, item := range list.Value.Children {
			argument := &ContextArgument{}
			for _, part := range item.Value.Children {
				switch part.Name {
				case "name":
					argument.Argument = part.Value.Raw
				case "context":
					argument.Context = part.Value.Raw
				case "selection":
					if argument.Selection, err = r.set(part.Value.Raw); err != nil {
						return nil, fmt.Errorf("supergraph: context argument of %s: %w", place, err)
					}
				case "type":
					if argument.Type, err = parseType(part.Value.Raw); err != nil {
						return nil, fmt.Errorf("supergraph: context argument of %s: %w", place, err)
					}
				}
			}
			if argument.Argument == "" || argument.Context == "" || argument.Type == nil || len(argument.Selection) == 0 {
				return nil, fmt.Errorf("supergraph: a context argument of %s lacks its name, type, context or selection", place)
			}
			in.Context = append(in.Context, argument)
		}
	}
	return in, nil
}

func (r *reader) graph(directive *ast.Directive, place string) (*Subgraph, error) {
	id := text(directive, "graph")
	subgraph := r.super.byID[id]
	if subgraph == nil {
		return nil, fmt.Errorf("supergraph: %s: @%s names the unknown subgraph %q", place, directive.Name, id)
	}
	return subgraph, nil
}

func (r *reader) set(text string) (FieldSet, error) {
	if text == "" {
		return nil, nil
	}
	if set, ok := r.sets[text]; ok {
		return set, nil
	}
	set, err := ParseFieldSet(text)
	if err != nil {
		return nil, err
	}
	r.sets[text] = set
	return set, nil
}

// markKey marks the fields of a key in the subgraph that has it. A key's field
// can be asked of its subgraph even when it is @external there.
func (r *reader) markKey(t *Type, subgraph *Subgraph, set FieldSet) {
	for _, item := range set {
		if item.Name == "" {
			if on := r.super.types[item.On]; on != nil {
				r.markKey(on, subgraph, item.Fields)
			} else {
				r.markKey(t, subgraph, item.Fields)
			}
			continue
		}
		field := t.fields[item.Name]
		if field == nil {
			continue
		}
		in := field.For(subgraph.Index)
		if in == nil {
			in = &FieldIn{Subgraph: subgraph, Type: field.Definition.Type}
			field.In = append(field.In, in)
			sort.Slice(field.In, func(i, j int) bool { return field.In[i].Subgraph.Index < field.In[j].Subgraph.Index })
		}
		in.InKey = true
		if inner := r.super.types[field.Definition.Type.Name()]; inner != nil {
			r.markKey(inner, subgraph, item.Fields)
		}
	}
}
