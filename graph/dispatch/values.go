package dispatch

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// values decodes variables for a subgraph in the process: objects as map[string]any, numbers as
// json.Number, as gqlgen's own transport does. The bytes are the gateway's own writing of values that came as
// valid JSON, so what the quick way does not understand goes to encoding/json.
func values(raw []byte) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	q := quick{b: raw}
	if v, ok := q.value(0); ok && q.i == len(raw) {
		if object, ok := v.(map[string]any); ok {
			return object, nil
		}
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	return object, nil
}

// quick reads compact JSON without escapes in it.
type quick struct {
	b    []byte
	i    int
	keys [16]string // the keys of the objects, which repeat
}

// maxNesting bounds the recursion; deeper values go the other way.
const maxNesting = 100

func (q *quick) value(depth int) (any, bool) {
	if q.i >= len(q.b) || depth > maxNesting {
		return nil, false
	}
	switch c := q.b[q.i]; {
	case c == '"':
		s, ok := q.text()
		return string(s), ok
	case c == '{':
		return q.object(depth)
	case c == '[':
		return q.list(depth)
	case c == 't':
		return true, q.word("true")
	case c == 'f':
		return false, q.word("false")
	case c == 'n':
		return nil, q.word("null")
	case c == '-' || '0' <= c && c <= '9':
		start := q.i
		for q.i < len(q.b) && (q.b[q.i] == '-' || q.b[q.i] == '+' || q.b[q.i] == '.' || q.b[q.i]|0x20 == 'e' || '0' <= q.b[q.i] && q.b[q.i] <= '9') {
			q.i++
		}
		return json.Number(q.b[start:q.i]), true
	}
	return nil, false
}

func (q *quick) word(w string) bool {
	if len(q.b)-q.i < len(w) || string(q.b[q.i:q.i+len(w)]) != w {
		return false
	}
	q.i += len(w)
	return true
}

// text reads a string and returns what is between its quotes.
func (q *quick) text() ([]byte, bool) {
	start := q.i + 1
	end := bytes.IndexByte(q.b[start:], '"')
	if end < 0 || bytes.IndexByte(q.b[start:start+end], '\\') >= 0 {
		return nil, false
	}
	q.i = start + end + 1
	return q.b[start : start+end], true
}

// key reads a key; the same key is the same string again.
func (q *quick) key() (string, bool) {
	if q.i >= len(q.b) || q.b[q.i] != '"' {
		return "", false
	}
	b, ok := q.text()
	if !ok || len(b) == 0 {
		return "", false
	}
	known := &q.keys[(int(b[0])+int(b[len(b)-1])+len(b))%len(q.keys)]
	if *known != string(b) {
		*known = string(b)
	}
	return *known, q.word(":")
}

func (q *quick) object(depth int) (any, bool) {
	q.i++
	object := make(map[string]any, 4)
	if q.word("}") {
		return object, true
	}
	for {
		key, ok := q.key()
		if !ok {
			return nil, false
		}
		v, ok := q.value(depth + 1)
		if !ok {
			return nil, false
		}
		object[key] = v
		if q.word("}") {
			return object, true
		}
		if !q.word(",") {
			return nil, false
		}
	}
}

func (q *quick) list(depth int) (any, bool) {
	q.i++
	list := []any{}
	if q.word("]") {
		return list, true
	}
	for {
		v, ok := q.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		if q.word("]") {
			return list, true
		}
		if !q.word(",") {
			return nil, false
		}
	}
}
