package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/citizencloud/citizencloud/server/demo"
)

// deploy raises the real binary with demonstration data.
func deploy(t *testing.T, apart bool) *demo.Deployment {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	data, remove, err := demo.Folder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	d, err := demo.Start(t.Context(), path, data, apart)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// The main job, from outside: in one process, and with a process for the
// gateway and each subgraph.
func TestMainJob(t *testing.T) {
	for name, apart := range map[string]bool{"one process": false, "five processes": true} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, apart)
			if err := demo.Walk(t.Context(), d.URL, 4321, testOutput{t}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The big screen in real Chromium: a case that is committed while the page is
// open changes the numbers on it.
func TestScreenInChromium(t *testing.T) {
	d := deploy(t, false)
	command := exec.CommandContext(t.Context(), "npm", "run", "--silent", "browser")
	command.Dir = filepath.Join("..", "clients", "screen")
	command.Env = append(os.Environ(), "CITIZENCLOUD_URL="+d.URL, "SCREENSHOTS="+pictures(t))
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// pictures is where screenshots go; SCREENSHOTS keeps them.
func pictures(t *testing.T) string {
	if kept := os.Getenv("SCREENSHOTS"); kept != "" {
		return kept
	}
	return t.TempDir()
}

// testOutput writes into the test's log.
type testOutput struct{ t *testing.T }

// Write implements io.Writer.
func (o testOutput) Write(text []byte) (int, error) {
	o.t.Log(string(text))
	return len(text), nil
}
