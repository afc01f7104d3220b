package dispatch

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake below is meant
	server.StartTLS()
	defer server.Close()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	for _, operation := range []ast.Operation{ast.Query, ast.Mutation} {
		p := prepared(t, server.URL, operation, HTTPOptions{TLS: config})
		for range 3 {
			reply, err := p.Fetch(t.Context(), &Request{})
			if err != nil {
				t.Fatal(err)
			}
			if string(reply.Body) != `{"query":"{a(s:\"x\")}"}` {
				t.Errorf("got %s", reply.Body)
			}
			reply.Release()
		}
	}
	p := prepared(t, server.URL, ast.Query, HTTPOptions{})
	if _, err := p.Fetch(t.Context(), &Request{}); err == nil {
		t.Error("a certificate that nobody trusts was accepted")
	}
}

// FuzzReply reads any bytes as a reply: an answer or an error, never a crash or a hang.
func FuzzReply(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 x\r\nContent-Type: a/json\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		r := reader{conn: &conn{Conn: &canned{bytes.NewReader(wire)}}, buffer: take(0), max: 1 << 16}
		body, _, err := r.reply()
		if err == nil && len(body) > len(wire) {
			t.Errorf("%d bytes of body out of %d", len(body), len(wire))
		}
	})
}

// canned is a connection that gives bytes that were there before.
type canned struct{ *bytes.Reader }

func (c *canned) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (c *canned) Close() error                     { return nil }
func (c *canned) LocalAddr() net.Addr              { return nil }
func (c *canned) RemoteAddr() net.Addr             { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
