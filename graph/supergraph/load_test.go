package supergraph_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// describe writes what the subgraphs know of a type, one line each.
func describe(super *supergraph.Supergraph, name string) string {
	t := super.Type(name)
	var lines []string
	for _, in := range t.In {
		line := in.Subgraph.ID
		if in.InterfaceObject {
			line += " object"
		}
		for _, key := range in.Keys {
			line += " key(" + key.Fields.String() + ")"
			if !key.Resolvable {
				line += "!"
			}
		}
		if t.Abstract() {
			line += " members"
			for _, member := range in.Members {
				line += " " + member.Name
			}
		}
		lines = append(lines, line)
	}
	var fields []string
	for _, definition := range t.Definition.Fields {
		line := definition.Name + ":"
		for _, in := range t.Field(definition.Name).In {
			line += " " + in.Subgraph.ID
			for _, part := range []struct {
				name string
				set  bool
			}{{"external", in.External}, {"overridden", in.Overridden}, {"key", in.InKey}} {
				if part.set {
					line += "-" + part.name
				}
			}
			if in.Type.String() != definition.Type.String() {
				line += "-" + in.Type.String()
			}
			if len(in.Requires) > 0 {
				line += "-requires(" + in.Requires.String() + ")"
			}
			if len(in.Provides) > 0 {
				line += "-provides(" + in.Provides.String() + ")"
			}
			if in.Label != "" {
				line += "-label(" + in.Label + ")"
			}
		}
		fields = append(fields, line)
	}
	sort.Strings(fields)
	return strings.Join(append(lines, fields...), "\n")
}

func want(t *testing.T, super *supergraph.Supergraph, name, text string) {
	t.Helper()
	if difference := cmp.Diff(strings.TrimSpace(text), describe(super, name)); difference != "" {
		t.Errorf("%s (-want +got):\n%s", name, difference)
	}
}

func mustLoad(t testing.TB, sdl string) *supergraph.Supergraph {
	t.Helper()
	super, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	return super
}

const current = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) @link(url: "https://specs.apollo.dev/tag/v0.3")
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", {name: "@listSize", as: "@size"}]) { query: Query }
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT
directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INTERFACE | UNION
directive @size(assumedSize: Int) on FIELD_DEFINITION
directive @cost(weight: Int!) on FIELD_DEFINITION
directive @mine(x: Int) on FIELD | FIELD_DEFINITION
enum join__Graph { A @join__graph(name: "a-name", url: "http://a/graphql") B @join__graph(name: "b", url: "http://b") }
scalar join__FieldSet
scalar join__DirectiveArguments
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldSet! }
enum link__Purpose { SECURITY EXECUTION }
scalar link__Import
type Query @join__type(graph: A) @join__type(graph: B) {
  all: Int
  one(secret: Int @inaccessible, open: Int): User @join__field(graph: A) @size(assumedSize: 3) @mine(x: 1)
  hidden: Int @inaccessible
  media: Media @join__field(graph: A)
  any: Any @join__field(graph: B)
}
type User implements Media @join__implements(graph: A, interface: "Media") @join__type(graph: A, key: "id") @join__type(graph: A, key: "org { id } code", resolvable: false) @join__type(graph: B, key: "id", extension: true) @tag(name: "x") {
  id: ID! @join__field(graph: A) @join__field(graph: B, external: true)
  code: String @join__field(graph: A, type: "String!") @deprecated(reason: "old")
  org: Org @join__field(graph: A)
  name: String @join__field(graph: A, overrideLabel: "percent(5)") @join__field(graph: B, override: "a-name", overrideLabel: "percent(5)")
  weight: Int @join__field(graph: B, external: true) @join__field(graph: A, usedOverridden: true)
  tall: Boolean @join__field(graph: B, requires: "weight", provides: "")
  fromObject: Int @join__field
}
type Org @join__type(graph: A) { id: ID! }
interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) { id: ID! }
union Any @join__type(graph: A) @join__type(graph: B) @join__unionMember(graph: A, member: "User") @join__unionMember(graph: A, member: "Org") @join__unionMember(graph: B, member: "User") = User | Org | Ghost
type Ghost @join__type(graph: A) @inaccessible { id: ID! }
enum Color @join__type(graph: A) { RED @join__enumValue(graph: A) SECRET @inaccessible @join__enumValue(graph: A) }
input In @join__type(graph: A) { a: Int b: Int @inaccessible }
`

func TestCurrent(t *testing.T) {
	super := mustLoad(t, current)
	want(t, super, "User", `
