package execute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// fetch compiles one fetch; all positions are laid out. The index is among the compiled ones.
func (c *compiler) fetch(f *plan.Fetch, index int) (fetch, error) {
	compiled := fetch{id: f.ID, index: index, alias: f.Alias, when: f.When, variables: f.UsedVariables, opening: `{"` + cmp.Or(f.Representations, "representations") + `":[`}
	position, err := c.at(f.Path)
	if err != nil {
		return compiled, err
	}
	fields := &tree.Shape{Position: position, Types: c.types}
	c.shape(fields, f.Selection)
	compiled.fields, compiled.shape = fields, fields
	compiled.nested = slices.ContainsFunc(fields.Fields, func(f tree.Field) bool { return f.Child != nil })
	if len(f.Inputs) > 0 {
		compiled.entity = fields
		reply := tree.NewPosition()
		slot := reply.Slot("_entities")
		compiled.shape = &tree.Shape{Position: reply, Types: c.types}
		entities := compiled.shape.Field("_entities")
		entities.Slot, entities.Child = slot, fields
	}
	places := append([]*plan.Place{{Path: f.Path, Inputs: f.Inputs}}, f.Places...)
	for _, p := range places {
		made, err := c.place(index, p)
		if err == nil {
			made.sources, err = c.sources(f, p)
		}
		if err != nil {
			return compiled, err
		}
		compiled.places = append(compiled.places, made)
	}
	compiled.apart = c.apart(f, places)
	if f.Contexts != nil {
		compiled.contexts = c.contexts(f, compiled.entity)
	}
	return compiled, nil
}

// shape adds selections to a shape; fragments add to the shape that they stand in, since a
// reply holds of them only what fits its object.
func (c *compiler) shape(shape *tree.Shape, selections []*plan.Selection) {
	for _, s := range selections {
		if s.Name == "" {
			c.shape(shape, s.Selections)
			continue
		}
		field := shape.Field(s.Key())
		if s.Name == "__typename" {
			field.Typename = true
			continue
		}
		field.Slot = shape.Position.Find(s.Key())
		if len(s.Selections) > 0 {
			if field.Child == nil {
				field.Child = &tree.Shape{Position: shape.Position.Child(field.Slot), Types: c.types}
			}
			c.shape(field.Child, s.Selections)
		}
	}
}

func (c *compiler) place(id int, p *plan.Place) (place, error) {
	var made place
	position := c.root
	for i, s := range p.Path {
		slot := position.Find(s.Key)
		position = position.Child(slot)
		made.steps = append(made.steps, step{
			slot: slot, types: c.types.NewSet(s.Types), mark: c.mark(id, p.Path[i:]),
		})
	}
	made.mark = c.mark(id, nil)
	for _, in := range p.Inputs {
		compiled, err := c.input(position, in)
		if err != nil {
			return made, err
		}
		made.inputs = append(made.inputs, compiled)
	}
	return made, nil
}

// mark numbers the rest of a fetch's path. Where two places have the same rest, an object that
// both lead to needs to be walked through once.
func (c *compiler) mark(id int, rest []plan.Step) uint32 {
	key := fmt.Sprint(id, "|", route(rest))
	if have, ok := c.marks[key]; ok {
		return have
	}
	c.marks[key] = uint32(len(c.marks) + 1)
	return c.marks[key]
}

func route(steps []plan.Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s%q/", s.Key, s.Types)
	}
	return b.String()
}

// apart says whether another fetch goes on from one of the places and not in the same way from the others.
func (c *compiler) apart(f *plan.Fetch, places []*plan.Place) bool {
	if len(places) == 1 {
		return false
	}
	for _, other := range c.asked {
		if other == f {
			continue
		}
		ways := make([][]string, len(places))
		for i, p := range places {
			ways[i] = onwards(p.Path, other)
		}
		for i := 1; i < len(ways); i++ {
			if !slices.Equal(ways[0], ways[i]) {
				return true
			}
		}
	}
	return false
}

// onwards are the rests of the other fetch's paths that start with path, sorted; path itself does not count,
// since objects at the places themselves are never shared.
func onwards(path []plan.Step, other *plan.Fetch) []string {
	var rests []string
	add := func(way []plan.Step) {
		if len(way) <= len(path) {
			return
		}
		for i := range path {
			if way[i].Key != path[i].Key {
				return
			}
		}
		rests = append(rests, route(way[len(path):]))
	}
	add(other.Path)
	for _, p := range other.Places {
		add(p.Path)
	}
	slices.Sort(rests)
	return slices.Compact(rests)
}

// separate marks the fields whose objects other fetches complete through a parent: an entity
// that stands in several places may not share those.
func (c *compiler) separate(fetches []fetch) {
	writers := map[*tree.Position][]int{}
	var below func(shape *tree.Shape, id int)
	below = func(shape *tree.Shape, id int) {
		for i := range shape.Fields {
			if child := shape.Fields[i].Child; child != nil {
				if !slices.Contains(writers[child.Position], id) {
					writers[child.Position] = append(writers[child.Position], id)
				}
				below(child, id)
			}
		}
	}
	for i := range fetches {
		if fetches[i].parts == nil {
			below(fetches[i].fields, i)
		}
	}
	var own func(shape *tree.Shape) bool
	own = func(shape *tree.Shape) bool {
		any := len(writers[shape.Position]) > 1 || c.within[shape.Position]
		for i := range shape.Fields {
			if field := &shape.Fields[i]; field.Child != nil {
				field.Own = own(field.Child)
				any = any || field.Own
			}
		}
		return any
	}
	for i := range fetches {
		if fetches[i].parts != nil {
			continue
		}
		own(fetches[i].fields)
		if fetches[i].apart {
			for j := range fetches[i].fields.Fields {
				if field := &fetches[i].fields.Fields[j]; field.Child != nil {
					field.Own = true
				}
			}
		}
	}
}
