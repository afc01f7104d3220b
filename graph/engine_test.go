package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/citizencloud/citizencloud/graph"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func prepare(t *testing.T, e *graph.Engine, query string) *graph.Operation {
	t.Helper()
	op, errs := e.Prepare(query, "")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return op
}

func ask(ctx context.Context, e *graph.Engine, op *graph.Operation, call graph.Call) string {
	r := e.Execute(ctx, op, call)
	defer r.Release()
	return string(r.Body)
}

// as is the call of one user.
func as(id string) graph.Call {
	return graph.Call{Header: http.Header{"Authorization": {id}}, View: "signed-in"}
}

func TestQueries(t *testing.T) {
	for _, c := range []struct{ query, variables, want string }{
		{`{users{id name reviews{id body author{name}}}}`, ``, `{"data":{"users":[` +
			`{"id":"1","name":"甲","reviews":[{"id":"11","body":"评11","author":{"name":"甲"}},{"id":"12","body":"评12","author":{"name":"甲"}}]},` +
			`{"id":"2","name":"乙","reviews":[{"id":"21","body":"评21","author":{"name":"乙"}},{"id":"22","body":"评22","author":{"name":"乙"}}]}]}}`},
		{`query($n: Int) {users(first: $n){n: name}}`, `{"n": 3}`, `{"data":{"users":[{"n":"甲"},{"n":"乙"},{"n":"丙"}]}}`},
		{`query($n: Int = 1) {users(first: $n){n: name}}`, ``, `{"data":{"users":[{"n":"甲"}]}}`},
		{`query($yes: Boolean!) {users(first: 1){id reviews @include(if: $yes){id} name @skip(if: $yes)}}`, `{"yes":false}`, `{"data":{"users":[{"id":"1","name":"甲"}]}}`},
		{`query($yes: Boolean!) {users(first: 1){id reviews @include(if: $yes){id} name @skip(if: $yes)}}`, `{"yes":true}`, `{"data":{"users":[{"id":"1","reviews":[{"id":"11"},{"id":"12"}]}]}}`},
		{`{__typename users(first:1){__typename reviews{__typename}}}`, ``, `{"data":{"__typename":"Query","users":[{"__typename":"User","reviews":[{"__typename":"Review"},{"__typename":"Review"}]}]}}`},
		{`{users(first:1){secret name}}`, ``, `{"data":{"users":[{"secret":null,"name":"甲"}]},"errors":[{"message":"无权查看","path":["users",0,"secret"],"extensions":{"code":"FORBIDDEN","service":"people"}}]}`},
		{`{me{name}}`, ``, `{"data":{"me":null},"errors":[{"message":"请先登录","path":["me"],"extensions":{"code":"UNAUTHENTICATED","service":"people"}}]}`},
		{`query($n: Int!) {users(first: $n){id}}`, `{"n":null}`, ``},
		{`{__type(name:"User"){name}}`, ``, `{"data":{"__type":{"name":"User"}}}`},
	} {
		everyWay(t, graph.Options{}, func(t *testing.T, _ *world, e *graph.Engine) {
			got := ask(t.Context(), e, prepare(t, e, c.query), graph.Call{Variables: json.RawMessage(c.variables)})
			if c.want == "" {
				if strings.Contains(got, `"data"`) || !strings.Contains(got, `BAD_USER_INPUT`) {
					t.Errorf("%s with %s: %s, want a refusal", c.query, c.variables, got)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.query, diff)
			}
		})
	}
}

