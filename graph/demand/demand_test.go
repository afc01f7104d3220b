package demand

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
)

const shop = `
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) @link(url: "https://specs.apollo.dev/cost/v0.1") { query: Query mutation: Mutation }
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/") }
type Query @join__type(graph: A) {
  book(id: ID): Book
  bestsellers: [Book] @listSize(assumedSize: 5)
  newest(after: ID, limit: Int!): [Book] @listSize(slicingArguments: ["limit"])
  either(first: Int, last: Int): [Book] @listSize(assumedSize: 3, slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  one(first: Int, last: Int): [Book] @listSize(slicingArguments: ["first", "last"])
  standard(first: Int = 4): [Book] @listSize(slicingArguments: ["first"])
  page(by: Page): [Book] @listSize(slicingArguments: ["by.size"], requireOneSlicingArgument: false, assumedSize: 2)
  connection(first: Int): Connection @listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"])
  plain: [Book]
  grid: [[Book]]
  dear: String @cost(weight: 7)
  search(text: String @cost(weight: 3), filter: Filter): [Item] @listSize(assumedSize: 2)
  cheap(way: Int @cost(weight: -50)): Book
}
type Mutation @join__type(graph: A) { add: Book }
input Page @join__type(graph: A) { size: Int }
input Filter @join__type(graph: A) { exact: String @cost(weight: 4) and: [Filter!] loose: String }
type Connection @join__type(graph: A) { edges: [Edge] nodes: [Book] total: Int }
type Edge @join__type(graph: A) { node: Book cursor: String }
type Book @join__type(graph: A) { title: String author: Author publisher: Publisher }
type Author @join__type(graph: A) { name: String }
type Publisher @join__type(graph: A) { name: String address: Address }
type Address @join__type(graph: A) @cost(weight: 5) { zip: Int }
interface Item @join__type(graph: A) { id: ID related: [Item] }
type Film implements Item @join__type(graph: A) @join__implements(graph: A, interface: "Item") { id: ID related: [Item] cut: Book }
type Song implements Item @join__type(graph: A) @join__implements(graph: A, interface: "Item") @cost(weight: 2) { id: ID related: [Item] author: Author album: Book }
`

func model(t testing.TB) *Model {
	t.Helper()
	super, err := supergraph.Load(shop)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(super)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func estimate(t testing.TB, m *Model, query string) (*Estimate, *ast.OperationDefinition) {
	t.Helper()
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) == 0 {
		errs = validate.Document(m.public, document, validate.Limits{})
	}
	if len(errs) > 0 {
		t.Fatal(query, errs)
	}
	return m.Estimate(document.Operations[0]), document.Operations[0]
}

func TestCost(t *testing.T) {
	m := model(t)
	const fields = `{title author{name} publisher{name address{zip}}}` // with the book 8
	for _, test := range []struct {
		query     string
		variables string
		want      float64
	}{
		{`{book` + fields + `}`, ``, 8},
		{`{bestsellers` + fields + `}`, ``, 40},
		{`{newest(limit:3)` + fields + `}`, ``, 24},
		{`query($n:Int!){newest(limit:$n)` + fields + `}`, `{"n":7}`, 56},
		{`query($n:Int!){newest(limit:$n)` + fields + `}`, `{"n":0}`, 0},
		{`query($n:Int!){newest(limit:$n){title}}`, `{"n":2147483647}`, 2147483647},
		{`query($n:Int!){newest(limit:$n){title} bestsellers{title}}`, `{"n":2}`, 7},
		{`{plain{title}}`, ``, 10},
		{`{grid{title}}`, ``, 100},
		{`{dear}`, ``, 7},
		{`{__typename}`, ``, 0},
		{`mutation{add{title}}`, ``, 11},
		{`{either{title}}`, ``, 3},
		{`{either(first:2,last:6){title}}`, ``, 6},
		{`query($a:Int,$b:Int){either(first:$a,last:$b){title}}`, `{"b":4}`, 4},
		{`{either(first:-5){title}}`, ``, 3},
		{`{standard{title}}`, ``, 4},
		{`{standard(first:9){title}}`, ``, 9},
		{`{page(by:{size:8}){title}}`, ``, 8},
		{`query($s:Int){page(by:{size:$s}){title}}`, `{"s":6}`, 6},
		{`query($p:Page){page(by:$p){title}}`, `{"p":{"size":5}}`, 5},
		{`query($p:Page){page(by:$p){title}}`, `{}`, 2},
		{`{connection(first:4){edges{node{title}} nodes{title} total}}`, ``, 13},
		{`{connection(first:4){total}}`, ``, 1},
		// Arguments count once, whatever comes.
		{`{search(text:"a"){id}}`, ``, 7},
		{`{search(filter:{exact:"a",and:[{exact:"b"},{loose:"c"}]}){id}}`, ``, 12},
		{`query($f:Filter){search(filter:$f){id}}`, `{"f":{"and":[{"exact":"b"}]}}`, 8},
		// The most expensive type counts: Song 2, with an author 3, with an album 4.
		{`{search{id ...on Film{cut{title}} ...on Song{author{name} album{title}}}}`, ``, 8},
		{`{search{...on Film{cut{title}}}}`, ``, 6},
		// What is asked twice under one key counts once.
		{`{book{author{name}} ...B} fragment B on Query{book{author{name} publisher{name}}}`, ``, 3},
		{`{a:book{title} b:book{title}}`, ``, 2},
		// Conditions.
		{`{book@include(if:false){title} dear@skip(if:true)}`, ``, 0},
		{`query($y:Boolean!){book@include(if:$y){title} dear@skip(if:$y)}`, `{"y":true}`, 1},
		{`query($y:Boolean!){book@include(if:$y){title} dear@skip(if:$y)}`, `{"y":false}`, 7},
		{`query($y:Boolean!){book@include(if:$y){title} book@skip(if:$y){author{name}}}`, `{"y":true}`, 1},
		// A negative weight pays for nothing else.
		{`{cheap(way:1){title} dear}`, ``, 7},
	} {
		e, operation := estimate(t, m, test.query)
		values, errs := validate.Coerce(m.public, operation, json.RawMessage(test.variables))
		if len(errs) > 0 {
			t.Fatal(test.query, errs)
		}
		got, err := e.Cost(values)
		if err != nil || got != test.want {
			t.Errorf("%s %s costs %v (%v), want %v", test.query, test.variables, got, err, test.want)
		}
	}
}

