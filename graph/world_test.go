package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

const composed = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query mutation: Mutation subscription: Subscription }
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
scalar join__FieldSet
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { PEOPLE @join__graph(name: "people", url: "http://127.0.0.1:1/") REVIEWS @join__graph(name: "reviews", url: "http://127.0.0.1:2/") }
type Query @join__type(graph: PEOPLE) @join__type(graph: REVIEWS) {
  me: User @join__field(graph: PEOPLE)
  users(first: Int = 2): [User!]! @join__field(graph: PEOPLE)
  whoami: String @join__field(graph: REVIEWS)
  broken: String @join__field(graph: PEOPLE)
}
type Mutation @join__type(graph: PEOPLE) @join__type(graph: REVIEWS) {
  rename(id: ID!, name: String!): User @join__field(graph: PEOPLE)
  review(author: ID!, body: String!): Review @join__field(graph: REVIEWS)
}
type Subscription @join__type(graph: REVIEWS) { reviewed(author: ID): Review @join__field(graph: REVIEWS) }
type User @join__type(graph: PEOPLE, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  name: String! @join__field(graph: PEOPLE)
  secret: String @join__field(graph: PEOPLE)
  reviews: [Review!] @join__field(graph: REVIEWS)
}
type Review @join__type(graph: REVIEWS, key: "id") { id: ID! body: String! author: User }
`

const entityTypes = `scalar _Any union _Entity = %s extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`

const people = `
type Query { me: User users(first: Int = 2): [User!]! broken: String }
type Mutation { rename(id: ID!, name: String!): User }
type User { id: ID! name: String! secret: String }
`

const reviews = `
type Query { whoami: String }
type Mutation { review(author: ID!, body: String!): Review }
type Subscription { reviewed(author: ID): Review }
type User { id: ID! reviews: [Review!] }
type Review { id: ID! body: String! author: User }
`

// subgraph is a subgraph over data in memory, as gqlgen would execute it.
type subgraph struct {
	schema *ast.Schema
	world  *world
	root   func(ctx context.Context, field *ast.Field, arguments map[string]any) (any, error)
	entity func(representation map[string]any) any
	field  func(parent *reference.Object, name string) (any, error)
	events chan any

	mu    sync.Mutex
	calls []string // the operations that were executed
}

func (s *subgraph) Schema() *ast.Schema { return s.schema }

func (s *subgraph) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// Resolve implements reference.Source.
func (s *subgraph) Resolve(ctx context.Context, parent *reference.Object, fields []*ast.Field) (any, error) {
	f := fields[0]
	arguments := f.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	switch {
	case f.Name == "_entities":
		var found []any
		for _, r := range arguments["representations"].([]any) {
			found = append(found, s.entity(r.(map[string]any)))
		}
		return found, nil
	case parent == nil:
		return s.root(ctx, f, arguments)
	}
	return s.field(parent, f.Name)
}

// Exec implements graphql.ExecutableSchema.
func (s *subgraph) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	s.mu.Lock()
	s.calls = append(s.calls, operation.RawQuery)
	s.mu.Unlock()
	schema := *s.schema
	once := func(ctx context.Context, source reference.Source) *graphql.Response {
		data, errs := reference.Execute(ctx, &schema, operation.Operation, operation.Variables, source)
		for _, err := range errs {
			if code, message, ok := strings.Cut(err.Message, "|"); ok {
				err.Message, err.Extensions = message, map[string]any{"code": code, "stack": "secret"}
			}
		}
		return &graphql.Response{Data: data, Errors: errs}
	}
	if operation.Operation.Operation != ast.Subscription {
		return graphql.OneShot(once(ctx, s))
	}
	schema.Query = schema.Subscription
	return func(ctx context.Context) *graphql.Response {
		select {
		case event, ok := <-s.events:
			if !ok {
				return nil
			}
			return once(ctx, happened{s, event})
		case <-ctx.Done():
			return nil
		}
	}
}

// happened is the subgraph with an event at the root.
type happened struct {
	*subgraph
	event any
}

// Resolve implements reference.Source.
func (h happened) Resolve(ctx context.Context, parent *reference.Object, fields []*ast.Field) (any, error) {
	if parent == nil {
		return h.event, nil
	}
	return h.subgraph.Resolve(ctx, parent, fields)
}

// world is two subgraphs and what they know.
type world struct {
	people, reviews *subgraph
	mu              sync.Mutex
	names           map[string]string
	changes         []string
	hold            chan struct{} // when not nil, me waits for it
}

func user(id string) *reference.Object { return &reference.Object{Type: "User", Value: id} }

func review(id string) *reference.Object { return &reference.Object{Type: "Review", Value: id} }

// newWorld has users 1 and 2; review n1 and n2 are by user n.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{names: map[string]string{"1": "甲", "2": "乙", "3": "丙"}}
	load := func(sdl, entities string) *ast.Schema {
		return gqlparser.MustLoadSchema(&ast.Source{Input: sdl + fmt.Sprintf(entityTypes, entities)})
	}
	w.people = &subgraph{world: w, schema: load(people, "User"), root: w.peopleRoot}
	w.people.entity = func(r map[string]any) any {
		if w.name(fmt.Sprint(r["id"])) == "" {
			return nil
		}
		return user(fmt.Sprint(r["id"]))
	}
	w.people.field = func(parent *reference.Object, name string) (any, error) {
		id := parent.Value.(string)
		switch name {
		case "id":
			return id, nil
		case "name":
			return w.name(id), nil
		}
		return nil, errors.New("FORBIDDEN|无权查看")
	}
	w.reviews = &subgraph{world: w, schema: load(reviews, "User | Review"), root: w.reviewsRoot, events: make(chan any)}
	w.reviews.entity = func(r map[string]any) any {
		return &reference.Object{Type: r["__typename"].(string), Value: fmt.Sprint(r["id"])}
	}
	w.reviews.field = func(parent *reference.Object, name string) (any, error) {
		id := parent.Value.(string)
		switch name {
		case "id":
			return id, nil
		case "reviews":
			return []any{review(id + "1"), review(id + "2")}, nil
		case "body":
			return "评" + id, nil
		}
		return user(id[:1]), nil
	}
	return w
}

func (w *world) name(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.names[id]
}

func (w *world) peopleRoot(ctx context.Context, f *ast.Field, arguments map[string]any) (any, error) {
	switch f.Name {
	case "me":
		if w.hold != nil {
			select {
			case <-w.hold:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		// Who asks is told by the header, as a sign-in would.
		if id := graphql.GetOperationContext(ctx).Headers.Get("Authorization"); w.name(id) != "" {
			return user(id), nil
		}
		return nil, errors.New("UNAUTHENTICATED|请先登录")
	case "users":
		all := []any{user("1"), user("2"), user("3")}
		first := 0
		fmt.Sscan(fmt.Sprint(arguments["first"]), &first)
		return all[:first], nil
	case "rename":
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changes = append(w.changes, "rename")
		w.names[fmt.Sprint(arguments["id"])] = arguments["name"].(string)
		return user(fmt.Sprint(arguments["id"])), nil
	}
	panic("boom at 10.0.0.7")
}

func (w *world) reviewsRoot(ctx context.Context, f *ast.Field, arguments map[string]any) (any, error) {
	if f.Name == "whoami" {
		return graphql.GetOperationContext(ctx).Headers.Get("Authorization"), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, "review")
	return review(fmt.Sprint(arguments["author"], "9")), nil
}

// way is one way of reaching the two subgraphs.
type way struct {
	name string
	dial func(t *testing.T, w *world) dispatch.Dispatcher
}

func local(w *world) map[string]dispatch.Local {
	return map[string]dispatch.Local{"PEOPLE": {Schema: w.people}, "REVIEWS": {Schema: w.reviews}}
}

// serve runs a subgraph behind gqlgen's own handler.
func serve(t *testing.T, s *subgraph) string {
	server := handler.New(s)
	server.SetRecoverFunc(func(context.Context, any) error { return errors.New("系统内部错误") })
	server.AddTransport(transport.SSE{})
	server.AddTransport(transport.Websocket{KeepAlivePingInterval: time.Second})
	server.AddTransport(transport.POST{})
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return listening.URL
}

func overHTTP(t *testing.T, w *world, socket bool) dispatch.Dispatcher {
	urls := map[string]string{"PEOPLE": serve(t, w.people), "REVIEWS": serve(t, w.reviews)}
	o := dispatch.HTTPOptions{}
	if socket {
		o.WebSocket = map[string]string{"REVIEWS": strings.Replace(urls["REVIEWS"], "http", "ws", 1)}
	}
	d, err := dispatch.NewHTTP(urls, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.CloseIdle)
	return d
}

var ways = []way{
	{"in process", func(_ *testing.T, w *world) dispatch.Dispatcher { return dispatch.NewInProcess(local(w)) }},
	{"HTTP and SSE", func(t *testing.T, w *world) dispatch.Dispatcher { return overHTTP(t, w, false) }},
	{"HTTP and WebSocket", func(t *testing.T, w *world) dispatch.Dispatcher { return overHTTP(t, w, true) }},
	{"mixed", func(t *testing.T, w *world) dispatch.Dispatcher {
		return dispatch.Mixed{"PEOPLE": dispatch.NewInProcess(local(w)), "REVIEWS": overHTTP(t, w, false)}
	}},
}

// everyWay runs a test over each way of dispatch.
func everyWay(t *testing.T, o graph.Options, test func(t *testing.T, w *world, e *graph.Engine)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t)
			super, err := supergraph.Load(composed)
			if err != nil {
				t.Fatal(err)
			}
			e, err := graph.New(super, way.dial(t, w), o)
			if err != nil {
				t.Fatal(err)
			}
			test(t, w, e)
		})
	}
}

func (s *subgraph) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func (w *world) changed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.changes)
}
