package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Subgraphs stand in for all subgraphs of a supergraph. Each answers from the
// universe, but only what it may: a document that its schema refuses, a field
// that is external there and not provided, a representation that lacks what
// @requires asks for, are errors. It implements dispatch.Dispatcher.
type Subgraphs struct {
	Universe *Universe
	// Labels are the active labels of progressive overrides.
	Labels map[string]bool

	schemas []*ast.Schema
	mu      sync.Mutex
	calls   []string
}

// NewSubgraphs readies the subgraphs.
func NewSubgraphs(universe *Universe) (*Subgraphs, error) {
	s := &Subgraphs{Universe: universe}
	for _, subgraph := range universe.Super.Subgraphs {
		schema, err := Schema(universe.Super, subgraph)
		if err != nil {
			return nil, err
		}
		s.schemas = append(s.schemas, schema)
	}
	return s, nil
}

// Calls are the root fields that were asked so far, but `_entities`, as
// "SUBGRAPH field", in the order in which they ran.
func (s *Subgraphs) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// Prepare implements dispatch.Dispatcher.
func (s *Subgraphs) Prepare(document *dispatch.Document) (dispatch.Prepared, error) {
	subgraph := s.Universe.Super.Subgraph(document.Subgraph)
	if subgraph == nil {
		return nil, fmt.Errorf("conformance: no subgraph %s", document.Subgraph)
	}
	parsed, err := parser.ParseQuery(&ast.Source{Input: document.Text})
	if err != nil {
		return nil, err
	}
	if errs := validator.ValidateWithRules(s.schemas[subgraph.Index], parsed, nil); len(errs) > 0 {
		return nil, fmt.Errorf("conformance: subgraph %s refuses %s: %w", subgraph.ID, document.Text, errs)
	}
	return &prepared{s, subgraph, parsed.Operations[0]}, nil
}

type prepared struct {
	subgraphs *Subgraphs
	subgraph  *supergraph.Subgraph
	operation *ast.OperationDefinition
}

func (p *prepared) Fetch(ctx context.Context, request *dispatch.Request) (*dispatch.Reply, error) {
	variables := map[string]any{}
	if len(request.Variables) > 0 {
		decoder := json.NewDecoder(strings.NewReader(string(request.Variables)))
		decoder.UseNumber()
		if err := decoder.Decode(&variables); err != nil {
			return nil, fmt.Errorf("conformance: variables %s: %w", request.Variables, err)
		}
	}
	for _, definition := range p.operation.VariableDefinitions {
		if _, given := variables[definition.Variable]; !given && definition.DefaultValue != nil {
			value, err := definition.DefaultValue.Value(nil)
			if err != nil {
				return nil, err
			}
			variables[definition.Variable] = value
		}
	}
	schema := rooted(p.subgraphs.schemas[p.subgraph.Index], p.operation)
	data, errs := reference.Execute(ctx, schema, p.operation, variables, &source{p, variables})
	body, err := json.Marshal(struct {
		Data   json.RawMessage `json:"data"`
		Errors gqlerror.List   `json:"errors,omitempty"`
	}{data, errs})
	if err != nil {
		return nil, err
	}
	return dispatch.NewReply(body, nil), nil
}

// Subscribe gives two events, both of the universe's one value.
func (p *prepared) Subscribe(ctx context.Context, request *dispatch.Request) (dispatch.Source, error) {
	variables := append([]byte(nil), request.Variables...)
	copied := *request
	copied.Variables = variables
	return &events{prepared: p, request: &copied, left: 2}, nil
}

type events struct {
	prepared *prepared
	request  *dispatch.Request
	left     int
}

func (e *events) Next(ctx context.Context) (*dispatch.Reply, error) {
	if e.left == 0 {
		return nil, io.EOF
	}
	e.left--
	return e.prepared.Fetch(ctx, e.request)
}

func (e *events) Close() {}

// view is a thing as one subgraph holds it while it answers.
type view struct {
	thing Thing
	// representation is what the gateway sent, nil where a field led here.
	representation map[string]any
	provided       supergraph.FieldSet
}

// source answers for one subgraph.
type source struct {
	*prepared
	variables map[string]any
}

