package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// library is a supergraph with access rules: a catalogue, and its readers.
// `%s` takes further links and definitions.
const library = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", as: "ruled", for: SECURITY) { query: Query mutation: Mutation subscription: Subscription }
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @ruled(policies: [[ruled__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @inaccessible on FIELD_DEFINITION | OBJECT
scalar join__FieldSet
scalar link__Import
scalar requiresScopes__Scope
scalar ruled__Policy
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { BOOKS @join__graph(name: "books", url: "http://127.0.0.1:1/") READERS @join__graph(name: "readers", url: "http://127.0.0.1:2/") }
type Query @join__type(graph: BOOKS) @join__type(graph: READERS) {
  items: [Item!] @join__field(graph: BOOKS)
  found: [Found] @join__field(graph: BOOKS)
  sealed: Sealed @join__field(graph: BOOKS)
  letter: Letter @join__field(graph: BOOKS)
  book: Book @join__field(graph: BOOKS)
  me: Reader @join__field(graph: READERS) @authenticated
  readers: [Reader!]! @join__field(graph: READERS)
  open: String @join__field(graph: READERS)
}
type Mutation @join__type(graph: READERS) { erase: Boolean @join__field(graph: READERS) @requiresScopes(scopes: [["admin"]]) note: String @join__field(graph: READERS) }
type Subscription @join__type(graph: READERS) { arrived: Reader @join__field(graph: READERS) @authenticated }
interface Item @join__type(graph: BOOKS) { id: ID! title: String }
interface Sealed @join__type(graph: BOOKS) @authenticated { id: ID! }
union Found @join__type(graph: BOOKS) @join__unionMember(graph: BOOKS, member: "Book") @join__unionMember(graph: BOOKS, member: "Letter") = Book | Letter
type Book implements Item @join__type(graph: BOOKS, key: "id") @join__type(graph: READERS, key: "id") @join__implements(graph: BOOKS, interface: "Item") {
  id: ID!
  title: String @join__field(graph: BOOKS)
  price: Price @join__field(graph: BOOKS)
  cost: Int @join__field(graph: BOOKS) @join__field(graph: READERS, external: true) @requiresScopes(scopes: [["finance"], ["audit", "read"]])
  margin: Int @join__field(graph: READERS, requires: "cost")
  lent: [Reader!]! @join__field(graph: READERS)
}
type Letter implements Item & Sealed @join__type(graph: BOOKS, key: "id") @join__implements(graph: BOOKS, interface: "Item") @join__implements(graph: BOOKS, interface: "Sealed") @requiresScopes(scopes: [["letters"]]) { id: ID! title: String text: String }
type Journal implements Item @join__type(graph: BOOKS) @join__implements(graph: BOOKS, interface: "Item") { id: ID! title: String @requiresScopes(scopes: [["journals"]]) }
type Reader @join__type(graph: READERS, key: "id") {
  id: ID!
  name: String!
  email: String! @ruled(policies: [["owner"]])
  card: Card
  secret: String @inaccessible @authenticated
}
type Card @join__type(graph: READERS) @authenticated { number: String! }
scalar Price @join__type(graph: BOOKS) @requiresScopes(scopes: [["prices"]])
`

// thing is an object of the library.
type thing map[string]any

var shelf = struct {
	book, letter, journal, reader thing
}{
	book:    thing{"__typename": "Book", "id": "b1", "title": "城记", "price": "12.50", "cost": 7, "margin": 5},
	letter:  thing{"__typename": "Letter", "id": "l1", "title": "家书", "text": "私密"},
	journal: thing{"__typename": "Journal", "id": "j1", "title": "学报"},
	reader:  thing{"__typename": "Reader", "id": "r1", "name": "程欣怡", "email": "a@example.cn", "card": thing{"__typename": "Card", "number": "110"}, "secret": "no"},
}

// stacks answers the fetches of the library's two subgraphs out of memory, and
// notes what was asked.
type stacks struct {
	mu    sync.Mutex
	asked []string
	more  map[string]any // further root fields
}

func (s *stacks) Prepare(d *dispatch.Document) (dispatch.Prepared, error) {
	document, err := parser.ParseQuery(&ast.Source{Input: d.Text})
	if err != nil {
		return nil, err
	}
	return &stack{s, d, document}, nil
}

type stack struct {
	stacks   *stacks
	asked    *dispatch.Document
	document *ast.QueryDocument
}

func (s *stack) Fetch(_ context.Context, request *dispatch.Request) (*dispatch.Reply, error) {
	s.stacks.mu.Lock()
	s.stacks.asked = append(s.stacks.asked, s.asked.Text)
	s.stacks.mu.Unlock()
	var variables map[string]json.RawMessage
	_ = json.Unmarshal(request.Variables, &variables)
	lent := thing{"__typename": "Book", "id": "b1", "margin": 5, "lent": []any{shelf.reader}}
	root := thing{
		"items": []any{shelf.book, shelf.letter, shelf.journal}, "found": []any{shelf.book, shelf.letter},
		"sealed": shelf.letter, "letter": shelf.letter, "book": shelf.book, "me": shelf.reader, "readers": []any{shelf.reader},
		"open": "开放", "erase": true, "note": "记", "_entities": []any{lent},
	}
	for name, value := range s.stacks.more {
		root[name] = value
	}
	data, _ := json.Marshal(map[string]any{"data": selected(root, s.document.Operations[0].SelectionSet)})
	return dispatch.NewReply(data, nil), nil
}

func (s *stack) Subscribe(context.Context, *dispatch.Request) (dispatch.Source, error) {
	return nil, fmt.Errorf("nothing arrives")
}

var kinds = map[string]string{"Book": "Item", "Letter": "Item Sealed", "Journal": "Item"}

func selected(value any, set ast.SelectionSet) any {
	switch v := value.(type) {
	case []any:
		list := []any{}
		for _, element := range v {
			list = append(list, selected(element, set))
		}
		return list
	case thing:
		out := map[string]any{}
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				out[s.Alias] = selected(v[s.Name], s.SelectionSet)
			case *ast.InlineFragment:
				name, _ := v["__typename"].(string)
				if s.TypeCondition == "" || s.TypeCondition == name || strings.Contains(kinds[name], s.TypeCondition) {
					for key, inner := range selected(v, s.SelectionSet).(map[string]any) {
						out[key] = inner
					}
				}
			}
		}
		return out
	}
	return value
}

// claims of a caller: "-" for signed in, else names of scopes, policies with "!".
type claims []string

func (c claims) Authenticated() bool { return len(c) > 0 }
func (c claims) HasScope(name string) bool {
	for _, held := range c {
		if held == name {
			return true
		}
	}
	return false
}
func (c claims) HasPolicy(name string) bool { return c.HasScope("!" + name) }

// reading is an engine over the library.
func reading(t *testing.T, sdl string, options graph.Options) (*graph.Engine, *stacks) {
	t.Helper()
	super, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	s := &stacks{}
	engine, err := graph.New(super, s, options)
	if err != nil {
		t.Fatal(err)
	}
	return engine, s
}

// read runs an operation for a caller and returns the answer and what was asked of subgraphs.
func read(t *testing.T, engine *graph.Engine, s *stacks, query string, call graph.Call) (body string, asked string) {
	t.Helper()
	op, errs := engine.Prepare(query, "")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s.asked = nil
	response := engine.Execute(t.Context(), op, call)
	defer response.Release()
	return string(response.Body), strings.Join(s.asked, "\n")
}
