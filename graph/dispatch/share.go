package dispatch

import (
	"context"
	"crypto/sha256"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/flight"
)

// Share sends identical queries that are in flight at the same time once.
// Identical means the same subgraph, document, variables, authorisation view
// and authorisation headers; what has no view is never shared, nor is a
// mutation. A reply is not kept once it has come.
type Share struct {
	next    Dispatcher
	flights flight.Group[*Reply]
}

// NewShare returns a sharing dispatcher in front of another.
func NewShare(next Dispatcher) *Share {
	return &Share{next: next, flights: flight.Group[*Reply]{Free: (*Reply).Release}}
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

// Fetch implements Prepared.
func (p *sharePrepared) Fetch(ctx context.Context, request *Request) (*Reply, error) {
	if request.View == "" {
		return p.Prepared.Fetch(ctx, request)
	}
	key := make([]byte, 0, len(p.id)+len(request.View)+len(request.Variables)+128)
	key = append(key, p.id[:]...)
	key = append(AppendCaller(key, request.View, request.Header), request.Variables...)
	// Who works does not return before the work is done, so the request stays valid meanwhile.
	shared, err := p.share.flights.Do(ctx, string(key), func(ctx context.Context) (*Reply, error) {
		return p.Prepared.Fetch(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	r := *shared.Value
	r.free = func(*Reply) { shared.Release() }
	return &r, nil
}

// AppendCaller appends to a sharing key all that says on whose behalf a request is sent.
func AppendCaller(key []byte, view string, header http.Header) []byte {
	part := func(s string) {
		key = append(key, s...)
		key = append(key, 0)
	}
	part(view)
	for _, name := range [...]string{"Authorization", "Baggage"} {
		for _, value := range header[name] {
			part(value)
		}
		key = append(key, 1)
	}
	return key
}
