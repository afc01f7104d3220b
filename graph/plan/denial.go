package plan

import "github.com/citizencloud/citizencloud/graph/supergraph"

// Denial says what a caller may not see. It must be a pure function: the same
// answers for the same types, so that the plan is the same too. What is denied
// is asked of no subgraph on the client's behalf; keys, and what @requires
// asks for, are not the client's.
type Denial interface {
	// Denied says whether the field of the object type is: null stands for it.
	// Of a withheld type every field is.
	Denied(object *supergraph.Type, field string) bool
	// Withheld says whether objects of the type are: null stands for each.
	Withheld(object *supergraph.Type) bool
}

// deny takes the object types whose field is denied out of the occurrences of
// one response key, and gives those to a slot of their own that nothing is
// fetched for. What is left is returned.
func (p *planning) deny(n *node, key string, occurrences []occurrence) ([]occurrence, error) {
	if p.caller.Denial == nil {
		return occurrences, nil
	}
	var denied mask
	for i, t := range n.types {
		for _, o := range occurrences { // those for one object type name one field
			if o.types.has(i) {
				if !isIntrospection(o.field.Name) && p.caller.Denial.Denied(t, o.field.Name) {
					denied = denied.with(i)
				}
				break
			}
		}
	}
	if denied.empty() {
		return occurrences, nil
	}
	var allowed mask
	for i := range n.types {
		if !denied.has(i) {
			allowed = allowed.with(i)
		}
	}
	var kept, taken []occurrence
	for _, o := range occurrences {
		if types := o.types.intersect(denied); !types.empty() {
			copied := o
			copied.types, copied.denied = types, true
			taken = append(taken, copied)
		}
		if types := o.types.intersect(allowed); !types.empty() {
			copied := o
			copied.types = types
			kept = append(kept, copied)
		}
	}
	return kept, p.group(n, key, taken)
}

// withheld are the object types of the node whose objects the client may not
// see, sorted.
func (p *planning) withheld(n *node) []string {
	if p.caller.Denial == nil {
		return nil
	}
	var types mask
	for i, t := range n.types {
		if p.caller.Denial.Withheld(t) {
			types = types.with(i)
		}
	}
	return n.names(types)
}
