package authorize

import (
	"testing"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

func scopes(alternatives ...[]string) supergraph.Access {
	var access supergraph.Access
	for _, names := range alternatives {
		var rights []supergraph.Right
		for _, name := range names {
			rights = append(rights, supergraph.Right{Kind: supergraph.Scope, Name: name})
		}
		access = append(access, rights)
	}
	return access
}

func TestFollows(t *testing.T) {
	a, b := scopes([]string{"a"}), scopes([]string{"b"})
	either, both := scopes([]string{"a"}, []string{"b"}), scopes([]string{"a", "b"})
	signed := supergraph.Access{{{Kind: supergraph.Authenticated}}}
	policy := supergraph.Access{{{Kind: supergraph.Policy, Name: "a"}}}
	wide := supergraph.Access{}
	for i := range 2000 {
		wide = append(wide, []supergraph.Right{{Kind: supergraph.Scope, Name: string(rune('一' + i))}})
	}
	for i, test := range []struct {
		rule supergraph.Access
		said []supergraph.Access
		want bool
	}{
		{a, []supergraph.Access{a}, true},
		{a, []supergraph.Access{b}, false},
		{a, nil, false},
		{both, []supergraph.Access{a, b}, true},
		{both, []supergraph.Access{either}, false},
		{either, []supergraph.Access{a}, true},
		{either, []supergraph.Access{both}, true},
		{a, []supergraph.Access{either}, false},
		{signed, []supergraph.Access{a}, false},
		{a, []supergraph.Access{policy}, false},
		{a, []supergraph.Access{a, wide}, false}, // true, but too much to look at: the stricter side
	} {
		if got := follows(test.rule, test.said); got != test.want {
			t.Errorf("%d: follows is %v, want %v", i, got, test.want)
		}
	}
}

const interfaces = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) @link(url: "https://specs.apollo.dev/authenticated/v0.1") @link(url: "https://specs.apollo.dev/requiresScopes/v0.1") { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/") }
type Query @join__type(graph: A) { node: Node }
interface Node @join__type(graph: A) { id: ID! @authenticated name: String @requiresScopes(scopes: [["x", "y"]]) }
type X implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") { id: ID! name: String @requiresScopes(scopes: [["x"]]) }
type Y implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") { id: ID! name: String @requiresScopes(scopes: [["y"]]) }
`

type held struct {
	signed bool
	scopes map[string]bool
}

func (h held) Authenticated() bool     { return h.signed }
func (h held) HasScope(s string) bool  { return h.scopes[s] }
func (h held) HasPolicy(s string) bool { return false }

// A rule that was written at an interface holds for what implements it; one
// that composition derived from the implementations adds nothing to each.
func TestRulesOfInterfaces(t *testing.T) {
	super, err := supergraph.Load(interfaces)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := New(super)
	if err != nil {
		t.Fatal(err)
	}
	var every Set
	for i := range rules.list {
		every = every.with(i)
	}
	x, y := super.Type("X"), super.Type("Y")
	for _, test := range []struct {
		holder  *supergraph.Type
		field   string
		claims  Claims
		allowed bool
	}{
		{x, "id", held{}, false},
		{y, "id", held{}, false},
		{x, "id", held{signed: true}, true},
		{x, "name", held{true, map[string]bool{"x": true}}, true},
		{y, "name", held{true, map[string]bool{"x": true}}, false},
		{y, "name", held{true, map[string]bool{"y": true}}, true},
		{x, "name", nil, false},
	} {
		denied := rules.Without(rules.Failed(every, test.claims)).Denied(test.holder, test.field)
		if denied == test.allowed {
			t.Errorf("%s.%s for %v: denied is %v", test.holder.Name, test.field, test.claims, denied)
		}
	}
}

func TestNoRules(t *testing.T) {
	super, err := supergraph.Load(`schema @link(url: "https://specs.apollo.dev/join/v0.3") { query: Query } enum join__Graph { A @join__graph(name: "a", url: "") } type Query @join__type(graph: A) { a: Int }`)
	if err != nil {
		t.Fatal(err)
	}
	if rules, err := New(super); rules != nil || err != nil {
		t.Error(rules, err)
	}
}

// What a field is made of requires the same: through @requires, in chains, and
// through arguments that ancestors fill.
func TestRulesOfWhatIsGiven(t *testing.T) {
	super, err := supergraph.Load(`
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY) @link(url: "https://specs.apollo.dev/authenticated/v0.1") { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/") B @join__graph(name: "b", url: "http://127.0.0.1:2/") }
type Query @join__type(graph: A) @join__type(graph: B) { user: User @join__field(graph: A) }
type User @join__type(graph: A, key: "id") @context(name: "a__user") {
  id: ID! locale: String @authenticated plain: String
  order: Order
}
type Order @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  secret: Secret @join__field(graph: A) @join__field(graph: B, external: true)
  first: Int @join__field(graph: A, external: true) @join__field(graph: B, requires: "secret { code }")
  second: Int @join__field(graph: A, requires: "first")
  greeting: String @join__field(graph: A, contextArguments: [{context: "a__user", name: "l", type: "String", selection: " { locale }"}])
  open: String @join__field(graph: A, contextArguments: [{context: "a__user", name: "l", type: "String", selection: " { plain }"}])
}
type Secret @join__type(graph: A) @join__type(graph: B) { code: Int @authenticated hint: Int }
`)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := New(super)
	if err != nil {
		t.Fatal(err)
	}
	order := super.Type("Order")
	denial := rules.Without(Set(nil).with(0))
	for field, want := range map[string]bool{"id": false, "secret": false, "first": true, "second": true, "greeting": true, "open": false} {
		if got := denial.Denied(order, field); got != want {
			t.Errorf("Order.%s: denied is %v, want %v", field, got, want)
		}
	}
}
