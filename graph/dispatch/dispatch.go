// Package dispatch carries one fetch of a plan to the subgraph that answers
// it: in the process (InProcess), over HTTP (HTTP), some of each (Mixed), with
// identical fetches in flight sent once (Share).
//
// Start reading at Dispatcher; every way of reaching a subgraph implements it.
package dispatch

import (
	"context"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Dispatcher reaches subgraphs. It is safe for concurrent use.
type Dispatcher interface {
	// Prepare readies a document, once for each fetch of a plan, so that
	// nothing of it is parsed, validated or encoded at run time. It fails for
	// a subgraph that is not known and for a document that the subgraph's
	// schema refuses.
	Prepare(document *Document) (Prepared, error)
}

// Prepared sends one document, any number of times and concurrently.
type Prepared interface {
	// Fetch runs a query or mutation. The error is not nil only when no
	// GraphQL answer came (connection, status, size, time); the errors of
	// the subgraph itself are part of the reply.
	Fetch(ctx context.Context, request *Request) (*Reply, error)
	// Subscribe starts a subscription and returns after it is accepted. The
	// source ends when ctx does.
	Subscribe(ctx context.Context, request *Request) (Source, error)
}

// Document is what a plan's fetch asks of one subgraph.
type Document struct {
	Subgraph  string // the join__Graph enum value
	Operation ast.Operation
	Text      string
}

// Request is what differs from one sending of a document to the next.
type Request struct {
	// Variables is a JSON object, nil for none. Prepared does not keep it
	// after it returned.
	Variables []byte
	// Header holds the client's headers; those that are forwarded are named in Forwarded.
	Header http.Header
	// View names the authorisation view of the caller. Requests are shared
	// only between equal views; "" is never shared.
	View string
	// ID names the client's request in the subgraph's log (X-Request-Id); "" for none.
	ID string
	// Trace is the W3C traceparent to send instead of the client's own; "" keeps that.
	Trace string
}

// Forwarded names the headers of the client that reach the subgraphs: who
// asks, and the W3C trace context.
var Forwarded = [...]string{"Authorization", traceparent, "Tracestate", "Baggage"}

const traceparent = "Traceparent"

// ForwardedChange names the headers that are forwarded, besides, with what changes something and is
// therefore never shared: through which client and from where, for the audit.
var ForwardedChange = [...]string{"X-Client-Id", "X-Forwarded-For"}

// Reply is a subgraph's answer. Its bytes are valid until Release.
type Reply struct {
	// Body is the complete answer, {"data":…,"errors":…}, or nil when the
	// parts below hold it.
	Body []byte
	// Data is the value of data alone, Errors the errors, where Body is nil.
	Data   []byte
	Errors gqlerror.List

	free func(*Reply)
}

// NewReply returns a reply whose bytes are handed to free when it is released; free may be nil.
func NewReply(body []byte, free func(*Reply)) *Reply {
	return &Reply{Body: body, free: free}
}

// Release gives the reply's bytes back. It may be called once, by the one who fetched it.
func (r *Reply) Release() {
	if r != nil && r.free != nil {
		free := r.free
		r.free = nil
		free(r)
	}
}

// Source is a running subscription of one subgraph.
type Source interface {
	// Next waits for the next event. It returns io.EOF after the last one.
	Next(ctx context.Context) (*Reply, error)
	// Close ends the subscription and waits for nothing.
	Close()
}
