package plan

import "sort"

// never is the condition that does not hold; nil is the one that always does.
var never = Condition{}

// and adds a literal to an alternative. The second result is false where the
// alternative can then no longer hold.
func (a Alternative) and(literal Literal) (Alternative, bool) {
	i := sort.Search(len(a), func(i int) bool { return a[i].Variable >= literal.Variable })
	if i < len(a) && a[i].Variable == literal.Variable {
		return a, a[i].Is == literal.Is
	}
	joined := make(Alternative, 0, len(a)+1)
	joined = append(joined, a[:i]...)
	joined = append(joined, literal)
	return append(joined, a[i:]...), true
}

// implies says whether a holds only where b holds too.
func (a Alternative) implies(b Alternative) bool {
	i := 0
	for _, literal := range b {
		for i < len(a) && a[i].Variable < literal.Variable {
			i++
		}
		if i == len(a) || a[i] != literal {
			return false
		}
	}
	return true
}

// orAlternative is the condition or the alternative; the empty alternative
// always holds.
func (c Condition) orAlternative(a Alternative) Condition {
	if c == nil || len(a) == 0 {
		return nil
	}
	for _, other := range c {
		if a.implies(other) {
			return c
		}
	}
	kept := make(Condition, 0, len(c)+1)
	for _, other := range c {
		if !other.implies(a) {
			kept = append(kept, other)
		}
	}
	kept = append(kept, a)
	// x or (not x) always holds.
	if len(a) == 1 {
		for _, other := range kept {
			if len(other) == 1 && other[0].Variable == a[0].Variable && other[0].Is != a[0].Is {
				return nil
			}
		}
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].less(kept[j]) })
	return kept
}

func (a Alternative) less(b Alternative) bool {
	for i := range a {
		switch {
		case i == len(b):
			return false
		case a[i].Variable != b[i].Variable:
			return a[i].Variable < b[i].Variable
		case a[i].Is != b[i].Is:
			return a[i].Is
		}
	}
	return len(a) < len(b)
}

func (c Condition) or(other Condition) Condition {
	if c == nil || other == nil {
		return nil
	}
	for _, alternative := range other {
		if c = c.orAlternative(alternative); c == nil {
			return nil
		}
	}
	return c
}

// without is the condition where the alternative does not hold; false where it
// would have more than maxAlternatives.
func (c Condition) without(a Alternative) (Condition, bool) {
	rest := never
	from := c
	if c == nil {
		from = Condition{{}}
	}
	for _, alternative := range from {
		for _, literal := range a {
			joined, possible := alternative.and(Literal{Variable: literal.Variable, Is: !literal.Is})
			if !possible {
				continue
			}
			if rest = rest.orAlternative(joined); rest == nil || len(rest) > maxAlternatives {
				return nil, rest == nil
			}
		}
	}
	return rest, true
}

// andAlternative is the condition where the alternative holds too.
func (c Condition) andAlternative(a Alternative) Condition {
	if c == nil {
		return never.orAlternative(a)
	}
	both := never
	for _, alternative := range c {
		joined, possible := alternative, true
		for _, literal := range a {
			if joined, possible = joined.and(literal); !possible {
				break
			}
		}
		if possible {
			if both = both.orAlternative(joined); both == nil {
				return nil
			}
		}
	}
	return both
}

// maxAlternatives bounds the conditions that only serve the order of the answer.
const maxAlternatives = 12

// given drops from the condition what is known to hold.
func (c Condition) given(known Condition) Condition {
	if c == nil || c.equal(known) {
		return nil
	}
	if len(known) != 1 {
		return c
	}
	rest := never
	for _, alternative := range c {
		kept := Alternative{}
		for _, literal := range alternative {
			if !known[0].has(literal) {
				kept = append(kept, literal)
			}
		}
		if rest = rest.orAlternative(kept); rest == nil {
			return nil
		}
	}
	return rest
}

func (a Alternative) has(literal Literal) bool {
	for _, other := range a {
		if other == literal {
			return true
		}
	}
	return false
}

func (c Condition) equal(other Condition) bool {
	if (c == nil) != (other == nil) || len(c) != len(other) {
		return false
	}
	for i := range c {
		if len(c[i]) != len(other[i]) || !c[i].implies(other[i]) {
			return false
		}
	}
	return true
}

// never says whether the condition cannot hold.
func (c Condition) never() bool { return c != nil && len(c) == 0 }
