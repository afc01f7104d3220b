package graph

// SharedAmong says among whom an answer of the operation may be shared while
// it is being made, in words for people who debug: see TagPublic and TagScope.
func (o *Operation) SharedAmong() string {
	switch {
	case o.Kind() == "mutation":
		return "nobody"
	case o.audience == forAll:
		return "everybody"
	case o.audience == forScope:
		return "callers of one data scope"
	}
	return "callers of one authorisation view"
}
