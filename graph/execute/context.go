package execute

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// Some fields take arguments that the gateway reads out of an ancestor of their object (@fromContext). They are
// variables of the request, so objects for which they differ cannot be asked in one _entities field: the objects
// of a fetch with contexts fall into groups, one for each distinct list of values, and each group gets an
// _entities field of its own in the same request. How many there are is known only when the ancestors are there,
// so the document for more than one group is printed and prepared when it is needed first, and kept.

// contexts is what a fetch with contexts needs beside the rest.
type contexts struct {
	representations string // the name of the variable
	variables       []string
	must            []bool // the variables that may not be null
	prepare         func(groups int) (*variant, error)

	mu       sync.Mutex
	variants map[int]*variant
}

// variant is a fetch's document for several groups.
type variant struct {
	prepared dispatch.Prepared
	shape    *tree.Shape
}

// source reads a context's value out of an ancestor.
type source struct {
	depth  int
	types  tree.Set
	fields []inputField
}

const (
	// maxVariants bounds the documents of one fetch that are kept.
	maxVariants = 64
	// maxGroupsKept is the number of groups above which their buffers are not pooled.
	maxGroupsKept = 64
)

func (c *compiler) contexts(f *plan.Fetch, entity *tree.Shape) *contexts {
	made := &contexts{representations: cmp.Or(f.Representations, "representations"), variants: map[int]*variant{}}
	for _, context := range f.Contexts {
		made.variables = append(made.variables, context.Variable)
		made.must = append(made.must, context.Type.NonNull)
	}
	made.prepare = func(groups int) (*variant, error) {
		v := &variant{shape: &tree.Shape{Position: tree.NewPosition(), Types: c.types}}
		for n := range groups {
			alias := "e" + plan.GroupSuffix(n)
			slot := v.shape.Position.Slot(alias)
			field := v.shape.Field(alias)
			field.Slot, field.Child = slot, entity
		}
		var err error
		v.prepared, err = c.dispatcher.Prepare(&dispatch.Document{Subgraph: f.Subgraph, Operation: f.Operation, Text: c.plan.Groups(f, groups)})
		return v, err
	}
	return made
}

// variant is the document for so many groups.
func (x *contexts) variant(groups int) (*variant, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if v := x.variants[groups]; v != nil {
		return v, nil
	}
	v, err := x.prepare(groups)
	if err != nil {
		return nil, fmt.Errorf("execute: document for %d groups: %w", groups, err)
	}
	if len(x.variants) < maxVariants {
		x.variants[groups] = v
	}
	return v, nil
}

// sources compiles how the contexts of a fetch are read on the way to a place, and notes that the objects on the
// way from there are not to be shared.
func (c *compiler) sources(f *plan.Fetch, p *plan.Place) ([][]source, error) {
	var made [][]source
	for _, context := range f.Contexts {
		var list []source
		for _, s := range context.Sources {
			position, err := c.at(p.Path[:s.Depth])
			if err != nil {
				return nil, err
			}
			fields, err := c.inputFields(position, brought(position, s.Fields))
			if err != nil {
				return nil, fmt.Errorf("context %s: %w", context.Variable, err)
			}
			list = append(list, source{depth: s.Depth, types: c.types.NewSet(s.Types), fields: fields})
			for depth := s.Depth + 1; depth <= len(p.Path); depth++ {
				within, err := c.at(p.Path[:depth])
				if err != nil {
					return nil, err
				}
				c.within[within] = true
			}
		}
		made = append(made, list)
	}
	return made, nil
}

// brought leaves out the fields that no fetch brings at a position: objects of their types do not come there.
func brought(position *tree.Position, fields []*plan.InputField) []*plan.InputField {
	var kept []*plan.InputField
	for _, f := range fields {
		slot := position.Find(f.From)
		switch {
		case slot == 0 && f.Name != "__typename":
		case len(f.Fields) == 0:
			kept = append(kept, f)
		case position.Child(slot) != nil:
			copied := *f
			copied.Fields = brought(position.Child(slot), f.Fields)
			kept = append(kept, &copied)
		}
	}
	return kept
}

// grouping is what a gathering with contexts keeps.
type grouping struct {
	way     []tree.Value // the objects on the way to the present one, by depth
	values  []byte       // the present object's values
	ends    []int
	groups  []*group
	byValue map[string]int
}

// group is the objects of one list of values.
type group struct {
	state
	values []byte
	ends   []int // of each value in values
}

func (g *gathering) startGroups() {
	if g.grouping == nil {
		g.grouping = &grouping{byValue: map[string]int{}}
	}
	clear(g.grouping.byValue)
	g.grouping.groups = g.grouping.groups[:0]
}

