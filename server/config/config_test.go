package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, arguments ...string) *Line {
	t.Helper()
	line, err := Parse(arguments, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestDefaultsAreSafe(t *testing.T) {
	serve := parse(t, "serve").Serve
	if serve.Mode != "production" || serve.Scale != "none" || !strings.HasPrefix(serve.Listen, "127.0.0.1:") {
		t.Errorf("serve without flags is %+v", serve)
	}
}

func TestFlagBeatsVariableBeatsDefault(t *testing.T) {
	t.Setenv("CITIZENCLOUD_LISTEN", "0.0.0.0:80")
	t.Setenv("CITIZENCLOUD_DRAIN_TIMEOUT", "3s")
	t.Setenv("CITIZENCLOUD_DATABASE_URL", "postgres://u@h/d")
	line := parse(t, "serve", "--listen", "127.0.0.1:9")
	if line.Serve.Listen != "127.0.0.1:9" {
		t.Errorf("listen is %s", line.Serve.Listen)
	}
	if line.Serve.DrainTimeout != 3*time.Second {
		t.Errorf("drain timeout is %s", line.Serve.DrainTimeout)
	}
	if line.Serve.DatabaseURL != "postgres://u@h/d" {
		t.Errorf("database URL is %q", line.Serve.DatabaseURL)
	}
}

func TestSubgraphsByURL(t *testing.T) {
	line := parse(t, "serve", "--subgraph", "citizen=http://a/graphql?x=1", "--subgraph", "supply=http://b/graphql")
	want := map[string]string{"citizen": "http://a/graphql?x=1", "supply": "http://b/graphql"}
	if diff := cmp.Diff(want, line.Serve.Subgraphs); diff != "" {
		t.Error(diff)
	}
}

func TestCommands(t *testing.T) {
	if line := parse(t, "subgraph", "citizen", "--data", "x"); line.Command != "subgraph" || line.Subgraph.Name != "citizen" {
		t.Errorf("got %s %q", line.Command, line.Subgraph.Name)
	}
	if line := parse(t, "gateway", "--supergraph", "g.graphql"); line.Command != "gateway" || line.Gateway.Dedupe != "none" {
		t.Errorf("got %s, dedupe %q", line.Command, line.Gateway.Dedupe)
	}
}

func TestRefusals(t *testing.T) {
	for _, arguments := range [][]string{
		{"serve", "--mode", "debug"},
		{"serve", "--scale", "village"},
		{"subgraph", "nobody"},
		{"gateway"},
		{"serve", "--no-such-flag"},
		{"dance"},
	} {
		_, err := Parse(arguments, io.Discard)
		if err == nil {
			t.Errorf("%v is accepted", arguments)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: more than one line: %v", arguments, err)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	var help bytes.Buffer
	if _, err := Parse([]string{"serve", "--help"}, &help); !errors.Is(err, ErrHelp) {
		t.Fatalf("got %v", err)
	}
	for _, flag := range []string{"data", "listen", "scale", "mode", "subgraph", "dedupe", "database-url", "database-app-url",
		"redis-url", "nats-url", "files-url", "log-months", "metrics-listen", "drain-timeout", "log-level", "log-format"} {
		variable := Prefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		if !strings.Contains(help.String(), "--"+flag) || !strings.Contains(help.String(), "$"+variable) {
			t.Errorf("help does not tell of --%s and %s:\n%s", flag, variable, help.String())
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	networks, err := parse(t, "serve", "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "fd00::/8").Serve.Proxies()
	if err != nil || len(networks) != 2 || networks[1].String() != "fd00::/8" {
		t.Errorf("got %v, %v", networks, err)
	}
	if _, err := parse(t, "serve", "--trusted-proxy", "10.0.0.1").Serve.Proxies(); err == nil {
		t.Error("an address passes as a network")
	}
}

func TestLogMonths(t *testing.T) {
	for given, want := range map[string]int{"6": 6, "36": 36, "120": 120, "5": 0, "-1": 0, "121": 0} {
		if got, err := parse(t, "serve", "--log-months="+given).Serve.Months(); got != want || (err == nil) != (want > 0) {
			t.Errorf("%s: got %d, %v", given, got, err)
		}
	}
	if got, err := parse(t, "subgraph", "platform").Subgraph.Months(); got != 6 || err != nil {
		t.Errorf("without the flag: %d, %v", got, err)
	}
}
