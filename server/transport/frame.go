package transport

import "unicode/utf8"

// frame is one message as it came.
type frame struct {
	kind, id string
	payload  []byte // the value, nil for none
}

// parse reads a message; ok is false if it is none of the protocol.
func (f *frame) parse(message []byte) (ok bool) {
	if !utf8.Valid(message) {
		return false
	}
	s := &scanner{data: message}
	var wrong *refusal
	ok = s.object(func(key []byte) bool {
		switch unquote(key) {
		case "type":
			wrong = s.textMember("type", &f.kind)
		case "id":
			wrong = s.textMember("id", &f.id)
		case "payload":
			span, ok := s.value()
			if ok && string(span) != "null" {
				f.payload = span
			}
			return ok
		default:
			_, ok := s.value()
			return ok
		}
		return wrong == nil
	})
	return ok && wrong == nil && s.end() && f.kind != ""
}
