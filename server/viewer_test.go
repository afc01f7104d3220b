package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/citizencloud/citizencloud/clients"
)

// TestPlanViewer looks at the plan viewer in a real browser, over the whole
// platform. SCREENSHOTS names a folder for pictures of it.
func TestPlanViewer(t *testing.T) {
	lacking := func(sentence string) { // skips on a developer's machine, fails where CI=true
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal(sentence)
		}
		t.Skip(sentence)
	}
	explorer, err := filepath.Abs("../clients/explorer")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		lacking("node is not installed: Node 20 drives the browser")
	}
	if _, err := os.Stat(filepath.Join(explorer, "node_modules", "playwright-core")); err != nil {
		lacking("clients/explorer is not installed: npm ci --ignore-scripts there (make setup does)")
	}
	if _, built := clients.Explorer(); !built {
		lacking("clients/explorer is not built: npm run build there (make build does)")
	}
	if _, err := os.Stat("/usr/bin/chromium"); err != nil && os.Getenv("CHROMIUM") == "" {
		lacking("there is no /usr/bin/chromium: install it (make setup does), or name a browser in CHROMIUM")
	}
	run := func(file string, environment ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), node, "--test", "--test-timeout=60000", filepath.Join(explorer, "test", file))
		command.Env = append(os.Environ(), environment...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, output)
		}
	}
	run("model.test.mjs")
	s := raise(t)
	server := httptest.NewServer(s.service.Handler)
	t.Cleanup(server.Close)
	token, _, err := s.ground.signer.Access(s.people()["citizen"])
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range s.manifests.Operations("app") {
		if operation.Name == "AppHome" {
			run("plan.test.mjs", "URL="+server.URL, "TOKEN="+token, "QUERY="+operation.Body)
		}
	}
}
