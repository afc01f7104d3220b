package authorize

import "encoding/binary"

// Set is a set of rules. The zero value is empty; a Set is never changed once
// it was handed out.
type Set []uint64

// with is the set and i; the receiver may be changed.
func (s Set) with(i int) Set {
	for len(s) <= i/64 {
		s = append(s, 0)
	}
	s[i/64] |= 1 << (i % 64)
	return s
}

// union is a new set, or one of the two where the other adds nothing.
func (s Set) union(other Set) Set {
	if s.covers(other) {
		return s
	}
	out := make(Set, max(len(s), len(other)))
	copy(out, s)
	for i, word := range other {
		out[i] |= word
	}
	return out
}

func (s Set) covers(other Set) bool {
	for i, word := range other {
		if i < len(s) {
			word &^= s[i]
		}
		if word != 0 {
			return false
		}
	}
	return true
}

// meets says whether the sets have a rule in common.
func (s Set) meets(other Set) bool {
	for i := range min(len(s), len(other)) {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// Key tells sets apart.
func (s Set) Key() string {
	key := make([]byte, 0, 8*len(s))
	for _, word := range s {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	return string(key)
}
