package execute

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/citizencloud/citizencloud/graph/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shop = `
type Query { users: [User] me: User! node: Node top: [Product!]! }
interface Node { id: ID! }
type User implements Node { id: ID! name: String reviews: [Review!] age: Int! friend: User }
type Product implements Node { id: ID! price: Int reviews: [Review!] box: Box }
type Box { width: Int height: Int }
type Review { id: ID! body: String author: User product: Product }
`

func same(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestEntitiesAreDedupedAndScattered(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{id name}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[{"id":"1"},null,{"id":"2"},{"id":"1"}]}}`))
	w.entityFetch(t, "users", "User", "id", "name", says(`{"data":{"_entities":[{"name":"甲"},{"name":"B\u0062\""}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"甲"},null,{"id":"2","name":"B\u0062\""},{"id":"1","name":"甲"}]}}`)
	same(t, w.sent[1], `1 {"representations":[{"__typename":"User","id":"1"},{"__typename":"User","id":"2"}]}`)
}

func TestNothingToAsk(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{id name}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[]}}`))
	w.entityFetch(t, "users", "User", "id", "name reviews{id}", nil, 0)
	w.entityFetch(t, "users.reviews", "Review", "id", "body", nil, 1)
	same(t, w.run(t, nil), `{"data":{"users":[]}}`)
	if len(w.sent) != 1 {
		t.Errorf("sent %q, want the first fetch only", w.sent)
	}
}

func TestMissingKeyIsNotFetched(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{name}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[{"id":null},{"id":"2"},{}]}}`))
	w.entityFetch(t, "users", "User", "id", "name", says(`{"data":{"_entities":[{"name":"B"}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"users":[{"name":null},{"name":"B"},{"name":null}]}}`)
	same(t, w.sent[1], `1 {"representations":[{"__typename":"User","id":"2"}]}`)
}

func TestWrongNumberOfEntities(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{id name}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[{"id":"1"},{"id":"2"}]}}`))
	w.entityFetch(t, "users", "User", "id", "name", says(`{"data":{"_entities":[{"name":"A"}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":null},{"id":"2","name":null}]},"errors":[{"message":"暂时无法取得这部分数据，请稍后重试","path":["users"],"extensions":{"code":"SUBREQUEST_FAILED","service":"S1"}}]}`)
}

func TestListsOfUnequalLength(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{reviews{id body}}}`}
	w.rootFetch(t, "me{id reviews{id}}", says(`{"data":{"me":{"id":"1","reviews":[{"id":"1"},{"id":"2"}]}}}`))
	w.entityFetch(t, "me", "User", "id", "reviews{body}", says(`{"data":{"_entities":[{"reviews":[{"body":"x"}]}]}}`), 0)
	got := w.run(t, nil)
	if !strings.Contains(got, `"code":"INVALID_RESPONSE"`) || strings.Contains(got, `"body":"x"`) {
		t.Errorf("answer %s, want an error and no guess", got)
	}
}

func TestErrorPaths(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{id name reviews{id}}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[{"id":"1"},{"id":"2"},{"id":"1"}]}}`))
	w.entityFetch(t, "users", "User", "id", "name reviews{id}", says(`{"errors":[
		{"message":"无权查看","path":["_entities",0,"name"],"extensions":{"code":"FORBIDDEN","field":"name","exception":{"stacktrace":["secret"]}}},
		{"message":"断","path":["_entities",1,"reviews",0,"id"]}],
		"data":{"_entities":[{"name":null,"reviews":[]},{"name":"B","reviews":null}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":null,"reviews":[]},{"id":"2","name":"B","reviews":null},{"id":"1","name":null,"reviews":[]}]},`+
		`"errors":[{"message":"无权查看","path":["users",0,"name"],"extensions":{"code":"FORBIDDEN","service":"S1","field":"name"}},`+
		`{"message":"无权查看","path":["users",2,"name"],"extensions":{"code":"FORBIDDEN","service":"S1","field":"name"}},`+
		`{"message":"断","path":["users",1,"reviews",0,"id"],"extensions":{"service":"S1"}}]}`)
}

func TestFailureNullsOnlyItsOwn(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{id name age} top{id}}`}
	w.rootFetch(t, "users{id}", says(`{"data":{"users":[{"id":"1"},{"id":"2"}]}}`))
	w.entityFetch(t, "users", "User", "id", "age", func(context.Context, string) (string, error) {
		return "", errors.New("dial tcp 10.0.0.7:4000: connection refused")
	}, 0)
	w.entityFetch(t, "users", "User", "id", "name", says(`{"data":{"_entities":[{"name":"A"},{"name":"B"}]}}`), 0)
	w.rootFetch(t, "top{id}", says(`{"data":{"top":[{"id":7}]}}`))
	// age is not nullable: each user becomes null, explained by the one error.
	same(t, w.run(t, nil), `{"data":{"users":[null,null],"top":[{"id":"7"}]},"errors":[{"message":"暂时无法取得这部分数据，请稍后重试","path":["users"],"extensions":{"code":"SUBREQUEST_FAILED","service":"S1"}}]}`)
}

func TestFailureIsExplainedDownstream(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{friend{id age}}}`}
	w.rootFetch(t, "me{id}", says(`{"data":{"me":{"id":"1"}}}`))
	w.entityFetch(t, "me", "User", "id", "friend{id}", func(context.Context, string) (string, error) { return "", errors.New("away") }, 0)
	w.entityFetch(t, "me.friend", "User", "id", "age", nil, 1)
	same(t, w.run(t, nil), `{"data":{"me":{"friend":null}},"errors":[{"message":"暂时无法取得这部分数据，请稍后重试","path":["me"],"extensions":{"code":"SUBREQUEST_FAILED","service":"S1"}}]}`)
}

