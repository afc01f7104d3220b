package transport

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
)

// Every request has an ID: the client's own X-Request-Id if it is sound, else
// a new one. It stands in the answer's head, goes on to
// the subgraphs, and stands in every line of the log (telemetry.NewLog reads it).

type requestIDKey struct{}

// RequestID gives the ID of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identified is a context that carries the ID, and what is asked, in one allocation.
type identified struct {
	context.Context
	id    string
	asked Asked
}

// Value implements context.Context.
func (c *identified) Value(key any) any {
	switch key.(type) {
	case requestIDKey:
		return c.id
	case askedKey:
		return &c.asked
	}
	return c.Context.Value(key)
}

var (
	requestPrefix  = newRequestPrefix()
	requestCounter atomic.Uint64
)

func newRequestPrefix() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:]) + "-"
}

// identify gives the request its ID.
func identify(x *exchange) {
	if sent := x.r.Header["X-Request-Id"]; len(sent) == 1 && soundID(sent[0]) {
		x.id = sent[0]
		x.w.Header()["X-Request-Id"] = sent
	} else {
		x.id = requestPrefix + strconv.FormatUint(requestCounter.Add(1), 36)
		x.w.Header()["X-Request-Id"] = []string{x.id}
	}
	identity := &identified{x.r.Context(), x.id, Asked{Other, Other}}
	x.ctx, x.asked = identity, &identity.asked
}

func soundID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// recovered turns a panic into an answer; the log gets the stack, the client
// does not.
func (s *Server) recovered(x *exchange, panicked any) {
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(panicked) // net/http's own way to cut a connection
	}
	s.Logger.ErrorContext(x.ctx, "request panicked", "path", x.r.URL.Path, "panic", panicked, "stack", string(debug.Stack()))
	if x.written {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	x.refuse(internal())
}
