package execute

import (
	"fmt"

	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// input writes representations of objects of some types.
type input struct {
	types tree.Set
	// open is what a representation begins with where the __typename is fixed.
	open   []byte
	fields []inputField
}

type inputField struct {
	key    []byte // with comma, quotes and colon
	slot   int
	types  tree.Set
	fields []inputField
	must   bool // a key
}

func (c *compiler) input(position *tree.Position, in *plan.Input) (input, error) {
	made := input{types: c.types.NewSet(in.Types)}
	if in.Typename != "" {
		made.open = fmt.Appendf(nil, `{"__typename":"%s"`, in.Typename)
	}
	var err error
	made.fields, err = c.inputFields(position, in.Fields)
	return made, err
}

func (c *compiler) inputFields(position *tree.Position, fields []*plan.InputField) ([]inputField, error) {
	made := make([]inputField, 0, len(fields))
	for _, f := range fields {
		compiled := inputField{
			key: fmt.Appendf(nil, `,"%s":`, f.Name), types: c.types.NewSet(f.Types), must: f.Key,
		}
		if f.Name != "__typename" { // the type is not a slot, whatever key the client gives it
			if compiled.slot = position.Find(f.From); compiled.slot == 0 {
				return nil, fmt.Errorf("no fetch brings %s for a representation", f.From)
			}
		}
		if len(f.Fields) > 0 {
			child := position.Child(compiled.slot)
			if child == nil {
				return nil, fmt.Errorf("%s for a representation is a leaf", f.From)
			}
			var err error
			if compiled.fields, err = c.inputFields(child, f.Fields); err != nil {
				return nil, err
			}
		}
		made = append(made, compiled)
	}
	return made, nil
}

func (r *run) represent(g *gathering, in *input, v tree.Value, id tree.TypeID) bool {
	switch {
	case in.open != nil:
		g.body = append(g.body, in.open...)
	case !r.program.types.IsObject(id):
		return false
	default:
		g.body = append(g.body, `{"__typename":"`...)
		g.body = append(g.body, r.program.types.Name(id)...)
		g.body = append(g.body, '"')
	}
	if !r.inputFields(g, in.fields, v, id) {
		return false
	}
	g.body = append(g.body, '}')
	return true
}

// inputFields writes the fields of an object, each with a comma before it.
func (r *run) inputFields(g *gathering, fields []inputField, v tree.Value, id tree.TypeID) bool {
	slots := r.tree.Slots(v)
	for i := range fields {
		f := &fields[i]
		if f.types != nil && !f.types.Has(id) {
			continue
		}
		g.body = append(g.body, f.key...)
		if f.slot == 0 { // __typename inside a representation
			if !r.program.types.IsObject(id) {
				return false
			}
			g.body = append(append(append(g.body, '"'), r.program.types.Name(id)...), '"')
			continue
		}
		value := slots[f.slot]
		if value.Kind > tree.Null && value.Kind < tree.Object {
			g.body = append(g.body, r.tree.Bytes(value)...)
			continue
		}
		if value.Kind == tree.Missing || value.Kind == tree.Null && (f.must || value.Flags&tree.Explained != 0) {
			g.explain = value.Flags&tree.Explained != 0
			return false
		}
		if !r.inputValue(g, f, value) {
			g.explain = g.explain || value.Flags&tree.Explained != 0
			return false
		}
	}
	return true
}

func (r *run) inputValue(g *gathering, f *inputField, v tree.Value) bool {
	switch v.Kind {
	case tree.Null, tree.Missing:
		g.body = append(g.body, "null"...)
	case tree.List:
		g.body = append(g.body, '[')
		for i := range v.B {
			if i > 0 {
				g.body = append(g.body, ',')
			}
			if !r.inputValue(g, f, r.tree.Elements(v)[i]) {
				return false
			}
		}
		g.body = append(g.body, ']')
	case tree.Object:
		g.body = append(g.body, '{')
		start := len(g.body)
		if !r.inputFields(g, f.fields, v, r.tree.Type(v)) {
			return false
		}
		if len(g.body) > start { // the first field came with a comma
			copy(g.body[start:], g.body[start+1:])
			g.body = g.body[:len(g.body)-1]
		}
		g.body = append(g.body, '}')
	default:
		g.body = append(g.body, r.tree.Bytes(v)...)
	}
	return true
}
