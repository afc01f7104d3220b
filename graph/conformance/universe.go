package conformance

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// objects is how many objects of each type there are.
const objects = 5

// Universe is the data that all subgraphs show a part of: a pure function of
// the seed, so that nothing needs to be stored. Every value is one that each
// subgraph that resolves its field can give.
type Universe struct {
	Super *supergraph.Supergraph
	Seed  uint64
	// Nulls is how many of a hundred nullable values are null.
	Nulls uint64
	// Faults is how many of a hundred fields fail, of those that may.
	Faults uint64

	once sync.Once
	sets map[string]bool // see needed
}

// Thing is one object of the universe.
type Thing struct {
	Type *supergraph.Type
	ID   int
}

// Value is a field of a thing: nil, a scalar, a Thing, or a list of them.
func (u *Universe) Value(thing Thing, field string, arguments map[string]any) any {
	definition := thing.Type.Field(field)
	return u.value(u.strictest(definition), definition, place(thing, field, arguments), u.inKey(definition), thing)
}

// place names a field of a thing.
func place(thing Thing, field string, arguments map[string]any) string {
	if len(arguments) == 0 {
		arguments = nil
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s %d %s %s", thing.Type.Name, thing.ID, field, text)
}

// strictest is the field's type with every ! that it bears in any subgraph.
func (u *Universe) strictest(field *supergraph.Field) *ast.Type {
	t := field.Definition.Type
	for _, in := range field.In {
		t = stricter(t, in.Type)
	}
	return t
}

func stricter(a, b *ast.Type) *ast.Type {
	joined := &ast.Type{NamedType: a.NamedType, NonNull: a.NonNull || b.NonNull}
	if a.Elem != nil && b.Elem != nil {
		joined.Elem = stricter(a.Elem, b.Elem)
	}
	return joined
}

func (u *Universe) inKey(field *supergraph.Field) bool {
	for _, in := range field.In {
		if in.InKey {
			return true
		}
	}
	return false
}

func (u *Universe) number(place string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", u.Seed, place)
	n := h.Sum64()
	n ^= n >> 29
	n *= 0xbf58476d1ce4e5b9
	return n ^ n>>32
}

func (u *Universe) value(t *ast.Type, field *supergraph.Field, place string, key bool, of Thing) any {
	if !t.NonNull && !key && u.number(place+" null")%100 < u.Nulls {
		return nil
	}
	if t.Elem != nil {
		list := make([]any, 0, 3)
		for i := range u.number(place+" length") % 4 {
			list = append(list, u.value(t.Elem, field, fmt.Sprintf("%s [%d]", place, i), key, of))
		}
		return list
	}
	named := u.Super.Type(t.NamedType)
	n := u.number(place)
	switch named.Kind {
	case ast.Enum:
		values := u.enumValues(named, field)
		if len(values) == 0 {
			return nil
		}
		return values[n%uint64(len(values))]
	case ast.Scalar:
		if key {
			// Key values tell things apart, also those of different types.
			h := fnv.New32a()
			h.Write([]byte(of.Type.Name))
			n = uint64(h.Sum32()%100_000*10) + uint64(of.ID)
		}
		switch named.Name {
		case "Int":
			return int(n % 1_000_000)
		case "Float":
			return float64(n%1000) + 0.5
		case "Boolean":
			return n%2 == 0
		case "ID", "String":
			return fmt.Sprintf("%s-%d", field.Name, n%1_000_000)
		default:
			return map[string]any{"custom": n % 1_000_000}
		}
	}
	members := u.members(named, field)
	if len(members) == 0 {
		return nil
	}
	thing := Thing{members[n%uint64(len(members))], int(n / 7 % objects)}
	if thing.Type.Name == u.Super.RootType(ast.Query) {
		thing.ID = 0 // there is one
	}
	return thing
}

// enumValues are those that every subgraph that resolves the field knows.
func (u *Universe) enumValues(enum *supergraph.Type, field *supergraph.Field) []string {
	var names []string
	for _, value := range enum.Definition.EnumValues {
		known := value.Directives.ForName("inaccessible") == nil
		for _, in := range field.In {
			known = known && joined(value.Directives, "enumValue", in.Subgraph)
		}
		if known {
			names = append(names, value.Name)
		}
	}
	return names
}

// members are the object types that every subgraph that resolves the field can
// return there.
func (u *Universe) members(named *supergraph.Type, field *supergraph.Field) []*supergraph.Type {
	var members []*supergraph.Type
	for _, member := range named.Members {
		known := !member.Inaccessible
		for _, in := range field.In {
			if in.External {
				continue // it is not resolved there
			}
			view := u.Super.Type(in.Type.Name()).For(in.Subgraph.Index)
			known = known && view != nil && view.Member(member)
		}
		if known {
			members = append(members, member)
		}
	}
	return members
}

// wrap turns the things of a value into the executor's objects.
func wrap(value any, object func(Thing) *reference.Object) any {
	switch value := value.(type) {
	case Thing:
		return object(value)
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = wrap(item, object)
		}
		return list
	}
	return value
}

