package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// tinySupergraph is one subgraph with one field; URL stands for its address.
const tinySupergraph = `schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
enum join__Graph { GREETING @join__graph(name: "greeting", url: "URL") }
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
type Query @join__type(graph: GREETING) { hello: String }
`

// upstream is the subgraph of tinySupergraph; answer is called for each request.
func upstream(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) (supergraphFile string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "supergraph.graphql")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(tinySupergraph, "URL", server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func hello(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"data":{"hello":"你好"}}`)
}

func askHello(url string) (int, string, error) {
	request, err := http.NewRequest("POST", url+"/graphql", strings.NewReader(`{"query":"{hello}"}`))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer 张三")
	client := http.Client{Timeout: 20 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

func TestGatewayAloneIsReadyInASecond(t *testing.T) {
	authorization := make(chan string, 1)
	file := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		authorization <- r.Header.Get("Authorization")
		hello(w)
	})
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	// The best of three: other tests may have the processors at this moment.
	var p *program
	best := time.Hour
	for range 3 {
		began := time.Now()
		p = start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0")
		if best = min(best, time.Since(began)); best < time.Second {
			break
		}
	}
	if best > time.Second {
		t.Errorf("ready after %s", best)
	}
	if status, body := p.get("/health"); status != 200 {
		t.Errorf("health: %d %s", status, body)
	}
	status, body, err := askHello(p.url)
	if err != nil || status != 200 || body != `{"data":{"hello":"你好"}}` {
		t.Errorf("got %d %s %v", status, body, err)
	}
	if got := <-authorization; got != "Bearer 张三" {
		t.Errorf("the subgraph sees the authorization %q", got)
	}
	if found := children(t, p.command.Process.Pid); len(found) > 0 {
		t.Errorf("the gateway has children: %v", found)
	}
}

func TestExplainPrintsThePlan(t *testing.T) {
	file := upstream(t, func(http.ResponseWriter, *http.Request) { t.Error("explain reaches the subgraph") })
	operation := filepath.Join(t.TempDir(), "hello.graphql")
	if err := os.WriteFile(operation, []byte("query Hello { hello }"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{{"--operation", operation}, {"--operation", "-"}} {
		var out, complaints strings.Builder
		code := run(t.Context(), append([]string{"explain", "--supergraph", file}, arguments...),
			terminal{strings.NewReader("query Hello { hello }"), &out, &complaints})
		if code != 0 || !strings.Contains(out.String(), "GREETING") || !strings.Contains(out.String(), "hello") {
			t.Errorf("%v: code %d, %q, %q", arguments, code, out.String(), complaints.String())
		}
	}
	var complaints strings.Builder
	code := run(t.Context(), []string{"explain", "--supergraph", file, "--operation", "-"},
		terminal{strings.NewReader("{ goodbye }"), io.Discard, &complaints})
	if code != 1 || !strings.HasPrefix(complaints.String(), "citizencloud: the operation - is refused: ") || !strings.Contains(complaints.String(), "goodbye") {
		t.Errorf("code %d, %q", code, complaints.String())
	}
}

func TestMetricsListenElsewhere(t *testing.T) {
	file := upstream(t, func(w http.ResponseWriter, _ *http.Request) { hello(w) })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--metrics-listen", address)
	if _, _, err := askHello(p.url); err != nil {
		t.Fatal(err)
	}
	if status, _ := p.get("/metrics"); status != 404 {
		t.Errorf("the public address shows metrics: %d", status)
	}
	p.url = "http://" + address
	status, body := p.get("/metrics")
	if want := `citizencloud_operation_seconds_count{client="other",kind="query",operation="other",status="200"} 1`; status != 200 || !strings.Contains(body, want) {
		t.Errorf("%d, without %s", status, want)
	}
}

func TestSignalLetsRequestsFinish(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			arrived, release := make(chan struct{}), make(chan struct{})
			file := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				close(arrived)
				<-release
				hello(w)
			})
			p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0")
			// A connection that waits: it is told, and does not hold the stop up.
			socket, _, err := websocket.Dial(t.Context(), strings.Replace(p.url, "http", "ws", 1)+"/graphql/ws",
				&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
			if err != nil {
				t.Fatal(err)
			}
			defer socket.CloseNow()
			if err := wsjson.Write(t.Context(), socket, map[string]string{"type": "connection_init"}); err != nil {
				t.Fatal(err)
			}
			type result struct {
				status int
				body   string
				err    error
			}
			finished := make(chan result, 1)
			go func() {
				status, body, err := askHello(p.url)
				finished <- result{status, body, err}
			}()
			<-arrived
			p.signal(signal)
			// The WebSocket is closed from the other side although the request still runs.
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			var closed error
			for closed == nil {
				_, _, closed = socket.Read(ctx)
			}
			if code := websocket.CloseStatus(closed); code < 1000 {
				t.Errorf("the WebSocket ends with %v", closed)
			}
			if status, body := p.get("/health"); status != 503 {
				t.Errorf("health while draining: %d %s", status, body)
			}
			if status, body, err := askHello(p.url); status != 503 || err != nil {
				t.Errorf("a new request while draining: %d %s %v", status, body, err)
			}
			close(release)
			if got := <-finished; got.err != nil || got.status != 200 || !strings.Contains(got.body, "你好") {
				t.Errorf("the request in flight got %+v", got)
			}
			if code := p.wait(); code != 0 {
				t.Errorf("exit code %d: %s", code, p.stderr.String())
			}
			if _, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://")); err == nil {
				t.Error("somebody still listens")
			}
		})
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	arrived := make(chan struct{})
	release := make(chan struct{})
	defer close(release)
	file := upstream(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--drain-timeout", "1m")
	go askHello(p.url)
	<-arrived
	p.signal(syscall.SIGINT)
	deadline := time.Now().Add(20 * time.Second)
	for { // until the first signal has been taken
		if status, _ := p.get("/health"); status == 503 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first signal has no effect")
		}
	}
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

func TestDrainTimeoutCutsOff(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	file := upstream(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--drain-timeout", "200ms")
	go askHello(p.url)
	<-arrived
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "1 requests were cut off") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
}

func TestGatewayRefusals(t *testing.T) {
	good := upstream(t, func(w http.ResponseWriter, _ *http.Request) { hello(w) })
	bad := filepath.Join(t.TempDir(), "bad.graphql")
	if err := os.WriteFile(bad, []byte("type Query {"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := taken(t)
	for _, test := range []struct {
		arguments []string
		code      int
		want      string
	}{
		{[]string{"gateway", "--supergraph", good, "--listen", address}, 1, "the address " + address + " is in use by another process"},
		{[]string{"gateway", "--supergraph", good, "--listen", "nowhere"}, 1, `the address "nowhere" cannot be listened at`},
		{[]string{"gateway", "--supergraph", bad}, 1, "bad.graphql cannot be used"},
		{[]string{"gateway", "--supergraph", "/no/such/file"}, 1, "the supergraph /no/such/file cannot be read: no such file or directory"},
		{[]string{"gateway"}, 2, "--supergraph"},
		{[]string{"explain", "--supergraph", good, "--operation", "/no/such/file"}, 1, "the operation /no/such/file cannot be read"},
	} {
		expectRefusal(t, nil, test.arguments, test.code, test.want)
	}
}

// expectRefusal runs the program, which must end with the code and one
// sentence on standard error.
func expectRefusal(t *testing.T, environment, arguments []string, code int, want string) {
	t.Helper()
	p := launch(t, environment, arguments...)
	if got := p.wait(); got != code {
		t.Errorf("%v: exit code %d, want %d", arguments, got, code)
	}
	var said []string
	for line := range strings.Lines(p.stderr.String()) {
		if strings.HasPrefix(line, "citizencloud: ") {
			said = append(said, line)
		} else if strings.Contains(line, "panic") || strings.Contains(line, "goroutine") || strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("%v: says besides: %s", arguments, line)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], want) {
		t.Errorf("%v: says %q, want one line with %q", arguments, said, want)
	}
}
