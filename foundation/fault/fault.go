// Package fault holds the refusals that a subgraph answers with: a code for
// programs, a Chinese sentence for people, and for bad input the field that it
// is about. All codes stand in this file; clients may rely on them.
//
// Start reading at Fault; Present turns any error into what a client may see.
package fault

import (
	"errors"
	"fmt"
)

// Code says to a program what kind of refusal it is (extensions.code).
type Code string

// The codes of the subgraphs. The gateway has its own, in package graph.
const (
	Unauthenticated Code = "UNAUTHENTICATED"         // nobody is signed in, or the session ended
	Forbidden       Code = "FORBIDDEN"               // signed in, but not allowed
	NotFound        Code = "NOT_FOUND"               // no such thing, or none that the caller may see
	InvalidInput    Code = "INVALID_INPUT"           // the field named in extensions.field is wrong
	Conflict        Code = "CONFLICT"                // the state does not allow it, or somebody was faster
	RateLimited     Code = "RATE_LIMITED"            // too often; extensions.retryAfter in seconds
	Locked          Code = "LOCKED"                  // the account is locked for a while
	StepUpRequired  Code = "STEP_UP_REQUIRED"        // prove once more who you are, then try again
	CaptchaRequired Code = "CAPTCHA_REQUIRED"        // solve a captcha, then try again
	ConsentRequired Code = "CONSENT_REQUIRED"        // agree to what is told first, then try again
	Full            Code = "FULL"                    // no place left
	Unavailable     Code = "TEMPORARILY_UNAVAILABLE" // something outside is away; try again
	Internal        Code = "INTERNAL"                // our fault; the log knows more
)

// Fault is an error that may be shown to the client as it is.
type Fault struct {
	Code    Code
	Message string // Chinese, for people
	Field   string // the input's path, such as "input.mobile"; "" if none
	// RetryAfter is in seconds; 0 if trying again later makes no difference.
	RetryAfter int
	cause      error
}

// Error implements error; it includes the cause, so it is for logs only.
func (f *Fault) Error() string {
	text := string(f.Code) + ": " + f.Message
	if f.Field != "" {
		text += " (" + f.Field + ")"
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap gives the cause, which the client never sees.
func (f *Fault) Unwrap() error { return f.cause }

// New makes a fault with a message for people.
func New(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid says that the input field is wrong, and how it ought to be.
func Invalid(field, format string, args ...any) *Fault {
	return &Fault{Code: InvalidInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Because keeps the cause for the log.
func (f *Fault) Because(cause error) *Fault {
	f.cause = cause
	return f
}

// CodeOf gives the error's code: Internal for whatever is no fault, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return Internal
}
