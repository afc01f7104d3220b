package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
)

// dialog is a WebSocket client of a test.
type dialog struct {
	t    testing.TB
	conn *websocket.Conn
}

func dial(t testing.TB, url string, header http.Header, protocols ...string) *dialog {
	t.Helper()
	if protocols == nil {
		protocols = []string{"graphql-transport-ws"}
	}
	conn, _, err := websocket.Dial(t.Context(), url+"/graphql/ws", &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(64 << 20)
	return &dialog{t, conn}
}

// ready is a dialog whose connection is acknowledged.
func ready(t testing.TB, url string) *dialog {
	t.Helper()
	d := dial(t, url, nil)
	d.say(`{"type":"connection_init"}`)
	d.hear(`{"type":"connection_ack"}`)
	return d
}

func (d *dialog) say(message string) {
	d.t.Helper()
	if err := d.conn.Write(d.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		d.t.Fatal(err)
	}
}

// hear awaits a message with all the parts.
func (d *dialog) hear(parts ...string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	_, message, err := d.conn.Read(ctx)
	if err != nil {
		d.t.Fatalf("instead of %q: %v", parts, err)
	}
	if !json.Valid(message) {
		d.t.Fatalf("no JSON: %s", message)
	}
	for _, part := range parts {
		if !strings.Contains(string(message), part) {
			d.t.Fatalf("heard %s, want %q", message, parts)
		}
	}
}

// closed awaits the end of the connection, with the code and reason, after
// any messages.
func (d *dialog) closed(code websocket.StatusCode, reason string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := d.conn.Read(ctx)
		if err == nil {
			continue
		}
		var closing websocket.CloseError
		if !errors.As(err, &closing) || closing.Code != code || !strings.Contains(closing.Reason, reason) {
			d.t.Fatalf("closed with %v, want %d %s", err, code, reason)
		}
		return
	}
}

