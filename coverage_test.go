package citizencloud_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/schema"
)

// requirements are the IDs of the requirements' list, in its order.
var requirements = strings.Fields(`
	A1.1 A1.2 A1.3 A1.4 A2.1 A2.2 A2.3 A2.4 A3 A4.1 A4.2
	B1.1 B1.2 B2.1 B2.2 B2.3 B3.1 B3.2 B3.3 B3.4 B4
	C1.1 C1.2 C1.3 C1.4 C1.5 C1.6 C1.7
	C2.1 C2.2 C2.3 C2.4 C2.5 C2.6 C2.7 C2.8 C2.9 C2.10 C2.11
	C2.12 C2.13 C2.14 C2.15 C2.16 C2.17 C2.18 C2.19 C2.20 C2.21 C2.22
	C3.1.1 C3.1.2 C3.1.3 C3.1.4 C3.1.5 C3.1.6 C3.1.7 C3.1.8 C3.1.9 C3.1.10 C3.1.11 C3.1.12 C3.1.13
	C3.2.1 C3.2.2 C3.2.3 C3.3.1 C3.3.2 C3.3.3 C3.3.4
	D1 E1 E2 F1 F2 G1 G2 G3 H1 H2 H3 I1
	J1 J2 J3 J4`)

// claim is one row of docs/coverage.md.
type claim struct {
	id, name          string
	operations, tests []string
	state, missing    string
}

// rowOf reads one line of the document; ok is false for what is no row.
func rowOf(line string) (c claim, ok bool) {
	cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
	if len(cells) < 3 || cells[0] != "" || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "ID" {
		return claim{}, false
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	c.id, _, _ = strings.Cut(cells[1], " ")
	if len(cells) != 7 {
		return c, true // without a state; that is told
	}
	c.name, c.operations, c.tests, c.state, c.missing = cells[2], quoted(cells[3]), quoted(cells[4]), cells[5], cells[6]
	return c, true
}

// quoted takes the names between backticks.
func quoted(cell string) []string {
	var names []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			names = append(names, part)
		}
	}
	return names
}

// faults says what is wrong with a row by itself, given what exists.
func (c claim) faults(operations, tests map[string]bool) []string {
	var found []string
	if c.name == "" {
		found = append(found, "has no name")
	}
	switch c.state {
	case "works":
		if len(c.tests) == 0 {
			found = append(found, "works, as it says, but names no test")
		}
	case "partly":
		if len(c.tests) == 0 {
			found = append(found, "is partly there, as it says, but names no test")
		}
		fallthrough
	case "not yet":
		if c.missing == "" {
			found = append(found, "does not say what is missing")
		}
	default:
		found = append(found, "has no state of works, partly, not yet: "+c.state)
	}
	if c.state == "not yet" && len(c.operations)+len(c.tests) > 0 {
		found = append(found, "is not yet there, as it says, but names operations or tests")
	}
	for _, operation := range c.operations {
		if !operations[operation] {
			found = append(found, "names the operation "+operation+", which does not exist")
		}
	}
	for _, test := range c.tests {
		if function, _, _ := strings.Cut(test, "/"); !tests[function] {
			found = append(found, "names the test "+test+", which does not exist")
		}
	}
	return found
}

