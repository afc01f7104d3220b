// Package supergraph reads a composed supergraph (the join specification, v0.1
// to v0.5) into lookups for the planner: which subgraph knows which type, by
// which keys it can be entered there, and which field it resolves. It also
// makes the public schema, which is what clients see.
//
// Start reading at Load; the join directives are read in read.go, the public
// schema is made in public.go.
package supergraph

import (
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

// Supergraph is one composed schema. It is immutable after Load.
type Supergraph struct {
	// Public is the schema that clients see: without the elements of linked
	// specifications and without what is @inaccessible.
	Public *ast.Schema
	// Full is the whole schema, inaccessible elements and the machinery of
	// composition included. Queries must never be validated against it.
	Full *ast.Schema
	// Subgraphs in the order of the join__Graph enum; Subgraph.Index is the position.
	Subgraphs []*Subgraph
	// Labels are the labels of progressive overrides, sorted.
	Labels []string

	types map[string]*Type
	byID  map[string]*Subgraph
}

// Subgraph is one value of the join__Graph enum.
type Subgraph struct {
	Index int
	ID    string // the enum value: what a plan calls it
	Name  string // the name given at composition
	URL   string
}

// Type is one type of the supergraph that is not part of the machinery of
// composition.
type Type struct {
	Name       string
	Kind       ast.DefinitionKind
	Definition *ast.Definition
	// Members are the object types that a value of the type can have, sorted by
	// name; of an object type itself. Inaccessible ones are members too.
	Members []*Type
	// Interfaces are the interfaces that the type implements in any subgraph, sorted by name.
	Interfaces []*Type
	// In says what each subgraph knows of the type, sorted by subgraph.
	In []*TypeIn
	// Inaccessible marks a type that the public schema does not show.
	Inaccessible bool

	fields   map[string]*Field
	contexts map[string]bool
}

// TypeIn is what one subgraph knows of a type.
type TypeIn struct {
	Subgraph *Subgraph
	// Keys by which `_entities` of the subgraph finds an object, those that are
	// not resolvable included.
	Keys []*Key
	// InterfaceObject marks an interface that is an object type in the subgraph.
	InterfaceObject bool
	// Members are the object types that the subgraph knows as members, sorted by
	// name. Of an interface object they are all members of the supergraph.
	Members []*Type
}

// Key is one @key of a type in a subgraph.
type Key struct {
	Fields     FieldSet
	Resolvable bool
}

// Field is one field of a type.
type Field struct {
	Name       string
	Definition *ast.FieldDefinition
	// In says which subgraphs define the field, sorted by subgraph.
	In []*FieldIn

	target *Type
}

// FieldIn is a field as one subgraph defines it.
type FieldIn struct {
	Subgraph *Subgraph
	// Type is the field's type there; it may differ from the supergraph's.
	Type *ast.Type
	// External fields are defined but not resolved there, except where a
	// @provides says so or for a key.
	External bool
	// Overridden fields have moved to another subgraph; they serve for keys only.
	Overridden bool
	// InKey marks a field that is part of a key in the subgraph.
	InKey    bool
	Requires FieldSet
	Provides FieldSet
	// Label of a progressive override: where Override is set the subgraph
	// resolves the field when the label is active, else when it is not.
	Label    string
	Override string
	// Context are the arguments that the gateway fills in from a field of an ancestor.
	Context []*ContextArgument
}

// ContextArgument is an argument that the subgraph wants filled from a
// context (@fromContext).
type ContextArgument struct {
	Argument string
	Type     *ast.Type
	// Context is the nearest ancestor that sets it; see Type.Sets.
	Context string
	// Selection says which field of the ancestor's: for each object type one.
	Selection FieldSet
}

// Type finds a type by name; nil when there is none.
func (s *Supergraph) Type(name string) *Type { return s.types[name] }

// Subgraph finds a subgraph by its enum value; nil when there is none.
func (s *Supergraph) Subgraph(id string) *Subgraph { return s.byID[id] }

// RootType is the name of the type that holds the root fields of the
// operation, "" when the schema has none.
func (s *Supergraph) RootType(operation ast.Operation) string {
	var definition *ast.Definition
	switch operation {
	case ast.Query:
		definition = s.Full.Query
	case ast.Mutation:
		definition = s.Full.Mutation
	case ast.Subscription:
		definition = s.Full.Subscription
	}
	if definition == nil {
		return ""
	}
	return definition.Name
}

// Field finds a field of the type; nil when there is none.
func (t *Type) Field(name string) *Field { return t.fields[name] }

// Sets says whether objects of the type set a context (@context) for what is below
// them; those of an object type also where an interface or union sets it.
func (t *Type) Sets(context string) bool { return t.contexts[context] }

// Target is the type with fields or members that a field of the type leads to;
// nil for a leaf field and for one that the type does not have.
func (t *Type) Target(field string) *Type {
	if f := t.fields[field]; f != nil {
		return f.target
	}
	return nil
}

// Abstract says whether the type is an interface or a union.
func (t *Type) Abstract() bool { return t.Kind == ast.Interface || t.Kind == ast.Union }

// Composite says whether the type has fields or members.
func (t *Type) Composite() bool { return t.Abstract() || t.Kind == ast.Object }

// For is what the subgraph knows of the type; nil when it does not know it.
func (t *Type) For(subgraph int) *TypeIn {
	i := sort.Search(len(t.In), func(i int) bool { return t.In[i].Subgraph.Index >= subgraph })
	if i < len(t.In) && t.In[i].Subgraph.Index == subgraph {
		return t.In[i]
	}
	return nil
}

// For is the field as the subgraph defines it; nil when it does not.
func (f *Field) For(subgraph int) *FieldIn {
	i := sort.Search(len(f.In), func(i int) bool { return f.In[i].Subgraph.Index >= subgraph })
	if i < len(f.In) && f.In[i].Subgraph.Index == subgraph {
		return f.In[i]
	}
	return nil
}

// Member says whether the object type is among the members.
func (t *TypeIn) Member(object *Type) bool {
	i := sort.Search(len(t.Members), func(i int) bool { return t.Members[i].Name >= object.Name })
	return i < len(t.Members) && t.Members[i] == object
}