func TestSlicingArgumentIsRequired(t *testing.T) {
	m := model(t)
	for _, test := range []struct {
		query, variables string
		refused          bool
	}{
		{`{one{title}}`, ``, true},
		{`{one(first:1,last:1){title}}`, ``, true},
		{`{one(last:1){title}}`, ``, false},
		{`{one(first:null,last:1){title}}`, ``, false},
		{`query($a:Int,$b:Int){one(first:$a,last:$b){title}}`, `{"a":1}`, false},
		{`query($a:Int,$b:Int){one(first:$a,last:$b){title}}`, `{"a":1,"b":2}`, true},
		{`query($a:Int,$b:Int){one(first:$a,last:$b){title}}`, `{"a":null}`, true},
		{`{connection{edges{cursor}}}`, ``, true},
		{`{connection{total}}`, ``, false},
		{`{standard{title}}`, ``, false},
	} {
		e, operation := estimate(t, m, test.query)
		values, _ := validate.Coerce(m.public, operation, json.RawMessage(test.variables))
		_, err := e.Cost(values)
		var slicing *Slicing
		if errors.As(err, &slicing) != test.refused {
			t.Errorf("%s %s: %v", test.query, test.variables, err)
		}
	}
}

// Whatever document is sent, estimating is quick, and what is too much to look
// at is not estimated too low.
func TestHostileDocuments(t *testing.T) {
	m := model(t)
	deep := "{id}"
	for range 9 {
		deep = "{related" + deep + " ...on Film{related{id}} ...on Song{related{id}}}"
	}
	var chain strings.Builder
	chain.WriteString("{search{...F0}}")
	for i := range 11 {
		fmt.Fprintf(&chain, " fragment F%d on Item{a%d:related{...F%d} b%d:related{...F%d}}", i, i, i+1, i, i+1)
	}
	chain.WriteString(" fragment F11 on Item{id}")
	wide := "{search{" + strings.Repeat("...on Film{related{id}}...on Song{related{related{id}}}", 500) + "}}"
	for i, query := range []string{"{search" + deep + "}", chain.String(), wide} {
		began := time.Now()
		e, _ := estimate(t, m, query)
		cost, err := e.Cost(nil)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d took %s", i, took)
		}
		if err != nil || cost < 40 {
			t.Errorf("%d costs %v, %v", i, cost, err)
		}
	}
}

func TestDirectivesThatCannotBeUnderstood(t *testing.T) {
	for _, test := range []struct{ directive, want string }{
		{`@cost(weight: "much")`, "Query.dear"}, {`@cost`, "Query.dear"}, {`@cost(weight: 1e999)`, "Query.dear"},
		{`@listSize(assumedSize: -1)`, "Query.dear"}, {`@listSize(slicingArguments: [1])`, "Query.dear"},
	} {
		super, err := supergraph.Load(strings.Replace(shop, "dear: String @cost(weight: 7)", "dear: String "+test.directive, 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(super); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.directive, err)
		}
	}
	for _, weight := range []string{`"2.5"`, `2.5`} {
		super, err := supergraph.Load(strings.Replace(shop, "@cost(weight: 7)", "@cost(weight: "+weight+")", 1))
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(super)
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := estimate(t, m, `{dear}`); e.fixed != 2.5 {
			t.Errorf("%s: %v", weight, e.fixed)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	m := model(b)
	for _, test := range []struct{ name, query string }{
		{"constant", `{newest(limit:3){title author{name} publisher{name address{zip}}}}`},
		{"variable", `query($n:Int!){newest(limit:$n){title author{name} publisher{name address{zip}}} bestsellers{title}}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			e, _ := estimate(b, m, test.query)
			variables := map[string]any{"n": json.Number("7")}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Cost(variables); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
