package dispatch

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// The reasons for which a fetch brings no answer, for logs and metrics: there
// are only these.
const (
	ReasonTimeout   = "timeout"    // of the fetch or of the whole operation
	ReasonRefused   = "refused"    // nobody listens there
	ReasonStatus    = "status"     // another HTTP status than 200, without GraphQL in it
	ReasonTooLarge  = "too large"  // more than MaxReply
	ReasonProtocol  = "protocol"   // what came is not HTTP/1.1
	ReasonCancelled = "cancelled"  // the client left; no fault of the subgraph
	ReasonPanic     = "panic"      // of a subgraph in the process
	ReasonBroken    = "connection" // any other trouble with it: DNS, TLS, reset
)

// Reason says in one word why Fetch or Subscribe failed, "" for nil.
func Reason(err error) string {
	var status statusError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errTimeout), errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	case errors.Is(err, context.Canceled):
		return ReasonCancelled
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused
	case errors.As(err, &status):
		return ReasonStatus
	case errors.Is(err, errTooLarge):
		return ReasonTooLarge
	case errors.Is(err, errProtocol):
		return ReasonProtocol
	case errors.Is(err, errPanic):
		return ReasonPanic
	}
	return ReasonBroken
}

// statusError is an HTTP status that is not an answer.
type statusError int

// Error implements error.
func (s statusError) Error() string { return fmt.Sprintf("status %d", int(s)) }

var errPanic = errors.New("panicked")
