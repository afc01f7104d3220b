package dispatch

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
)

// Share sends identical queries that are in flight at the same time once.
// Identical means the same subgraph, document, variables, authorisation view
// and authorisation headers; what has no view is never shared, nor is a
// mutation. A reply is not kept once it has come.
type Share struct {
	next Dispatcher

	mu      sync.Mutex
	flights map[string]*flight
}

// NewShare returns a sharing dispatcher in front of another.
func NewShare(next Dispatcher) *Share {
	return &Share{next: next, flights: map[string]*flight{}}
}

// Prepare implements Dispatcher.
func (s *Share) Prepare(d *Document) (Prepared, error) {
	prepared, err := s.next.Prepare(d)
	if err != nil || d.Operation != ast.Query {
		return prepared, err
	}
	return &sharePrepared{Prepared: prepared, share: s, id: sha256.Sum256([]byte(d.Subgraph + "\x00" + d.Text))}, nil
}

// sharePrepared is a prepared query; subscriptions pass by.
type sharePrepared struct {
	Prepared
	share *Share
	id    [sha256.Size]byte // of subgraph and document
}

// flight is one sending that others wait for.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // under Share.mu
	reply   *Reply
	err     error
	refs    atomic.Int32
}

// Fetch implements Prepared.
func (p *sharePrepared) Fetch(ctx context.Context, request *Request) (*Reply, error) {
	if request.View == "" {
		return p.Prepared.Fetch(ctx, request)
	}
	key := p.key(request)
	s := p.share
	s.mu.Lock()
	if f := s.flights[key]; f != nil {
		f.waiting++
		s.mu.Unlock()
		select {
		case <-f.done:
			return f.share()
		case <-ctx.Done():
			s.leave(key, f)
			return nil, ctx.Err()
		}
	}
	// The one who came first sends; it may leave while the others still wait.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel, waiting: 1}
	s.flights[key] = f
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { s.leave(key, f) })
	f.reply, f.err = p.Prepared.Fetch(own, request)
	stopped := stop()
	cancel()
	s.mu.Lock()
	if s.flights[key] == f {
		delete(s.flights, key)
	}
	// Who left before does not come for the reply.
	f.refs.Store(int32(f.waiting))
	if f.waiting == 0 {
		f.reply.Release()
	}
	close(f.done)
	s.mu.Unlock()
	if !stopped {
		return nil, ctx.Err()
	}
	return f.share()
}

// leave is called by one whose own context has ended; the last one stops the sending.
func (s *Share) leave(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-f.done: // the reply came meanwhile and counted this one
		f.unref()
		return
	default:
	}
	f.waiting--
	if f.waiting == 0 {
		if s.flights[key] == f {
			delete(s.flights, key)
		}
		f.cancel()
	}
}

func (p *sharePrepared) key(request *Request) string {
	b := make([]byte, 0, len(p.id)+len(request.View)+len(request.Variables)+128)
	b = append(b, p.id[:]...)
	part := func(s string) {
		b = append(b, s...)
		b = append(b, 0)
	}
	part(request.View)
	for _, name := range [...]string{"Authorization", "Baggage"} {
		for _, value := range request.Header[name] {
			part(value)
		}
		b = append(b, 1)
	}
	return string(append(b, request.Variables...))
}

// share gives one of those who waited its reply.
func (f *flight) share() (*Reply, error) {
	if f.err != nil {
		return nil, f.err
	}
	r := *f.reply
	r.free = func(*Reply) { f.unref() }
	return &r, nil
}

func (f *flight) unref() {
	if f.refs.Add(-1) == 0 {
		f.reply.Release()
	}
}
