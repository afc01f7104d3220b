package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

const schema = `
type Query {
	s: String S: String! i: Int f: Float b: Boolean id: ID color: Color json: JSON
	l: [Int] lN: [Int!] LN: [Int!]! ll: [[Int!]]
	colors: [Color] ids: [ID!]
	o: T O: T! os: [T] osN: [T!] OsN: [T!]!
	any: Any node: Node nodes: [Node]
}
scalar JSON
enum Color { RED GREEN }
interface Node { id: ID! }
union Any = T | U
type T implements Node { id: ID! N: Int! n: Int t: T T: T! any: Any }
type U implements Node { id: ID! u: String }
`

// answer writes the answer to a query over data that one fetch brought.
func answer(t *testing.T, query, data string, variables map[string]any) string {
	t.Helper()
	return answerWith(t, query, data, variables, nil)
}

// answerWith lets change see the outputs first.
func answerWith(t *testing.T, query, data string, variables map[string]any, change func([]*plan.Output)) string {
	t.Helper()
	loaded := gqlparser.MustLoadSchema(&ast.Source{Input: schema})
	document, err := gqlparser.LoadQuery(loaded, query)
	if err != nil {
		t.Fatal(err)
	}
	types := tree.NewTypes()
	for name, d := range loaded.Types {
		types.Add(name, d.Kind == ast.Object)
	}
	hidden := types.Add("Hidden", true) // a type that is not public
	_ = hidden
	position := tree.NewPosition()
	position.Assume(types.ID("Query"))
	shape := &tree.Shape{Position: position, Types: types}
	set := document.Operations[0].SelectionSet
	response := outputs(loaded, set, nil)
	if change != nil {
		change(response)
	}
	build(loaded, types, shape, set)
	p, err2 := project.New(&plan.Plan{RootType: "Query", Response: response}, position, types, loaded)
	if err2 != nil {
		t.Fatal(err2)
	}
	merged := tree.New(1, position)
	defer merged.Release()
	d := merged.Decoder(0)
	v, err2 := d.Data([]byte(data), shape)
	if err2 != nil {
		t.Fatal(err2)
	}
	if err2 := merged.Merge(merged.Root, v, shape, false); err2 != nil {
		t.Fatal(err2)
	}
	w := project.NewWriter()
	defer w.Release()
	w.Holds = p.Conditions(nil, variables)
	w.Variables = variables
	w.Write(p, merged)
	return string(w.Body)
}

func build(schema *ast.Schema, types *tree.Types, shape *tree.Shape, set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Name == "__typename" {
				shape.Field("__typename").Typename = true
				continue
			}
			slot := shape.Position.Slot(s.Alias)
			shape.Field(s.Alias).Slot = slot
			if len(s.SelectionSet) > 0 && !strings.HasPrefix(s.Name, "__") {
				child := shape.Position.Under(slot)
				if id := types.ID(s.Definition.Type.Name()); types.IsObject(id) {
					child.Assume(id)
				} else {
					child.Assume(tree.None)
				}
				if shape.Field(s.Alias).Child == nil {
					shape.Field(s.Alias).Child = &tree.Shape{Position: child, Types: types}
				}
				below := shape.Field(s.Alias).Child
				below.Field("__typename").Typename = true
				build(schema, types, below, s.SelectionSet)
			}
		case *ast.InlineFragment:
			build(schema, types, shape, s.SelectionSet)
		}
	}
}

func outputs(schema *ast.Schema, set ast.SelectionSet, types []string) []*plan.Output {
	var made []*plan.Output
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			output := &plan.Output{Key: s.Alias, From: s.Alias, Name: s.Name, Type: s.Definition.Type, Types: types}
			if strings.HasPrefix(s.Name, "__") && s.Name != "__typename" {
				output.Introspection = s
			} else {
				output.Fields = outputs(schema, s.SelectionSet, nil)
			}
			for _, d := range s.Directives {
				output.When = plan.Condition{{{Variable: d.Arguments[0].Value.Raw, Is: d.Name == "include"}}}
			}
			made = append(made, output)
		case *ast.InlineFragment:
			names := []string{}
			for _, d := range schema.GetPossibleTypes(schema.Types[s.TypeCondition]) {
				names = append(names, d.Name)
			}
			made = append(made, outputs(schema, s.SelectionSet, names)...)
		}
	}
	return made
}

