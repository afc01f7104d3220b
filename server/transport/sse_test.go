package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/graph/guard"
)

// reader reads server-sent events.
type reader struct {
	response *http.Response
	lines    *bufio.Reader
	comments int
}

func open(t testing.TB, url, body string, header map[string]string) *reader {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", url+"/graphql/stream", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &reader{response: response, lines: bufio.NewReader(response.Body)}
}

// event gives the next event's name and data; io.EOF at the end.
func (r *reader) event() (name, data string, err error) {
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" && name != "":
			return name, data, nil
		case strings.HasPrefix(line, ":"):
			r.comments++
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data += line[len("data: "):]
		case line != "":
			return "", "", fmt.Errorf("line %q", line)
		}
	}
}

func (r *reader) expect(t testing.TB, name, part string) {
	t.Helper()
	gotName, data, err := r.event()
	if err != nil || gotName != name || !strings.Contains(data, part) {
		t.Fatalf("event %q %q %v, want %q with %q", gotName, data, err, name, part)
	}
}

func (r *reader) expectEnd(t testing.TB) {
	t.Helper()
	if name, data, err := r.event(); err != io.EOF {
		t.Fatalf("after the end: %q %q %v", name, data, err)
	}
}

const newsBody = `{"query":"subscription News($a: Int) { news }","variables":{"a":1}}`

func TestSSE(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine = engine }))
	news := engine.topic("news")

	t.Run("subscription", func(t *testing.T) {
		r := open(t, server.URL, newsBody, nil)
		if got := r.response.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("Content-Type %s", got)
		}
		<-news.joined
		news.publish(`{"data":{"news":1}}`)
		r.expect(t, "next", `{"data":{"news":1}}`)
		news.publish("{\"data\":{\n\"news\":\r\n2}}") // a scalar that came over lines
		r.expect(t, "next", `{"data":{ "news":  2}}`)
		news.finish()
		r.expect(t, "complete", "")
		r.expectEnd(t)
		<-news.left
	})
	t.Run("query", func(t *testing.T) {
		r := open(t, server.URL, `{"query":"{ echo }"}`, nil)
		r.expect(t, "next", `"echo":null`)
		r.expect(t, "complete", "")
		r.expectEnd(t)
	})
	t.Run("well-formed requests that cannot run", func(t *testing.T) {
		for body, code := range map[string]string{
			`{"query":"subscription {"}`:           "GRAPHQL_PARSE_FAILED",
			`{"query":"subscription { invalid }"}`: "GRAPHQL_VALIDATION_FAILED",
			`{"query":"subscription { coerce }"}`:  "BAD_USER_INPUT",
			`{"query":"{ coerce }"}`:               "BAD_USER_INPUT",
			`{"documentId":"unknown"}`:             "OPERATION_UNKNOWN",
		} {
			r := open(t, server.URL, body, nil)
			if r.response.StatusCode != 200 {
				t.Errorf("%s: status %d", body, r.response.StatusCode)
			}
			r.expect(t, "next", code)
			r.expect(t, "complete", "")
			r.expectEnd(t)
		}
	})
	t.Run("requests that are not well-formed", func(t *testing.T) {
		for body, status := range map[string]int{`{`: 400, `{"query":7}`: 400, `[]`: 400} {
			if r := open(t, server.URL, body, nil); r.response.StatusCode != status {
				t.Errorf("%s: status %d", body, r.response.StatusCode)
			}
		}
		if r := open(t, server.URL, newsBody, map[string]string{"Accept": "application/json"}); r.response.StatusCode != 406 {
			t.Errorf("another Accept: %d", r.response.StatusCode)
		}
	})
	t.Run("the client leaves", func(t *testing.T) {
		r := open(t, server.URL, newsBody, nil)
		<-news.joined
		_ = r.response.Body.Close()
		<-news.left
	})
	t.Run("over /graphql", func(t *testing.T) {
		for _, accept := range []string{"text/event-stream", "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"} {
			response := sent{
				body:   `{"query":"subscription { coerce }"}`,
				header: map[string]string{"Content-Type": "application/json", "Accept": accept},
			}.do(t, newServer(t, nil))
			if body := read(t, response); response.StatusCode != 200 || !strings.Contains(body, "event: complete") {
				t.Errorf("%s: %d %s", accept, response.StatusCode, body)
			}
		}
	})
}

func TestSSEHeartbeat(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine, o.Heartbeat = engine, time.Millisecond }))
	r := open(t, server.URL, newsBody, nil)
	for range 5 {
		line, err := r.lines.ReadString('\n')
		if err != nil || line != ":\n" {
			t.Fatalf("heartbeat %q %v", line, err)
		}
		_, _ = r.lines.ReadString('\n')
	}
}

