package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph"
)

// This file runs the operations of one WebSocket.

// subscribe starts an operation; false ends the connection.
func (k *socket) subscribe(f *frame) bool {
	k.mu.Lock()
	acked, count := k.acked, len(k.operations)
	_, double := k.operations[f.id]
	k.mu.Unlock()
	x := &exchange{started: time.Now()}
	switch {
	case !acked:
		k.close(closeNotAcked, "Unauthorized")
		return false
	case f.id == "" || f.payload == nil || f.payload[0] != '{':
		k.close(closeInvalid, "Invalid subscribe message")
		return false
	case double:
		k.close(closeDuplicate, "Subscriber for "+f.id+" already exists")
		return false
	}
	if refused := x.envelope.parse(f.payload); refused != nil {
		k.close(closeInvalid, refused.code+": "+refused.message)
		return false
	}
	if count >= k.server.MaxOperations {
		k.fail(f.id, &refusal{code: codeOperations, message: "同一连接上的操作过多"})
		return true
	}
	ctx, cancel := context.WithCancel(k.life)
	k.mu.Lock()
	k.operations[f.id] = cancel
	k.mu.Unlock()
	base := &k.base
	own := &principalled{Context: ctx, values: base.ctx, asked: Asked{base.asked.Client, Other}}
	x.ctx, x.asked = own, &own.asked
	x.header, x.shared, x.r, x.id = base.header, true, base.r, base.id
	x.client, x.address, x.identity = base.client, base.address, base.identity
	k.running.Go(func() { k.run(x, f.id, cancel) })
	return true
}

// principalled lives as long as its operation, and carries the values of the
// connection: principal and request ID.
type principalled struct {
	context.Context
	values context.Context
	asked  Asked
}

// Value implements context.Context.
func (p *principalled) Value(key any) any {
	if _, ok := key.(askedKey); ok {
		return &p.asked
	}
	if value := p.Context.Value(key); value != nil {
		return value
	}
	return p.values.Value(key)
}

// finish ends an operation that the client does not want any more.
func (k *socket) finish(id string) {
	k.mu.Lock()
	cancel := k.operations[id]
	delete(k.operations, id)
	k.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// free gives the ID back before the last message of its operation, so that
// the client may use it again at once. It says whether that message is still
// awaited: not after the client's own complete.
func (k *socket) free(x *exchange, id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if x.ctx.Err() != nil {
		return false
	}
	delete(k.operations, id)
	return true
}

func (k *socket) run(x *exchange, id string, cancel context.CancelFunc) {
	s := k.server
	defer cancel()
	s.record(x)
	defer func() {
		x.recordedAll()
		x.account()
		s.observe(x)
	}()
	defer func() {
		if panicked := recover(); panicked != nil {
			s.Logger.ErrorContext(x.ctx, "operation panicked", "panic", panicked, "stack", string(debug.Stack()))
			k.refuse(x, id, internal())
		}
	}()
	x.status = http.StatusOK
	for _, step := range [...]stage{approach, persist, limit, prepare} {
		if refused := step(s, x); refused != nil {
			k.refuse(x, id, refused)
			return
		}
	}
	if x.operation.Kind() != ast.Subscription {
		k.execute(x, id)
		return
	}
	x.call.Variables = bytes.Clone(x.call.Variables)
	source, errs := x.operation.Subscribe(x.ctx, x.call)
	x.recordedAll()
	if len(errs) > 0 {
		k.refuse(x, id, &refusal{errors: errs})
		return
	}
	defer source.Close()
	s.load.subscriptions.Add(1)
	defer s.load.subscriptions.Add(-1)
	for {
		response, err := source.Next(x.ctx)
		if err != nil {
			k.ended(x, id, err)
			return
		}
		k.next(id, response.Body)
		response.Release()
	}
}

func (k *socket) execute(x *exchange, id string) {
	response := k.server.ask(x.ctx, x)
	defer response.Release()
	if !response.HasData {
		k.refuse(x, id, &refusal{response: response})
		return
	}
	k.server.tellDenied(x, response)
	x.errors = response.Errors
	if x.ctx.Err() == nil {
		k.next(id, response.Body)
	}
	k.complete(x, id)
}

// ended tells the client how a subscription ended. One that is too slow loses
// the connection: it is the connection that does not keep up.
func (k *socket) ended(x *exchange, id string, err error) {
	switch {
	case errors.Is(err, graph.ErrSlow):
		x.errors++
		k.close(closeTryLater, codeSlow+": 接收过慢，连接已断开，请重新订阅")
	case x.ctx.Err() != nil: // closeForCause speaks for all
	case errors.Is(err, io.EOF):
		k.complete(x, id)
	default:
		why, _ := k.server.ending(x.ctx, err)
		k.refuse(x, id, why)
	}
}

func (k *socket) refuse(x *exchange, id string, refused *refusal) {
	k.server.tell(x, refused)
	x.errors = refused.count()
	if k.free(x, id) {
		k.fail(id, refused)
	}
}

func (k *socket) fail(id string, refused *refusal) {
	var list []byte
	if refused.response != nil {
		list = errorsOf(refused.response.Body)
	} else {
		list = refused.list(nil)
	}
	k.send(`{"type":"error","id":`+string(appendString(nil, id)), list)
}

// errorsOf cuts the array out of {"errors":[…]}.
func errorsOf(body []byte) []byte {
	var list []byte
	s := &scanner{data: body}
	s.object(func(key []byte) bool {
		span, ok := s.value()
		if string(key) == "errors" {
			list = span
		}
		return ok
	})
	if list == nil {
		return internal().list(nil)
	}
	return list
}

func (k *socket) next(id string, body []byte) {
	k.send(`{"type":"next","id":`+string(appendString(nil, id)), body)
}

func (k *socket) complete(x *exchange, id string) {
	if k.free(x, id) {
		k.send(`{"type":"complete","id":`+string(appendString(nil, id)), nil)
	}
}

// send writes one message, within the time that a write may take; a client
// that is slower loses the connection.
func (k *socket) send(head string, payload []byte) {
	message := make([]byte, 0, len(head)+len(payload)+len(`,"payload":}`))
	message = append(message, head...)
	if payload != nil {
		message = append(append(message, `,"payload":`...), payload...)
	}
	message = append(message, '}')
	ctx, cancel := context.WithTimeout(k.read, k.server.WriteTimeout)
	defer cancel()
	if err := k.conn.Write(ctx, 1, message); err != nil {
		k.cancel(err)
	}
}
