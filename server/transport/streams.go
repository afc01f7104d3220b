package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/guard"
)

// The causes for which the server itself ends a stream.
var (
	errDraining = errors.New("server drains")
	errExpired  = errors.New("sign-in expired")
)

// streams are the open SSE and WebSocket connections.
type streams struct {
	most   int
	closed atomic.Bool
	mu     sync.Mutex
	open   map[*live]struct{}
	empty  chan struct{} // closed when draining and nothing is open
}

// live is one open connection.
type live struct{ cancel context.CancelCauseFunc }

func (s *streams) draining() bool { return s.closed.Load() }

// enter notes a connection, which cancel ends when the server drains.
func (s *streams) enter(cancel context.CancelCauseFunc) (*live, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining():
		return nil, draining()
	case len(s.open) >= s.most:
		return nil, &refusal{status: http.StatusServiceUnavailable, code: codeStreams, message: "实时连接数已满，请稍后再试", retryAfter: 5 * time.Second}
	}
	if s.open == nil {
		s.open = map[*live]struct{}{}
	}
	l := &live{cancel}
	s.open[l] = struct{}{}
	return l, nil
}

func (s *streams) leave(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
	if s.empty != nil && len(s.open) == 0 {
		close(s.empty)
		s.empty = nil
	}
}

// Drain turns new requests away from now on, and ends all streams: each is
// told why, so that its client connects again (to another process, or to this
// one's successor). It returns when all have left, or with ctx's error.
// Requests that run are http.Server.Shutdown's to wait for.
func (s *Server) Drain(ctx context.Context) error {
	t := &s.streams
	t.mu.Lock()
	t.closed.Store(true)
	empty := make(chan struct{})
	if len(t.open) == 0 {
		close(empty)
	} else {
		t.empty = empty
	}
	for l := range t.open {
		l.cancel(errDraining)
	}
	t.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// expire ends a stream when the sign-in of its caller does.
func expire(identity guard.Identity, cancel context.CancelCauseFunc) (stop func() bool) {
	if identity.Expires.IsZero() {
		return func() bool { return true }
	}
	return time.AfterFunc(time.Until(identity.Expires), func() { cancel(errExpired) }).Stop
}

// ending says why a subscription ended: the refusal to tell the client, nil if
// it ended by itself; gone is true when there is nobody to tell.
func (s *Server) ending(ctx context.Context, err error) (why *refusal, gone bool) {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errDraining):
		return draining(), false
	case errors.Is(cause, errExpired):
		return guarded(guard.Unauthenticated("登录已过期，请重新登录")), false
	case errors.Is(err, graph.ErrSlow):
		return &refusal{code: codeSlow, message: "接收过慢，订阅已断开，请重新订阅"}, false
	case cause != nil:
		return nil, true
	case errors.Is(err, io.EOF):
		return nil, false
	}
	s.Logger.ErrorContext(ctx, "subscription failed", "error", err)
	return &refusal{code: codeBroken, message: "订阅的数据源中断，请重新订阅"}, false
}