A key(id) key(org { id } code)!
B key(id)
code: A-key-String!
fromObject:
id: A-key B-external-key
name: A-label(percent(5)) B-label(percent(5))
org: A-key
tall: B-requires(weight)
weight: A-overridden B-external`)
	want(t, super, "Query", "A\nB\nall: A B\nany: B\nhidden: A B\nmedia: A\none: A")
	want(t, super, "Media", "A key(id) members User\nB object key(id) members User\nid: A-key B-key")
	want(t, super, "Any", "A members Org User\nB members User")
	if got := fmt.Sprint(super.Labels); got != "[percent(5)]" {
		t.Errorf("labels %s", got)
	}
	a := super.Subgraph("A")
	if a.Name != "a-name" || a.URL != "http://a/graphql" || a.Index != 0 {
		t.Errorf("subgraph A is %+v", a)
	}
	if super.RootType("query") != "Query" || super.RootType("mutation") != "" {
		t.Error("root types")
	}
}

func TestPublic(t *testing.T) {
	public := mustLoad(t, current).Public
	var names []string
	for name, definition := range public.Types {
		if !definition.BuiltIn {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	if got := strings.Join(names, " "); got != "Any Color In Media Org Query User" {
		t.Errorf("types: %s", got)
	}
	names = nil
	for name := range public.Directives {
		names = append(names, name)
	}
	sort.Strings(names)
	if got := strings.Join(names, " "); got != "deprecated include mine oneOf skip specifiedBy" {
		t.Errorf("directives: %s", got)
	}
	query := public.Types["Query"]
	if query.Fields.ForName("hidden") != nil || len(query.Fields.ForName("one").Arguments) != 1 || len(query.Fields.ForName("one").Directives) != 0 {
		t.Error("inaccessible elements or directives are public")
	}
	if public.Types["User"].Fields.ForName("code").Directives.ForName("deprecated") == nil {
		t.Error("the deprecation is lost")
	}
	if len(public.Types["Color"].EnumValues) != 1 || len(public.Types["In"].Fields) != 1 || len(public.Types["Any"].Types) != 2 {
		t.Error("inaccessible values, input fields or members are public")
	}
}

// TestFirstVersion reads what the first federation's composition wrote.
func TestFirstVersion(t *testing.T) {
	super := mustLoad(t, `
schema @core(feature: "https://specs.apollo.dev/core/v0.2") @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION) { query: Query }
directive @core(as: String, feature: String!, for: core__Purpose) repeatable on SCHEMA
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
enum core__Purpose { EXECUTION SECURITY }
enum join__Graph { A @join__graph(name: "a" url: "http://a") B @join__graph(name: "b" url: "http://b") C @join__graph(name: "c" url: "http://c") }
scalar join__FieldSet
type Query { user: User @join__field(graph: A) review: Review @join__field(graph: B) }
type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A)
  name: String @join__field(graph: A)
  plain: String
  reviews: [Review] @join__field(graph: B, requires: "name")
}
type Review { body: String by: User @join__field(graph: B, provides: "name") kind: Kind }
type Lonely { x: Int }
interface Shape { size: Int }
type Round implements Shape { size: Int }
enum Kind { GOOD BAD }
`)
	want(t, super, "User", `
A key(id)
B key(id)
id: A-key B-key
name: A
plain: A
reviews: B-requires(name)`)
	want(t, super, "Review", "B\nbody: B\nby: B-provides(name)\nkind: B")
	want(t, super, "Query", "A\nB\nC\nreview: B\nuser: A")
	if super.Public.Types["core__Purpose"] != nil || super.Public.Directives["core"] != nil {
		t.Error("the machinery of @core is public")
	}
}

// TestRenamed links the join specification under another name.
func TestRenamed(t *testing.T) {
	super := mustLoad(t, `
