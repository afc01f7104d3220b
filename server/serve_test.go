package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/server/embedded/foldertest"
)

func serveArguments(data string, more ...string) []string {
	return append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, more...)
}

func TestServeStopsCleanly(t *testing.T) {
	data := filepath.Join(foldertest.Folder(t), "data")
	p := start(t, serveArguments(data)...)
	if status, body := p.get("/health"); status != 200 {
		t.Errorf("health: %d %s", status, body)
	}
	found := children(t, p.command.Process.Pid)
	if len(found) == 0 {
		t.Fatal("no PostgreSQL runs: what this test looks for is not there")
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	for _, pid := range found {
		if alive(pid) {
			t.Errorf("process %d still runs after the end", pid)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "state.json")); !os.IsNotExist(err) {
		t.Errorf("the addresses are still published: %v", err)
	}
}

func TestKillLeavesNoOrphanAndTheNextStartIsNormal(t *testing.T) {
	data := filepath.Join(foldertest.Folder(t), "data")
	first := start(t, serveArguments(data)...)
	found := children(t, first.command.Process.Pid)
	if len(found) == 0 {
		t.Fatal("no PostgreSQL runs: what this test looks for is not there")
	}
	first.signal(syscall.SIGKILL)
	first.wait()
	// At once: the children may still be stopping, the lock is stale.
	second := start(t, serveArguments(data)...)
	if status, body := second.get("/health"); status != 200 {
		t.Errorf("health after a kill -9: %d %s", status, body)
	}
	waitUntilGone(t, found)
	found = children(t, second.command.Process.Pid)
	second.signal(syscall.SIGKILL)
	second.wait()
	waitUntilGone(t, found)
}

func TestSecondServeOnTheSameFolderIsRefused(t *testing.T) {
	data := foldertest.Folder(t)
	first := start(t, serveArguments(data)...)
	expectRefusal(t, nil, serveArguments(data), 1,
		fmt.Sprintf("the data folder %s is in use by process %d", data, first.command.Process.Pid))
	if status, _ := first.get("/health"); status != 200 {
		t.Errorf("the first one suffers: %d", status)
	}
}

func TestSubgraphAttachesToTheStateOfServe(t *testing.T) {
	data := foldertest.Folder(t)
	first := start(t, serveArguments(data)...)
	second := start(t, "subgraph", "citizen", "--data", data, "--listen", "127.0.0.1:0")
	if found := children(t, second.command.Process.Pid); len(found) != 0 {
		t.Errorf("the subgraph started a state of its own: %v", found)
	}
	if status, body := second.get("/health"); status != 200 {
		t.Errorf("health: %d %s", status, body)
	}
	second.signal(syscall.SIGTERM)
	if code := second.wait(); code != 0 {
		t.Errorf("exit code %d: %s", code, second.stderr.String())
	}
	if status, _ := first.get("/health"); status != 200 {
		t.Errorf("the first one suffers from the end of the second: %d", status)
	}
}

func TestSubgraphEndsWithTheStateOfServe(t *testing.T) {
	data := foldertest.Folder(t)
	first := start(t, serveArguments(data)...)
	second := start(t, "subgraph", "citizen", "--data", data, "--listen", "127.0.0.1:0")
	first.signal(syscall.SIGKILL)
	first.wait()
	want := fmt.Sprintf("process %d, which ran the state of %s, has ended", first.command.Process.Pid, data)
	if code := second.wait(); code != 1 || !strings.Contains(second.stderr.String(), want) {
		t.Errorf("exit code %d: %s", code, second.stderr.String())
	}
}

func TestServeUsesTheStateOfASubgraph(t *testing.T) {
	data := foldertest.Folder(t)
	first := start(t, "subgraph", "citizen", "--data", data, "--listen", "127.0.0.1:0")
	second := start(t, serveArguments(data)...)
	if found := children(t, second.command.Process.Pid); len(found) != 0 {
		t.Errorf("serve started a state of its own: %v", found)
	}
	expectRefusal(t, nil, serveArguments(data), 1, fmt.Sprintf("is in use by process %d", second.command.Process.Pid))
	second.signal(syscall.SIGTERM)
	if code := second.wait(); code != 0 {
		t.Errorf("exit code %d: %s", code, second.stderr.String())
	}
	if status, _ := first.get("/health"); status != 200 {
		t.Errorf("the subgraph suffers: %d", status)
	}
}

func TestPostgresThatDiesEndsTheProcess(t *testing.T) {
	p := start(t, serveArguments(foldertest.Folder(t))...)
	for _, pid := range children(t, p.command.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "citizencloud: state: PostgreSQL ended by itself") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
}

func TestHealthSays503WhileStarting(t *testing.T) {
	// A database that accepts and never answers holds the start up.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	accepted := make(chan struct{}, 16)
	go func() {
		for {
			connection, err := silent.Accept()
			if err != nil {
				return
			}
			defer connection.Close()
			accepted <- struct{}{}
		}
	}()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	done := make(chan *program)
	go func() {
		done <- launch(t, nil, "serve", "--data", foldertest.Folder(t), "--listen", address,
			"--database-url", "postgres://me:geheim@"+silent.Addr().String()+"/db?sslmode=disable&connect_timeout=1")
	}()
	<-accepted
	starting := &program{t: t, url: "http://" + address}
	status, body := starting.get("/health")
	var answer struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 503 || len(answer.Errors) != 1 {
		t.Errorf("while starting: %d %s", status, body)
	}
	p := <-done
	if code := p.wait(); code != 1 || strings.Contains(p.stderr.String(), "geheim") ||
		!strings.Contains(p.stderr.String(), "cannot be reached: no answer in time") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
}

func TestServeRefusals(t *testing.T) {
	address := taken(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := dead.Addr().String()
	dead.Close()
	db := embeddedtest.Open(t)
	wrongName := strings.Replace(db.OwnerURL, "/test_", "/no_such_", 1)
	for _, test := range []struct {
		environment, arguments []string
		want                   string
	}{
		{nil, []string{"serve", "--data", foldertest.Folder(t), "--listen", address}, "the address " + address + " is in use by another process; stop that one or give another --listen"},
		{nil, serveArguments("/dev/null/data"), "the data folder /dev/null/data cannot be written (not a directory)"},
		{nil, serveArguments("/proc/data"), "the data folder /proc/data cannot be written"},
		{[]string{"PG_BIN=" + t.TempDir()}, serveArguments(foldertest.Folder(t)), "PostgreSQL is not installed: run `apt-get install postgresql`"},
		{[]string{"CITIZENCLOUD_DATABASE_URL=postgres://me:geheim@" + nobody + "/db"}, serveArguments(foldertest.Folder(t)), "the database " + nobody + "/db cannot be reached: connection refused"},
		{[]string{"CITIZENCLOUD_DATABASE_URL=" + wrongName}, serveArguments(foldertest.Folder(t)), "does not exist; check --database-url"},
		{nil, serveArguments(foldertest.Folder(t), "--redis-url", "redis://:geheim@"+nobody), "Redis at " + nobody + " cannot be reached"},
		{nil, serveArguments(foldertest.Folder(t), "--nats-url", "nats://geheim@"+nobody), "NATS at " + nobody + " cannot be reached"},
		{nil, serveArguments(foldertest.Folder(t), "--subgraph", "nobody=http://x"), `--subgraph names "nobody"`},
	} {
		expectRefusal(t, test.environment, test.arguments, 1, test.want)
	}
}

// TestErrorsReachTheTerminal checks what binary tests cannot see: one line,
// whatever the error holds.
func TestErrorsReachTheTerminal(t *testing.T) {
	reader, writer := io.Pipe()
	go func() {
		complain(terminal{err: writer}, fmt.Errorf("%w\n%w", context.Canceled, io.EOF))
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	lines.Scan()
	if lines.Text() != "citizencloud: context canceled; EOF" || lines.Scan() {
		t.Errorf("got %q", lines.Text())
	}
}