// group adds the object to the group of its values; its representation is what the body has from first on.
func (r *run) group(f *fetch, g *gathering, p *place, v tree.Value, first int) {
	x := g.grouping
	x.values, x.ends = x.values[:0], x.ends[:0]
	for n, sources := range p.sources {
		start := len(x.values)
		var usable bool
		x.values, usable = r.contextValue(x.values, sources, x.way)
		if !usable {
			r.tree.Explain(v, f.fields)
			return
		}
		if f.contexts.must[n] && string(x.values[start:]) == "null" {
			return
		}
		x.ends = append(x.ends, len(x.values))
		x.values = append(x.values, 0)
	}
	n, known := x.byValue[string(x.values)]
	if !known {
		n = len(x.groups)
		x.byValue[string(x.values)] = n
		if n < cap(x.groups) {
			x.groups = x.groups[:n+1]
		} else {
			x.groups = append(x.groups, nil)
		}
		if x.groups[n] == nil {
			x.groups[n] = new(group)
		}
		made := x.groups[n]
		made.targets, made.spans, made.body = made.targets[:0], made.spans[:0], made.body[:0]
		clear(made.table)
		made.answer, made.alias, made.slot = tree.Answer{}, "", 0
		made.values, made.ends = append(made.values[:0], x.values...), append(made.ends[:0], x.ends...)
	}
	to := x.groups[n]
	start := len(to.body)
	if len(to.spans) > 0 {
		to.body = append(to.body, ',')
	}
	begin := len(to.body)
	to.body = append(to.body, g.body[first:]...)
	entity, fresh := to.dedupe(begin)
	if !fresh {
		to.body = to.body[:start]
	}
	to.targets = append(to.targets, target{object: v, entity: entity})
	g.targets = append(g.targets, target{object: v})
}

// contextValue writes the value of the nearest source. It is false where the value is missing for a reason that
// is reported already.
func (r *run) contextValue(to []byte, sources []source, way []tree.Value) ([]byte, bool) {
	for i := range sources {
		v := way[sources[i].depth]
		if sources[i].types.Has(r.tree.Type(v)) {
			return r.selected(to, sources[i].fields, v)
		}
	}
	return append(to, "null"...), true
}

func (r *run) selected(to []byte, fields []inputField, v tree.Value) ([]byte, bool) {
	usable := true
	switch v.Kind {
	case tree.List:
		to = append(to, '[')
		for i := range v.B {
			if i > 0 {
				to = append(to, ',')
			}
			if to, usable = r.selected(to, fields, r.tree.Elements(v)[i]); !usable {
				return to, false
			}
		}
		return append(to, ']'), true
	case tree.Object:
		id := r.tree.Type(v)
		for i := range fields {
			if !fields[i].types.Has(id) || r.tree.Slot(v, fields[i].slot).Kind == tree.Missing && fields[i].slot > 0 {
				continue
			}
			if fields[i].slot == 0 {
				return append(append(append(to, '"'), r.program.types.Name(id)...), '"'), true
			}
			value := r.tree.Slot(v, fields[i].slot)
			if len(fields[i].fields) > 0 {
				return r.selected(to, fields[i].fields, value)
			}
			if value.Kind > tree.Null && value.Kind < tree.Object {
				return append(to, r.tree.Bytes(value)...), true
			}
			if value.Kind == tree.List { // of leaves that were null
				return r.selected(to, nil, value)
			}
			return append(to, "null"...), value.Flags&tree.Explained == 0
		}
	case tree.Null, tree.Missing:
		usable = v.Flags&tree.Explained == 0
	default:
		return append(to, r.tree.Bytes(v)...), true
	}
	return append(to, "null"...), usable
}

// groups writes the variables of all groups.
func (r *run) groups(f *fetch, s *state) {
	several := len(s.grouping.groups) > 1
	s.body = append(s.body[:0], '{')
	for n, group := range s.grouping.groups {
		suffix := ""
		if several {
			suffix = plan.GroupSuffix(n)
			group.alias, group.slot = "e"+suffix, n+1
		}
		if n > 0 {
			s.body = append(s.body, ',')
		}
		s.body = fmt.Appendf(s.body, `"%s%s":[`, f.contexts.representations, suffix)
		s.body = append(append(s.body, group.body...), ']')
		start := 0
		for k, name := range f.contexts.variables {
			s.body = fmt.Appendf(s.body, `,"%s%s":`, name, suffix)
			s.body = append(s.body, group.values[start:group.ends[k]]...)
			start = group.ends[k] + 1
		}
	}
}

// mergeGroups merges the reply for all groups.
func (r *run) mergeGroups(f *fetch, s *state) {
	members := make([]member, len(s.grouping.groups))
	for n, group := range s.grouping.groups {
		members[n] = member{f, &group.state}
	}
	r.mergeAll(f, s, members)
}
