package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Ask sends a query to one subgraph (its join__Graph name) and gives the data.
type Ask func(ctx context.Context, subgraph, query string, variables map[string]any) (map[string]any, error)

// Subgraphs is a Source over federated subgraphs whose entities all have the
// key "id": each field of each entity is asked alone from a subgraph that owns
// it; what is no entity is asked together with the field that holds it.
type Subgraphs struct {
	Full      *ast.Schema // the supergraph with its join directives
	Ask       Ask
	Operation *ast.OperationDefinition
	Variables map[string]any
}

// valueObject is an object that is no entity, as its subgraph answered it.
type valueObject map[string]any

// entity is an object of which only the key is known.
type entity struct{ id any }

// Resolve implements Source.
func (s *Subgraphs) Resolve(ctx context.Context, parent *Object, fields []*ast.Field) (any, error) {
	field := fields[0]
	if parent == nil {
		root := "Query"
		if s.Operation.Operation == ast.Mutation {
			root = "Mutation"
		}
		owner, err := s.owner(root, field.Name)
		if err != nil {
			return nil, err
		}
		p := &printer{source: s, uses: map[string]bool{}}
		body := p.field(fields)
		data, err := s.Ask(ctx, owner, strings.ToLower(root)+p.header("")+"{"+body+"}", p.values(s.Variables))
		if err != nil {
			return nil, err
		}
		return s.wrap(field.Definition.Type, data[field.Alias]), nil
	}
	switch held := parent.Value.(type) {
	case valueObject:
		return s.wrap(field.Definition.Type, held[field.Alias]), nil
	case entity:
		if field.Name == "id" {
			return held.id, nil
		}
		owner, err := s.owner(parent.Type, field.Name)
		if err != nil {
			return nil, err
		}
		p := &printer{source: s, uses: map[string]bool{}}
		body := p.field(fields)
		query := "query" + p.header("$representations: [_Any!]!") + "{_entities(representations: $representations){... on " + parent.Type + "{" + body + "}}}"
		variables := p.values(s.Variables)
		variables["representations"] = []any{map[string]any{"__typename": parent.Type, "id": held.id}}
		data, err := s.Ask(ctx, owner, query, variables)
		if err != nil {
			return nil, err
		}
		found, _ := data["_entities"].([]any)
		if len(found) != 1 || found[0] == nil {
			return nil, nil
		}
		return s.wrap(field.Definition.Type, found[0].(map[string]any)[field.Alias]), nil
	}
	return nil, fmt.Errorf("reference: no handle on %s", parent.Type)
}

// wrap turns a subgraph's JSON into objects by the field's type.
func (s *Subgraphs) wrap(t *ast.Type, value any) any {
	if value == nil {
		return nil
	}
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			return value
		}
		items := make([]any, len(list))
		for i, item := range list {
			items[i] = s.wrap(t.Elem, item)
		}
		return items
	}
	object, ok := value.(map[string]any)
	if !ok || !s.Full.Types[t.NamedType].IsCompositeType() {
		return value
	}
	name, _ := object["__typename"].(string)
	if s.isEntity(name) {
		return &Object{Type: name, Value: entity{id: object["id"]}}
	}
	return &Object{Type: name, Value: valueObject(object)}
}

func (s *Subgraphs) isEntity(name string) bool {
	definition := s.Full.Types[name]
	return slices.ContainsFunc(definition.Directives.ForNames("join__type"), func(d *ast.Directive) bool { return d.Arguments.ForName("key") != nil })
}

// owner finds a subgraph that resolves the field by itself.
func (s *Subgraphs) owner(parent, field string) (string, error) {
	definition := s.Full.Types[parent]
	f := definition.Fields.ForName(field)
	if f == nil {
		return "", fmt.Errorf("reference: no field %s.%s", parent, field)
	}
	joined := f.Directives.ForNames("join__field")
	for _, d := range joined {
		external := d.Arguments.ForName("external")
		graph := d.Arguments.ForName("graph")
		if graph != nil && (external == nil || external.Value.Raw != "true") {
			return graph.Value.Raw, nil
		}
	}
	if d := definition.Directives.ForName("join__type"); d != nil && len(joined) == 0 {
		return d.Arguments.ForName("graph").Value.Raw, nil
	}
	return "", fmt.Errorf("reference: nobody owns %s.%s", parent, field)
}

// printer writes selections for one subgraph and remembers the variables used.
type printer struct {
	source *Subgraphs
	uses   map[string]bool
}

func (p *printer) header(first string) string {
	var parts []string
	if first != "" {
		parts = append(parts, first)
	}
	for _, v := range p.source.Operation.VariableDefinitions {
		if p.uses[v.Variable] {
			parts = append(parts, "$"+v.Variable+": "+v.Type.String())
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (p *printer) values(all map[string]any) map[string]any {
	values := map[string]any{}
	for name := range p.uses {
		if value, ok := all[name]; ok {
			values[name] = value
		}
	}
	return values
}

func (p *printer) field(fields []*ast.Field) string {
	field := fields[0]
	text := field.Alias + ": " + field.Name + p.arguments(field.Arguments)
	if len(field.SelectionSet) == 0 {
		return text
	}
	var inner []string
	for _, f := range fields {
		inner = append(inner, p.set(f.Definition.Type.Name(), f.SelectionSet))
	}
	return text + "{__typename " + strings.Join(inner, " ") + "}"
}

// set writes a selection set on a type; of entities it asks the key only.
func (p *printer) set(parent string, set ast.SelectionSet) string {
	if p.source.isEntity(parent) {
		return "id"
	}
	var parts []string
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name != "__typename" && included(s.Directives, p.source.Variables) {
				parts = append(parts, p.field([]*ast.Field{s}))
			}
		case *ast.InlineFragment:
			if included(s.Directives, p.source.Variables) {
				on := s.TypeCondition
				if on == "" {
					on = parent
				}
				parts = append(parts, "... on "+on+"{__typename "+p.set(on, s.SelectionSet)+"}")
			}
		case *ast.FragmentSpread:
			if included(s.Directives, p.source.Variables) {
				on := s.Definition.TypeCondition
				parts = append(parts, "... on "+on+"{__typename "+p.set(on, s.Definition.SelectionSet)+"}")
			}
		}
	}
	return strings.Join(parts, " ")
}

func (p *printer) arguments(arguments ast.ArgumentList) string {
	if len(arguments) == 0 {
		return ""
	}
	parts := make([]string, len(arguments))
	for i, argument := range arguments {
		p.remember(argument.Value)
		parts[i] = argument.Name + ": " + argument.Value.String()
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (p *printer) remember(value *ast.Value) {
	if value.Kind == ast.Variable {
		p.uses[value.Raw] = true
	}
	for _, child := range value.Children {
		p.remember(child.Value)
	}
}

// Equal says whether two JSON texts mean the same data in the same field order.
func Equal(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && keys(a) == keys(b) && fmt.Sprint(x) == fmt.Sprint(y)
}

// keys lists the object keys in their order, which maps forget.
func keys(text []byte) string {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	var all []string
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		all = append(all, fmt.Sprint(token))
	}
	return strings.Join(all, "\x00")
}
