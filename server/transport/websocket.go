package transport

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/citizencloud/citizencloud/graph/guard"
)

// The close codes of graphql-transport-ws, and those of RFC 6455 that tell a
// client to connect again.
const (
	closeInvalid     websocket.StatusCode = 4400
	closeNotAcked    websocket.StatusCode = 4401
	closeForbidden   websocket.StatusCode = 4403
	closeSubprotocol websocket.StatusCode = 4406
	closeInitTimeout websocket.StatusCode = 4408
	closeDuplicate   websocket.StatusCode = 4409
	closeInitTwice   websocket.StatusCode = 4429
	closeRestart                          = websocket.StatusServiceRestart
	closeTryLater                         = websocket.StatusTryAgainLater
)

const subprotocol = "graphql-transport-ws"

// socket is one WebSocket connection. Its goroutine reads; every operation
// runs in one of its own.
type socket struct {
	server *Server
	conn   *websocket.Conn
	read   context.Context // of reading; life is of all that runs
	life   context.Context
	cancel context.CancelCauseFunc

	// Set by connection_init, before any operation starts.
	base exchange // what the operations have in common
	init bool

	mu         sync.Mutex
	acked      bool
	operations map[string]context.CancelFunc
	running    sync.WaitGroup
}

// websocket is the endpoint /graphql/ws.
func (s *Server) websocket(x *exchange) *refusal {
	if refused := admit(s, x); refused != nil {
		return refused
	}
	if !s.ownOrigin(x.r) {
		return &refusal{status: http.StatusForbidden, code: codeOrigin, message: "此网站的页面不能连接"}
	}
	if !strings.EqualFold(x.r.Header.Get("Upgrade"), "websocket") {
		x.w.Header().Set("Upgrade", "websocket")
		return &refusal{status: http.StatusUpgradeRequired, code: codeTransport, message: "此地址只用于 WebSocket（graphql-transport-ws）"}
	}
	_ = client(s, x)
	if refused := approach(s, x); refused != nil {
		return refused
	}
	life, cancel := context.WithCancelCause(x.ctx)
	defer cancel(nil)
	live, refused := s.streams.enter(cancel)
	if refused != nil {
		return refused
	}
	defer s.streams.leave(live)
	x.written, x.status = true, http.StatusSwitchingProtocols // Accept answers its own errors
	conn, err := websocket.Accept(x.w, x.r, &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol}, InsecureSkipVerify: true, // ownOrigin has checked
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != subprotocol {
		_ = conn.Close(closeSubprotocol, "Subprotocol not acceptable")
		return nil
	}
	conn.SetReadLimit(s.MaxBody)
	k := &socket{server: s, conn: conn, read: x.ctx, life: life, cancel: cancel, operations: map[string]context.CancelFunc{}}
	k.base = exchange{ctx: x.ctx, r: x.r, header: x.r.Header, client: x.client, asked: x.asked, address: x.address, started: x.started, id: x.id}
	k.serve()
	return nil
}

// serve reads until the connection ends, and waits for its operations.
func (k *socket) serve() {
	stopClosing := context.AfterFunc(k.life, k.closeForCause)
	timeout := time.AfterFunc(k.server.InitTimeout, k.initTimedOut)
	beat := newBeat(k)
	for {
		kind, message, err := k.conn.Read(k.read)
		if err != nil {
			break
		}
		if kind != websocket.MessageText {
			k.close(closeInvalid, "Binary messages are not supported")
			break
		}
		if !k.handle(message) {
			break
		}
	}
	stopClosing()
	timeout.Stop()
	beat.stop()
	k.cancel(nil)
	_ = k.conn.CloseNow() // an operation that is writing must not wait
	k.running.Wait()
}

func (k *socket) initTimedOut() {
	k.mu.Lock()
	acked := k.acked
	k.mu.Unlock()
	if !acked {
		k.close(closeInitTimeout, "Connection initialisation timeout")
	}
}

// closeForCause tells the client why the server ends the connection.
func (k *socket) closeForCause() {
	switch cause := context.Cause(k.life); {
	case errors.Is(cause, errDraining):
		k.close(closeRestart, codeDraining+": 服务正在重启，请重新连接")
	case errors.Is(cause, errExpired):
		k.close(closeForbidden, guard.CodeUnauthenticated+": 登录已过期，请重新登录")
	}
}

// close says why and ends the connection.
func (k *socket) close(code websocket.StatusCode, reason string) {
	_ = k.conn.Close(code, fitting(reason))
}

// fitting cuts a reason to the 123 bytes that a close frame holds.
func fitting(reason string) string {
	const most = 123
	for len(reason) > most {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	return reason
}

// handle acts on one message; false ends the connection.
func (k *socket) handle(message []byte) bool {
	var f frame
	if !f.parse(message) {
		k.close(closeInvalid, "Invalid message received")
		return false
	}
	switch f.kind {
	case "connection_init":
		return k.initialise(&f)
	case "ping":
		k.send(`{"type":"pong"`, f.payload)
		return true
	case "pong":
		return true
	case "subscribe":
		return k.subscribe(&f)
	case "complete":
		k.finish(f.id)
		return true
	}
	k.close(closeInvalid, "Invalid message type")
	return false
}

// initialise learns from connection_init who connects, and lets it in or not.
func (k *socket) initialise(f *frame) bool {
	if k.init {
		k.close(closeInitTwice, "Too many initialisation requests")
		return false
	}
	k.init = true
	if f.payload != nil && f.payload[0] != '{' {
		k.close(closeInvalid, "Invalid payload of connection_init")
		return false
	}
	x := &k.base
	k.introduce(x, f.payload)
	if refused := k.admit(x); refused != nil {
		k.close(closeForbidden, refused.code+": "+refused.message)
		return false
	}
	stop := expire(x.identity, k.cancel)
	context.AfterFunc(k.life, func() { stop() })
	k.mu.Lock()
	k.acked = true
	k.mu.Unlock()
	k.send(`{"type":"connection_ack"`, nil)
	return true
}

// introduce takes client ID and authorization out of the payload; they go
// before the headers of the handshake, which browsers cannot set.
func (k *socket) introduce(x *exchange, payload []byte) {
	var given map[string]any
	if payload != nil {
		_ = json.Unmarshal(payload, &given) // it is sound, and an object
	}
	header := x.header.Clone()
	header["X-Forwarded-For"] = []string{x.from()}
	for key, value := range given {
		text, ok := value.(string)
		if !ok || text == "" {
			continue
		}
		switch strings.ToLower(key) {
		case "authorization":
			header["Authorization"] = []string{text}
		case "clientid", "x-client-id":
			x.client = text
			header["X-Client-Id"] = []string{text}
		}
	}
	x.header = header
	k.server.introduced(x)
}

func (k *socket) admit(x *exchange) (refused *refusal) {
	defer func() { k.server.tell(x, refused) }()
	if err := k.server.Operations.Admit(x.client); err != nil {
		return unresolved(err)
	}
	if refused := authenticate(k.server, x); refused != nil {
		return refused
	}
	return limit(k.server, x)
}
