// Package plan turns one validated operation into a Plan: which subgraph is
// asked what, after which other fetch, and how the client's answer is read out
// of the merged data. It is pure: no I/O, no clock, no map order; the same
// supergraph and operation always give the same plan, byte for byte.
//
// Start reading at Plan (this file: what comes out), then at New in planner.go
// (how the paths are searched).
package plan

import "github.com/vektah/gqlparser/v2/ast"

// Plan is the executable form of one operation. It is immutable and shared by
// all requests that run the operation.
//
// The merged data is a tree of objects. Every fetch writes its fields into
// objects of that tree under their response keys inside (Selection.Key); the
// client's answer is read out of it by Response.
type Plan struct {
	Operation ast.Operation
	Name      string
	// Variables are the client operation's definitions, with their defaults.
	Variables ast.VariableDefinitionList
	// Fetches in a valid order: Fetch.ID is the index, every Fetch.After is smaller.
	Fetches []*Fetch
	// Response is the client's selection on the root type, fragments inlined.
	Response []*Output
	// RootType is the name of the public root type, for __typename.
	RootType string
	// Labels are those labels of progressive overrides, sorted, on which the plan
	// depends: with the same states for these, it is the same.
	Labels []Label
}

// Label is a label of a progressive override, and whether it is active.
type Label struct {
	Name   string
	Active bool
}

// Fetch is one request to one subgraph: of the operation's root fields, or
// with Inputs of `_entities`.
type Fetch struct {
	ID        int
	Subgraph  string        // the join__Graph enum value
	Operation ast.Operation // Query for entity fetches
	After     []int         // fetches that must be merged before this one starts
	// Path leads from the root of the merged data to the objects that this
	// fetch completes; nil for a root fetch. Lists on the way are flattened.
	// A fetch with a Path and no Inputs asks the root fields once and merges
	// them into every object there (a field that leads back to the root type).
	Path []Step
	// Inputs say how a representation is read out of an object at Path, one
	// for each group of object types. Empty for a root fetch.
	Inputs []*Input
	// Places are further places whose objects the same call completes, beside
	// Path and Inputs: their representations go into the same list (equal ones
	// are best sent once), and Selection holds for all of them.
	Places []*Place
	// Selection is what is asked: fields of the root type, or for an entity
	// fetch one fragment for each type inside `_entities`.
	Selection []*Selection
	// Document is Selection printed as the operation sent; entity fetches
	// declare Representations: [_Any!]!.
	Document string
	// Representations is the name of an entity fetch's variable: "representations"
	// (or "", which means the same), or another one where the client's operation
	// has that name itself.
	Representations string
	// Contexts are variables of an entity fetch that are filled from objects on
	// the Path. Objects for which they have different values cannot share one
	// `_entities` field; see Plan.Groups.
	Contexts []*Context
	// UsedVariables are the client's variables that Document uses, sorted.
	UsedVariables []string
	// When is nil, or the condition without which the fetch has nothing to ask.
	When Condition
	// Parts are, of a request that carries several entity fetches, these. Then
	// Path, Inputs, Places and Selection are theirs, and Document asks all of
	// them; the Document of a part is what asks it alone. A part has neither ID
	// nor After.
	Parts []*Fetch
	// Alias is the key of a part's entities in the reply to the whole request.
	Alias string
}

// Entities says whether the fetch asks `_entities`.
func (f *Fetch) Entities() bool { return f.Inputs != nil || f.Parts != nil }

// AllPlaces are the places whose objects the fetch completes, those of its
// parts included; none for a root fetch.
func (f *Fetch) AllPlaces() []*Place {
	var list []*Place
	if f.Path != nil {
		list = append(list, &Place{Path: f.Path, Inputs: f.Inputs})
	}
	list = append(list, f.Places...)
	for _, part := range f.Parts {
		list = append(list, part.AllPlaces()...)
	}
	return list
}

// Place is one place of the merged data whose objects an entity fetch
// completes.
type Place struct {
	Path   []Step
	Inputs []*Input
}

