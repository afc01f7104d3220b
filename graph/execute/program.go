// Package execute runs plans: it sends the fetches in their order, as many at
// a time as the order allows, decodes each reply by the shape that the plan
// expects into the merged data, and collects from there what the next fetch
// asks for.
//
// Start reading at Compile (what is made of a plan once), then at Run in
// run.go (what happens for each request).
package execute

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// Program is a compiled plan. It is immutable and shared by all requests.
type Program struct {
	Plan       *plan.Plan
	Projection *project.Projection

	types   *tree.Types
	root    *tree.Position
	fetches []fetch
	failed  func(context.Context, Failure)
	runs    sync.Pool
}

// Names are what a program needs to know of the supergraph.
type Names struct {
	Types  *tree.Types
	Public *ast.Schema
	// Services are the names of subgraphs as clients may see them, by the enum value.
	Services map[string]string
	// Failed is told of every fetch that brought no usable answer; nil for nobody. It must be quick.
	Failed func(context.Context, Failure)
}

// fetch is a compiled fetch of a plan.
type fetch struct {
	id       int // of the plan's fetch, which a part shares with the request that carries it
	index    int // among the program's fetches, of its state and of its segment of the tree
	service  string
	prepared dispatch.Prepared
	// shape reads the data of the reply: the root fields, or one field _entities.
	shape *tree.Shape
	// entity reads one entity; nil for root fields.
	entity *tree.Shape
	places []place
	// fields is what is merged into each target: entity, or shape.
	fields *tree.Shape
	// opening is what an entity fetch's variables begin with: {"representations":[
	opening string
	// apart says that the places go on differently below, so that they may not share objects.
	apart bool
	// nested says that there are objects below the fields.
	nested    bool
	when      plan.Condition
	variables []string
	after     int   // how many fetches come before
	next      []int // the fetches that wait for this one

	// parts are, of a request that carries several entity fetches, these by index; see joint.go.
	parts []int
	// alias and slot are where a part's entities are in the reply to the whole request.
	alias string
	slot  int
	// contexts are variables that ancestors fill; nil mostly. See context.go.
	contexts *contexts
}

// place is where a fetch's objects stand. A root fetch has one without steps.
type place struct {
	steps  []step
	inputs []input
	mark   uint32 // of the objects at the end
	// sources fill, one list for each, the fetch's contexts.
	sources [][]source
}

type step struct {
	slot  int
	types tree.Set
	mark  uint32 // of the objects that the step starts from
}

// Compile readies a plan: slots, shapes, documents.
func Compile(p *plan.Plan, names *Names, d dispatch.Dispatcher) (*Program, error) {
	c := &compiler{plan: p, names: names, dispatcher: d, types: names.Types, root: tree.NewPosition(), marks: map[string]uint32{}, within: map[*tree.Position]bool{}}
	c.root.Assume(c.types.ID(p.RootType))
	for _, f := range p.Fetches {
		asked := f.Parts
		if asked == nil {
			asked = []*plan.Fetch{f}
		}
		for _, part := range asked {
			if err := c.layout(part); err != nil {
				return nil, fmt.Errorf("execute: fetch %d: %w", f.ID, err)
			}
		}
		c.asked = append(c.asked, asked...)
	}
	if len(p.Fetches)+len(c.asked) >= math.MaxUint16 {
		return nil, fmt.Errorf("execute: %d fetches are too many", len(c.asked))
	}
	c.root = c.root.Canonical()
	program := &Program{Plan: p, types: names.Types, root: c.root, fetches: make([]fetch, len(p.Fetches)), failed: names.Failed}
	for i, f := range p.Fetches {
		compiled := fetch{id: f.ID, index: i, when: f.When, variables: f.UsedVariables}
		if f.Parts == nil {
			var err error
			if compiled, err = c.fetch(f, i); err != nil {
				return nil, fmt.Errorf("execute: fetch %d: %w", f.ID, err)
			}
		}
		if err := c.prepare(&compiled, f); err != nil {
			return nil, fmt.Errorf("execute: fetch %d: %w", f.ID, err)
		}
		for _, before := range f.After {
			if before < 0 || before >= i {
				return nil, fmt.Errorf("execute: fetch %d comes after fetch %d", i, before)
			}
			program.fetches[before].next = append(program.fetches[before].next, i)
		}
		compiled.after, compiled.next = len(f.After), program.fetches[i].next
		program.fetches[i] = compiled
	}
	if err := c.joint(program); err != nil {
		return nil, err
	}
	c.separate(program.fetches)
	var err error
	program.Projection, err = project.New(p, c.root, names.Types, names.Public)
	return program, err
}

// compiler holds what the parts of one compilation share.
type compiler struct {
	plan       *plan.Plan
	names      *Names
	dispatcher dispatch.Dispatcher
	asked      []*plan.Fetch // the plan's fetches, parts in the place of the requests that carry them
	types      *tree.Types
	root       *tree.Position
	marks      map[string]uint32
	// within are positions whose objects a context tells apart: they are never shared.
	within map[*tree.Position]bool
}

// prepare hands a fetch's document to the dispatcher.
func (c *compiler) prepare(compiled *fetch, f *plan.Fetch) error {
	if compiled.service = c.names.Services[f.Subgraph]; compiled.service == "" {
		compiled.service = f.Subgraph
	}
	var err error
	compiled.prepared, err = c.dispatcher.Prepare(&dispatch.Document{Subgraph: f.Subgraph, Operation: f.Operation, Text: f.Document})
	return err
}

// layout makes the positions and slots that a fetch fills.
func (c *compiler) layout(f *plan.Fetch) error {
	position, err := c.at(f.Path)
	if err != nil {
		return err
	}
	for _, other := range f.Places {
		further, err := c.at(other.Path)
		if err != nil {
			return err
		}
		position.Unite(further)
		position = position.Canonical()
	}
	c.slots(position, f.Selection)
	return nil
}

func (c *compiler) slots(position *tree.Position, selections []*plan.Selection) {
	for _, s := range selections {
		switch {
		case s.Name == "":
			c.slots(position, s.Selections)
		case s.Name == "__typename":
		default:
			slot := position.Slot(s.Key())
			if len(s.Selections) > 0 {
				child := position.Under(slot)
				child.Assume(c.static(s.Type))
				c.slots(child, s.Selections)
			}
		}
	}
}

// static is the type of all objects of a field, None when it is abstract.
func (c *compiler) static(t *ast.Type) tree.TypeID {
	if t == nil {
		return tree.None
	}
	if id := c.types.ID(t.Name()); c.types.IsObject(id) {
		return id
	}
	return tree.None
}

// at is the position at the end of a path.
func (c *compiler) at(path []plan.Step) (*tree.Position, error) {
	position := c.root.Canonical()
	for _, s := range path {
		slot := position.Find(s.Key)
		if position = position.Child(slot); position == nil {
			return nil, fmt.Errorf("no fetch brings %s of its path", s.Key)
		}
	}
	return position, nil
}
