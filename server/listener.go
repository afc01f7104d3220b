package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/citizencloud/citizencloud/server/lifecycle"
	"github.com/citizencloud/citizencloud/server/transport"
)

// listener takes requests at one address. It listens from the first moment on;
// until a service is shown, and after draining began, it answers 503 itself.
type listener struct {
	address string
	flag    string // which flag gave the address, for the person who must change it
	log     *slog.Logger

	socket  net.Listener
	server  *http.Server
	service atomic.Pointer[service]
	// running counts the requests that the service is answering.
	running atomic.Int64
}

func (l *listener) part() lifecycle.Part {
	return lifecycle.Part{Name: "listener " + l.address, Start: l.start, Stop: l.stop}
}

func (l *listener) start(ctx context.Context) (<-chan error, error) {
	var listening net.ListenConfig
	socket, err := listening.Listen(ctx, "tcp", l.address)
	if err != nil {
		return nil, l.explain(err)
	}
	l.socket = socket
	l.server = transport.NewHTTPServer(http.HandlerFunc(l.answer), l.log)
	ended := make(chan error, 1)
	go func() {
		if err := l.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			ended <- err
		}
	}()
	return ended, nil
}

// explain makes the one sentence out of what the kernel says.
func (l *listener) explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("the address %s is in use by another process; stop that one or give another %s", l.address, l.flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("the address %s may not be used by this user; give a port above 1023 with %s", l.address, l.flag)
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return fmt.Errorf("the address %q cannot be listened at (%w); %s takes HOST:PORT", l.address, err, l.flag)
}

func (l *listener) answer(w http.ResponseWriter, r *http.Request) {
	if shown := l.service.Load(); shown != nil {
		if r.URL.Path != "/health" {
			l.running.Add(1)
			defer l.running.Add(-1)
		}
		shown.Handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, `{"errors":[{"message":"服务正在启动，请稍后再试","extensions":{"code":"UNAVAILABLE"}}]}`)
}

// show hands all requests from now on to the service.
func (l *listener) show(s *service) { l.service.Store(s) }

// bound returns the address that is really listened at, also for port 0.
func (l *listener) bound() string { return l.socket.Addr().String() }

// drain ends the service for its clients. As long as requests are in flight the
// socket stays open: whoever watches /health sees 503 and sends no more, and
// who comes all the same is told to come again, instead of a refused connection.
func (l *listener) drain(ctx context.Context) error {
	var failed error
	if shown := l.service.Load(); shown != nil && shown.Drain != nil {
		failed = shown.Drain(ctx)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for l.running.Load() > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	if left := l.running.Load(); left > 0 {
		_ = l.server.Close()
		return errors.Join(failed, fmt.Errorf("%d requests were cut off after the drain timeout", left))
	}
	return errors.Join(failed, l.server.Shutdown(ctx))
}

func (l *listener) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		return l.server.Close()
	}
	return nil
}
