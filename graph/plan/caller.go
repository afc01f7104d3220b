package plan

import "sort"

// Caller is what of a caller decides how an operation is planned. The zero value
// may see everything, and no label is active for it.
type Caller struct {
	// Denial says what it may not see; nil denies nothing.
	Denial Denial
	// Active says whether a label of a progressive override (@override) is active,
	// where Options do not; nil says of none that it is. The same label must get the
	// same answer whenever it is asked for.
	Active func(label string) bool
}

// active says whether a label is, and notes that it was asked for.
func (p *planning) active(label string) bool {
	if known, ok := p.labels[label]; ok {
		return known
	}
	active := p.options.labels[label] || p.caller.Active != nil && p.caller.Active(label)
	if p.labels == nil {
		p.labels = map[string]bool{}
	}
	p.labels[label] = active
	return active
}

// usedLabels are the labels that were asked for.
func (p *planning) usedLabels() []Label {
	var list []Label
	for name, active := range p.labels {
		list = append(list, Label{name, active})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}