func TestBrokenReplies(t *testing.T) {
	for _, reply := range []string{
		``, `{`, `[]`, `"x"`, `{}`, `{"data":null}`, `{"data":[]}`, `{"data":{"users":[}}`, `{"data":{"users":[]}`, `{"data":{"users":[]}} x`,
		"{\"data\":{\"users\":[{\"id\":\"\x01\"}]}}", `{"data":{"users":[{"id":"\x"}]}}`, `{"data":{"users":[{"id":01}]}}`, `{"errors":[]}`, `{"data":{},"errors":[1]}`,
		`{"data":{"users":` + strings.Repeat("[", 100000),
	} {
		w := &world{schema: load(t, shop), query: `{users{id}}`}
		w.rootFetch(t, "users{id}", says(reply))
		same(t, w.run(t, nil), `{"data":{"users":null},"errors":[{"message":"暂时无法取得这部分数据，请稍后重试","path":["users"],"extensions":{"code":"SUBREQUEST_FAILED","service":"S0"}}]}`)
	}
}

func TestSharedObjectsCompletedApart(t *testing.T) {
	// Both users are one entity of S1, so its answer stands in two places; S2 completes the box of each product
	// through the product, and the products are one entity too.
	w := &world{schema: load(t, shop), query: `{top{box{width height}}}`}
	w.rootFetch(t, "top{id}", says(`{"data":{"top":[{"id":"1"},{"id":"1"}]}}`))
	w.entityFetch(t, "top", "Product", "id", "box{width}", says(`{"data":{"_entities":[{"box":{"width":3}}]}}`), 0)
	w.entityFetch(t, "top", "Product", "id", "box{height}", says(`{"data":{"_entities":[{"box":{"height":4}}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"top":[{"box":{"width":3,"height":4}},{"box":{"width":3,"height":4}}]}}`)
}

// The friend's friend is one object in two places; the first place is taken back
// when its user becomes null, so nothing may be copied from there.
func TestSharedObjectBelowWhatBecomesNull(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{users{friend{friend{name}} age}}`}
	w.rootFetch(t, "users{friend{id} age}", says(`{"data":{"users":[{"friend":{"id":"9"},"age":null},{"friend":{"id":"9"},"age":1},{"friend":{"id":"9"},"age":2}]},
		"errors":[{"message":"断","path":["users",0,"age"]}]}`))
	w.entityFetch(t, "users.friend", "User", "id", "friend{name}", says(`{"data":{"_entities":[{"friend":{"name":"朋友的朋友"}}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"users":[null,{"friend":{"friend":{"name":"朋友的朋友"}},"age":1},{"friend":{"friend":{"name":"朋友的朋友"}},"age":2}]},`+
		`"errors":[{"message":"断","path":["users",0,"age"],"extensions":{"service":"S0"}}]}`)
}

// TestChildrenStartWhenTheirOwnParentIsThere has a slow sibling that must not hold up the other branch.
func TestChildrenStartWhenTheirOwnParentIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{schema: load(t, shop), query: `{users{id name} top{id price}}`}
		slow := func(reply string, d time.Duration) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) { time.Sleep(d); return reply, nil }
		}
		w.rootFetch(t, "users{id}", slow(`{"data":{"users":[{"id":"1"}]}}`, 10*time.Second))
		w.rootFetch(t, "top{id}", slow(`{"data":{"top":[{"id":"1"}]}}`, time.Second))
		w.entityFetch(t, "top", "Product", "id", "price", slow(`{"data":{"_entities":[{"price":5}]}}`, 9*time.Second), 1)
		w.entityFetch(t, "users", "User", "id", "name", slow(`{"data":{"_entities":[{"name":"A"}]}}`, time.Second), 0)
		start := time.Now()
		same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"}],"top":[{"id":"1","price":5}]}}`)
		if took := time.Since(start); took != 11*time.Second {
			t.Errorf("took %v, want 11s: the two branches run beside each other", took)
		}
	})
}

func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{schema: load(t, shop), query: `{users{id name}}`}
		w.rootFetch(t, "users{id}", func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		w.entityFetch(t, "users", "User", "id", "name", nil, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		got := w.answer(ctx, w.program(t), nil)
		if time.Since(start) != time.Second || !strings.Contains(got, `"users":null`) || len(w.sent) != 1 {
			t.Errorf("answer %s after %v, sent %q", got, time.Since(start), w.sent)
		}
	})
}

func TestConditions(t *testing.T) {
	for _, include := range []bool{true, false} {
		w := &world{schema: load(t, shop), query: `query($a: Boolean!) {users @include(if: $a) {id} top @skip(if: $a) {id}}`}
		w.rootFetch(t, "users{id}", says(`{"data":{"users":[]}}`)).When = plan.Condition{{{Variable: "a", Is: true}}}
		w.rootFetch(t, "top{id}", says(`{"data":{"top":[]}}`)).When = plan.Condition{{{Variable: "a", Is: false}}}
		want := `{"data":{"top":[]}}`
		if include {
			want = `{"data":{"users":[]}}`
		}
		same(t, w.run(t, map[string]any{"a": include}), want)
		if len(w.sent) != 1 {
			t.Errorf("sent %q, want one", w.sent)
		}
	}
}