// A subscriber that does not read is dropped and told why, as soon as it
// reads again; another one of the same topic gets everything meanwhile.
func TestSSESlowSubscriber(t *testing.T) {
	engine := &fakeEngine{}
	s := newServer(t, func(o *Options) { o.Engine = engine })
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer(s, quiet)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	news := engine.topic("news")

	slow, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	_ = slow.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = fmt.Fprintf(slow, "POST /graphql/stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", len(newsBody), newsBody)
	<-news.joined
	quick := open(t, server.URL, newsBody, nil)
	<-news.joined

	event := `{"data":{"news":"` + strings.Repeat("x", 64<<10) + `"}}`
	published := 0
	for ; news.count() == 2; published++ {
		if published == 1000 {
			t.Fatal("the slow subscriber was never dropped")
		}
		news.publish(event)
		quick.expect(t, "next", "news")
	}
	_ = slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{response: response, lines: bufio.NewReader(response.Body)}
	for {
		name, data, err := r.event()
		if err != nil {
			t.Fatalf("the slow subscriber was not told: %v", err)
		}
		if name == "next" && strings.Contains(data, "errors") {
			if !strings.Contains(data, codeSlow) {
				t.Errorf("told %s", data)
			}
			break
		}
	}
	r.expect(t, "complete", "")
	news.publish(`{"data":{"news":"after"}}`)
	quick.expect(t, "next", "after")
}

// One that never reads again does not keep its connection for ever.
func TestSSEStuckSubscriberIsCut(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine, o.WriteTimeout = engine, 50*time.Millisecond }))
	news := engine.topic("news")
	stuck, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stuck.Close() }()
	_, _ = fmt.Fprintf(stuck, "POST /graphql/stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", len(newsBody), newsBody)
	<-news.joined
	event := `{"data":{"news":"` + strings.Repeat("x", 4<<20) + `"}}`
	for range 8 { // more than the kernel's buffers and the queue hold
		news.publish(event)
	}
	<-news.left
}

func TestDrain(t *testing.T) {
	engine := &fakeEngine{hold: make(chan struct{})}
	s := newServer(t, func(o *Options) { o.Engine = engine })
	server := listen(t, s)
	r := open(t, server.URL, newsBody, nil)
	<-engine.topic("news").joined
	if response, err := http.Get(server.URL + "/health"); err != nil || response.StatusCode != 200 {
		t.Fatalf("health before: %v %v", response, err)
	}
	running := make(chan string)
	go func() {
		response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{ wait }"}`))
		if err != nil {
			running <- err.Error()
			return
		}
		body, _ := io.ReadAll(response.Body)
		running <- response.Status + string(body)
	}()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.expect(t, "next", codeDraining)
	r.expectEnd(t) // without complete: the client shall connect again
	for _, path := range []string{"/graphql", "/graphql/stream"} {
		response := sent{path: path, body: `{"query":"{ echo }"}`, header: map[string]string{"Content-Type": "application/json", "Accept": "*/*"}}.do(t, s)
		if response.StatusCode != 503 || response.Header.Get("Connection") != "close" || response.Header.Get("Retry-After") != "1" {
			t.Errorf("%s while draining: %d %v", path, response.StatusCode, response.Header)
		}
		if failed := failureOf(t, read(t, response)); failed.Extensions.Code != codeDraining || failed.Extensions.RetryAfter != 1 {
			t.Errorf("%s while draining: %+v", path, failed)
		}
	}
	if response := (sent{method: "GET", path: "/health"}).do(t, s); response.StatusCode != 503 {
		t.Errorf("health while draining: %d", response.StatusCode)
	}
	close(engine.hold)
	if got := <-running; !strings.HasPrefix(got, "200") && !strings.HasPrefix(got, "503") {
		t.Errorf("the request that ran: %s", got)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine, o.MaxStreams = engine, 1 }))
	first := open(t, server.URL, newsBody, nil)
	<-engine.topic("news").joined
	if second := open(t, server.URL, newsBody, nil); second.response.StatusCode != 503 || second.response.Header.Get("Retry-After") == "" {
		t.Errorf("the second: %d", second.response.StatusCode)
	}
	_ = first
}

// A stream ends when the sign-in of its caller does.
func TestStreamEndsWithTheSignIn(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) {
		o.Engine = engine
		o.Authenticator = guard.AuthenticatorFunc(func(ctx context.Context, _ string) (context.Context, guard.Identity, error) {
			return ctx, guard.Identity{Expires: time.Now().Add(20 * time.Millisecond)}, nil
		})
	}))
	r := open(t, server.URL, newsBody, nil)
	r.expect(t, "next", guard.CodeUnauthenticated)
	r.expect(t, "complete", "")
}
