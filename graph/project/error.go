package project

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The codes of the errors that the gateway itself adds, in extensions.code.
const (
	// CodeSubrequestFailed: no usable answer came from a subgraph.
	CodeSubrequestFailed = "SUBREQUEST_FAILED"
	// CodeInvalidResponse: a subgraph's data does not fit the schema.
	CodeInvalidResponse = "INVALID_RESPONSE"
	// CodeUnauthorized: a rule of the schema does not let this caller see the place.
	CodeUnauthorized = "UNAUTHORIZED_FIELD_OR_TYPE"
	// CodeTooLarge: the answer would be larger than anyone could want.
	CodeTooLarge = "RESPONSE_TOO_LARGE"
)

// Error is an entry of errors.
type Error struct {
	Message string
	Path    []Step // in the client's terms; nil when it belongs to no field
	Code    string
	Service string // the subgraph's name; "" for the gateway's own
	// Extensions are further entries of extensions that the client may see.
	Extensions map[string]json.RawMessage
}

// Step is a response key, or where Key is empty an index.
type Step struct {
	Key   string
	Index int
}

// AppendErrors appends the errors as a JSON array.
func AppendErrors(b []byte, errors []Error) []byte {
	b = append(b, '[')
	for i := range errors {
		if i > 0 {
			b = append(b, ',')
		}
		b = errors[i].append(b)
	}
	return append(b, ']')
}

func (e *Error) append(b []byte) []byte {
	b = append(b, `{"message":`...)
	b = appendString(b, e.Message)
	if e.Path != nil {
		b = append(b, `,"path":[`...)
		for i, step := range e.Path {
			if i > 0 {
				b = append(b, ',')
			}
			if step.Key != "" {
				b = appendString(b, step.Key)
			} else {
				b = strconv.AppendInt(b, int64(step.Index), 10)
			}
		}
		b = append(b, ']')
	}
	mark := len(b)
	b = append(b, `,"extensions":{`...)
	first := true
	entry := func(key string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, key), ':')
	}
	if e.Code != "" {
		entry("code")
		b = appendString(b, e.Code)
	}
	if e.Service != "" {
		entry("service")
		b = appendString(b, e.Service)
	}
	keys := make([]string, 0, len(e.Extensions))
	for key := range e.Extensions {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		entry(key)
		b = append(b, e.Extensions[key]...)
	}
	if first {
		b = b[:mark]
	} else {
		b = append(b, '}')
	}
	return append(b, '}')
}

const hex = "0123456789abcdef"

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
