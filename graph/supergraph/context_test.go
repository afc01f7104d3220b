package supergraph_test

import "testing"

func TestContexts(t *testing.T) {
	super := mustLoad(t, `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/context/v0.1", import: [{name: "@context", as: "@sets"}]) { query: Query }
directive @sets(name: String!) repeatable on OBJECT | INTERFACE | UNION
enum join__Graph { A @join__graph(name: "a", url: "") }
type Query @join__type(graph: A) { any: Any one: One }
interface Named @join__type(graph: A) @sets(name: "a__named") { name: String }
type One implements Named @join__implements(graph: A, interface: "Named") @join__type(graph: A) @sets(name: "a__one") @sets(name: "a__other") { name: String }
type Two @join__type(graph: A, key: "id") {
  id: ID!
  field(free: Int): Int @join__field(graph: A, contextArguments: [{context: "a__named", name: "x", type: "[String!]", selection: " { name }"}])
}
union Any @join__type(graph: A) @join__unionMember(graph: A, member: "One") @join__unionMember(graph: A, member: "Two") @sets(name: "a__any") = One | Two
`)
	for name, sets := range map[string][]string{"Named": {"a__named"}, "One": {"a__one", "a__other", "a__named", "a__any"}, "Two": {"a__any"}, "Any": {"a__any"}, "Query": {}} {
		for _, context := range []string{"a__named", "a__one", "a__other", "a__any", ""} {
			want := false
			for _, set := range sets {
				want = want || set == context
			}
			if super.Type(name).Sets(context) != want {
				t.Errorf("%s sets %q: %v", name, context, !want)
			}
		}
	}
	given := super.Type("Two").Field("field").In[0].Context
	if len(given) != 1 || given[0].Argument != "x" || given[0].Type.String() != "[String!]" || given[0].Selection.String() != "name" {
		t.Errorf("got %+v", given[0])
	}
	if super.Public.Directives["sets"] != nil || super.Public.Types["Two"].Fields.ForName("field").Arguments.ForName("x") != nil {
		t.Error("the context is public")
	}
}
