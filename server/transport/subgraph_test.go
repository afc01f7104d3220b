package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// library is a subgraph by hand, as gqlgen would generate it.
type library struct{ schema *ast.Schema }

var librarySchema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar _Any
	type _Service { sdl: String }
	union _Entity = Book
	type Book { id: ID! title: String sequel: Book }
	type Query { book: Book _service: _Service! _entities(representations: [_Any!]!): [_Entity]! who: String fails: String panics: String }
	type Mutation { from: String }
	type Subscription { books(count: Int!): Book ticks: Int }
`})

func (l *library) Schema() *ast.Schema { return l.schema }

func (l *library) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (l *library) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	field := operation.Operation.SelectionSet[0].(*ast.Field)
	if operation.Operation.Operation == ast.Subscription {
		count, err := graphql.UnmarshalInt(field.ArgumentMap(operation.Variables)["count"])
		if err != nil {
			graphql.AddError(ctx, err)
		}
		sent := 0
		if field.Name == "ticks" { // one at once, then none
			return func(ctx context.Context) *graphql.Response {
				if sent++; sent > 1 {
					<-ctx.Done()
					return nil
				}
				return &graphql.Response{Data: []byte(`{"ticks":1}`)}
			}
		}
		return func(ctx context.Context) *graphql.Response {
			if sent++; sent > count {
				return nil
			}
			return &graphql.Response{Data: fmt.Appendf(nil, `{"books":{"id":"%d"}}`, sent)}
		}
	}
	return func(ctx context.Context) *graphql.Response {
		value, err := l.resolve(ctx, operation, field)
		if err != nil {
			graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithField(field.Alias)), err)
			value = nil
		}
		encoded, _ := json.Marshal(map[string]any{field.Alias: value})
		return &graphql.Response{Data: encoded}
	}
}

type loadersKey struct{}

func (l *library) resolve(ctx context.Context, operation *graphql.OperationContext, field *ast.Field) (value any, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = operation.RecoverFunc(ctx, panicked)
		}
	}()
	switch field.Name {
	case "_service":
		if operation.DisableIntrospection {
			return nil, errors.New("federated introspection disabled")
		}
		return map[string]string{"sdl": "type Book"}, nil
	case "_entities":
		return field.ArgumentMap(operation.Variables)["representations"], nil
	case "who":
		return fmt.Sprint(principal(ctx), " ", ctx.Value(loadersKey{})), nil
	case "from":
		remote := access.RemoteOf(ctx)
		return remote.Client + " " + remote.Address, nil
	case "panics":
		panic("pq: connection to 10.0.0.7 refused")
	}
	if field.Name == "book" {
		return map[string]any{"id": "1"}, nil
	}
	return nil, fault.New(fault.NotFound, "没有这本书")
}

func newLibrary() *Server {
	return NewSubgraph(SubgraphOptions{
		Schema: &library{librarySchema}, Authenticator: tokens, Logger: quiet,
		Context: func(ctx context.Context) context.Context { return context.WithValue(ctx, loadersKey{}, "loaders") },
	})
}

func TestSubgraph(t *testing.T) {
	server := newLibrary()
	for _, test := range []struct {
		name, body, authorization string
		status                    int
		part                      string
	}{
		{"sdl", `{"query":"{ _service { sdl } }"}`, "", 200, `{"data":{"_service":{"sdl":"type Book"}}}`},
		{"sdl beside other things", `{"query":"{ _service { sdl } who }"}`, "", 200, `"errors":[`},
		{
			"entities",
			`{"query":"query($r: [_Any!]!) { _entities(representations: $r) { ... on Book { title } } }","variables":{"r":[{"__typename":"Book","id":12345678901234567890}]}}`,
			"", 200, `{"data":{"_entities":[{"__typename":"Book","id":12345678901234567890}]}}`,
		},
		{"who asks", `{"query":"{ who }"}`, "Bearer good", 200, `{"data":{"who":"王芳 loaders"}}`},
		{"nobody asks", `{"query":"{ who }"}`, "", 200, `{"data":{"who":" loaders"}}`},
		{"wrong token", `{"query":"{ who }"}`, "Bearer bad", 401, `UNAUTHENTICATED`},
		{"a fault", `{"query":"{ fails }"}`, "", 200, `{"data":{"fails":null},"errors":[{"message":"没有这本书","path":["fails"],"extensions":{"code":"NOT_FOUND"}}]}`},
		{"a panic", `{"query":"{ panics }"}`, "", 200, `"code":"INTERNAL"`},
		{"syntax", `{"query":"{"}`, "", 400, `GRAPHQL_PARSE_FAILED`},
		{"validation", `{"query":"{ nothing }"}`, "", 400, `GRAPHQL_VALIDATION_FAILED`},
		{"coercion", `{"query":"query($r: [_Any!]!) { _entities(representations: $r) { __typename } }","variables":{}}`, "", 400, `BAD_USER_INPUT`},
		{"wrong name", `{"query":"query A { who }","operationName":"B"}`, "", 400, `OPERATION_RESOLUTION_FAILURE`},
	} {
		for range 2 { // the second time out of the cache
			header := map[string]string{"Content-Type": "application/json", "Accept": "application/graphql-response+json, application/json;q=0.9"}
			if test.authorization != "" {
				header["Authorization"] = test.authorization
			}
			response := sent{header: header, body: test.body}.do(t, server)
			body := read(t, response)
			if response.StatusCode != test.status || !strings.Contains(body, test.part) || strings.Contains(body, "10.0.0.7") {
				t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
			}
		}
	}
}

func TestSubgraphSubscription(t *testing.T) {
	server := listen(t, newLibrary())
	request := sent{
		header: map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream"},
		body:   `{"query":"subscription($n: Int!) { books(count: $n) { id } }","variables":{"n":2}}`,
	}
	body := read(t, request.do(t, server.Config.Handler))
	want := ":\n\nevent: next\ndata: {\"data\":{\"books\":{\"id\":\"1\"}}}\n\nevent: next\ndata: {\"data\":{\"books\":{\"id\":\"2\"}}}\n\nevent: complete\ndata: \n\n"
	if body != want {
		t.Errorf("got %q", body)
	}
}

// The address that the gateway tells is the client's, not the gateway's; of
// anybody else it is not believed.
func TestSubgraphKnowsTheClient(t *testing.T) {
	for peer, want := range map[string]string{"127.0.0.1:5": "app 198.51.100.7", "192.0.2.9:5": "app 192.0.2.9"} {
		request := newRequest(peer, "198.51.100.7")
		request.Header.Set("X-Client-Id", "app")
		request.Header.Set("Content-Type", "application/json")
		body := serveBody(t, newLibrary(), request, `{"query":"mutation { from }"}`)
		if !strings.Contains(body, `"from":"`+want+`"`) {
			t.Errorf("from %s: %s, want %s", peer, body, want)
		}
	}
}

func TestRecentIsBounded(t *testing.T) {
	kept := newRecent[int](2)
	for i, key := range []string{"a", "b", "a", "c"} {
		kept.Add(t.Context(), key, i)
	}
	if _, ok := kept.Get(t.Context(), "b"); ok || len(kept.byKey) != 2 {
		t.Error("the least recently used stayed")
	}
	if value, _ := kept.Get(t.Context(), "a"); value != 2 {
		t.Errorf("a is %d", value)
	}
}
