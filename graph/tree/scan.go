package tree

import (
	"encoding/binary"
	"errors"
)

// ErrSyntax says that a reply is not JSON.
var ErrSyntax = errors.New("reply is not JSON")

// maxDepth bounds what is skipped over; what is read is bounded by the shape.
const maxDepth = 1000

// space returns the position of the first byte at or after i that is not white space.
func space(b []byte, i int) int {
	for i < len(b) {
		if c := b[i]; c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
			break
		}
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text returns the position after the closing quote of the string that opens at i, or -1.
func text(b []byte, i int) int {
	i++
	for {
		// Sixteen bytes at a time until one is a quote, a backslash or a control character. Turning over
		// the second bit puts the quote below 0x21 and the space above, so that one comparison finds both.
		for i+16 <= len(b) {
			w, v := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+8:])
			low, back := w^(ones*0x02), w^(ones*'\\')
			low2, back2 := v^(ones*0x02), v^(ones*'\\')
			found := ((low - ones*0x21) &^ low) | ((back - ones) &^ back) | ((low2 - ones*0x21) &^ low2) | ((back2 - ones) &^ back2)
			if found&highs != 0 {
				break
			}
			i += 16
		}
		for n := 0; ; n++ {
			if i >= len(b) {
				return -1
			}
			c := b[i]
			if c == '"' {
				return i + 1
			}
			if c < 0x20 {
				return -1
			}
			if c == '\\' {
				if i = escape(b, i); i < 0 {
					return -1
				}
				break
			}
			i++
			if n >= 16 {
				break
			}
		}
	}
}

// escape returns the position after the escape sequence at i, or -1.
func escape(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(b) {
			return -1
		}
		for _, c := range b[i+2 : i+6] {
			if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return -1
			}
		}
		return i + 6
	}
	return -1
}

// number returns the position after the number at i, or -1.
func number(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return -1
	case b[i] == '0':
		i++
	case '1' <= b[i] && b[i] <= '9':
		i = digits(b, i)
	default:
		return -1
	}
	if i < len(b) && b[i] == '.' {
		start := i + 1
		if i = digits(b, start); i == start {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		if i = digits(b, start); i == start {
			return -1
		}
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// literal returns the position after word at i, or -1.
func literal(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// leaf returns the kind of the value at i and the position after it, or -1.
func leaf(b []byte, i, depth int) (Kind, int) {
	if i >= len(b) {
		return Missing, -1
	}
	switch b[i] {
	case '"':
		return String, text(b, i)
	case 't':
		return True, literal(b, i, "true")
	case 'f':
		return False, literal(b, i, "false")
	case 'n':
		return Null, literal(b, i, "null")
	case '{', '[':
		return Raw, skip(b, i, depth+1)
	}
	return Number, number(b, i)
}

// skip returns the position after the object or array at i, or -1.
func skip(b []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	object := b[i] == '{'
	end := byte(']')
	if object {
		end = '}'
	}
	if i = space(b, i+1); i < len(b) && b[i] == end {
		return i + 1
	}
	for {
		if object {
			if i >= len(b) || b[i] != '"' {
				return -1
			}
			if i = text(b, i); i < 0 {
				return -1
			}
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return -1
			}
			i = space(b, i+1)
		}
		if _, i = leaf(b, i, depth); i < 0 {
			return -1
		}
		if i = space(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case end:
			return i + 1
		case ',':
			i = space(b, i+1)
		default:
			return -1
		}
	}
}