func TestMutationsRunInOrder(t *testing.T) {
	everyWay(t, graph.Options{Dedupe: graph.DedupeAll}, func(t *testing.T, w *world, e *graph.Engine) {
		op := prepare(t, e, `mutation {a: review(author:"1",body:"x"){id author{name}} b: rename(id:"1",name:"新"){name} c: review(author:"2",body:"y"){id}}`)
		got := ask(t.Context(), e, op, as("1"))
		if !strings.HasPrefix(got, `{"data":{"a":{"id":"19","author":{"name":`) || !strings.HasSuffix(got, `"b":{"name":"新"},"c":{"id":"29"}}}`) {
			t.Errorf("answer %s", got)
		}
		if diff := cmp.Diff([]string{"review", "rename", "review"}, w.changed()); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestPanicOfASubgraphTellsNothing(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, _ *world, e *graph.Engine) {
		got := ask(t.Context(), e, prepare(t, e, `{broken whoami}`), as("7"))
		if !strings.HasPrefix(got, `{"data":{"broken":null,"whoami":"7"},"errors":[`) || strings.Contains(got, "boom") || strings.Contains(got, "10.0") {
			t.Errorf("answer %s", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, _ *world, e *graph.Engine) {
		for _, query := range []string{``, `{`, `{nope}`, `{users{id}} query a{me{id}}`, `subscription {reviewed{id} __typename}`} {
			if op, errs := e.Prepare(query, ""); len(errs) == 0 || op != nil {
				t.Errorf("%q was prepared", query)
			} else if errs[0].Extensions["code"] == nil {
				t.Errorf("%q: no code in %v", query, errs)
			}
		}
	})
}

func TestAnotherUsersAnswerIsNeverShared(t *testing.T) {
	for _, dedupe := range []graph.Dedupe{graph.DedupeNone, graph.DedupeSubgraph, graph.DedupeAll} {
		everyWay(t, graph.Options{Dedupe: dedupe}, func(t *testing.T, w *world, e *graph.Engine) {
			op := prepare(t, e, `{me{id name} whoami}`)
			w.hold = make(chan struct{})
			var wait sync.WaitGroup
			for i := range 60 {
				wait.Go(func() {
					id := fmt.Sprint(1 + i%3)
					want := fmt.Sprintf(`{"data":{"me":{"id":"%s","name":"%s"},"whoami":"%s"}}`, id, w.name(id), id)
					if got := ask(t.Context(), e, op, as(id)); got != want {
						t.Errorf("user %s got %s", id, got)
					}
				})
			}
			// All are in flight when the first answer comes.
			for deadline := time.Now().Add(5 * time.Second); w.people.count() < 3 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			close(w.hold)
			wait.Wait()
		})
	}
}

func TestViewsAreNotShared(t *testing.T) {
	everyWay(t, graph.Options{Dedupe: graph.DedupeAll}, func(t *testing.T, w *world, e *graph.Engine) {
		op := prepare(t, e, `{me{id}}`)
		w.hold = make(chan struct{})
		var wait sync.WaitGroup
		for _, view := range []string{"", "", "a", "b"} { // without a view nothing is shared
			wait.Go(func() {
				ask(t.Context(), e, op, graph.Call{Header: http.Header{"Authorization": {"1"}}, View: view})
			})
		}
		for deadline := time.Now().Add(5 * time.Second); w.people.count() < 4 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		close(w.hold)
		wait.Wait()
		if got := w.people.count(); got != 4 {
			t.Errorf("%d calls, want 4", got)
		}
	})
}

func TestSharing(t *testing.T) {
	for _, dedupe := range []graph.Dedupe{graph.DedupeSubgraph, graph.DedupeAll} {
		everyWay(t, graph.Options{Dedupe: dedupe}, func(t *testing.T, w *world, e *graph.Engine) {
			op := prepare(t, e, `{me{id name}}`)
			w.hold = make(chan struct{})
			var wait sync.WaitGroup
			const n = 20
			results := make(chan string, n)
			// One that leaves early, even the first, does not disturb the others.
			early, leave := context.WithCancel(t.Context())
			wait.Go(func() { ask(early, e, op, as("1")) })
			for w.people.count() == 0 {
				time.Sleep(time.Millisecond)
			}
			for range n {
				wait.Go(func() { results <- ask(t.Context(), e, op, as("1")) })
			}
			time.Sleep(20 * time.Millisecond)
			leave()
			time.Sleep(5 * time.Millisecond)
			close(w.hold)
			wait.Wait()
			for range n {
				if got := <-results; got != `{"data":{"me":{"id":"1","name":"甲"}}}` {
					t.Errorf("got %s", got)
				}
			}
			if got := w.people.count(); got > 2 {
				t.Errorf("%d calls for %d requests at once", got, n+1)
			}
		})
	}
}

func TestCancelledRequest(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, w *world, e *graph.Engine) {
		w.hold = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		start := time.Now()
		got := ask(ctx, e, prepare(t, e, `{me{id}}`), as("1"))
		if !strings.HasPrefix(got, `{"data":{"me":null},"errors":[`) || time.Since(start) > 3*time.Second {
			t.Errorf("answer %s after %v", got, time.Since(start))
		}
	})
}

func TestPrepareOnce(t *testing.T) {
	everyWay(t, graph.Options{PlanCacheSize: 2}, func(t *testing.T, _ *world, e *graph.Engine) {
		ops := make([]*graph.Operation, 20)
		var wait sync.WaitGroup
		for i := range ops {
			wait.Go(func() { ops[i], _ = e.Prepare(`query a {me{id}} query b {me{name}}`, "b") })
		}
		wait.Wait()
		for _, op := range ops {
			if op == nil || op != ops[0] {
				t.Fatal("prepared more than once")
			}
		}
		if op := ops[0]; op.Name() != "b" || op.Kind() != ast.Query || len(op.Plan().Fetches) != 1 {
			t.Errorf("operation %q %q", op.Kind(), op.Name())
		}
		for i := range 5 {
			prepare(t, e, fmt.Sprintf(`query q%d {me{id}}`, i))
		}
		if again, _ := e.Prepare(`query a {me{id}} query b {me{name}}`, "b"); again == ops[0] {
			t.Error("the cache is not bounded")
		}
	})
}

func TestSubscription(t *testing.T) {
	everyWay(t, graph.Options{}, func(t *testing.T, w *world, e *graph.Engine) {
		op := prepare(t, e, `subscription {reviewed{id body author{name}}}`)
		const n = 3
		var streams []graph.Stream
		for range n {
			stream, errs := e.Subscribe(t.Context(), op, as("1"))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			streams = append(streams, stream)
		}
		for _, id := range []string{"11", "22"} {
			w.reviews.events <- review(id)
			want := fmt.Sprintf(`{"data":{"reviewed":{"id":"%s","body":"评%s","author":{"name":"%s"}}}}`, id, id, w.name(id[:1]))
			for _, stream := range streams {
				r, err := stream.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if string(r.Body) != want {
					t.Errorf("got %s, want %s", r.Body, want)
				}
				r.Release()
			}
		}
		subscriptions := slices.DeleteFunc(slices.Clone(w.reviews.calls), func(q string) bool { return !strings.HasPrefix(q, "subscription") })
		if len(subscriptions) != 1 {
			t.Errorf("%d upstream subscriptions for %d subscribers", len(subscriptions), n)
		}
		streams[0].Close()
		close(w.reviews.events)
		for _, stream := range streams[1:] {
			if _, err := stream.Next(t.Context()); err != io.EOF {
				t.Errorf("after the end: %v, want EOF", err)
			}
			stream.Close()
		}
	})
}