// find looks for the thing of a type that a representation names.
func (u *Universe) find(t *supergraph.Type, keys []*supergraph.Key, representation map[string]any) (Thing, bool) {
	for _, member := range t.Members {
		for id := range objects {
			thing := Thing{member, id}
			for _, key := range keys {
				if key.Resolvable && u.matches(thing, key.Fields, representation) == "" {
					return thing, true
				}
			}
		}
	}
	return Thing{}, false
}

// matches compares what a representation says with the thing; the result names
// the first difference, "" for none.
func (u *Universe) matches(thing Thing, set supergraph.FieldSet, representation map[string]any) string {
	for _, item := range set {
		if item.Name == "" {
			if item.On == "" || item.On == thing.Type.Name || u.isMember(item.On, thing.Type) {
				if difference := u.matches(thing, item.Fields, representation); difference != "" {
					return difference
				}
			}
			continue
		}
		if item.Name == "__typename" {
			continue
		}
		got, given := representation[item.Name]
		if !given {
			return item.Name + " is missing"
		}
		definition := thing.Type.Field(item.Name)
		if definition == nil {
			return item.Name + " is no field of " + thing.Type.Name
		}
		field := &ast.Field{Name: item.Name, Arguments: item.Arguments, Definition: definition.Definition}
		want := u.Value(thing, item.Name, field.ArgumentMap(nil))
		if difference := u.same(want, got, item.Fields); difference != "" {
			return item.Name + ": " + difference
		}
		if target := thing.Type.Target(item.Name); target != nil && target.Abstract() {
			if difference := sameTypes(want, got); difference != "" {
				return item.Name + ": " + difference
			}
		}
	}
	return ""
}

// sameTypes says whether the objects of a representation name their types.
func sameTypes(want, got any) string {
	switch want := want.(type) {
	case Thing:
		if name := got.(map[string]any)["__typename"]; name != want.Type.Name {
			return fmt.Sprintf("got __typename %v, want %s", name, want.Type.Name)
		}
	case []any:
		for i, item := range want {
			if difference := sameTypes(item, got.([]any)[i]); difference != "" {
				return difference
			}
		}
	}
	return ""
}

func (u *Universe) isMember(abstract string, object *supergraph.Type) bool {
	t := u.Super.Type(abstract)
	if t == nil {
		return false
	}
	for _, member := range t.Members {
		if member == object {
			return true
		}
	}
	return false
}

func (u *Universe) same(want, got any, set supergraph.FieldSet) string {
	switch want := want.(type) {
	case Thing:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("got %v, want an object", got)
		}
		return u.matches(want, set, object)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("got %v, want a list of %d", got, len(want))
		}
		for i := range want {
			if difference := u.same(want[i], list[i], set); difference != "" {
				return difference
			}
		}
		return ""
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if strings.Trim(string(a), `"`) != strings.Trim(string(b), `"`) {
		return fmt.Sprintf("got %s, want %s", b, a)
	}
	return ""
}