// Step is one field on the way to a fetch's objects.
type Step struct {
	Key string // key in the merged data
	// Types are the object types, after following Key, on which to go on; nil
	// means all. Sorted.
	Types []string
}

// Input reads the representation of an object out of the merged data.
type Input struct {
	// Types are the runtime object types that it serves, sorted; nil means every
	// object, whether its __typename is known or not (Typename is set then).
	Types    []string
	Typename string // the __typename to send: the object's own, or the interface object's; "" means the object's own
	Fields   []*InputField
}

// InputField is a field of a representation: a key, or what @requires asks for.
type InputField struct {
	Name   string   // its name in the representation
	From   string   // its key in the merged data
	Types  []string // object types of the holder for which it is sent; nil means all
	Fields []*InputField
	// Key marks a key field: an object whose key is missing or null cannot be fetched.
	Key bool
}

// Context is a variable that is filled from an ancestor (@fromContext).
type Context struct {
	Variable string
	Type     *ast.Type
	// Sources are the ancestors that may set it, the nearest first: the first
	// whose object is of its Types does.
	Sources []*Source
}

// Source is an ancestor of a fetch's objects that sets a context.
type Source struct {
	Depth int      // how many steps of the fetch's Path lead to it; 0 is the root
	Types []string // object types that set it; nil means all
	// Fields lead to the value: at each object the first that is for its type.
	Fields []*InputField
}

// Selection is a field, or where Name is empty an inline fragment.
type Selection struct {
	Name      string
	Alias     string // "" when the same as Name
	Arguments ast.ArgumentList
	// Type is the field's type in the supergraph; it says where lists are.
	Type *ast.Type
	// On is the fragment's type condition; "" where it only carries When.
	On string
	// When is printed as @include and @skip.
	When       Condition
	Selections []*Selection
}

// Key is the field's key in the subgraph's reply and in the merged data.
func (s *Selection) Key() string {
	if s.Alias != "" {
		return s.Alias
	}
	return s.Name
}

// Output is one field of the client's answer. Two outputs of one selection may
// bear the same Key only if their Types do not overlap or their conditions
// exclude each other.
type Output struct {
	Key  string // the client's response key
	From string // the key in the merged data
	Name string // the field's name in the schema
	// Type is the public type; it decides how nulls bubble.
	Type *ast.Type
	// Types are the runtime types of the holder for which the field was asked; nil means all. Sorted.
	Types []string
	// When is nil for always. Conditions of enclosing selections are already part of it.
	When   Condition
	Fields []*Output
	// Order is set on all outputs of a selection whose order depends on variables or on the runtime type; it is
	// nil on all of them where it does not, and the order of the list counts. The field stands at the first
	// occurrence that applies.
	Order []Occurrence
	// Denied outputs are null, with an error; no fetch brings them.
	Denied bool
	// Withheld are the runtime types whose objects are null, each with an error. Sorted.
	Withheld []string
	// Introspection is set for __schema and __type: the gateway answers itself.
	Introspection *ast.Field
}

// Occurrence is one place where an operation names a field of a selection.
type Occurrence struct {
	At    int      // the place among all occurrences of all fields of the selection, in document order
	Types []string // the runtime types of the holder to which it applies; nil means all
	When  Condition
}

// Condition holds when one of its alternatives does; nil always holds.
type Condition []Alternative

// Alternative holds when all its literals do.
type Alternative []Literal

// Literal is a Boolean variable of the client and the value that it must have.
type Literal struct {
	Variable string
	Is       bool
}

// Holds says whether the condition is met by the coerced variables.
func (c Condition) Holds(variables map[string]any) bool {
	if c == nil {
		return true
	}
	for _, alternative := range c {
		if alternative.holds(variables) {
			return true
		}
	}
	return false
}

func (a Alternative) holds(variables map[string]any) bool {
	for _, literal := range a {
		if value, _ := variables[literal.Variable].(bool); value != literal.Is {
			return false
		}
	}
	return true
}
