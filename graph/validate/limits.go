package validate

// Effective are the limits that apply: the defaults where l says nothing, and a
// negative value where there is no limit.
func (l Limits) Effective() Limits { return l.defaulted() }
