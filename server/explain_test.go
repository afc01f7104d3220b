package main

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/graph/conformance"
)

// TestExplainStages carries one operation through what explain prints.
func TestExplainStages(t *testing.T) {
	file := upstream(t, func(http.ResponseWriter, *http.Request) { t.Error("explain reaches the subgraph") })
	const operation = "query Hello { ...F } fragment F on Query { hello again: hello }"
	for _, test := range []struct {
		flags []string
		want  []string // lines that must be there, spaces aside
	}{
		{[]string{"--stage", "parse"}, []string{"query Hello {", "... F", "fragment F on Query {"}},
		{[]string{"--stage", "validate"}, []string{"query Hello is valid", "depth 1 64", "fields 2 20000", "aliases 1 5000", "root fields 2 500", "cost 0 any", "shared among callers of one authorisation view"}},
		{[]string{"--stage", "choices"}, []string{"each field has one way"}},
		{[]string{"--stage", "plan"}, []string{"query Hello", "fetch 0 from GREETING", "calls 1 in 1 round: GREETING 1"}},
		{nil, []string{"fetch 0 from GREETING", "calls 1 in 1 round: GREETING 1"}},
		{[]string{"--stage", "fetches"}, []string{"sends {hello again:hello}", "calls 1 in 1 round: GREETING 1"}},
	} {
		out, complaint, code := explained(t, file, operation, test.flags...)
		if code != 0 {
			t.Errorf("%v: code %d: %s", test.flags, code, complaint)
			continue
		}
		lines := map[string]bool{}
		for line := range strings.Lines(out) {
			lines[strings.Join(strings.Fields(line), " ")] = true
		}
		for _, want := range test.want {
			if !lines[want] {
				t.Errorf("%v: no line %q in\n%s", test.flags, want, out)
			}
		}
	}
}

func TestExplainAsJSON(t *testing.T) {
	file := upstream(t, func(http.ResponseWriter, *http.Request) { t.Error("explain reaches the subgraph") })
	out, complaint, code := explained(t, file, "query Hello { hello }", "--json")
	if code != 0 {
		t.Fatalf("code %d: %s", code, complaint)
	}
	type call struct {
		Subgraph string
		Most     int
	}
	type fetch struct {
		ID                       int
		Kind, Subgraph, Document string
	}
	type planned struct {
		Operation, Name string
		Calls           struct {
			Least, Most, Rounds int
			Subgraphs           []call
		}
		Fetches []fetch
	}
	var got, want planned
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want.Operation, want.Name = "query", "Hello"
	want.Calls.Least, want.Calls.Most, want.Calls.Rounds = 1, 1, 1
	want.Calls.Subgraphs = []call{{"GREETING", 1}}
	want.Fetches = []fetch{{0, "root", "GREETING", "{hello}"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What was weighed is for programs too, as X-Explain gives it.
func TestExplainPrintsChoicesAsJSON(t *testing.T) {
	out, complaint, code := explained(t, "../schema/supergraph.graphql", "{ viewer { nickname area { activities(first: 2) { edges { node { title area { name } } } } } } }", "--stage", "choices", "--json")
	var got []struct {
		Path, Field string
		Ways        []struct {
			Subgraph, Key string
			Cost          int
			Taken         bool
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("%v, code %d, %s: %s", err, code, complaint, out)
	}
	if len(got) == 0 || len(got[0].Ways) < 2 || got[0].Ways[0].Cost >= got[0].Ways[1].Cost || !got[0].Ways[0].Taken || got[0].Ways[1].Key == "" {
		t.Errorf("choices %s", out)
	}
}

// A label decides where a field comes from, in every stage.
func TestExplainWithLabels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "supergraph.graphql")
	const rolling = conformance.Definitions + `
enum join__Graph { A @join__graph(name: "a", url: "http://a/") B @join__graph(name: "b", url: "http://b/") }
type Query @join__type(graph: A) @join__type(graph: B) {
  hello: String @join__field(graph: A, overrideLabel: "percent(5)") @join__field(graph: B, override: "a", overrideLabel: "percent(5)")
}
`
	if err := os.WriteFile(file, []byte(rolling), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, flags := range map[string][]string{
		"A": nil,
		"B": {"--label", "percent(5)"},
	} {
		for stage, line := range map[string]string{"plan": "fetch 0 from " + want, "fetches": "to " + strings.ToLower(want)} {
			out, complaint, code := explained(t, file, "{ hello }", append(flags, "--stage", stage)...)
			if code != 0 || !strings.Contains(out, line) {
				t.Errorf("%v, %s: code %d, no %q: %s%s", flags, stage, code, line, complaint, out)
			}
		}
	}
}

// TestExplainRefuses: each stage refuses what it is about, and no later one.
func TestExplainRefuses(t *testing.T) {
	file := upstream(t, func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		operation string
		flags     []string
		code      int
		want      string
	}{
		{"{ hello", nil, 1, "is refused"},
		{"{ hello", []string{"--stage", "parse"}, 1, "is refused"},
		{"{ goodbye }", []string{"--stage", "parse"}, 0, ""},
		{"{ goodbye }", []string{"--stage", "validate"}, 1, "goodbye"},
		{"query A { hello } query B { hello }", nil, 1, "operationName must name one"},
		{"query A { hello } query B { hello }", []string{"--name", "B"}, 0, ""},
		{"{ hello }", []string{"--stage", "guess"}, 2, "--stage"},
		{"{ hello }", []string{"--stage", "fetches", "--json"}, 2, "--json prints the plan"},
	} {
		_, complaint, code := explained(t, file, test.operation, test.flags...)
		if code != test.code || !strings.Contains(complaint, test.want) {
			t.Errorf("%s %v: code %d, want %d: %q", test.operation, test.flags, code, test.code, complaint)
		}
	}
}

func explained(t *testing.T, supergraph, operation string, flags ...string) (out, complaint string, code int) {
	t.Helper()
	var printed, said strings.Builder
	arguments := append([]string{"explain", "--supergraph", supergraph, "--operation", "-"}, flags...)
	code = run(t.Context(), arguments, terminal{io.Reader(strings.NewReader(operation)), &printed, &said})
	return printed.String(), said.String(), code
}

// TestGatewayDocument runs the commands of docs/gateway.md again: what it shows
// is what the program prints. -update-document writes what is printed now.
func TestGatewayDocument(t *testing.T) {
	const file = "../docs/gateway.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```graphql\n(query .*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("no example in the document")
	}
	stages := map[string]bool{}
	shown := regexp.MustCompile("(?s)```text\n(\\$ bin/citizencloud explain [^\n]* --stage ([a-z]+)\n)(.*?)```")
	now := shown.ReplaceAllFunc(text, func(block []byte) []byte {
		parts := shown.FindSubmatch(block)
		stage := string(parts[2])
		stages[stage] = true
		out, complaint, code := explained(t, "../schema/supergraph.graphql", string(example[1]), "--stage", stage)
		if code != 0 {
			t.Errorf("%s: code %d: %s", stage, code, complaint)
		}
		if diff := cmp.Diff(string(parts[3]), out); diff != "" && !*updateDocument {
			t.Errorf("%s (-document +printed):\n%s", stage, diff)
		}
		return []byte("```text\n" + string(parts[1]) + out + "```")
	})
	if len(stages) != 5 {
		t.Errorf("the document shows %d stages, want 5: %v", len(stages), stages)
	}
	if *updateDocument {
		if err := os.WriteFile(file, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var updateDocument = flag.Bool("update-document", false, "write what explain prints into docs/gateway.md")
