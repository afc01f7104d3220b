package dispatch

import (
	"context"
	"time"
)

// Watch tells of every fetch that is really sent through it: behind Share, of
// those that are shared once. Where nobody watches it is left out.
type Watch struct {
	Inner Dispatcher
	// Ended is told of each fetch when its reply has come, or none; it must be
	// quick, and safe for concurrent use.
	Ended func(ctx context.Context, f Fetched)
}

// Fetched is a fetch that ended.
type Fetched struct {
	Subgraph string // the join__Graph enum value
	Took     time.Duration
	Bytes    int   // of the reply
	Err      error // see Reason
}

// Prepare implements Dispatcher.
func (w *Watch) Prepare(d *Document) (Prepared, error) {
	prepared, err := w.Inner.Prepare(d)
	if err != nil {
		return nil, err
	}
	return &watched{prepared, w, d.Subgraph}, nil
}

// watched is a prepared document whose fetches are told of; subscriptions pass by.
type watched struct {
	Prepared
	watch    *Watch
	subgraph string
}

// Fetch implements Prepared.
func (p *watched) Fetch(ctx context.Context, request *Request) (*Reply, error) {
	began := time.Now()
	reply, err := p.Prepared.Fetch(ctx, request)
	f := Fetched{Subgraph: p.subgraph, Took: time.Since(began), Err: err}
	if reply != nil {
		f.Bytes = len(reply.Body) + len(reply.Data)
	}
	p.watch.Ended(ctx, f)
	return reply, err
}
