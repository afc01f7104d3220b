package can_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/access/can"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// guarded is a field that bears @can, as the SDL has it.
type guarded struct {
	place, subgraph string
	action          access.Action
	area            *string
	field           *ast.FieldDefinition
}

// fields walks the SDL of all subgraphs; inputs are their input types by name.
func fields(t *testing.T) (found []guarded, inputs map[string]*ast.Definition) {
	t.Helper()
	inputs = map[string]*ast.Definition{}
	paths, err := filepath.Glob("../../../schema/*/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, err := parser.ParseSchema(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		for _, definition := range slices.Concat(document.Definitions, document.Extensions) {
			if definition.Kind == ast.InputObject {
				inputs[definition.Name] = definition
			}
			for _, field := range definition.Fields {
				mark := field.Directives.ForName("can")
				if mark == nil {
					continue
				}
				g := guarded{place: definition.Name + "." + field.Name, subgraph: filepath.Base(filepath.Dir(path)),
					action: access.Action(mark.Arguments.ForName("action").Value.Raw), field: field}
				if area := mark.Arguments.ForName("area"); area != nil {
					g.area = &area.Value.Raw
				}
				found = append(found, g)
			}
		}
	}
	if len(found) < 20 {
		t.Fatalf("%d guarded fields: are the files read at all?", len(found))
	}
	return found, inputs
}

// in is the context of the field asked for the area, by a literal or a variable.
func (g guarded) in(ctx context.Context, code string, byVariable bool) context.Context {
	operation := &graphql.OperationContext{Variables: map[string]any{"code": code}}
	asked := &ast.Field{Name: g.field.Name, Definition: g.field}
	if g.area != nil {
		value := &ast.Value{Kind: ast.StringValue, Raw: code}
		if byVariable {
			value = &ast.Value{Kind: ast.Variable, Raw: "code"}
		}
		names := strings.Split(*g.area, ".")
		for _, name := range slices.Backward(names[1:]) {
			value = &ast.Value{Kind: ast.ObjectValue, Children: ast.ChildValueList{{Name: name, Value: value}}}
		}
		asked.Arguments = ast.ArgumentList{{Name: names[0], Value: value}}
	}
	ctx = graphql.WithOperationContext(ctx, operation)
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: graphql.CollectedField{Field: asked}})
}

// Each guarded field of every subgraph × each role and scope × each area: the
// directive lets through exactly whom the one decision allows.
func TestEveryGuardedFieldAsTheDecision(t *testing.T) {
	found, _ := fields(t)
	areas := []string{"510100000000", "510104000000", "510104017000", "510104017001", "510104017002", "510107061001"}
	scopes := []access.Principal{{AreaCode: "510104017000"}, {AreaCode: "510104017001"}, {AreaCode: "510100000000"},
		{AreaCode: "510191000000", Prefixes: []string{"510104017002", "510107061"}}, {AreaCode: "510104017000", Prefixes: []string{}}}
	asked, allowed := 0, 0
	for _, g := range found {
		ask := func(p *access.Principal, code string) {
			asked++
			about := code
			if g.area == nil {
				about = ""
			}
			want := access.Decide(p, g.action, about) == access.Allowed
			reached := false
			_, err := can.Field(g.in(access.With(t.Context(), p), code, asked%2 == 0), nil, func(context.Context) (any, error) { reached = true; return nil, nil }, string(g.action), g.area)
			if reached != want || reached != (err == nil) {
				t.Errorf("%s of %s in %s by %+v: let through %v (%v), the decision says %v", g.place, g.subgraph, code, p, reached, err, want)
			}
			if code := fault.CodeOf(err); err != nil && code != fault.Forbidden && code != fault.NotFound && code != fault.Unauthenticated {
				t.Errorf("%s: refused with %v", g.place, err)
			}
			if want {
				allowed++
			}
		}
		for _, code := range areas {
			ask(nil, code)
			ask(&access.Principal{Kind: access.Citizen, ID: "c", AreaCode: code, Roles: access.Roles()}, code)
			ask(&access.Principal{Kind: access.Worker, ID: "w", AreaCode: "510100000000", Roles: access.Roles(), Confined: access.PasswordDue}, code)
			for _, scope := range scopes {
				for _, role := range append(access.Roles(), "NO_SUCH_ROLE") {
					ask(&access.Principal{Kind: access.Worker, ID: "w", AreaCode: scope.AreaCode, Prefixes: scope.Prefixes, Roles: []access.Role{role}}, code)
				}
			}
		}
	}
	if allowed == 0 || allowed == asked {
		t.Errorf("%d of %d are allowed: the test says nothing", allowed, asked)
	}
}

// A guard names an action that somebody has, and an argument that there is; its
// generated code asks.
func TestGuardsAreSound(t *testing.T) {
	found, inputs := fields(t)
	code := map[string]string{}
	for _, g := range found {
		if !slices.Contains(access.Actions(), g.action) {
			t.Errorf("%s: nobody has the action %q", g.place, g.action)
		}
		if g.area != nil {
			names := strings.Split(*g.area, ".")
			argument := g.field.Arguments.ForName(names[0])
			there := argument != nil
			if there && len(names) == 2 {
				input := inputs[argument.Type.Name()]
				there = input != nil && input.Fields.ForName(names[1]) != nil
			}
			if !there || len(names) > 2 {
				t.Errorf("%s: there is no argument %s", g.place, *g.area)
			}
		}
		if code[g.subgraph] == "" {
			text, err := os.ReadFile("../../../subgraphs/" + g.subgraph + "/executable/executable.gen.go")
			if err != nil {
				t.Fatal(err)
			}
			code[g.subgraph] = string(text)
		}
		_, body, known := strings.Cut(code[g.subgraph], "func (ec *executionContext) _"+strings.ReplaceAll(g.place, ".", "_")+"(")
		body, _, _ = strings.Cut(body, "\nfunc ")
		if !known || !strings.Contains(body, "ec.Directives.Can(ctx, ") {
			t.Errorf("%s: its generated code does not ask @can", g.place)
		}
	}
}
