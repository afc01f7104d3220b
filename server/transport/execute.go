package transport

import (
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph"
)

// prepare takes the operation from text to something that runs, and readies
// the call.
func prepare(s *Server, x *exchange) *refusal {
	if s.Explain {
		x.prepared = time.Now()
	}
	operation, errs := s.Engine.Prepare(x.ctx, x.envelope.query, x.envelope.operationName)
	if len(errs) > 0 {
		return &refusal{status: http.StatusBadRequest, errors: errs, wellFormed: true}
	}
	x.operation = operation
	s.name(x)
	if x.safe && operation.Kind() == ast.Mutation {
		return &refusal{status: http.StatusMethodNotAllowed, code: codeMethod, allow: http.MethodPost, message: "mutation 只能用 POST 发送"}
	}
	if refused := s.Gate.Run(x.client, operation.Name(), x.started); refused != nil {
		return guarded(refused)
	}
	if operation.Kind() == ast.Mutation && !x.shared { // what changes something says from where, whatever the client itself claimed
		x.header["X-Forwarded-For"] = []string{x.from()}
	}
	x.call = graph.Call{Variables: x.envelope.variables, Header: x.header, View: x.identity.View, Scope: x.identity.Scope, Claims: x.identity.Claims, ID: x.id}
	if s.MaxCost != nil {
		x.call.MaxCost = s.MaxCost(x.client)
	}
	x.describe()
	if s.Latest != nil && operation.Kind() == ast.Subscription {
		x.call.Latest = s.Latest(x.client, operation.Name())
	}
	return s.explain(x)
}

// execute runs a query or a mutation and writes its answer.
func execute(s *Server, x *exchange) *refusal {
	if x.operation.Kind() == ast.Subscription {
		if x.eventsToo {
			x.media = mediaEvents
			return s.run(x)
		}
		return &refusal{
			status: http.StatusNotAcceptable, code: codeTransport,
			message: "subscription 须用 /graphql/ws，或以 Accept: text/event-stream 请求 /graphql/stream",
		}
	}
	response := s.ask(x.ctx, x)
	defer response.Release()
	if !response.HasData {
		refused := &refusal{status: http.StatusBadRequest, wellFormed: true, response: response}
		s.tell(x, refused)
		x.refuse(refused)
		return nil
	}
	s.tellDenied(x, response)
	x.errors = response.Errors
	s.write(x, http.StatusOK, response.Body)
	return nil
}
