package tree

import "slices"

// TypeID is an interned type name.
type TypeID uint16

// None is no type, or one that is not known yet; Other is a name that the
// supergraph does not know.
const (
	None  TypeID = 0
	Other TypeID = 1
)

// Types interns the type names of a supergraph.
type Types struct {
	ids     map[string]TypeID
	names   []string
	objects []bool
}

// NewTypes returns an empty table.
func NewTypes() *Types {
	return &Types{ids: map[string]TypeID{}, names: []string{"", ""}, objects: []bool{false, false}}
}

// Add interns a name; object says whether it names an object type, which alone can be a runtime type.
func (t *Types) Add(name string, object bool) TypeID {
	if id, ok := t.ids[name]; ok {
		return id
	}
	id := TypeID(len(t.names))
	t.ids[name] = id
	t.names = append(t.names, name)
	t.objects = append(t.objects, object)
	return id
}

// ID is the number of a name, Other when it is unknown.
func (t *Types) ID(name string) TypeID {
	if id, ok := t.ids[name]; ok {
		return id
	}
	return Other
}

// Name is the name of a number, "" for None and Other.
func (t *Types) Name(id TypeID) string { return t.names[id] }

// IsObject says whether the type can be the runtime type of an object.
func (t *Types) IsObject(id TypeID) bool { return t.objects[id] }

// Len is one more than the greatest number.
func (t *Types) Len() int { return len(t.names) }

// intern is ID of the span of a JSON string without its quotes.
func (t *Types) intern(name []byte) TypeID {
	if id, ok := t.ids[string(name)]; ok {
		return id
	}
	return Other
}

// Set is a sorted set of types; nil holds all.
type Set []TypeID

// NewSet interns names; nil stays nil.
func (t *Types) NewSet(names []string) Set {
	if names == nil {
		return nil
	}
	set := make(Set, 0, len(names))
	for _, name := range names {
		set = append(set, t.ID(name))
	}
	slices.Sort(set)
	return set
}

// Has says whether the set holds the type.
func (s Set) Has(id TypeID) bool {
	if s == nil {
		return true
	}
	for _, member := range s {
		if member == id {
			return true
		}
	}
	return false
}

// Position is a place of the merged tree where objects stand: its slots are
// the response keys that any fetch brings there.
type Position struct {
	// Type is the runtime type of all objects here when it is certain, else None.
	Type TypeID

	size     int // slots and the header
	keys     []string
	children []*Position // by slot - 1; nil for leaves
	typed    bool
	same     *Position // the one that stands for this one since they were united
}

// NewPosition returns a place without slots.
func NewPosition() *Position { return &Position{size: 1} }

// Assume tells the static type of the objects here, None when it is abstract.
// Where two fetches tell different types the type has to be read from the data.
func (p *Position) Assume(id TypeID) {
	if p.typed && p.Type != id {
		id = None
	}
	p.Type, p.typed = id, true
}

// Canonical is the position that stands for this one and all that it was united with.
func (p *Position) Canonical() *Position {
	for p.same != nil {
		p = p.same
	}
	return p
}

// Unite makes two positions one, and those below them by their keys, so that what is decoded for one
// can stand at the other. It is for the time before shapes are made.
func (p *Position) Unite(other *Position) {
	p, other = p.Canonical(), other.Canonical()
	if p == other {
		return
	}
	other.same = p
	if other.typed {
		p.Assume(other.Type)
	}
	for i, key := range other.keys {
		slot := p.Slot(key)
		switch child := other.children[i]; {
		case child == nil:
		case p.children[slot-1] == nil:
			p.children[slot-1] = child
		default:
			p.children[slot-1].Unite(child)
			// Uniting below can have made p another's.
			p = p.Canonical()
		}
	}
}

// Slot returns the slot of a key, making it if need be.
func (p *Position) Slot(key string) int {
	if slot := p.Find(key); slot > 0 {
		return slot
	}
	p.keys = append(p.keys, key)
	p.children = append(p.children, nil)
	p.size++
	return p.size - 1
}

// Find is the slot of a key, 0 when nothing brings it.
func (p *Position) Find(key string) int {
	return slices.Index(p.keys, key) + 1
}

// Child is the place under a slot, nil for leaves.
func (p *Position) Child(slot int) *Position {
	if slot == 0 {
		return nil
	}
	if p.children[slot-1] == nil {
		return nil
	}
	return p.children[slot-1].Canonical()
}

// Under returns the place under a slot, making it if need be.
func (p *Position) Under(slot int) *Position {
	if p.children[slot-1] == nil {
		p.children[slot-1] = NewPosition()
	}
	return p.children[slot-1].Canonical()
}

// Key is the response key of a slot.
func (p *Position) Key(slot int) string { return p.keys[slot-1] }

// Shape is what one fetch brings at one position, in the order in which it asked.
type Shape struct {
	Position *Position
	Types    *Types
	Fields   []Field
}

// Field is one key of a reply.
type Field struct {
	Key   string // with its quotes
	Slot  int
	Child *Shape // nil for a leaf
	// Typename says that the value is the object's runtime type; it has no slot.
	Typename bool
	// Own says that the objects below are completed through different parents, so that
	// an entity's several places may not share them.
	Own bool
}

// Field returns the shape's field of a key, or adds it.
func (s *Shape) Field(key string) *Field {
	quoted := `"` + key + `"`
	for i := range s.Fields {
		if s.Fields[i].Key == quoted {
			return &s.Fields[i]
		}
	}
	s.Fields = append(s.Fields, Field{Key: quoted})
	return &s.Fields[len(s.Fields)-1]
}