schema @lnk(url: "https://specs.apollo.dev/link/v1.0", as: "lnk") @lnk(url: "https://specs.apollo.dev/join/v0.3", as: "j")
  @lnk(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@private"}]) { query: Root }
directive @private on FIELD_DEFINITION
enum j__Graph { A @j__graph(name: "a", url: "http://a") }
scalar j__FieldSet
enum lnk__Purpose { EXECUTION }
type Root @j__type(graph: A) { a: Int b: Int @private join__odd: Int }
`)
	want(t, super, "Root", "A\na: A\nb: A\njoin__odd: A")
	root := super.Public.Types["Root"]
	if root.Fields.ForName("b") != nil || super.Public.Directives["private"] != nil || super.Public.Types["j__Graph"] != nil {
		t.Error("renamed machinery is public")
	}
}

func TestErrors(t *testing.T) {
	link := `schema @link(url: "https://specs.apollo.dev/join/v0.3") { query: Query } `
	graphs := `enum join__Graph { A @join__graph(name: "a", url: "http://a") } `
	for name, test := range map[string]struct{ sdl, want string }{
		"syntax":               {`type {`, "Expected Name"},
		"no supergraph":        {`type Query { a: Int }`, "does not link the join specification"},
		"later version":        {`schema @link(url: "https://specs.apollo.dev/join/v9.0") { query: Query } type Query { a: Int }`, "v9.0 is not supported"},
		"no subgraphs":         {link + `type Query { a: Int }`, "enum join__Graph is missing"},
		"unknown subgraph":     {link + graphs + `type Query @join__type(graph: B) { a: Int }`, `unknown subgraph "B"`},
		"unknown in a field":   {link + graphs + `type Query @join__type(graph: A) { a: Int @join__field(graph: C) }`, `Query.a: @join__field names the unknown subgraph "C"`},
		"bad key":              {link + graphs + `type Query @join__type(graph: A, key: "id {") { a: Int }`, "key of Query"},
		"bad requires":         {link + graphs + `type Query @join__type(graph: A) { a: Int @join__field(graph: A, requires: "...X") }`, "@requires of Query.a"},
		"bad type":             {link + graphs + `type Query @join__type(graph: A) { a: Int @join__field(graph: A, type: "[Int") }`, "missing ]"},
		"bad context":          {link + graphs + `type Query @join__type(graph: A) { a: Int @join__field(graph: A, contextArguments: [{name: "x", context: "a__c", selection: "{ a }"}]) }`, "context argument of Query.a lacks"},
		"bad selection":        {link + graphs + `type Query @join__type(graph: A) { a: Int @join__field(graph: A, contextArguments: [{name: "x", type: "Int", context: "a__c", selection: "{ a"}]) }`, "context argument of Query.a"},
		"no query":             {link + graphs + `type Other @join__type(graph: A) { a: Int }`, "no query root type"},
		"defined twice":        {link + graphs + `type Query @join__type(graph: A) { a: Int } type Query { b: Int }`, "Query is defined twice"},
		"field twice":          {link + graphs + `type Query @join__type(graph: A) { a: Int a: Int }`, "Query.a"},
		"undefined type":       {link + graphs + `type Query @join__type(graph: A) { a: Nothing b: Int }`, ""},
		"everything is secret": {link + graphs + `directive @inaccessible on FIELD_DEFINITION type Query @join__type(graph: A) { a: Int @inaccessible }`, "public schema"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := supergraph.Load(test.sdl)
			if test.want == "" {
				return // must not panic
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(current)
	f.Add(`schema @link(url: "https://specs.apollo.dev/join/v0.3") { query: Query } enum join__Graph { A } type Query @join__type(graph: A, key: "a { b }") { a: Query b: Int @join__field(graph: A, requires: "a { ... on Query { b } }") }`)
	f.Fuzz(func(t *testing.T, sdl string) {
		watch := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("hangs: %q", sdl)) })
		defer watch.Stop()
		super, err := supergraph.Load(sdl)
		if err != nil {
			return
		}
		if super.Public.Query == nil || super.Full.Query == nil {
			t.Error("loaded without a query root")
		}
	})
}

func FuzzFieldSet(f *testing.F) {
	f.Add(`id org { id ... on X { y(a: "b", c: [1, {d: null}]) } }`)
	f.Fuzz(func(t *testing.T, text string) {
		set, err := supergraph.ParseFieldSet(text)
		if err != nil {
			return
		}
		again, err := supergraph.ParseFieldSet(set.String())
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, set, err)
		}
		if again.String() != set.String() {
			t.Errorf("%q printed as %q, then as %q", text, set, again)
		}
	})
}