// TestCoverage holds docs/coverage.md to what is there.
func TestCoverage(t *testing.T) {
	content, err := os.ReadFile("docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	operations, tests := operationNames(t), testNames(t)
	var seen []string
	for line := range strings.Lines(string(content)) {
		row, ok := rowOf(strings.TrimSpace(line))
		if !ok {
			continue
		}
		seen = append(seen, row.id)
		for _, fault := range row.faults(operations, tests) {
			t.Errorf("%s %s", row.id, fault)
		}
	}
	if !slices.Equal(seen, requirements) {
		for _, id := range requirements {
			if n := count(seen, id); n != 1 {
				t.Errorf("%s has %d rows, want one", id, n)
			}
		}
		for _, id := range seen {
			if !slices.Contains(requirements, id) {
				t.Errorf("%s is no requirement", id)
			}
		}
		if !t.Failed() {
			t.Errorf("the rows are not in the order of the requirements: %v", seen)
		}
	}
}

func count(all []string, one string) (n int) {
	for _, each := range all {
		if each == one {
			n++
		}
	}
	return n
}

// TestCoverageRefuses makes sure that the check can fail.
func TestCoverageRefuses(t *testing.T) {
	operations, tests := map[string]bool{"Home": true}, map[string]bool{"home.TestHome": true}
	for line, want := range map[string]int{
		"| X1 | 首页 | `Home` | `home.TestHome/Deep` | works | |":        0,
		"| X1 ▲ | 首页 | `Home` | `home.TestHome` | partly | the rest |": 0,
		"| X1 | 首页 | | | not yet | all |":                              0,
		"| X1 | 首页 | `Home` | | works | |":                             1,
		"| X1 | 首页 | `Home` | | partly | the rest |":                   1,
		"| X1 | 首页 | | `home.TestHome` | partly | |":                   1,
		"| X1 | 首页 | | `home.TestHome` | not yet | all |":              1,
		"| X1 | 首页 | `House` | `home.TestHouse` | works | |":           2,
		"| X1 | 首页 | | `house.TestHome` | works | |":                   1,
		"| X1 | 首页 | | | almost | |":                                   1,
		"| X1 | | | | not yet | all |":                                 1,
		"| X1 | 首页 | works |":                                          2,
	} {
		row, ok := rowOf(line)
		if got := row.faults(operations, tests); !ok || row.id != "X1" || len(got) != want {
			t.Errorf("%s: row %v %q, faults %q, want %d", line, ok, row.id, got, want)
		}
	}
	for _, line := range []string{"| ID | Requirement | Operations | Tests | State | Missing |", "|---|---|---|---|---|---|", "text | with a bar", ""} {
		if _, ok := rowOf(line); ok {
			t.Errorf("%q is taken for a row", line)
		}
	}
}

// routes are what clients call beside GraphQL.
var routes = []string{"POST /files", "POST /files/uploads", "GET /files/{id}"}

// operationNames are the clients' operations, by file, the root fields, and the routes.
func operationNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, route := range routes {
		names[route] = true
	}
	files, err := filepath.Glob("clients/*/operations/*.graphql")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d operations, %v", len(files), err)
	}
	for _, file := range files {
		names[strings.TrimSuffix(filepath.Base(file), ".graphql")] = true
	}
	super, err := supergraph.Load(schema.Supergraph)
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []*ast.Definition{super.Public.Query, super.Public.Mutation, super.Public.Subscription} {
		for _, field := range root.Fields {
			names[field.Name] = true
		}
	}
	return names
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(\w+ \*testing\.T\)`)

// testNames are the test functions as the document names them: the last name
// of their folder and theirs; the root's stand under the module's name.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, file := range sources(t) {
		if !file.test {
			continue
		}
		content, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Base(file.folder)
		if file.folder == "." {
			folder = path.Base(module)
		}
		for _, match := range testFunction.FindAllStringSubmatch(string(content), -1) {
			names[folder+"."+match[1]] = true
		}
	}
	return names
}

// TestShape holds the modules that the platform is to be built with, in use,
// and the folders that it is to have (J4).
func TestShape(t *testing.T) {
	used := map[string]bool{}
	for _, file := range sources(t) {
		if !file.test && file.name != "keep" {
			for _, imported := range file.imports {
				used[imported] = true
			}
		}
	}
	uses := func(module string) bool {
		for imported := range used {
			if within(imported, module) {
				return true
			}
		}
		return false
	}
	for _, module := range []string{
		"github.com/99designs/gqlgen", "github.com/vektah/gqlparser/v2", "github.com/graph-gophers/dataloader/v7",
		"github.com/jmoiron/sqlx", "github.com/lib/pq", "github.com/redis/go-redis/v9",
	} {
		if !uses(module) {
			t.Errorf("no package uses %s", module)
		}
	}
	for _, name := range []string{"graph", "subgraphs", "resolvers", "loaders", "clients", "schema", "server", "go.mod", "gqlgen.yml"} {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%s is missing: %v", name, err)
		}
	}
	for _, subgraph := range []string{"platform", "citizen", "community", "supply"} {
		if _, err := os.Stat(filepath.Join("subgraphs", subgraph, "executable", "executable.gen.go")); err != nil {
			t.Errorf("the subgraph %s has no executable schema: %v", subgraph, err)
		}
	}
}
