package plan

import "math/bits"

// mask is a set of small numbers: of a node's object types by their position,
// or of subgraphs by their index.
type mask []uint64

func fullMask(n int) mask {
	m := make(mask, (n+63)/64)
	for i := range n {
		m[i/64] |= 1 << (i % 64)
	}
	return m
}

func (m mask) has(i int) bool { return i/64 < len(m) && m[i/64]&(1<<(i%64)) != 0 }

// with is the set and i; the receiver may be changed.
func (m mask) with(i int) mask {
	for len(m) <= i/64 {
		m = append(m, 0)
	}
	m[i/64] |= 1 << (i % 64)
	return m
}

func (m mask) clone() mask { return append(mask(nil), m...) }

func (m mask) count() int {
	n := 0
	for _, word := range m {
		n += bits.OnesCount64(word)
	}
	return n
}

func (m mask) empty() bool {
	for _, word := range m {
		if word != 0 {
			return false
		}
	}
	return true
}

// covers says whether every member of other is in the set.
func (m mask) covers(other mask) bool {
	for i, word := range other {
		if i < len(m) {
			word &^= m[i]
		}
		if word != 0 {
			return false
		}
	}
	return true
}

func (m mask) equal(other mask) bool { return m.covers(other) && other.covers(m) }

func (m mask) intersect(other mask) mask {
	out := make(mask, min(len(m), len(other)))
	for i := range out {
		out[i] = m[i] & other[i]
	}
	return out
}

func (m mask) union(other mask) mask {
	out := make(mask, max(len(m), len(other)))
	copy(out, m)
	for i, word := range other {
		out[i] |= word
	}
	return out
}

// missing counts the members of other that are not in the set.
func (m mask) missing(other mask) int {
	n := 0
	for i, word := range other {
		if i < len(m) {
			word &^= m[i]
		}
		n += bits.OnesCount64(word)
	}
	return n
}