// TestNulls follows the specification's chapter on errors and non-null types, case by case.
func TestNulls(t *testing.T) {
	null := func(field, path string) string {
		return `,"errors":[{"message":"字段 ` + field + ` 不可为空，但没有取得数据","path":` + path + `,"extensions":{"code":"INVALID_RESPONSE"}}]`
	}
	wrong := func(field, path string) string {
		return `,"errors":[{"message":"字段 ` + field + ` 的值不符合其类型","path":` + path + `,"extensions":{"code":"INVALID_RESPONSE"}}]`
	}
	for _, c := range []struct{ query, data, want, errors string }{
		{`{s}`, `{"s":null}`, `{"s":null}`, ``},
		{`{s}`, `{}`, `{"s":null}`, ``},
		{`{s S}`, `{"s":"x","S":null}`, `null`, null("S", `["S"]`)},
		{`{o{N}}`, `{"o":{"N":null}}`, `{"o":null}`, null("N", `["o","N"]`)},
		{`{O{N}}`, `{"O":{"N":null}}`, `null`, null("N", `["O","N"]`)},
		{`{o{T{T{N}}} s}`, `{"o":{"T":{"T":{}}},"s":"y"}`, `{"o":null,"s":"y"}`, null("N", `["o","T","T","N"]`)},
		{`{o{t{T{N}}}}`, `{"o":{"t":{"T":{}}}}`, `{"o":{"t":null}}`, null("N", `["o","t","T","N"]`)},
		{`{l}`, `{"l":[1,null,3]}`, `{"l":[1,null,3]}`, ``},
		{`{lN}`, `{"lN":[1,null,3]}`, `{"lN":null}`, null("lN", `["lN",1]`)},
		{`{LN}`, `{"LN":[1,null,3]}`, `null`, null("LN", `["LN",1]`)},
		{`{ll}`, `{"ll":[[1],[2,null],null,[]]}`, `{"ll":[[1],null,null,[]]}`, null("ll", `["ll",1,1]`)},
		{`{os{N}}`, `{"os":[{"N":1},{"N":null},null]}`, `{"os":[{"N":1},null,null]}`, null("N", `["os",1,"N"]`)},
		{`{osN{N}}`, `{"osN":[{"N":1},{"N":null}]}`, `{"osN":null}`, null("N", `["osN",1,"N"]`)},
		{`{OsN{N}}`, `{"OsN":[{"N":null}]}`, `null`, null("N", `["OsN",0,"N"]`)},
		{`{OsN{N}}`, `{"OsN":null}`, `null`, null("OsN", `["OsN"]`)},
		{`{os{n}}`, `{"os":[]}`, `{"os":[]}`, ``},
		// leaves
		{`{i}`, `{"i":2147483647}`, `{"i":2147483647}`, ``},
		{`{i}`, `{"i":2147483648}`, `{"i":null}`, wrong("i", `["i"]`)},
		{`{i}`, `{"i":-2147483648}`, `{"i":-2147483648}`, ``},
		{`{i}`, `{"i":1.0}`, `{"i":1}`, ``},
		{`{i}`, `{"i":1.5}`, `{"i":null}`, wrong("i", `["i"]`)},
		{`{i}`, `{"i":"1"}`, `{"i":null}`, wrong("i", `["i"]`)},
		{`{f}`, `{"f":1e400}`, `{"f":1e400}`, ``},
		{`{f}`, `{"f":"x"}`, `{"f":null}`, wrong("f", `["f"]`)},
		{`{b}`, `{"b":true}`, `{"b":true}`, ``},
		{`{b}`, `{"b":1}`, `{"b":null}`, wrong("b", `["b"]`)},
		{`{id}`, `{"id":12345678901234567890}`, `{"id":"12345678901234567890"}`, ``},
		{`{id}`, `{"id":1.5}`, `{"id":null}`, wrong("id", `["id"]`)},
		{`{ids}`, `{"ids":[1,"b"]}`, `{"ids":["1","b"]}`, ``},
		{`{s}`, `{"s":{"a":1}}`, `{"s":null}`, wrong("s", `["s"]`)},
		{`{s}`, `{"s":["a"]}`, `{"s":null}`, wrong("s", `["s"]`)},
		{`{s}`, `{"s":"a\u0000\"\\/b"}`, `{"s":"a\u0000\"\\/b"}`, ``},
		{`{color}`, `{"color":"RED"}`, `{"color":"RED"}`, ``},
		{`{color}`, `{"color":"SECRET"}`, `{"color":null}`, wrong("color", `["color"]`)},
		{`{colors}`, `{"colors":["RED","SECRET"]}`, `{"colors":["RED",null]}`, wrong("colors", `["colors",1]`)},
		{`{json}`, `{"json":{"a":[1, {"b":null}], "n":1.50}}`, `{"json":{"a":[1, {"b":null}], "n":1.50}}`, ``},
		{`{l}`, `{"l":5}`, `{"l":null}`, wrong("l", `["l"]`)},
		{`{o{n}}`, `{"o":"text"}`, `{"o":null}`, wrong("o", `["o"]`)},
		{`{o{n}}`, `{"o":[{"n":1}]}`, `{"o":null}`, wrong("o", `["o"]`)},
		// runtime types
		{`{any{__typename ...on T{n} ...on U{u}}}`, `{"any":{"__typename":"U","u":"x"}}`, `{"any":{"__typename":"U","u":"x"}}`, ``},
		{`{any{__typename}}`, `{"any":{"__typename":"Hidden"}}`, `{"any":null}`, wrong("any", `["any"]`)},
		{`{any{__typename}}`, `{"any":{"__typename":"Nonsense"}}`, `{"any":null}`, wrong("any", `["any"]`)},
		{`{any{...on Node{id}}}`, `{"any":{"__typename":"T","id":"7"}}`, `{"any":{"id":"7"}}`, ``},
		{`{a:__typename o{x:__typename}}`, `{"o":{}}`, `{"a":"Query","o":{"x":"T"}}`, ``},
		{`{nodes{id ...on T{n}}}`, `{"nodes":[{"__typename":"T","id":"1","n":2},{"__typename":"U","id":"2"}]}`, `{"nodes":[{"id":"1","n":2},{"id":"2"}]}`, ``},
		// keys in the order of the question, whatever the order of the answer
		{`{z:i a:s}`, `{"a":"x","z":1}`, `{"z":1,"a":"x"}`, ``},
	} {
		if diff := cmp.Diff(`{"data":`+c.want+c.errors+`}`, answer(t, c.query, c.data, nil)); diff != "" {
			t.Errorf("%s over %s (-want +got):\n%s", c.query, c.data, diff)
		}
	}
}

