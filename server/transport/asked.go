package transport

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/graph"
)

// Other stands for every client that is not known, and every operation that no
// manifest names: of these there is any number, and each word that metrics use
// costs memory for ever.
const Other = "other"

// Asked says who asks what, in words of which there are only so many.
type Asked struct {
	Client    string // of a known client, or Other
	Operation string // as the client's manifest names it, or Other
}

type askedKey struct{}

// AskedOf gives what is asked by the request that ctx belongs to; outside of
// one both are Other.
func AskedOf(ctx context.Context) Asked {
	if asked, _ := ctx.Value(askedKey{}).(*Asked); asked != nil {
		return *asked
	}
	return Asked{Other, Other}
}

// name finds the words for a prepared operation.
func (s *Server) name(x *exchange) {
	switch {
	case s.Label != nil:
		x.asked.Operation = s.Label(x.operation)
	case x.registered:
		x.asked.Operation = x.operation.Name()
	}
}

// explaining are the words of the header X-Explain.
var explaining = []string{"plan", "choices", "cost", "timings", "only"}

// explain reads from the header what the answer shall tell of its making. It is
// there in development mode only: elsewhere nobody reads the header.
func (s *Server) explain(x *exchange) *refusal {
	if !s.Explain || x.shared {
		return nil
	}
	for _, line := range x.r.Header["X-Explain"] {
		for word := range strings.SplitSeq(line, ",") {
			word = strings.TrimSpace(word)
			if !slices.Contains(explaining, word) {
				return &refusal{status: http.StatusBadRequest, code: codeBadRequest, message: "X-Explain 只能是 " + strings.Join(explaining, "、")}
			}
			want := &x.call.Explain
			want.Plan = want.Plan || word == "plan"
			want.Choices = want.Choices || word == "choices"
			want.Cost = want.Cost || word == "cost"
			want.Timings = want.Timings || word == "timings"
			want.Only = want.Only || word == "only"
		}
	}
	x.call.Explain.Received, x.call.Explain.Asked = x.started, x.prepared
	return nil
}

// explained answers a request that only wants to know; subscriptions too.
func (s *Server) explained(x *exchange) *refusal {
	response := x.operation.Execute(x.ctx, x.call)
	defer response.Release()
	s.write(x, http.StatusOK, response.Body)
	return nil
}

// ask runs the exchange's query or mutation.
func (s *Server) ask(ctx context.Context, x *exchange) *graph.Response {
	s.load.running.Add(1)
	defer s.load.running.Add(-1)
	return x.operation.Execute(ctx, x.call)
}

// Load is what a server has in hand.
type Load struct {
	Running       int // queries and mutations
	Subscriptions int
	Streams       int // open SSE and WebSocket connections
}

// Load tells what the server has in hand now.
func (s *Server) Load() Load {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return Load{Running: int(s.load.running.Load()), Subscriptions: int(s.load.subscriptions.Load()), Streams: len(s.streams.open)}
}
