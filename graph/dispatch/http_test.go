package dispatch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a server of raw bytes: it answers each request on a connection with the next of replies, and
// closes the connection when they are used up.
type wire struct {
	listener    net.Listener
	replies     []string
	mu          sync.Mutex
	requests    []string
	connections atomic.Int32
	closed      chan struct{} // a token for each connection that was closed
}

func serveWire(t *testing.T, replies ...string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, replies: replies, closed: make(chan struct{}, 100)}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.connections.Add(1)
			wait.Go(func() { w.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); wait.Wait() })
	return w
}

func (w *wire) serve(c net.Conn) {
	defer func() {
		c.Close()
		w.closed <- struct{}{}
	}()
	r := bufio.NewReader(c)
	for _, reply := range w.replies {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(q.Body)
		w.mu.Lock()
		w.requests = append(w.requests, fmt.Sprint(q.Header.Get("Authorization"), " ", string(body)))
		w.mu.Unlock()
		for _, part := range strings.SplitAfter(reply, "~") {
			io.WriteString(c, strings.TrimSuffix(part, "~"))
			time.Sleep(time.Millisecond)
		}
	}
}

func prepared(t *testing.T, url string, operation ast.Operation, o HTTPOptions) Prepared {
	t.Helper()
	h, err := NewHTTP(map[string]string{"A": url}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdle)
	p, err := h.Prepare(&Document{Subgraph: "A", Operation: operation, Text: `{a(s:"x")}`})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReplies(t *testing.T) {
	const json = "Content-Type: application/json\r\n"
	for name, c := range map[string]struct{ reply, want string }{
		"length":             {"HTTP/1.1 200 OK\r\n" + json + "Content-Length: 7\r\n\r\n{\"a\":1}", `{"a":1}`},
		"in pieces":          {"HTTP/1.1 2~00 OK\r~\n" + json + "content-LENGTH:7\r\n\r~\n{\"a\"~:1}", `{"a":1}`},
		"chunks":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nTrailer: x\r\n\r\n", `{"a":1}`},
		"chunks in pieces":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3~\r~\n{\"~a\r\n~4\r\n\":1}~\r\n0~\r\n\r~\n", `{"a":1}`},
		"until close":        {"HTTP/1.1 200 OK\r\n\r\n{\"a\"~:1}", `{"a":1}`},
		"old":                {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", `{}`},
		"after early hints":  {"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n~HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", `{}`},
		"error with body":    {"HTTP/1.1 400 Bad\r\n" + json + "Content-Length: 13\r\n\r\n{\"errors\":[]}", `{"errors":[]}`},
		"error of a proxy":   {"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nbad", ``},
		"not HTTP":           {"SSH-2.0-OpenSSH_9.2\r\n\r\n", ``},
		"two lengths":        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", ``},
		"length and chunks":  {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", ``},
		"negative length":    {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", ``},
		"bad chunk":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", ``},
		"huge chunk":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n{}", ``},
		"short":              {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", ``},
		"too large":          {"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n{}", ``},
		"compressed unasked": {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", ``},
		"nothing":            {"", ``},
	} {
		t.Run(name, func(t *testing.T) {
			w := serveWire(t, c.reply)
			p := prepared(t, "http://"+w.listener.Addr().String()+"/g", ast.Query, HTTPOptions{MaxReply: 1000, Timeout: 5 * time.Second})
			reply, err := p.Fetch(t.Context(), &Request{Variables: []byte(`{"v":1}`), Header: http.Header{"Authorization": {"B x"}}})
			if c.want == "" {
				if err == nil {
					t.Errorf("got %q, want an error", reply.Body)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(reply.Body) != c.want {
				t.Errorf("got %q, want %q", reply.Body, c.want)
			}
			reply.Release()
			if want := `B x {"query":"{a(s:\"x\")}","variables":{"v":1}}`; w.requests[0] != want {
				t.Errorf("sent %q, want %q", w.requests[0], want)
			}
		})
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

func TestKeptConnection(t *testing.T) {
	w := serveWire(t, fine, fine, fine)
	p := prepared(t, "http://"+w.listener.Addr().String(), ast.Query, HTTPOptions{})
	for range 3 {
		reply, err := p.Fetch(t.Context(), &Request{})
		if err != nil {
			t.Fatal(err)
		}
		reply.Release()
	}
	if got := w.connections.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestConnectionClosedMeanwhile(t *testing.T) {
	for _, operation := range []ast.Operation{ast.Query, ast.Mutation} {
		w := serveWire(t, fine) // one reply a connection
		p := prepared(t, "http://"+w.listener.Addr().String(), operation, HTTPOptions{})
		for range 5 {
			reply, err := p.Fetch(t.Context(), &Request{})
			if err != nil {
				t.Fatalf("%s: %v", operation, err)
			}
			reply.Release()
			<-w.closed
		}
		if got := len(w.requests); got != 5 {
			t.Errorf("%s: the server saw %d requests, want 5", operation, got)
		}
	}
}

// TestMutationIsNotSentTwice has a server that takes the request on a kept connection and dies without a word.
func TestMutationIsNotSentTwice(t *testing.T) {
	w := serveWire(t, fine, "")
	p := prepared(t, "http://"+w.listener.Addr().String(), ast.Mutation, HTTPOptions{})
	for i := range 2 {
		reply, err := p.Fetch(t.Context(), &Request{})
		if (err == nil) != (i == 0) {
			t.Fatalf("request %d: %v", i, err)
		}
		reply.Release()
	}
	if got := len(w.requests); got != 2 {
		t.Errorf("the server saw %d requests, want 2", got)
	}
}

func TestCancelAndTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer server.Close()
	defer close(release)
	p := prepared(t, server.URL, ast.Query, HTTPOptions{Timeout: 100 * time.Millisecond})
	if _, err := p.Fetch(t.Context(), &Request{}); !errors.Is(err, errTimeout) {
		t.Errorf("got %v, want a time-out", err)
	}
	p = prepared(t, server.URL, ast.Query, HTTPOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	start := time.Now()
	if _, err := p.Fetch(ctx, &Request{}); !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Errorf("got %v after %v, want canceled at once", err, time.Since(start))
	}
}

func TestHeadersCannotBeSmuggled(t *testing.T) {
	w := serveWire(t, fine)
	p := prepared(t, "http://"+w.listener.Addr().String(), ast.Query, HTTPOptions{})
	reply, err := p.Fetch(t.Context(), &Request{Header: http.Header{"Authorization": {"x\r\nX-Admin: 1"}, "Cookie": {"secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	reply.Release()
	if !strings.HasPrefix(w.requests[0], ` {"query"`) {
		t.Errorf("sent %q", w.requests[0])
	}
}

func TestManyAtOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		// More than fits into one buffer, so that it comes in chunks.
		w.Write(bytes.Repeat(body, 500))
	}))
	defer server.Close()
	p := prepared(t, server.URL, ast.Query, HTTPOptions{MaxIdle: 4, MaxFetches: 8})
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			for j := range 20 {
				reply, err := p.Fetch(t.Context(), &Request{Variables: fmt.Appendf(nil, `{"n":%d}`, i*100+j)})
				if err != nil {
					t.Error(err)
					return
				}
				want := strings.Repeat(fmt.Sprintf(`{"query":"{a(s:\"x\")}","variables":{"n":%d}}`, i*100+j), 500)
				if string(reply.Body) != want {
					t.Error("another's reply")
				}
				reply.Release()
			}
		})
	}
	wait.Wait()
}
