package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestCommittedManifestsAreFresh(t *testing.T) {
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	if err := run(root, true); err != nil {
		t.Error(err)
	}
}

const supergraph = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") { query: Query }
directive @link(url: String) repeatable on SCHEMA
directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
directive @join__field(graph: join__Graph) repeatable on FIELD_DEFINITION
scalar join__FieldSet
enum join__Graph { A }
type Query { area(id: ID, filter: Filter, secret: Int @inaccessible): Area @join__field(graph: A) hidden: Int @inaccessible vault: Vault @inaccessible }
type Area { id: ID! name: String level: Level old: Int @deprecated(reason: "旧") }
type Vault @inaccessible { id: ID }
enum Level { CITY SECRET @inaccessible }
input Filter { text: String, numbers: [Int!] }
`

// project writes files into a new project and gives its root.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["schema/supergraph.graphql"] = supergraph
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range clients {
		if err := os.MkdirAll(filepath.Join(root, "clients", client), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestBuild(t *testing.T) {
	root := project(t, map[string]string{
		"clients/app/operations/z/AreaName.graphql": "# a comment\nquery AreaName($id: ID!) {\n  area(id: $id) { ...Named, ...Own }\n}\nfragment Own on Area { id }\n",
		"clients/app/operations/area-list.graphql":  `query AreaList { area(filter: {text: "a\"b # (", numbers: [1, 2]}) { ...Both } }`,
		"clients/app/fragments/area.graphql":        "fragment Both on Area { ...Named level }\nfragment Named on Area { name }\nfragment Unused on Area { id }",
	})
	if err := run(root, true); err == nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("-check before writing: %v", err)
	}
	if err := run(root, false); err != nil {
		t.Fatal(err)
	}
	if err := run(root, true); err != nil {
		t.Errorf("-check after writing: %v", err)
	}
	content, err := os.ReadFile(filepath.Join(root, "clients/app/manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got manifest
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, operation := range got.Operations {
		bodies = append(bodies, operation.Name+": "+operation.Body)
	}
	want := []string{
		"AreaList: query AreaList{area(filter:{text:\"a\\\"b # (\" numbers:[1 2]}){...Both}}\nfragment Both on Area{...Named level}\nfragment Named on Area{name}",
		"AreaName: query AreaName($id:ID!){area(id:$id){...Named ...Own}}\nfragment Own on Area{id}\nfragment Named on Area{name}",
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Error(diff)
	}
	other, err := os.ReadFile(filepath.Join(root, "clients/partner/manifest.json"))
	if err != nil || !strings.Contains(string(other), `"operations": []`) {
		t.Errorf("a client without operations: %s %v", other, err)
	}
}

func TestWrongOperationsAreNamed(t *testing.T) {
	for name, test := range map[string]struct{ path, text, want string }{
		"two operations":     {"operations/A.graphql", "query A { area { id } } query B { area { id } }", "one operation"},
		"no name":            {"operations/A.graphql", "{ area { id } }", "one operation"},
		"file name":          {"operations/B.graphql", "query AreaName { area { id } }", "area-name.graphql"},
		"unknown field":      {"operations/A.graphql", "query A { nothing }", "nothing"},
		"inaccessible field": {"operations/A.graphql", "query A { hidden }", "hidden"},
		"inaccessible type":  {"operations/A.graphql", "query A { vault { id } }", "vault"},
		"inaccessible arg":   {"operations/A.graphql", "query A { area(secret: 1) { id } }", "secret"},
		"unknown fragment":   {"operations/A.graphql", "query A { area { ...X } }", "X"},
		"unused fragment":    {"operations/A.graphql", "query A { area { id } } fragment X on Area { id }", "X"},
		"syntax":             {"operations/A.graphql", "query A { area { id }", "not complete"},
		"more than one":      {"fragments/A.graphql", "query A { area { id } }", "only fragments"},
	} {
		t.Run(name, func(t *testing.T) {
			root := project(t, map[string]string{"clients/screen/" + test.path: test.text})
			if err := run(root, false); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("error %v, want one about %s in %s", err, test.want, test.path)
			}
		})
	}
	root := project(t, map[string]string{
		"clients/app/operations/x/A.graphql": "query A { area { id } }",
		"clients/app/operations/y/A.graphql": "query A { area { name } }",
	})
	if err := run(root, false); err == nil || !strings.Contains(err.Error(), "also in") {
		t.Errorf("the same name twice: %v", err)
	}
}

// Compacting must not change what an operation means.
func TestCompactKeepsTheMeaning(t *testing.T) {
	for _, text := range []string{
		`query A($a: [Int!]! = [1, -2] @x, $b: In = {a: {b: "}("}}) @d(a: {b: 1}) { a: b(c: 1.5e3, d: $a, e: null, f: true) @include(if: $c) { ... on T @skip(if: false) { id } ...F ... { x } } }`,
		"query A { a(t: \"\"\"\n  block \\\"\"\" # no comment\n    text\n\"\"\", u: \"\\u793e\\n\\t\\\"\") }",
		"mutation B { b } fragment F on T { a } # end",
		"subscription on { on ... on on { on } }",
		"{ a(b: \"\", c: \"x\") }",
	} {
		definitions, err := compact(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var parts []string
		for _, d := range definitions {
			parts = append(parts, d.text)
		}
		if diff := cmp.Diff(formatted(t, text), formatted(t, strings.Join(parts, "\n"))); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func formatted(t *testing.T, text string) string {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var out strings.Builder
	formatter.NewFormatter(&out).FormatQueryDocument(document)
	return out.String()
}
