package conformance_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/conformance"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
)

var (
	cases = flag.Int("cases", 1000, "how many random supergraphs TestRandom makes")
	from  = flag.Uint64("from", 1, "the seed of the first")
)

// faultsSpread tells supergraphs in which a failing field can take others with it
// than in one schema: where a subgraph's type is stricter a null rises higher in it;
// an interface object is asked, of some objects, what the operation is not; and what
// fails below an object that a field set wants takes the object away.
var faultsSpread = regexp.MustCompile(` type: "|isInterfaceObject|(requires|key): "[^"]*{`)

// queriesEach is how many operations run over each random supergraph.
const queriesEach = 10

// TestRandom compares random operations over random supergraphs with one schema
// that has all the data. `-from SEED -cases 1` runs one again.
func TestRandom(t *testing.T) {
	ran, failed := 0, 0
	for i := range uint64(*cases) {
		seed := *from + i
		report, n := random(t, seed)
		ran += n
		if report != "" {
			failed++
			t.Errorf("seed %d: %s", seed, report)
			if failed == 5 {
				t.Fatal("enough")
			}
		}
	}
	t.Logf("%d operations over %d supergraphs", ran, *cases)
	if *cases >= 100 && ran < *cases*queriesEach/2 {
		t.Errorf("only %d operations were valid", ran)
	}
}

func random(t *testing.T, seed uint64) (report string, ran int) {
	r := rand.New(rand.NewPCG(seed, 1))
	w, err := newRandomWorld(r, seed)
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, w.sdl), 0
	}
	queries := reference.Random{
		Schema: w.super.Public, Rand: r, Depth: 5, Width: 4,
		Argument: func(_ string, argument *ast.ArgumentDefinition) (string, bool) {
			return []string{"1", "2", "3"}[r.IntN(3)], r.IntN(3) > 0
		},
	}
	for k := range queriesEach {
		query := queries.Query()
		// Nothing below a mutation sets a context.
		if k%4 == 3 && !strings.Contains(w.sdl, "@context(") {
			query = mutation(&queries)
		}
		if k%5 == 4 && !strings.Contains(w.sdl, "@context(") {
			query = subscription(&queries)
		}
		w.active = r.IntN(2) == 0
		difference, valid := w.attempt(t.Context(), query)
		if !valid {
			continue // conflicting fields, mostly
		}
		ran++
		if difference != "" {
			query, difference = w.reduce(t.Context(), query, difference)
			return fmt.Sprintf("%s\n%s\n%s\n%s", difference, query, w.planned(query), w.sdl), ran
		}
	}
	return "", ran
}

// randomWorld is a random supergraph with an engine over its subgraphs.
type randomWorld struct {
	sdl       string
	super     *supergraph.Supergraph
	universe  *conformance.Universe
	subgraphs *conformance.Subgraphs
	engine    *graph.Engine
	active    bool // the one label that random supergraphs have
}

func newRandomWorld(r *rand.Rand, seed uint64) (w *randomWorld, err error) {
	w = &randomWorld{sdl: conformance.Generate(r)}
	if w.super, err = supergraph.Load(conformance.Definitions + w.sdl); err != nil {
		return w, err
	}
	w.universe = &conformance.Universe{Super: w.super, Seed: seed, Nulls: seed % 3 * 8}
	if seed%2 == 1 && !faultsSpread.MatchString(w.sdl) {
		w.universe.Faults = 10
	}
	if w.subgraphs, err = conformance.NewSubgraphs(w.universe); err != nil {
		return w, err
	}
	roll := func() float64 {
		if w.active {
			return 0.1
		}
		return 0.9
	}
	w.engine, err = graph.New(w.super, w.subgraphs, graph.Options{Random: roll, Limits: validate.Limits{Fields: 3000}})
	return w, err
}

// attempt says how the engine's answer differs from one schema's, "" where it
// does not; valid is false for an operation that may not be asked.
func (w *randomWorld) attempt(ctx context.Context, query string) (difference string, valid bool) {
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) > 0 {
		return errs.Error(), true
	}
	if len(validate.Document(w.super.Public, document, validate.Limits{Fields: 3000})) > 0 {
		return "", false
	}
	want, err := conformance.Expect(ctx, w.universe, query, json.RawMessage(`{"yes": true, "no": false}`))
	if err != nil {
		return err.Error(), true
	}
	operation, errs := w.engine.Prepare(query, "")
	if len(errs) > 0 {
		return fmt.Sprintf("%v: %v", errs, errs[0].Unwrap()), true
	}
	w.subgraphs.Labels = map[string]bool{"percent(50)": w.active}
	before := len(w.subgraphs.Calls())
	difference, err = answered(ctx, w.engine, operation, want)
	if err != nil {
		return err.Error(), true
	}
	if operation.Kind() == ast.Mutation && difference == "" {
		var called []string
		for _, call := range w.subgraphs.Calls()[before:] {
			_, field, _ := strings.Cut(call, " ")
			called = append(called, field)
		}
		if !slices.Equal(want.Roots, called) {
			difference = fmt.Sprintf("called %v, want %v", called, want.Roots)
		}
	}
	return difference, true
}

// planned is the plan of an operation, as far as there is one.
func (w *randomWorld) planned(query string) string {
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) > 0 || len(validate.Document(w.super.Public, document, validate.Limits{})) > 0 {
		return "not valid"
	}
	planned, err := plan.New(w.super, plan.Options{}).PlanFor(document, document.Operations[0], plan.Caller{Active: func(string) bool { return w.active }})
	if err != nil {
		return fmt.Sprintf("no plan: %v", err)
	}
	return plan.Print(planned)
}

// answered runs the operation, of a subscription its two events, and compares.
func answered(ctx context.Context, engine *graph.Engine, operation *graph.Operation, want conformance.Expected) (string, error) {
	call := graph.Call{Variables: json.RawMessage(`{"yes": true, "no": false}`)}
	if operation.Kind() != ast.Subscription {
		response := engine.Execute(ctx, operation, call)
		defer response.Release()
		return conformance.CompareFailing(want, response.Body), nil
	}
	stream, errs := engine.Subscribe(ctx, operation, call)
	if len(errs) > 0 {
		return "", errs
	}
	defer stream.Close()
	for range 2 {
		response, err := stream.Next(ctx)
		if err != nil {
			return "", err
		}
		difference := conformance.CompareFailing(want, response.Body)
		response.Release()
		if difference != "" {
			return difference, nil
		}
	}
	return "", nil
}

// subscription is a random query below one field of the subscription root.
func subscription(queries *reference.Random) string {
	fields := queries.Schema.Subscription.Fields
	field := fields[queries.Rand.IntN(len(fields))]
	copied := *queries.Schema
	copied.Query = queries.Schema.Types[field.Type.Name()]
	over := *queries
	over.Schema = &copied
	header, below, _ := strings.Cut(over.Query(), "{")
	return "subscription" + strings.TrimPrefix(header, "query") + "{" + field.Name + "{" + below + "}"
}

// mutation is a random query over the mutation root.
func mutation(queries *reference.Random) string {
	copied := *queries.Schema
	copied.Query = queries.Schema.Mutation
	over := *queries
	over.Schema = &copied
	return "mutation" + strings.TrimPrefix(over.Query(), "query")
}
