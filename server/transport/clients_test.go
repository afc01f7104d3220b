package transport

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/persisted"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

const librarySupergraph = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {
  query: Query mutation: Mutation subscription: Subscription
}
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { LIBRARY @join__graph(name: "library", url: "http://127.0.0.1/library") }
type Book @join__type(graph: LIBRARY) { id: ID! title: String sequel: Book }
type Query @join__type(graph: LIBRARY) { book: Book who: String fails: String panics: String }
type Mutation @join__type(graph: LIBRARY) { from: String }
type Subscription @join__type(graph: LIBRARY) { books(count: Int!): Book ticks: Int }
`

// libraryGateway serves the whole road over the library: real engine, known
// clients, explorer. POST /restart puts a new server in its place and drains
// the old one.
func libraryGateway(t *testing.T, explorer string, operations *persisted.Policy) *httptest.Server {
	t.Helper()
	super, err := supergraph.Load(librarySupergraph)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := graph.New(super, dispatch.NewInProcess(map[string]dispatch.Local{"LIBRARY": {Schema: &library{librarySchema}, ErrorPresenter: fault.Present}}), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fresh := func() *Server {
		return New(Options{
			Engine: NewGeneration(engine), Operations: operations, Logger: quiet, Explorer: os.DirFS(explorer),
		})
	}
	var current atomic.Pointer[Server]
	current.Store(fresh())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/restart" {
			current.Load().ServeHTTP(w, r)
			return
		}
		if err := current.Swap(fresh()).Drain(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// Operations that would cost the gateway dear are refused, in no time, with a
// code and without memory.
func TestOperationBombs(t *testing.T) {
	server := libraryGateway(t, ".", policy(t, persisted.Development))
	doubling := "{ book { ...F0 } }"
	for i := range 60 {
		doubling += fmt.Sprintf(" fragment F%d on Book { a: sequel { ...F%d } b: sequel { ...F%d } }", i, i+1, i+1)
	}
	doubling += " fragment F60 on Book { id }"
	for name, query := range map[string]string{
		"deep":            "{ book { " + strings.Repeat("sequel { ", 10_000) + "id" + strings.Repeat(" }", 10_002),
		"very deep":       strings.Repeat("{a", 300_000),
		"deep lists":      "{ book(a: " + strings.Repeat("[", 200_000) + ") { id } }",
		"doubling":        doubling,
		"circle":          "{ book { ...A } } fragment A on Book { sequel { ...A } }",
		"many aliases":    "{ " + strings.Repeat("x: book { id } ", 50_000) + "}",
		"many directives": "{ book " + strings.Repeat("@x ", 200_000) + "{ id } }",
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(map[string]string{"query": query})
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			started := time.Now()
			response := sent{body: string(body)}.do(t, server.Config.Handler)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			failed := failureOf(t, read(t, response))
			if failed.Extensions.Code == "" || failed.Extensions.Code == codeInternal {
				t.Errorf("code %q: %s", failed.Extensions.Code, failed.Message)
			}
			if grown := (int64(after.Sys) - int64(before.Sys)) >> 20; grown > 200 {
				t.Errorf("memory grew by %d MB", grown)
			}
			if took > 10*time.Second { // the race detector, on a busy machine
				t.Errorf("took %v", took)
			}
			t.Logf("%s after %v: %.60s", failed.Extensions.Code, took, failed.Message)
		})
	}
}

// The clients that others wrote, and a browser: they are right, we must fit.
func TestRealClients(t *testing.T) {
	explorer, err := filepath.Abs("../../clients/explorer")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: Node 20 runs the clients")
	}
	if _, err := os.Stat(filepath.Join(explorer, "node_modules", "@apollo", "client")); err != nil {
		missing(t, "clients/explorer is not installed: npm ci --ignore-scripts there (make setup does)")
	}
	manifest, err := os.ReadFile(filepath.Join(explorer, "test", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	registered, err := persisted.Load(map[string][]byte{"app": manifest})
	if err != nil {
		t.Fatal(err)
	}
	pages := filepath.Join(explorer, "dist")
	development := libraryGateway(t, pages, policy(t, persisted.Development))
	production := libraryGateway(t, pages, &persisted.Policy{Mode: persisted.Production, Store: registered})
	run := func(t *testing.T, file string) {
		command := exec.CommandContext(t.Context(), node, "--test", "--test-timeout=20000", filepath.Join(explorer, "test", file))
		command.Env = append(os.Environ(), "URL="+development.URL, "PRODUCTION_URL="+production.URL)
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	}
	for _, client := range []string{"protocols", "urql", "apollo"} {
		t.Run(client, func(t *testing.T) { run(t, client+".test.mjs") })
	}
	t.Run("explorer", func(t *testing.T) {
		if _, err := os.Stat(filepath.Join(pages, "index.html")); err != nil {
			missing(t, "clients/explorer is not built: npm run build there (make build does)")
		}
		if _, err := os.Stat("/usr/bin/chromium"); err != nil && os.Getenv("CHROMIUM") == "" {
			missing(t, "there is no /usr/bin/chromium: install it (make setup does), or name a browser in CHROMIUM")
		}
		run(t, "explorer.test.mjs")
	})
}

// missing ends a test that lacks a tool: it skips on a developer's machine,
// and fails with CI=true, as make test sets it.
func missing(t *testing.T, sentence string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}
