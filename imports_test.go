package citizencloud_test

import (
	"slices"
	"strings"
	"testing"
)

// rule says what the packages below a folder may import of this module. In
// folder and allowed, "*" stands for one folder's name and means the same name
// on both sides; an allowed folder includes all below it. The first rule whose
// folder fits decides.
type rule struct {
	folder  string
	allowed []string
	reason  string
}

var rules = []rule{
	{"graph/supergraph", nil,
		"the supergraph model is the bottom of the gateway: everything stands on it, so it stands on nothing"},
	{"graph/plan", []string{"graph/supergraph", "graph/plan"},
		"planning is pure and looks only downward, at the supergraph; so a plan can be tested as text"},
	{"graph", []string{"graph"},
		"the gateway knows schemas, never a subgraph: it must serve anybody's supergraph"},
	{"foundation", []string{"foundation"},
		"what all subgraphs stand on cannot lean on one of them, nor on the gateway or the server"},
	{"subgraphs/*", []string{"foundation", "subgraphs/*"},
		"subgraphs do not know each other: each can become a process of its own; what they share goes through the graph"},
	{"loaders/*", []string{"foundation", "subgraphs/*", "loaders/*"},
		"a loader batches for its own subgraph only"},
	{"resolvers/*", []string{"foundation", "subgraphs/*", "loaders/*", "resolvers/*"},
		"a resolver is one call into its own subgraph's domain or loaders"},
	{"clients", []string{"clients"},
		"clients are what outsiders could have written: manifests and web pages, no code of ours"},
	{"schema", []string{"schema"},
		"generators must run while the rest does not compile"},
	{"server/embedded", []string{"server/embedded"},
		"state is opened the same way whatever stands in it; it knows no business and no schema"},
	{"server/config", nil, "the command line is read before anything else exists"},
	{"server/lifecycle", nil, "starting and stopping in order needs to know nothing of the parts"},
	{"server/telemetry", nil, "everything may be observed, so what observes knows nobody"},
	{"server/transport", []string{"graph", "foundation", "server/transport"},
		"transport carries bytes to the gateway; what an operation means it does not know"},
	{"server", []string{""}, "wire.go knows everything"},
	{".", []string{""}, "tests at the root look at the whole"},
}

// inTests may be imported by every test, besides what its package may; tests
// of the gateway share their supergraphs and cases.
const (
	inTests      = "server/embedded/embeddedtest"
	inGraphTests = "graph"
)

// pure packages do no I/O and ask no clock; what they would need for that they
// may not import.
var (
	pure      = []string{"graph/plan", "graph/supergraph"}
	impurity  = []string{"os", "os/exec", "net", "net/http", "io/fs", "io/ioutil", "database/sql", "syscall", "time", "math/rand", "math/rand/v2", "crypto/rand"}
	pureCause = "the same supergraph and operation must give the same plan on every machine at every time"
)

func TestImports(t *testing.T) {
	for _, file := range sources(t) {
		if file.name == "keep" {
			continue
		}
		decides, star, found := ruleFor(file.folder)
		if !found {
			t.Errorf("%s: no rule says what %s may import; add one to imports_test.go", file.path, file.folder)
			continue
		}
		for _, imported := range file.imports {
			if !ours(imported) {
				continue
			}
			if file.test && (within(imported, inTests) || within(file.folder, inGraphTests) && within(imported, inGraphTests)) {
				continue
			}
			if !decides.allows(imported, star) {
				t.Errorf("%s imports %s, but %s", file.path, imported, decides.reason)
			}
		}
		if slices.Contains(pure, file.folder) && !file.test {
			for _, imported := range file.imports {
				if slices.Contains(impurity, imported) {
					t.Errorf("%s imports %s, but %s", file.path, imported, pureCause)
				}
			}
		}
	}
}

// folders are the top-level folders with packages; an import that begins with
// one of them was of this module before its prefix was cut.
var folders = []string{"graph", "foundation", "subgraphs", "loaders", "resolvers", "clients", "schema", "server"}

func ours(imported string) bool {
	top, _, _ := strings.Cut(imported, "/")
	return slices.Contains(folders, top)
}

// ruleFor returns the first rule that fits the folder, and the name that "*"
// stands for in it.
func ruleFor(folder string) (decides rule, star string, found bool) {
	for _, candidate := range rules {
		prefix, _, starred := strings.Cut(candidate.folder, "*")
		if !starred {
			if within(folder, candidate.folder) {
				return candidate, "", true
			}
			continue
		}
		if rest, ok := strings.CutPrefix(folder+"/", prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			return candidate, name, true
		}
	}
	return rule{}, "", false
}

func (r rule) allows(imported, star string) bool {
	for _, allowed := range r.allowed {
		if allowed == "" || within(imported, strings.ReplaceAll(allowed, "*", star)) {
			return true
		}
	}
	return false
}

// within reports whether folder is top or lies below it.
func within(folder, top string) bool {
	return folder == top || strings.HasPrefix(folder, top+"/")
}

// TestImportRulesRefuse makes sure that the rules can fail.
func TestImportRulesRefuse(t *testing.T) {
	for _, test := range []struct {
		folder, imported string
		want             bool
	}{
		{"graph/plan", "graph/supergraph", true},
		{"graph/plan", "graph/dispatch", false},
		{"graph/supergraph", "graph/plan", false},
		{"graph", "graph/plan", true},
		{"graph/dispatch", "subgraphs/citizen/account", false},
		{"graph/guard", "foundation/access", false},
		{"foundation/outbox", "foundation/database", true},
		{"foundation/outbox", "server/embedded", false},
		{"subgraphs/citizen/service", "subgraphs/citizen/account", true},
		{"subgraphs/citizen/service", "subgraphs/community/activity", false},
		{"subgraphs/citizen/service", "foundation/keyset", true},
		{"subgraphs/citizen/service", "graph", false},
		{"loaders/citizen", "subgraphs/citizen/service", true},
		{"loaders/citizen", "subgraphs/citizenship/service", false},
		{"loaders/citizen", "resolvers/citizen", false},
		{"resolvers/citizen", "loaders/citizen", true},
		{"resolvers/citizen", "loaders/community", false},
		{"clients", "graph", false},
		{"server/embedded/postgres", "server/embedded/child", true},
		{"server/embedded/postgres", "foundation/database", false},
		{"server/transport", "subgraphs/citizen/service", false},
		{"server", "resolvers/citizen", true},
	} {
		decides, star, found := ruleFor(test.folder)
		if !found {
			t.Errorf("no rule for %s", test.folder)
			continue
		}
		if got := decides.allows(test.imported, star); got != test.want {
			t.Errorf("%s imports %s: allowed is %v, want %v", test.folder, test.imported, got, test.want)
		}
	}
	if _, _, found := ruleFor("somewhere/new"); found {
		t.Error("a folder without a rule is accepted")
	}
}
