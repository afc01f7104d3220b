package execute

import (
	"cmp"
	"fmt"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// A request can carry several entity fetches, its parts (plan.Fetch.Parts). Each part is compiled as a fetch of
// its own, behind those of the plan, with a state of its own: it gathers, is merged, and fails for itself. What
// is sent is one document with one variable for each part's representations. A part can be sent alone, too:
// when the others have nothing to ask, and when one of them took the whole reply away from all.

// joint compiles the parts of all requests.
func (c *compiler) joint(program *Program) error {
	for i, f := range c.plan.Fetches {
		if f.Parts == nil {
			continue
		}
		reply := &tree.Shape{Position: tree.NewPosition(), Types: c.types}
		for _, part := range f.Parts {
			index := len(program.fetches)
			compiled, err := c.fetch(part, index)
			if err == nil {
				err = c.prepare(&compiled, part)
			}
			if err != nil {
				return fmt.Errorf("execute: fetch %d, %s: %w", f.ID, part.Alias, err)
			}
			compiled.id, compiled.slot, compiled.next = f.ID, reply.Position.Slot(part.Alias), program.fetches[i].next
			field := reply.Field(part.Alias)
			field.Slot, field.Child = compiled.slot, compiled.entity
			program.fetches = append(program.fetches, compiled)
			program.fetches[i].parts = append(program.fetches[i].parts, index)
		}
		program.fetches[i].shape = reply
	}
	return nil
}

// entities is the slot of a fetch's entities in the reply's data.
func (s *state) entities() int { return max(s.slot, 1) }

// key is the key of a fetch's entities in the reply.
func (s *state) key() string { return cmp.Or(s.alias, "_entities") }

// asked is how many representations a fetch sends.
func (r *run) asked(f *fetch, s *state) int {
	n := len(s.spans)
	for _, i := range f.parts {
		n += len(r.states[i].spans)
	}
	if f.contexts != nil {
		for _, group := range s.grouping.groups {
			n += len(group.spans)
		}
	}
	return n
}

// gatherParts readies a request with parts and returns the index of what is to be sent: the request, or the one
// part that has something to ask, or -1.
func (r *run) gatherParts(f *fetch, s *state) int {
	s.body = append(s.body[:0], '{')
	asking, only := 0, -1
	for n, i := range f.parts {
		part, own := &r.program.fetches[i], &r.states[i]
		if part.when == nil || part.when.Holds(r.request.Values) {
			r.gather(part, &own.gathering)
		} else {
			own.targets, own.spans = own.targets[:0], own.spans[:0]
			own.body = append(own.body[:0], part.opening...)
		}
		if n > 0 {
			s.body = append(s.body, ',')
		}
		s.body = append(append(s.body, own.body[1:]...), ']') // without its brace
		own.alias, own.slot = part.alias, part.slot
		if len(own.targets) > 0 {
			asking, only = asking+1, i
		}
	}
	switch asking {
	case 0:
		return -1
	case 1:
		r.alone(only)
		return only
	}
	r.request.variables(f, &s.gathering)
	return f.index
}

// alone readies a part to be sent as a request of its own.
func (r *run) alone(i int) {
	r.states[i].alias, r.states[i].slot = "", 0
	r.request.variables(&r.program.fetches[i], &r.states[i].gathering)
}

// sendApart sends the parts one by one where the reply to all of them has no data: the failure of one part, which
// by itself would be its own, bubbled up to where it took the others with it.
func (r *run) sendApart(f *fetch, s *state) {
	if s.err != nil || s.answer.Data.Kind == tree.Object {
		return
	}
	for _, i := range f.parts {
		if own := &r.states[i]; len(own.targets) > 0 {
			r.alone(i)
			r.send(&r.program.fetches[i], own)
		}
	}
}

// member is one of several entity fetches whose entities are in one reply.
type member struct {
	fetch *fetch
	state *state
}

// mergeParts merges the reply to a request with parts, or those to the parts.
func (r *run) mergeParts(f *fetch, s *state) {
	members := make([]member, 0, len(f.parts))
	apart := s.err == nil && s.answer.Data.Kind != tree.Object
	for _, i := range f.parts {
		part, own := &r.program.fetches[i], &r.states[i]
		switch {
		case len(own.targets) == 0:
		case apart:
			r.merge(part, own)
		default:
			members = append(members, member{part, own})
		}
	}
	if !apart {
		r.mergeAll(f, s, members)
	}
}

// mergeAll merges one reply into the targets of several entity fetches.
func (r *run) mergeAll(f *fetch, s *state, members []member) {
	err := s.err
	var wire []wireError
	if err == nil {
		wire, err = wireErrors(s)
	}
	if err != nil {
		r.tell(f, s, err)
		for _, m := range members {
			r.lose(m.fetch, m.state, err)
		}
		return
	}
	of, others := divide(members, wire)
	for n, m := range members {
		m.state.answer.Data = s.answer.Data
		var mine []wireError
		if of != nil {
			mine = of[n]
		}
		if len(others) > 0 {
			r.explainAll(m.fetch, m.state)
		}
		r.reportAll(m.fetch, m.state, mine)
		if err := r.mergeData(m.fetch, m.state, len(mine)+len(others) > 0); err != nil {
			r.tell(f, s, err)
			r.lose(m.fetch, m.state, err)
		}
	}
	for i := range min(len(others), maxErrors) {
		r.add(f, r.told(f, &others[i]))
	}
}

// divide says which member each error is of, and which are of none in particular.
func divide(members []member, wire []wireError) (of [][]wireError, others []wireError) {
	if len(wire) == 0 {
		return nil, nil
	}
	of = make([][]wireError, len(members))
errors:
	for _, w := range wire {
		for n, m := range members {
			if _, _, ok := entityPath(m.fetch, m.state, w.Path); ok {
				of[n] = append(of[n], w)
				continue errors
			}
		}
		others = append(others, w)
	}
	return of, others
}