// The protocol, one rule a row: what is said, and what is heard or how it ends.
func TestWebSocketProtocol(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) {
		o.Engine, o.Authenticator, o.MaxOperations, o.MaxBody = engine, tokens, 2, 10_000
	}))
	const init, ack = `{"type":"connection_init"}`, `{"type":"connection_ack"}`
	subscribe := func(id, query string) string {
		return fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q,"variables":{"a":1}}}`, id, query)
	}
	for _, test := range []struct {
		name   string
		say    []string
		hear   [][]string
		code   websocket.StatusCode // 0: stays open
		reason string
	}{
		{"init", []string{init}, [][]string{{ack}}, 0, ""},
		{"init with payload", []string{`{"type":"connection_init","payload":{"x":1}}`}, [][]string{{ack}}, 0, ""},
		{"init with null payload", []string{`{"type":"connection_init","payload":null}`}, [][]string{{ack}}, 0, ""},
		{"init with a string", []string{`{"type":"connection_init","payload":"x"}`}, nil, 4400, "payload"},
		{"init twice", []string{init, init}, nil, 4429, "Too many initialisation requests"},
		{"subscribe before ack", []string{subscribe("1", "{ echo }")}, nil, 4401, "Unauthorized"},
		{"wrong token", []string{`{"type":"connection_init","payload":{"Authorization":"Bearer bad"}}`}, nil, 4403, "UNAUTHENTICATED"},
		{"locked", []string{`{"type":"connection_init","payload":{"authorization":"Bearer locked"}}`}, nil, 4403, "LOCKED: 账号已锁定"},
		{"ping before init", []string{`{"type":"ping"}`}, [][]string{{`{"type":"pong"}`}}, 0, ""},
		{"ping with payload", []string{init, `{"type":"ping","payload":{"n":1}}`}, [][]string{{ack}, {`"pong"`, `{"n":1}`}}, 0, ""},
		{"pong unasked", []string{init, `{"type":"pong"}`, `{"type":"ping"}`}, [][]string{{ack}, {`"pong"`}}, 0, ""},
		{"no JSON", []string{init, `{`}, nil, 4400, "Invalid message"},
		{"no object", []string{`[]`}, nil, 4400, "Invalid message"},
		{"no type", []string{`{}`}, nil, 4400, "Invalid message"},
		{"type number", []string{`{"type":1}`}, nil, 4400, "Invalid message"},
		{"unknown type", []string{`{"type":"start"}`}, nil, 4400, "Invalid message type"},
		{"a server's type", []string{init, `{"type":"next","id":"1","payload":{}}`}, nil, 4400, "Invalid message type"},
		{"subscribe without id", []string{init, `{"type":"subscribe","payload":{"query":"{ echo }"}}`}, nil, 4400, "Invalid subscribe"},
		{"subscribe without payload", []string{init, `{"type":"subscribe","id":"1"}`}, nil, 4400, "Invalid subscribe"},
		{"query number", []string{init, `{"type":"subscribe","id":"1","payload":{"query":7}}`}, nil, 4400, "BAD_REQUEST: query"},
		{"variables list", []string{init, `{"type":"subscribe","id":"1","payload":{"query":"{ echo }","variables":[]}}`}, nil, 4400, "BAD_REQUEST: variables"},
		{"too large", []string{init, subscribe("1", strings.Repeat("x", 10_001))}, nil, websocket.StatusMessageTooBig, ""},
		{
			"query",
			[]string{init, subscribe("1", "{ echo }")},
			[][]string{{ack}, {`"type":"next","id":"1"`, `"echo":{"a":1}`, `"view":"public"`}, {`{"type":"complete","id":"1"}`}}, 0, "",
		},
		{
			"query signed in",
			[]string{`{"type":"connection_init","payload":{"Authorization":"Bearer good"}}`, subscribe("1", "{ echo }")},
			[][]string{{ack}, {`"view":"citizen:7","authorization":"Bearer good","principal":"王芳"`}, {`"complete"`}}, 0, "",
		},
		{"mutation", []string{init, subscribe("1", "mutation { echo }")}, [][]string{{ack}, {`"next"`}, {`"complete"`}}, 0, ""},
		{"an odd id", []string{init, subscribe(`a"\`, "{ echo }")}, [][]string{{ack}, {`"next"`, `"a\"\\"`}, {`"complete"`}}, 0, ""},
		{"syntax", []string{init, subscribe("1", "{")}, [][]string{{ack}, {`{"type":"error","id":"1","payload":[{`, "GRAPHQL_PARSE_FAILED"}}, 0, ""},
		{"coercion", []string{init, subscribe("1", "{ coerce }")}, [][]string{{ack}, {`{"type":"error","id":"1","payload":[{`, "BAD_USER_INPUT"}}, 0, ""},
		{"refused subscription", []string{init, subscribe("1", "subscription { coerce }")}, [][]string{{ack}, {`"error"`, "BAD_USER_INPUT"}}, 0, ""},
		{"panic", []string{init, subscribe("1", "{ panic }"), `{"type":"ping"}`}, [][]string{{ack}}, 0, ""},
		{"data null", []string{init, subscribe("1", "{ nothing }")}, [][]string{{ack}, {`"next"`, `"errors"`}, {`"complete"`}}, 0, ""},
		{"same id again", []string{init, subscribe("1", "subscription { p }"), subscribe("1", "subscription { p }")}, nil, 4409, "Subscriber for 1 already exists"},
		{
			"same id after an error",
			[]string{init, subscribe("1", "{")}, [][]string{{ack}, {"error"}}, 0, "",
		},
		{"complete of nothing", []string{init, `{"type":"complete","id":"9"}`, `{"type":"ping"}`}, [][]string{{ack}, {"pong"}}, 0, ""},
		{
			"too many operations",
			[]string{init, subscribe("1", "subscription { q }"), subscribe("2", "subscription { q }"), subscribe("3", "subscription { q }")},
			[][]string{{ack}, {`{"type":"error","id":"3"`, "TOO_MANY_OPERATIONS"}}, 0, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := dial(t, server.URL, nil)
			for _, message := range test.say {
				d.say(message)
			}
			for _, parts := range test.hear {
				d.hear(parts...)
			}
			if test.code != 0 {
				d.closed(test.code, test.reason)
			}
		})
	}
	t.Run("binary", func(t *testing.T) {
		d := dial(t, server.URL, nil)
		if err := d.conn.Write(t.Context(), websocket.MessageBinary, []byte(init)); err != nil {
			t.Fatal(err)
		}
		d.closed(4400, "Binary")
	})
	for _, protocols := range [][]string{{}, {"graphql-ws"}} {
		t.Run(fmt.Sprintf("subprotocols %v", protocols), func(t *testing.T) {
			dial(t, server.URL, nil, append(protocols, "x")...).closed(4406, "Subprotocol not acceptable")
		})
	}
}

func TestWebSocketSubscription(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine = engine }))
	news, other := engine.topic("news"), engine.topic("other")
	d := ready(t, server.URL)
	d.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { news }"}}`)
	d.say(`{"id":"b","type":"subscribe","payload":{"query":"subscription { other }"}}`)
	<-news.joined
	<-other.joined
	news.publish(`{"data":{"news":1}}`)
	d.hear(`{"type":"next","id":"a","payload":{"data":{"news":1}}}`)
	other.publish(`{"data":{"other":1}}`)
	d.hear(`{"type":"next","id":"b","payload":{"data":{"other":1}}}`)
	d.say(`{"id":"a","type":"complete"}`)
	<-news.left
	d.say(`{"id":"a","type":"subscribe","payload":{"query":"{ echo }"}}`) // the ID is free again
	d.hear(`"next"`, `"a"`)
	d.hear(`"complete"`, `"a"`)
	other.finish()
	d.hear(`{"type":"complete","id":"b"}`)
	<-other.left

	d.say(`{"id":"c","type":"subscribe","payload":{"query":"subscription { news }"}}`)
	<-news.joined
	_ = d.conn.CloseNow()
	<-news.left // a connection that breaks takes its subscriptions along
}

// Operations of one connection run at once, on what they have in common.
func TestWebSocketManyMutations(t *testing.T) {
	server := listen(t, newServer(t, nil))
	d := ready(t, server.URL)
	const count = 50
	for i := range count {
		d.say(fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"mutation { echo }"}}`, i))
	}
	for range 2 * count {
		d.hear(`"type":`)
	}
}

func TestWebSocketInitTimeout(t *testing.T) {
	server := listen(t, newServer(t, func(o *Options) { o.InitTimeout = 10 * time.Millisecond }))
	dial(t, server.URL, nil).closed(4408, "Connection initialisation timeout")
}

func TestWebSocketHeartbeat(t *testing.T) {
	pings := make(chan struct{}, 100)
	server := listen(t, newServer(t, func(o *Options) { o.Heartbeat = time.Millisecond }))
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql/ws", &websocket.DialOptions{
		Subprotocols:   []string{"graphql-transport-ws"},
		OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	go func() { _, _, _ = conn.Read(t.Context()) }()
	for range 3 {
		<-pings
	}
}

// A peer that answers no ping is gone.
func TestWebSocketDeadPeer(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) {
		o.Engine, o.Heartbeat, o.WriteTimeout = engine, time.Millisecond, 20*time.Millisecond
	}))
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql/ws", &websocket.DialOptions{
		Subprotocols:   []string{"graphql-transport-ws"},
		OnPingReceived: func(context.Context, []byte) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	d := &dialog{t, conn}
	d.say(`{"type":"connection_init"}`)
	d.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { news }"}}`)
	go func() {
		for {
			if _, _, err := conn.Read(t.Context()); err != nil {
				return
			}
		}
	}()
	<-engine.topic("news").joined
	<-engine.topic("news").left
}

func TestWebSocketDrain(t *testing.T) {
	engine := &fakeEngine{}
	s := newServer(t, func(o *Options) { o.Engine = engine })
	server := listen(t, s)
	idle, busy := ready(t, server.URL), ready(t, server.URL)
	busy.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { news }"}}`)
	<-engine.topic("news").joined
	drained := make(chan error)
	go func() { drained <- s.Drain(t.Context()) }()
	busy.closed(websocket.StatusServiceRestart, codeDraining)
	idle.closed(websocket.StatusServiceRestart, codeDraining)
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if _, response, err := websocket.Dial(t.Context(), server.URL+"/graphql/ws", nil); err == nil || response.StatusCode != 503 {
		t.Errorf("a new connection while draining: %v", err)
	}
}

func TestWebSocketSlowSubscriber(t *testing.T) {
	engine := &fakeEngine{}
	server := listen(t, newServer(t, func(o *Options) { o.Engine = engine }))
	slow, quick := ready(t, server.URL), ready(t, server.URL)
	news := engine.topic("news")
	for _, d := range []*dialog{slow, quick} {
		d.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { news }"}}`)
		<-news.joined
	}
	event := `{"data":{"news":"` + strings.Repeat("x", 1<<20) + `"}}`
	for published := 0; news.count() == 2; published++ {
		if published == 100 {
			t.Fatal("the slow subscriber was never dropped")
		}
		news.publish(event)
		quick.hear(`"next"`)
	}
	slow.closed(websocket.StatusTryAgainLater, codeSlow)
	news.publish(`{"data":{"news":"after"}}`)
	quick.hear("after")
}

func TestWebSocketEndsWithTheSignIn(t *testing.T) {
	server := listen(t, newServer(t, func(o *Options) {
		o.Authenticator = guard.AuthenticatorFunc(func(ctx context.Context, _ string) (context.Context, guard.Identity, error) {
			return ctx, guard.Identity{Expires: time.Now().Add(20 * time.Millisecond)}, nil
		})
	}))
	ready(t, server.URL).closed(4403, guard.CodeUnauthenticated)
}

func TestWebSocketPersisted(t *testing.T) {
	server := listen(t, newServer(t, func(o *Options) { o.Operations = policy(t, persisted.Production) }))
	own := `{"id":"1","type":"subscribe","payload":{"documentId":"` + hash(homeQuery) + `"}}`
	for name, client := range map[string]struct {
		header  http.Header
		payload string
	}{
		"payload":         {nil, `{"clientId":"app"}`},
		"payload, header": {nil, `{"X-Client-Id":"app"}`},
		"header":          {http.Header{"X-Client-Id": {"app"}}, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			d := dial(t, server.URL, client.header)
			d.say(`{"type":"connection_init","payload":` + client.payload + `}`)
			d.hear("connection_ack")
			d.say(own)
			d.hear(`"next"`, `"name":"Home"`)
			d.hear(`"complete"`)
			d.say(`{"id":"1","type":"subscribe","payload":{"query":"{ echo }"}}`)
			d.hear(`"error"`, "OPERATION_NOT_ALLOWED")
			d.say(`{"id":"1","type":"subscribe","payload":{"documentId":"0"}}`)
			d.hear(`"error"`, "OPERATION_UNKNOWN")
		})
	}
	for _, payload := range []string{`null`, `{"clientId":"stranger"}`, `{"clientId":7}`} {
		d := dial(t, server.URL, nil)
		d.say(`{"type":"connection_init","payload":` + payload + `}`)
		d.closed(4403, "CLIENT_UNKNOWN")
	}
}

func TestWebSocketHandshake(t *testing.T) {
	server := listen(t, newServer(t, func(o *Options) { o.Origins = []string{"https://portal.example.cn"} }))
	for origin, want := range map[string]int{
		"": 101, server.URL: 101, "https://portal.example.cn": 101, "https://evil.example": 403, "null": 403,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, response, err := websocket.Dial(t.Context(), server.URL+"/graphql/ws", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if response == nil || response.StatusCode != want {
			t.Errorf("from %q: %v %v, want %d", origin, response, err, want)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	response, err := http.Get(server.URL + "/graphql/ws")
	if err != nil || response.StatusCode != http.StatusUpgradeRequired || response.Header.Get("Upgrade") != "websocket" {
		t.Errorf("plain GET: %v %v", response, err)
	}
}
