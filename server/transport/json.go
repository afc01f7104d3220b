package transport

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) in place: it checks every byte, and gives
// spans of the input instead of values. Nothing is allocated.
type scanner struct {
	data []byte
	at   int
	deep int
}

// deepest is how far arrays and objects may be nested.
const deepest = 200

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek gives the next byte after white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.at == len(s.data) {
		return 0
	}
	return s.data[s.at]
}

// take skips white space and the byte c, and says whether it was there.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.at == len(s.data) {
		return false
	}
	s.at++
	return true
}

// end says whether nothing but white space is left.
func (s *scanner) end() bool {
	s.space()
	return s.at == len(s.data)
}

// value skips one value and gives its span; ok is false if it is no JSON.
func (s *scanner) value() (span []byte, ok bool) {
	first := s.peek()
	start := s.at
	switch first {
	case '{':
		ok = s.object(func([]byte) bool { _, ok := s.value(); return ok })
	case '[':
		ok = s.array()
	case '"':
		_, ok = s.text()
	case 't':
		ok = s.word("true")
	case 'f':
		ok = s.word("false")
	case 'n':
		ok = s.word("null")
	default:
		ok = s.number()
	}
	return s.data[start:s.at], ok
}

// object reads an object; member is called after each key's colon with the
// key as it was written, and must read the value.
func (s *scanner) object(member func(key []byte) bool) bool {
	if s.deep++; s.deep > deepest || !s.take('{') {
		return false
	}
	defer func() { s.deep-- }()
	if s.take('}') {
		return true
	}
	for {
		if s.peek() != '"' {
			return false
		}
		key, ok := s.text()
		if !ok || !s.take(':') || !member(key) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) array() bool {
	if s.deep++; s.deep > deepest || !s.take('[') {
		return false
	}
	defer func() { s.deep-- }()
	if s.take(']') {
		return true
	}
	for {
		if _, ok := s.value(); !ok {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) word(word string) bool {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

func (s *scanner) number() bool {
	digits := func() bool {
		start := s.at
		for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
			s.at++
		}
		return s.at > start
	}
	next := func(any ...byte) bool {
		if s.at < len(s.data) && bytes.IndexByte(any, s.data[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	next('-')
	if !next('0') && !digits() {
		return false
	}
	if next('.') && !digits() {
		return false
	}
	if next('e', 'E') {
		next('+', '-')
		return digits()
	}
	return true
}

// text reads a string and gives what stands between the quotes.
func (s *scanner) text() (raw []byte, ok bool) {
	s.at++ // the quote, which the caller has seen
	start := s.at
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.data[start : s.at-1], true
		case c == '\\':
			if !s.escape() {
				return nil, false
			}
		case c < 0x20:
			return nil, false
		default:
			s.at++
		}
	}
	return nil, false
}

func (s *scanner) escape() bool {
	s.at++
	if s.at == len(s.data) {
		return false
	}
	c := s.data[s.at]
	s.at++
	if c != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0
	}
	if len(s.data)-s.at < 4 {
		return false
	}
	for _, c := range s.data[s.at : s.at+4] {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	s.at += 4
	return true
}

// unquote gives the string that stands between quotes; raw comes from text. A
// lone surrogate becomes U+FFFD.
func unquote(raw []byte) string {
	first := bytes.IndexByte(raw, '\\')
	if first < 0 {
		return string(raw)
	}
	out := make([]byte, first, len(raw))
	copy(out, raw)
	for i := first; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'u':
			r := escaped(raw[i:])
			i += 6
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
					pair = utf16.DecodeRune(r, escaped(raw[i:]))
				}
				if r = pair; r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, c)
		}
		i += 2
	}
	return string(out)
}

// escaped reads \uXXXX, which text has checked.
func escaped(raw []byte) rune {
	n, _ := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(n)
}
