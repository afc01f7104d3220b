package transport

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// stream is the endpoint /graphql/stream: graphql-sse, distinct connections.
// Everything is answered as events: well-formed requests that cannot run too.
func (s *Server) stream(x *exchange) *refusal {
	x.events = true
	return s.answer(x)
}

// inMedia reports a refusal of a well-formed request as an event, where the
// client awaits events: one that is only a status says nothing to a browser's
// EventSource.
func (s *Server) inMedia(x *exchange, refused *refusal) *refusal {
	if x.media != mediaEvents || !refused.wellFormed {
		return refused
	}
	s.tell(x, refused)
	out := s.begin(x, func(error) {})
	defer out.end()
	x.errors = refused.count()
	out.fail(refused)
	out.complete()
	return nil
}

// run streams the operation's answers until it ends.
func (s *Server) run(x *exchange) *refusal {
	ctx, cancel := context.WithCancelCause(x.ctx)
	defer cancel(nil)
	live, refused := s.streams.enter(cancel)
	if refused != nil {
		return refused
	}
	defer s.streams.leave(live)
	defer expire(x.identity, cancel)()
	out := s.begin(x, cancel)
	defer out.end()
	if x.operation.Kind() != ast.Subscription {
		response := s.ask(ctx, x)
		defer response.Release()
		if s.tellDenied(x, response); !response.HasData {
			s.tell(x, &refusal{response: response})
		}
		x.errors = response.Errors
		out.next(response.Body)
		out.complete()
		return nil
	}
	x.call.Variables = bytes.Clone(x.call.Variables) // the subscription keeps them
	source, errs := x.operation.Subscribe(ctx, x.call)
	x.recordedAll()
	if len(errs) > 0 {
		x.errors = len(errs)
		s.tell(x, &refusal{errors: errs})
		out.fail(&refusal{errors: errs})
		out.complete()
		return nil
	}
	defer source.Close()
	s.load.subscriptions.Add(1)
	defer s.load.subscriptions.Add(-1)
	for {
		response, err := source.Next(ctx)
		if err != nil {
			s.close(x, ctx, out, err)
			return nil
		}
		out.next(response.Body)
		response.Release()
	}
}

// linger is the time between the last event and the end of a stream that is
// not complete: clients (graphql-sse) take an end that comes together with an
// event for none at all.
const linger = 200 * time.Millisecond

// close ends the events. After a drain, or when the source broke off, there is
// no complete event: that would tell the client that all is done, where it
// shall connect again.
func (s *Server) close(x *exchange, ctx context.Context, out *events, err error) {
	why, gone := s.ending(ctx, err)
	if gone {
		return
	}
	if why != nil {
		x.errors++
		out.fail(why)
	}
	if why == nil || why.code != codeDraining && why.code != codeBroken {
		out.complete()
		return
	}
	select {
	case <-time.After(linger):
	case <-x.ctx.Done():
	}
}

// events writes server-sent events. It may be used by several goroutines.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	every   time.Duration
	broken  func(error) // told once that the client is gone

	mu     sync.Mutex
	buffer []byte
	done   bool
	beat   *time.Timer
}

// begin sends the head, so that the client knows that it is connected, and
// starts the heartbeats.
func (s *Server) begin(x *exchange, broken func(error)) *events {
	header := x.w.Header()
	header["Content-Type"] = eventsType
	header["Cache-Control"] = []string{"no-cache, no-transform"}
	header["X-Accel-Buffering"] = []string{"no"} // nginx would hold events back
	header["X-Content-Type-Options"] = noSniff
	e := &events{w: x.w, control: http.NewResponseController(x.w), timeout: s.WriteTimeout, every: s.Heartbeat, broken: broken}
	_ = e.control.SetReadDeadline(time.Time{}) // the server's limit is for requests; not every writer has one
	x.status, x.written = http.StatusOK, true
	x.w.WriteHeader(http.StatusOK)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.write([]byte(":\n\n"))
	e.beat = time.AfterFunc(e.every, e.heartbeat)
	return e
}

// end stops the heartbeats; nothing is written after it.
func (e *events) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done = true
	e.beat.Stop()
	_ = e.control.SetWriteDeadline(time.Time{})
}

// heartbeat writes a comment, unless an event is being written.
func (e *events) heartbeat() {
	if !e.mu.TryLock() {
		e.beat.Reset(e.every)
		return
	}
	defer e.mu.Unlock()
	if !e.done {
		e.write([]byte(":\n\n"))
		e.beat.Reset(e.every)
	}
}

func (e *events) next(body []byte)      { e.event("next", body) }
func (e *events) complete()             { e.event("complete", nil) }
func (e *events) fail(refused *refusal) { e.next(refused.body(nil)) }

func (e *events) event(name string, data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buffer = append(append(append(e.buffer[:0], "event: "...), name...), "\ndata: "...)
	start := len(e.buffer)
	e.buffer = append(e.buffer, data...)
	oneLine(e.buffer[start:])
	e.buffer = append(e.buffer, "\n\n"...)
	e.write(e.buffer)
	if cap(e.buffer) > keepBuffer {
		e.buffer = nil
	}
}

// oneLine replaces line breaks, which in JSON can only be white space.
func oneLine(data []byte) {
	for i, c := range data {
		if c == '\n' || c == '\r' {
			data[i] = ' '
		}
	}
}

// write sends and flushes, within the time that a write may take. The lock is held.
func (e *events) write(data []byte) {
	if e.done {
		return
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(e.timeout))
	_, err := e.w.Write(data)
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		e.done = true
		e.broken(err)
	}
}
