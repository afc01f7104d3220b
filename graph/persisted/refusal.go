package persisted

import (
	"fmt"
	"strconv"
)

// The codes of a refusal (extensions.code). CodeNotFound and CodeNotSupported
// are the words that clients of automatic persisted queries look for.
const (
	CodeBadRequest    = "BAD_REQUEST"
	CodeClientUnknown = "CLIENT_UNKNOWN"
	CodeUnknown       = "OPERATION_UNKNOWN"
	CodeNotAllowed    = "OPERATION_NOT_ALLOWED"
	CodeNotFound      = "PERSISTED_QUERY_NOT_FOUND"
	CodeNotSupported  = "PERSISTED_QUERY_NOT_SUPPORTED"
	CodeHashMismatch  = "PERSISTED_QUERY_HASH_MISMATCH"
)

// What clients of automatic persisted queries wait for before they send the
// text: urql compares the message and ignores the code. No person sees these
// two, so they stay as the protocol spells them.
const (
	messageNotFound     = "PersistedQueryNotFound"
	messageNotSupported = "PersistedQueryNotSupported"
)

// Refusal says why an operation is not run.
type Refusal struct {
	Code    string
	Message string // Chinese, for people; a word of the protocol where clients read it
	Field   string // the parameter that it is about, "" if none
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, field, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// printable shortens and quotes what a client sent, for showing it again.
func printable(s string) string {
	const most = 80
	if s == "" {
		return "(未说明)"
	}
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	quoted := strconv.QuoteToGraphic(s)
	return quoted[1 : len(quoted)-1]
}
