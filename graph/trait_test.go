package graph_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// taggedWorld is the tests' supergraph whose subscription and Review are the
// same for all of a scope; Review.author leads to a type of two subgraphs, of
// which only the id is tagged.
func taggedWorld(t *testing.T) (*world, *graph.Engine) {
	t.Helper()
	sdl := strings.NewReplacer(
		"scalar join__FieldSet", "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT\nscalar join__FieldSet",
		"reviewed(author: ID): Review @join__field(graph: REVIEWS)", `reviewed(author: ID): Review @join__field(graph: REVIEWS) @tag(name: "audience-scope") @tag(name: "delivery-latest")`,
		`type Review @join__type(graph: REVIEWS, key: "id")`, `type Review @join__type(graph: REVIEWS, key: "id") @tag(name: "audience-scope")`,
		"type User @join__type(graph: PEOPLE", `type User @tag(name: "audience-public") @join__type(graph: PEOPLE`,
		"  id: ID!\n  name: String!", `  id: ID! @tag(name: "audience-public")`+"\n  name: String!",
	).Replace(composed)
	super, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	e, err := graph.New(super, dispatch.NewInProcess(local(w)), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w, e
}

func (w *world) upstreams() int {
	w.reviews.mu.Lock()
	defer w.reviews.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.reviews.calls), func(q string) bool { return !strings.HasPrefix(q, "subscription") }))
}

// person is a call of somebody of the scope.
func person(id, scope string) graph.Call {
	call := as(id)
	call.View, call.Scope = "person:"+id, scope
	return call
}

func TestWhatAScopeMayShareIsAskedOnce(t *testing.T) {
	w, e := taggedWorld(t)
	op := prepare(t, e, `subscription {reviewed{id author{id}}}`)
	first, errs := e.Subscribe(t.Context(), op, person("1", "5101:LEADER"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	defer first.Close()
	w.reviews.events <- review("11")
	if _, err := first.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Another session of the scope joins, and has the present state at once.
	second, errs := e.Subscribe(t.Context(), op, person("2", "5101:LEADER"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	defer second.Close()
	r, err := second.Next(t.Context())
	if err != nil || !strings.Contains(string(r.Body), `"id":"11"`) {
		t.Fatalf("the joiner got %v, %v; want the last event", r, err)
	}
	if n := w.upstreams(); n != 1 {
		t.Errorf("%d upstreams for one scope, want 1", n)
	}
	for _, other := range []graph.Call{person("3", "510104:LEADER"), person("3", "")} {
		stream, errs := e.Subscribe(t.Context(), op, other)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		defer stream.Close()
	}
	// Each of them opens its own; the hub opens it before Subscribe returns.
	w.reviews.events <- review("22")
	w.reviews.events <- review("22")
	w.reviews.events <- review("22")
	if n := w.upstreams(); n != 3 {
		t.Errorf("%d upstreams for two scopes and one person, want 3", n)
	}
}

func TestOneUntaggedFieldMakesItPersonal(t *testing.T) {
	w, e := taggedWorld(t)
	// User is of two subgraphs, so its own tag does not open User.name.
	op := prepare(t, e, `subscription {reviewed{id author{id name}}}`)
	for _, id := range []string{"1", "2"} {
		stream, errs := e.Subscribe(t.Context(), op, person(id, "5101:LEADER"))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		defer stream.Close()
	}
	w.reviews.events <- review("11")
	w.reviews.events <- review("11")
	if n := w.upstreams(); n != 2 {
		t.Errorf("%d upstreams for two people, want 2", n)
	}
}

// views notes the authorisation view of every fetch.
type views struct {
	dispatch.Dispatcher
	mu   sync.Mutex
	seen []string
}

func (v *views) Prepare(d *dispatch.Document) (dispatch.Prepared, error) {
	prepared, err := v.Dispatcher.Prepare(d)
	return &viewed{prepared, v}, err
}

type viewed struct {
	dispatch.Prepared
	views *views
}

func (p *viewed) Fetch(ctx context.Context, request *dispatch.Request) (*dispatch.Reply, error) {
	p.views.mu.Lock()
	p.views.seen = append(p.views.seen, request.View)
	p.views.mu.Unlock()
	return p.Prepared.Fetch(ctx, request)
}

// A mutation's own reading may not join a fetch that was sent before its change.
func TestWhatAMutationReadsIsNotShared(t *testing.T) {
	super, err := supergraph.Load(composed)
	if err != nil {
		t.Fatal(err)
	}
	v := &views{Dispatcher: dispatch.NewInProcess(local(newWorld(t)))}
	e, err := graph.New(super, v, graph.Options{Dedupe: graph.DedupeAll})
	if err != nil {
		t.Fatal(err)
	}
	ask(t.Context(), e, prepare(t, e, `mutation {review(author: "1", body: "好") {author {name}}}`), as("1"))
	if len(v.seen) != 2 || v.seen[0] != "" || v.seen[1] != "" {
		t.Errorf("the mutation's fetches have the views %q, want two that share nothing", v.seen)
	}
	ask(t.Context(), e, prepare(t, e, `{me {name}}`), as("1"))
	if len(v.seen) != 3 || v.seen[2] == "" {
		t.Errorf("a query's fetch has the view %q", v.seen[2:])
	}
}
