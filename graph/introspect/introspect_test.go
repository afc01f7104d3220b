package introspect

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const sdl = `
"""全部"""
schema { query: Root mutation: Change }
type Root { "一" a(x: [In!]! = [{n: 1, s: "q\"", e: A}], old: Int = 3 @deprecated(reason: "旧")): [T!]! gone: Int @deprecated }
type Change { c: Int }
interface Node { id: ID! }
type T implements Node { id: ID! }
type V implements Node { id: ID! }
union W = V | T
enum E { A B @deprecated(reason: "不用") }
input In { n: Int = 5 s: String e: E = A l: [Int] = [1, 2] old: Int @deprecated }
input One @oneOf { a: Int b: Int }
scalar Date @specifiedBy(url: "https://example.org/date")
directive @mark(note: String = "x") repeatable on FIELD | OBJECT
`

func ask(t *testing.T, query string) string {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: sdl})
	document, err := gqlparser.LoadQuery(schema, query)
	if err != nil {
		t.Fatal(err)
	}
	field, err2 := New(schema, document.Operations[0].SelectionSet[0].(*ast.Field))
	if err2 != nil {
		t.Fatal(err2)
	}
	got := field.Append(nil, map[string]any{"yes": true, "no": false})
	if !json.Valid(got) {
		t.Fatalf("not JSON: %s", got)
	}
	return string(got)
}

func TestIntrospection(t *testing.T) {
	for query, want := range map[string]string{
		`{__schema{description queryType{name} mutationType{name} subscriptionType{name}}}`:                                                                            `{"description":"全部","queryType":{"name":"Root"},"mutationType":{"name":"Change"},"subscriptionType":null}`,
		`{__type(name:"Root"){kind name fields{name description args{name defaultValue type{kind ofType{kind ofType{kind ofType{name}}}}} type{kind ofType{kind}}}}}`:  `{"kind":"OBJECT","name":"Root","fields":[{"name":"a","description":"一","args":[{"name":"x","defaultValue":"[{n: 1, s: \"q\\\"\", e: A}]","type":{"kind":"NON_NULL","ofType":{"kind":"LIST","ofType":{"kind":"NON_NULL","ofType":{"name":"In"}}}}}],"type":{"kind":"NON_NULL","ofType":{"kind":"LIST"}}}]}`,
		`{__type(name:"Root"){fields(includeDeprecated:true){name isDeprecated deprecationReason args(includeDeprecated:true){name isDeprecated deprecationReason}}}}`: `{"fields":[{"name":"a","isDeprecated":false,"deprecationReason":null,"args":[{"name":"x","isDeprecated":false,"deprecationReason":null},{"name":"old","isDeprecated":true,"deprecationReason":"旧"}]},{"name":"gone","isDeprecated":true,"deprecationReason":"No longer supported","args":[]}]}`,
		`query($yes:Boolean!){__type(name:"E"){enumValues(includeDeprecated:$yes){name}}}`:                                                                             `{"enumValues":[{"name":"A"},{"name":"B"}]}`,
		`{__type(name:"E"){enumValues{name} fields{name} possibleTypes{name} inputFields{name} interfaces{name} ofType{name} isOneOf specifiedByURL}}`:                 `{"enumValues":[{"name":"A"}],"fields":null,"possibleTypes":null,"inputFields":null,"interfaces":null,"ofType":null,"isOneOf":null,"specifiedByURL":null}`,
		`{__type(name:"Node"){possibleTypes{name} interfaces{name}}}`:                                                                                                  `{"possibleTypes":[{"name":"T"},{"name":"V"}],"interfaces":[]}`,
		`{__type(name:"W"){kind possibleTypes{name}}}`:                                                                                                                 `{"kind":"UNION","possibleTypes":[{"name":"V"},{"name":"T"}]}`,
		`{__type(name:"In"){isOneOf inputFields{name defaultValue}}}`:                                                                                                  `{"isOneOf":false,"inputFields":[{"name":"n","defaultValue":"5"},{"name":"s","defaultValue":null},{"name":"e","defaultValue":"A"},{"name":"l","defaultValue":"[1, 2]"}]}`,
		`{__type(name:"One"){isOneOf}}`:              `{"isOneOf":true}`,
		`{__type(name:"Date"){kind specifiedByURL}}`: `{"kind":"SCALAR","specifiedByURL":"https://example.org/date"}`,
		`{__type(name:"Nope"){name}}`:                `null`,
		`{__type(name:"T"){...f name:name} } fragment f on __Type {n:name name ...on __Type{__typename}}`: `{"n":"T","name":"T","__typename":"__Type"}`,
		`query($no:Boolean!){__type(name:"T"){name kind @include(if:$no)}}`:                               `{"name":"T"}`,
	} {
		if diff := cmp.Diff(want, ask(t, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestDirectives(t *testing.T) {
	var got struct {
		Directives []struct {
			Name         string
			IsRepeatable bool
			Locations    []string
			Args         []struct{ Name, DefaultValue string }
		}
	}
	if err := json.Unmarshal([]byte(ask(t, `{__schema{directives{name isRepeatable locations args{name defaultValue}}}}`)), &got); err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Directives {
		if d.Name == "mark" && d.IsRepeatable && len(d.Locations) == 2 && d.Args[0].DefaultValue == `"x"` {
			return
		}
	}
	t.Errorf("no @mark as declared in %+v", got.Directives)
}
