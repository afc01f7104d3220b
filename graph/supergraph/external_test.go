package supergraph_test

import "testing"

// TestExternalUnsaid: a composition may leave @join__field out where all
// subgraphs define a field, also one that requires or provides it.
func TestExternalUnsaid(t *testing.T) {
	super := mustLoad(t, `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { all: [M] @join__field(graph: A) leads: [M] @join__field(graph: B, provides: "given") }
interface M @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID!
  required: Int
  given: Int
  shared: Int
  said: Int @join__field(graph: A) @join__field(graph: B)
  one: Int @join__field(graph: B, requires: "required said id")
}
type S implements M @join__implements(graph: A, interface: "M") @join__type(graph: A, key: "id") {
  id: ID!
  required: Int
  given: Int
  shared: Int
  said: Int
  one: Int @join__field
}
`)
	for name, external := range map[string]bool{"id": false, "required": true, "given": true, "shared": false, "said": false} {
		for index, want := range []bool{false, external} {
			if in := super.Type("M").Field(name).For(index); in.External != want {
				t.Errorf("%s is external in subgraph %d: %v", name, index, in.External)
			}
		}
	}
}
