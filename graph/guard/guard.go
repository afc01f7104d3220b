// Package guard stands before the engine and before its subgraphs: who asks
// (Authenticator), how often (Limiter), what is switched off or limited by
// rule (Rules), and which subgraph is left alone for a while because it fails
// (Breaker). It knows no principals: what the server finds out about a caller
// is for the gateway one opaque string, the authorisation view.
//
// Start reading at Authenticator and Gate.
package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/citizencloud/citizencloud/graph/authorize"
)

// The codes of refusals (extensions.code).
const (
	CodeUnauthenticated = "UNAUTHENTICATED"
	CodeRateLimited     = "RATE_LIMITED"
	CodeDegraded        = "SERVICE_DEGRADED"
	CodeBroken          = "SUBGRAPH_UNAVAILABLE"
	CodeForbidden       = "FORBIDDEN" // an application's token does not reach so far
)

// Identity is what the gateway is told about a caller.
type Identity struct {
	// View names all that decides what the caller may see. Answers are shared
	// between callers of one view, and never beyond; "" shares nothing.
	View string
	// Scope names the caller's data scope; "" for none. What the schema marks
	// as the same for all of one scope is shared within it.
	Scope string
	// Subject tells callers apart for limits; "" for one who is not signed in.
	Subject string
	// Expires is when the sign-in ends, and with it its subscriptions; zero
	// for never.
	Expires time.Time
	// Claims are what the schema's access rules are held against; nil satisfies none.
	Claims authorize.Claims
	// Application is whose access token the request came with; nil where
	// somebody signed in with a client of ours.
	Application Application
}

// Application stands for an application that was let in by a token of its own,
// on somebody's behalf or not.
type Application interface {
	// Admit lets the application run an operation as the client of that name, or
	// refuses it. registered says that the client's manifest has it.
	Admit(ctx context.Context, client, operation string, registered bool) *Refusal
	// Ended is told how an admitted operation ended.
	Ended(errors int)
}

// Authenticator finds out who asks.
type Authenticator interface {
	// Authenticate reads the Authorization header ("" if there is none: an
	// anonymous caller, which is no error). The context it returns derives
	// from ctx and carries the principal to subgraphs in the process. Any
	// error refuses the request: a *Refusal as it says, others with
	// UNAUTHENTICATED.
	Authenticate(ctx context.Context, authorization string) (context.Context, Identity, error)
}

// AuthenticatorFunc is a function that is an Authenticator.
type AuthenticatorFunc func(ctx context.Context, authorization string) (context.Context, Identity, error)

// Authenticate implements Authenticator.
func (f AuthenticatorFunc) Authenticate(ctx context.Context, authorization string) (context.Context, Identity, error) {
	return f(ctx, authorization)
}

// Refusal says why a request is not served.
type Refusal struct {
	Code    string
	Message string // Chinese, for people
	// RetryAfter is when another try makes sense; 0 if never.
	RetryAfter time.Duration
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Unauthenticated refuses an authorization that is wrong or has expired.
func Unauthenticated(format string, args ...any) *Refusal {
	return &Refusal{Code: CodeUnauthenticated, Message: fmt.Sprintf(format, args...)}
}
