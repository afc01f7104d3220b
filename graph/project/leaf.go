package project

import (
	"strconv"

	"github.com/citizencloud/citizencloud/graph/tree"
)

type leafKind uint8

const (
	leafAny leafKind = iota // custom scalars: as they came
	leafInt
	leafFloat
	leafString
	leafBoolean
	leafID
	leafEnum
)

var scalars = map[string]leafKind{
	"Int": leafInt, "Float": leafFloat, "String": leafString, "Boolean": leafBoolean, "ID": leafID,
}

// plain are the kinds of values that a type takes over as they came, as a bit set.
func (t *typ) plain() uint16 {
	if t.elem != nil || t.possible != nil {
		return 0
	}
	switch t.leaf {
	case leafAny:
		return 1<<tree.True | 1<<tree.False | 1<<tree.Number | 1<<tree.String | 1<<tree.Raw
	case leafString, leafID:
		return 1 << tree.String
	case leafFloat:
		return 1 << tree.Number
	case leafBoolean:
		return 1<<tree.True | 1<<tree.False
	}
	return 0
}

// append appends a leaf value that is not null, coerced as the specification's result coercion
// says, or returns false where the value is none of the type.
func (t *typ) append(b []byte, kind tree.Kind, span []byte) ([]byte, bool) {
	switch t.leaf {
	case leafAny:
		return append(b, span...), true
	case leafString:
		switch kind {
		case tree.String:
			return append(b, span...), true
		case tree.Number, tree.True, tree.False:
			return quote(b, span), true
		}
	case leafID:
		switch kind {
		case tree.String:
			return append(b, span...), true
		case tree.Number:
			if whole(span) {
				return quote(b, span), true
			}
		}
	case leafInt:
		if kind == tree.Number {
			return appendInt(b, span)
		}
	case leafFloat:
		if kind == tree.Number {
			return append(b, span...), true
		}
	case leafBoolean:
		if kind == tree.True || kind == tree.False {
			return append(b, span...), true
		}
	case leafEnum:
		if kind == tree.String {
			if _, ok := t.values[string(span[1:len(span)-1])]; ok {
				return append(b, span...), true
			}
		}
	}
	return b, false
}

func quote(b, span []byte) []byte {
	b = append(b, '"')
	b = append(b, span...)
	return append(b, '"')
}

// whole says whether a number is written without fraction and exponent.
func whole(span []byte) bool {
	for _, c := range span {
		if c == '.' || c|0x20 == 'e' {
			return false
		}
	}
	return true
}

// appendInt appends a 32-bit whole number; 3.0 and 3e2 are such too.
func appendInt(b, span []byte) ([]byte, bool) {
	if len(span) < 10 && whole(span) {
		return append(b, span...), true
	}
	f, err := strconv.ParseFloat(string(span), 64)
	if err != nil || f != float64(int32(f)) {
		return b, false
	}
	return strconv.AppendInt(b, int64(f), 10), true
}