// Resolve implements reference.Source.
func (s *source) Resolve(_ context.Context, parent *reference.Object, fields []*ast.Field) (any, error) {
	field := fields[0]
	arguments := field.ArgumentMap(s.variables)
	if parent == nil {
		if field.Name == "_entities" {
			return s.entities(arguments["representations"])
		}
		s.subgraphs.mu.Lock()
		s.subgraphs.calls = append(s.subgraphs.calls, s.subgraph.ID+" "+field.Name)
		s.subgraphs.mu.Unlock()
		parent = &reference.Object{Value: view{thing: Thing{Type: s.subgraphs.Universe.Super.Type(field.ObjectDefinition.Name)}}}
	}
	held := parent.Value.(view)
	super := s.subgraphs.Universe.Super
	holder := held.thing.Type
	if declared := super.Type(field.ObjectDefinition.Name); declared != nil {
		if in := declared.For(s.subgraph.Index); in != nil && in.InterfaceObject {
			holder = declared
		}
	}
	in := holder.Field(field.Name).For(s.subgraph.Index)
	inner, provided := providedField(super, held.provided, held.thing.Type, field.Name)
	if !provided {
		if err := s.allowed(in, holder, field.Name, held); err != nil {
			return nil, err
		}
	}
	below := append(inner[:len(inner):len(inner)], in.Provides...)
	if err := s.subgraphs.Universe.fails(held.thing, field.Name, arguments); err != nil {
		return nil, err
	}
	value := s.subgraphs.Universe.Value(held.thing, field.Name, arguments)
	return wrap(value, func(thing Thing) *reference.Object {
		return s.object(in.Type.Name(), view{thing: thing, provided: below})
	}), nil
}

// allowed says why the subgraph must not be asked the field, nil when it may.
func (s *source) allowed(in *supergraph.FieldIn, holder *supergraph.Type, name string, held view) error {
	place := holder.Name + "." + name
	switch {
	case in.External:
		return fmt.Errorf("%s is external in %s", place, s.subgraph.ID)
	case in.InKey:
		return nil
	case in.Label != "" && (in.Override != "") != s.subgraphs.Labels[in.Label]:
		return fmt.Errorf("%s has label %s, which says otherwise", place, in.Label)
	case in.Overridden && in.Label == "":
		return fmt.Errorf("%s is overridden in %s", place, s.subgraph.ID)
	case len(in.Requires) > 0:
		if difference := s.subgraphs.Universe.matches(held.thing, in.Requires, held.representation); difference != "" {
			return fmt.Errorf("%s requires %s: %s", place, in.Requires, difference)
		}
	}
	return nil
}

func (s *source) object(declared string, held view) *reference.Object {
	if t := s.subgraphs.Universe.Super.Type(declared); t != nil {
		if in := t.For(s.subgraph.Index); in != nil && in.InterfaceObject {
			return &reference.Object{Type: declared, Value: held}
		}
	}
	return &reference.Object{Type: held.thing.Type.Name, Value: held}
}

func (s *source) entities(list any) (any, error) {
	representations, ok := list.([]any)
	if !ok {
		return nil, fmt.Errorf("representations: got %v", list)
	}
	found := make([]any, len(representations))
	for i, item := range representations {
		representation, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("representation: got %v", item)
		}
		name, _ := representation["__typename"].(string)
		t := s.subgraphs.Universe.Super.Type(name)
		if t == nil || t.For(s.subgraph.Index) == nil {
			return nil, fmt.Errorf("representation of %q, which %s does not know", name, s.subgraph.ID)
		}
		thing, ok := s.subgraphs.Universe.find(t, t.For(s.subgraph.Index).Keys, representation)
		if !ok {
			return nil, fmt.Errorf("representation %v of %s names nothing", representation, s.subgraph.ID)
		}
		found[i] = s.object(name, view{thing: thing, representation: representation})
	}
	return found, nil
}

// providedField finds a field among the provided ones.
func providedField(super *supergraph.Supergraph, set supergraph.FieldSet, t *supergraph.Type, name string) (supergraph.FieldSet, bool) {
	var inner supergraph.FieldSet
	found := false
	for _, item := range set {
		switch {
		case item.Name == name:
			inner, found = append(inner, item.Fields...), true
		case item.Name == "" && (item.On == "" || item.On == t.Name || (&Universe{Super: super}).isMember(item.On, t)):
			if deeper, ok := providedField(super, item.Fields, t, name); ok {
				inner, found = append(inner, deeper...), true
			}
		}
	}
	return inner, found
}
