package execute

import (
	"context"
	"errors"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// Observer is told of one run while it happens: by several goroutines, so its
// methods are quick and safe for concurrent use.
type Observer interface {
	// Sending is called before a fetch is sent, which is done in the context that
	// it returns. It may set the request's Trace.
	Sending(ctx context.Context, f *Sending) context.Context
	// Came is called with the same context and fetch after the reply was read
	// and decoded.
	Came(ctx context.Context, f *Sending)
	// Merged is called once, when every reply is merged and only the answer is
	// left to be written.
	Merged()
}

// Sending is one fetch on its way.
type Sending struct {
	Fetch    int    // its number in the plan
	Service  string // the subgraph's name
	Entities int    // representations that it sends; 0 of a fetch of root fields
	Request  *dispatch.Request
	Bytes    int   // of the reply
	Err      error // no usable answer came, as far as decoding can tell
}

// Failure is a fetch that brought no usable answer.
type Failure struct {
	Operation string // the operation's name, "" when it has none
	Fetch     int
	Service   string
	// Answered says that an answer came which is none to what was asked;
	// otherwise dispatch.Reason tells what went wrong.
	Answered bool
	// Err never holds anything out of the answer.
	Err error
}

// observed is send with the request's observer around it.
func (r *run) observed(f *fetch, s *state) {
	told := Sending{Fetch: f.id, Service: f.service, Entities: r.asked(f, s), Request: &s.request}
	ctx := r.request.Observer.Sending(r.ctx, &told)
	r.fetch(ctx, f, s)
	if s.reply != nil {
		told.Bytes = len(s.reply.Body) + len(s.reply.Data)
	}
	told.Err = s.err
	r.request.Observer.Came(ctx, &told)
}

// tell says that a fetch failed to who wants to know.
func (r *run) tell(f *fetch, s *state, reason error) {
	if r.program.failed == nil {
		return
	}
	failure := Failure{Operation: r.program.Plan.Name, Fetch: f.id, Service: f.service, Answered: s.reply != nil, Err: reason}
	if failure.Answered && !errors.Is(reason, errReply) && !errors.Is(reason, tree.ErrSyntax) && !errors.Is(reason, tree.ErrDiffer) {
		failure.Err = errReply // a decoder's own words may quote what it read
	}
	r.program.failed(r.ctx, failure)
}
