package execute

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// world is a schema, the client's operation, and fetches written by hand.
type world struct {
	schema  *ast.Schema
	query   string
	fetches []*plan.Fetch
	// replies answer a fetch by its number; they may look at the variables.
	replies []func(ctx context.Context, variables string) (string, error)

	// groups answer the fetch with contexts where there are so many groups.
	groups    map[int]string
	documents []string // prepared for them

	mu   sync.Mutex
	sent []string // "number variables" in the order of sending
}

func load(t testing.TB, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// says answers always the same.
func says(reply string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return reply, nil }
}

// rootFetch asks root fields; the selection is written as a GraphQL selection set on the type.
func (w *world) rootFetch(t testing.TB, selection string, reply func(context.Context, string) (string, error)) *plan.Fetch {
	return w.add(t, "Query", "{"+selection+"}", reply)
}

// entityFetch completes the objects at a path of keys; key names the key field.
func (w *world) entityFetch(t testing.TB, path, typename, key, selection string, reply func(context.Context, string) (string, error), after ...int) *plan.Fetch {
	f := w.add(t, typename, "{"+selection+"}", reply)
	f.After = after
	f.Path = steps(path)
	f.Inputs = []*plan.Input{{Types: []string{typename}, Typename: typename, Fields: []*plan.InputField{{Name: key, From: key, Key: true}}}}
	f.Selection = []*plan.Selection{{On: typename, Selections: f.Selection}}
	return f
}

// together puts the last two fetches into one request, which is answered by reply; their own replies are for when
// they are sent alone.
func (w *world) together(t testing.TB, reply func(context.Context, string) (string, error)) *plan.Fetch {
	parts := append([]*plan.Fetch(nil), w.fetches[len(w.fetches)-2:]...)
	f := w.add(t, "Query", "{__typename}", reply)
	f.Selection, f.Parts, f.After = nil, parts, parts[0].After
	for i, part := range parts {
		part.Alias, part.Representations, part.After = fmt.Sprint("e", i), fmt.Sprint("r", i), nil
		part.Subgraph = f.Subgraph
	}
	w.fetches = append(w.fetches[:len(w.fetches)-3], f)
	f.ID = len(w.fetches) - 1
	return f
}

func steps(path string) []plan.Step {
	var made []plan.Step
	for _, key := range strings.Split(path, ".") {
		made = append(made, plan.Step{Key: key})
	}
	return made
}

func (w *world) add(t testing.TB, on, selection string, reply func(context.Context, string) (string, error)) *plan.Fetch {
	t.Helper()
	f := &plan.Fetch{ID: len(w.fetches), Subgraph: fmt.Sprint("S", len(w.replies)), Operation: ast.Query}
	f.Document = f.Subgraph // fakes know them by name
	document, err := parser.ParseQuery(&ast.Source{Input: selection})
	if err != nil {
		t.Fatal(err)
	}
	f.Selection = selections(w.schema, on, document.Operations[0].SelectionSet)
	w.fetches = append(w.fetches, f)
	w.replies = append(w.replies, reply)
	return f
}

func selections(schema *ast.Schema, on string, set ast.SelectionSet) []*plan.Selection {
	var made []*plan.Selection
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			field := &plan.Selection{Name: s.Name}
			if s.Alias != s.Name {
				field.Alias = s.Alias
			}
			if s.Name != "__typename" {
				field.Type = schema.Types[on].Fields.ForName(s.Name).Type
				field.Selections = selections(schema, field.Type.Name(), s.SelectionSet)
			}
			made = append(made, field)
		case *ast.InlineFragment:
			made = append(made, &plan.Selection{On: s.TypeCondition, Selections: selections(schema, s.TypeCondition, s.SelectionSet)})
		}
	}
	return made
}

// outputs reads the client's operation; the merged data is under the client's keys.
func outputs(schema *ast.Schema, set ast.SelectionSet, types []string) []*plan.Output {
	var made []*plan.Output
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			made = append(made, &plan.Output{
				Key: s.Alias, From: s.Alias, Name: s.Name, Type: s.Definition.Type, Types: types, When: when(s.Directives),
				Fields: outputs(schema, s.SelectionSet, nil),
			})
			if strings.HasPrefix(s.Name, "__") && s.Name != "__typename" {
				made[len(made)-1].Introspection = s
			}
		case *ast.InlineFragment:
			var names []string
			for _, d := range schema.GetPossibleTypes(schema.Types[s.TypeCondition]) {
				names = append(names, d.Name)
			}
			made = append(made, outputs(schema, s.SelectionSet, names)...)
		}
	}
	return made
}

func when(directives ast.DirectiveList) plan.Condition {
	for _, d := range directives {
		return plan.Condition{{{Variable: d.Arguments[0].Value.Raw, Is: d.Name == "include"}}}
	}
	return nil
}

// program compiles the world.
func (w *world) program(t testing.TB) *Program {
	t.Helper()
	document, err := gqlparser.LoadQuery(w.schema, w.query)
	if err != nil {
		t.Fatal(err)
	}
	operation := document.Operations[0]
	p := &plan.Plan{
		Operation: operation.Operation, Fetches: w.fetches, RootType: "Query",
		Response: outputs(w.schema, operation.SelectionSet, nil),
	}
	types := tree.NewTypes()
	for name, d := range w.schema.Types {
		types.Add(name, d.Kind == ast.Object)
	}
	program, err2 := Compile(p, &Names{Types: types, Public: w.schema}, w)
	if err2 != nil {
		t.Fatal(err2)
	}
	return program
}

// run runs the operation and returns the whole answer.
func (w *world) run(t testing.TB, variables map[string]any) string {
	t.Helper()
	return w.answer(t.Context(), w.program(t), variables)
}

func (w *world) answer(ctx context.Context, program *Program, variables map[string]any) string {
	raw := map[string]json.RawMessage{}
	for name, value := range variables {
		raw[name], _ = json.Marshal(value)
	}
	writer := project.NewWriter()
	defer writer.Release()
	program.Run(ctx, &Request{Values: variables, Raw: raw}, writer)
	return string(writer.Body)
}

// Prepare implements dispatch.Dispatcher: the document is "S" and the number of the fetch.
func (w *world) Prepare(d *dispatch.Document) (dispatch.Prepared, error) {
	if strings.HasPrefix(d.Text, "query") {
		w.documents = append(w.documents, d.Text)
		return &fake{world: w, id: len(w.fetches) - 1, groups: strings.Count(d.Text, ":_entities")}, nil
	}
	var id int
	if _, err := fmt.Sscanf(d.Text, "S%d", &id); err != nil {
		return nil, err
	}
	return &fake{world: w, id: id}, nil
}

type fake struct {
	world  *world
	id     int
	groups int
}

func (f *fake) Fetch(ctx context.Context, r *dispatch.Request) (*dispatch.Reply, error) {
	f.world.mu.Lock()
	f.world.sent = append(f.world.sent, strings.TrimSpace(fmt.Sprint(f.id, " ", string(r.Variables))))
	f.world.mu.Unlock()
	if f.groups > 0 {
		return dispatch.NewReply([]byte(f.world.groups[f.groups]), nil), nil
	}
	reply, err := f.world.replies[f.id](ctx, string(r.Variables))
	if err != nil {
		return nil, err
	}
	return dispatch.NewReply([]byte(reply), nil), nil
}

func (f *fake) Subscribe(context.Context, *dispatch.Request) (dispatch.Source, error) {
	return nil, fmt.Errorf("not here")
}
