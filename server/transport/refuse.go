package transport

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
)

// The codes of refusals made here (extensions.code); those of packages
// persisted and guard come beside them.
const (
	codeMalformed     = "MALFORMED_JSON"
	codeBadRequest    = persisted.CodeBadRequest
	codeBatch         = "BATCHING_NOT_SUPPORTED"
	codeTooLarge      = "BODY_TOO_LARGE"
	codeTimeout       = "REQUEST_TIMEOUT"
	codeMediaType     = "UNSUPPORTED_MEDIA_TYPE"
	codeNotAcceptable = "NOT_ACCEPTABLE"
	codeMethod        = "METHOD_NOT_ALLOWED"
	codeCSRF          = "CSRF_PREVENTION"
	codeOrigin        = "ORIGIN_NOT_ALLOWED"
	codeTransport     = "SUBSCRIPTION_NEEDS_STREAM"
	codeNotFound      = "NOT_FOUND"
	codeDraining      = "SERVER_DRAINING"
	codeStreams       = "TOO_MANY_CONNECTIONS"
	codeOperations    = "TOO_MANY_OPERATIONS"
	codeSlow          = "SUBSCRIBER_TOO_SLOW"
	codeBroken        = "SUBSCRIPTION_BROKEN"
	codeInternal      = "INTERNAL"
)

// refusal is an answer without data.
type refusal struct {
	status        int
	code, message string
	field         string // the parameter that it is about
	retryAfter    time.Duration
	// wellFormed marks refusals of well-formed requests: GraphQL over HTTP
	// gives them status 200 in application/json, and a stream reports them
	// as an event.
	wellFormed bool
	allow      string          // the Allow header, with 405
	errors     gqlerror.List   // instead of code and message
	response   *graph.Response // instead of both: the engine's own answer
}

func badRequest(field, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeBadRequest, field: field, message: message}
}

func internal() *refusal {
	return &refusal{status: http.StatusInternalServerError, code: codeInternal, message: "系统内部错误，请稍后重试"}
}

func draining() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: codeDraining, message: "服务正在重启，请重新连接", retryAfter: time.Second}
}

// unresolved is the refusal for an error of persisted.Policy.
func unresolved(err error) *refusal {
	var refused *persisted.Refusal
	if !errors.As(err, &refused) {
		return internal()
	}
	r := &refusal{status: http.StatusBadRequest, code: refused.Code, message: refused.Message, field: refused.Field}
	switch refused.Code {
	case persisted.CodeBadRequest:
	case persisted.CodeClientUnknown:
		r.status = http.StatusForbidden
	case persisted.CodeNotAllowed:
		r.status, r.wellFormed = http.StatusForbidden, true
	default:
		r.wellFormed = true
	}
	return r
}

// guarded is the refusal for an error of package guard.
func guarded(err error) *refusal {
	var refused *guard.Refusal
	if !errors.As(err, &refused) {
		return &refusal{status: http.StatusUnauthorized, code: guard.CodeUnauthenticated, message: "登录凭证无效或已过期，请重新登录"}
	}
	status := http.StatusForbidden
	switch refused.Code {
	case guard.CodeUnauthenticated:
		status = http.StatusUnauthorized
	case guard.CodeRateLimited:
		status = http.StatusTooManyRequests
	case guard.CodeDegraded, guard.CodeBroken:
		status = http.StatusServiceUnavailable
	}
	return &refusal{status: status, code: refused.Code, message: refused.Message, retryAfter: refused.RetryAfter}
}

// count is the number of entries of errors.
func (r *refusal) count() int {
	switch {
	case r.response != nil:
		return r.response.Errors
	case r.errors != nil:
		return len(r.errors)
	}
	return 1
}

// body appends the answer {"errors":[…]}.
func (r *refusal) body(to []byte) []byte {
	if r.response != nil {
		return append(to, r.response.Body...)
	}
	to = append(to, `{"errors":`...)
	return append(r.list(to), '}')
}

// list appends the array of errors.
func (r *refusal) list(to []byte) []byte {
	if r.errors != nil {
		return appendErrors(to, r.errors)
	}
	to = append(to, `[{"message":`...)
	to = appendString(to, r.message)
	to = append(to, `,"extensions":{"code":`...)
	to = appendString(to, r.code)
	if r.field != "" {
		to = append(to, `,"field":`...)
		to = appendString(to, r.field)
	}
	if r.retryAfter > 0 {
		to = append(to, `,"retryAfter":`...)
		to = strconv.AppendInt(to, seconds(r.retryAfter), 10)
	}
	return append(to, `}}]`...)
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// appendString appends s as a JSON string.
func appendString(to []byte, s string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	for _, c := range s { // invalid bytes come as U+FFFD
		switch {
		case c == '"' || c == '\\':
			to = append(to, '\\', byte(c))
		case c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029:
			to = append(to, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		default:
			to = utf8.AppendRune(to, c)
		}
	}
	return append(to, '"')
}
