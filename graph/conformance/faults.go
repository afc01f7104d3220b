package conformance

import (
	"fmt"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// fails says whether the field of the thing is one that fails, wherever it is
// asked. What a field set asks for never does: without it other fields fail too,
// of which one schema with all the data knows nothing.
func (u *Universe) fails(thing Thing, field string, arguments map[string]any) error {
	if u.Faults == 0 || u.needed()[thing.Type.Name+"."+field] {
		return nil
	}
	if u.number(place(thing, field, arguments)+" fails")%100 < u.Faults {
		return fmt.Errorf("%s.%s fails", thing.Type.Name, field)
	}
	return nil
}

// needed are the fields that some field set asks for, as "Type.field".
func (u *Universe) needed() map[string]bool {
	u.once.Do(func() {
		u.sets = map[string]bool{}
		for name := range u.Super.Full.Types {
			t := u.Super.Type(name)
			if t == nil || !t.Composite() {
				continue
			}
			for _, in := range t.In {
				for _, key := range in.Keys {
					u.need(t, key.Fields)
				}
			}
			for _, definition := range t.Definition.Fields {
				for _, in := range t.Field(definition.Name).In {
					u.need(t, in.Requires)
					for _, argument := range in.Context {
						u.need(nil, argument.Selection)
					}
				}
			}
		}
	})
	return u.sets
}

func (u *Universe) need(t *supergraph.Type, set supergraph.FieldSet) {
	for _, item := range set {
		on := t
		if item.On != "" {
			on = u.Super.Type(item.On)
		}
		if on == nil {
			continue
		}
		if item.Name == "" {
			u.need(on, item.Fields)
			continue
		}
		for _, member := range append([]*supergraph.Type{on}, on.Members...) {
			u.sets[member.Name+"."+item.Name] = true
		}
		if target := u.Super.Type(on.Definition.Fields.ForName(item.Name).Type.Name()); target != nil {
			u.need(target, item.Fields)
		}
	}
}
