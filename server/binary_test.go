package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binaryFolder holds the built program, when a test needed one.
var binaryFolder atomic.Pointer[string]

// binary builds the program once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "citizencloud-binary-")
	if err != nil {
		return "", err
	}
	binaryFolder.Store(&dir)
	path := filepath.Join(dir, "citizencloud")
	output, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, output)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder := binaryFolder.Load(); folder != nil {
		os.RemoveAll(*folder)
	}
	os.Exit(code)
}

// program is a running citizencloud.
type program struct {
	t       *testing.T
	command *exec.Cmd
	url     string
	stderr  lockedBuffer
	ended   chan struct{}
	code    int
}

// lockedBuffer may be read while the program writes.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// launch starts the program; environment is NAME=value. It is killed when the
// test ends, whatever happened.
func launch(t *testing.T, environment []string, arguments ...string) *program {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, command: exec.Command(path, arguments...), ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stderr = &p.stderr
	output, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if url, found := strings.CutPrefix(lines.Text(), "citizencloud: ready at "); found {
				ready <- url
			}
		}
		close(ready)
		_ = p.command.Wait()
		p.code = p.command.ProcessState.ExitCode()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
	})
	select {
	case p.url = <-ready:
	case <-time.After(2 * time.Minute):
		t.Fatalf("%v is neither ready nor ended: %s", arguments, p.stderr.String())
	}
	return p
}

// start is launch of something that must become ready.
func start(t *testing.T, arguments ...string) *program {
	t.Helper()
	p := launch(t, nil, arguments...)
	if p.url == "" {
		<-p.ended
		t.Fatalf("%v ended with %d: %s", arguments, p.code, p.stderr.String())
	}
	return p
}

func (p *program) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns the exit code, -1 after a deadly signal.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.code
	case <-time.After(time.Minute):
		p.t.Fatalf("still running: %s", p.stderr.String())
		return 0
	}
}

// get answers with status and body; a refused connection is status 0.
func (p *program) get(path string) (int, string) {
	p.t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(p.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// children returns the processes whose parent is pid; zombies do not count.
func children(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range stats {
		state, parent, ok := stat(path)
		if ok && parent == pid && state != "Z" {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			found = append(found, child)
		}
	}
	return found
}

// stat reads state and parent out of /proc/PID/stat.
func stat(path string) (state string, parent int, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", 0, false
	}
	_, after, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(after)
	if len(fields) < 2 {
		return "", 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err == nil
}

func alive(pid int) bool {
	state, _, ok := stat(fmt.Sprintf("/proc/%d/stat", pid))
	return ok && state != "Z"
}

func waitUntilGone(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is an orphan", pid)
			}
			<-tick.C
		}
	}
}

// taken returns an address that somebody listens at.
func taken(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket.Addr().String()
}