func TestConditions(t *testing.T) {
	query := `query($a: Boolean!) {s @include(if: $a) i @skip(if: $a) o @include(if: $a) {n}}`
	for a, want := range map[bool]string{true: `{"data":{"s":"x","o":{"n":1}}}`, false: `{"data":{"i":1}}`} {
		if got := answer(t, query, `{"s":"x","i":1,"o":{"n":1}}`, map[string]any{"a": a}); got != want {
			t.Errorf("a=%v: %s, want %s", a, got, want)
		}
	}
	if got := answer(t, `query($a: Boolean!) {s @include(if: $a)}`, `{}`, map[string]any{"a": false}); got != `{"data":{}}` {
		t.Errorf("all skipped: %s, want {}", got)
	}
}

func TestOrderThatVaries(t *testing.T) {
	// { ...@include(if: $a) {s} i s }
	byVariable := func(outputs []*plan.Output) {
		outputs[0].Order = []plan.Occurrence{{At: 0, When: plan.Condition{{{Variable: "a", Is: true}}}}, {At: 2}}
		outputs[1].Order = []plan.Occurrence{{At: 1}}
	}
	for a, want := range map[bool]string{true: `{"data":{"s":"x","i":1}}`, false: `{"data":{"i":1,"s":"x"}}`} {
		if got := answerWith(t, `{s i}`, `{"s":"x","i":1}`, map[string]any{"a": a}, byVariable); got != want {
			t.Errorf("a=%v: %s, want %s", a, got, want)
		}
	}
	// { nodes { ...on T {__typename id} ...on U {id __typename} } }
	byType := func(outputs []*plan.Output) {
		outputs[0].Fields[0].Order = []plan.Occurrence{{At: 0, Types: []string{"T"}}, {At: 3, Types: []string{"U"}}}
		outputs[0].Fields[1].Order = []plan.Occurrence{{At: 1, Types: []string{"T"}}, {At: 2, Types: []string{"U"}}}
	}
	want := `{"data":{"nodes":[{"__typename":"T","id":"1"},{"id":"2","__typename":"U"}]}}`
	if got := answerWith(t, `{nodes{__typename id}}`, `{"nodes":[{"__typename":"T","id":"1"},{"__typename":"U","id":"2"}]}`, nil, byType); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNothingLeftToSelect(t *testing.T) {
	empty := func(outputs []*plan.Output) { outputs[0].Fields, outputs[1].Fields = nil, nil }
	if got := answerWith(t, `{o{n} os{n}}`, `{"o":{"n":1},"os":[{"n":1}]}`, nil, empty); got != `{"data":{"o":{},"os":[{}]}}` {
		t.Errorf("got %s, want empty objects", got)
	}
}

func TestIntrospectionInTheAnswer(t *testing.T) {
	got := answer(t, `{s __type(name:"Color"){name enumValues{name}} gone: __type(name:"Nope"){name}}`, `{"s":"x"}`, nil)
	want := `{"data":{"s":"x","__type":{"name":"Color","enumValues":[{"name":"RED"},{"name":"GREEN"}]},"gone":null}}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
