package plan

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Options bound and steer the planner. The zero value is the default.
type Options struct {
	// Budget is how many options the search may explore for one operation before
	// it takes the best it has seen. Default 20,000.
	Budget int
	// MaxFields bounds the fields of an operation after fragments are inlined.
	// Default 20,000.
	MaxFields int
	// Labels are labels of progressive overrides that are active for everybody,
	// besides `percent(100)`. Of others Caller.Active says it.
	Labels []string

	labels map[string]bool
}

// Planner plans operations against one supergraph. It is safe for concurrent use.
type Planner struct {
	super   *supergraph.Supergraph
	options Options
}

// New makes a planner for the supergraph.
func New(super *supergraph.Supergraph, options Options) *Planner {
	if options.Budget <= 0 {
		options.Budget = 20_000
	}
	if options.MaxFields <= 0 {
		options.MaxFields = 20_000
	}
	options.labels = map[string]bool{"percent(100)": true}
	for _, label := range options.Labels {
		options.labels[label] = true
	}
	return &Planner{super: super, options: options}
}

// planning is the work on one operation.
type planning struct {
	super     *supergraph.Supergraph
	options   Options
	operation ast.Operation
	caller    Caller
	labels    map[string]bool // those that were asked for, and whether they are active
	fragments map[string]*ast.FragmentDefinition
	variables ast.VariableDefinitionList

	nodes     []*node
	fields    int
	explored  int
	printed   int
	lenient   bool // external fields of keys are taken to be resolved
	variants  bool // some field bears different keys by the type of its holder
	routeMemo map[string][]*route
	fills     map[fillKey]*wants // what contexts select, see context.go
	fetches   []*fetch
}

// Plan plans one operation of a document that has been validated against the
// public schema. The error names the field that no subgraph can resolve.
func (pl *Planner) Plan(document *ast.QueryDocument, operation *ast.OperationDefinition) (*Plan, error) {
	return pl.PlanFor(document, operation, Caller{})
}

// PlanFor is Plan for one kind of caller.
func (pl *Planner) PlanFor(document *ast.QueryDocument, operation *ast.OperationDefinition, caller Caller) (*Plan, error) {
	p, root, err := pl.built(document, operation, caller)
	if err != nil {
		return nil, err
	}
	p.finish()
	return p.emit(root, operation)
}

// built decides how every field of the operation is resolved. Where no plan
// leaves external fields alone, those of keys are taken to be resolved.
func (pl *Planner) built(document *ast.QueryDocument, operation *ast.OperationDefinition, caller Caller) (*planning, *node, error) {
	p, root, err := pl.begin(document, operation, caller)
	if err != nil {
		return nil, nil, err
	}
	refused := p.build(root.wants, nil)
	if refused == nil {
		return p, root, nil
	}
	if p, root, err = pl.begin(document, operation, caller); err != nil {
		return nil, nil, err
	}
	p.lenient = true
	if p.build(root.wants, nil) != nil {
		return nil, nil, refused
	}
	return p, root, nil
}

// begin readies the work on an operation, up to its tree of nodes.
func (pl *Planner) begin(document *ast.QueryDocument, operation *ast.OperationDefinition, caller Caller) (*planning, *node, error) {
	p := &planning{
		super: pl.super, options: pl.options, operation: operation.Operation, caller: caller,
		fragments: make(map[string]*ast.FragmentDefinition, len(document.Fragments)),
		variables: operation.VariableDefinitions,
		routeMemo: map[string][]*route{},
	}
	if p.operation == "" {
		p.operation = ast.Query
	}
	for _, fragment := range document.Fragments {
		p.fragments[fragment.Name] = fragment
	}
	rootType := pl.super.Type(pl.super.RootType(p.operation))
	if rootType == nil {
		return nil, nil, fmt.Errorf("plan: the schema has no %s root type", p.operation)
	}
	root := &node{typ: rootType, types: []*supergraph.Type{rootType}}
	p.nodes = append(p.nodes, root)
	if err := p.collect(root, []selectionUnder{{operation.SelectionSet, Alternative{}}}); err != nil {
		return nil, nil, err
	}
	return p, root, nil
}
