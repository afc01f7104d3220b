package validate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/validate"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
type Query { me: User! user(id: ID!): User users(first: Int): [User!]! pet: Pet search(in: Filter, list: [Int!], kind: Kind, any: Any): Int }
type User { id: ID! name: String! age: Int friends: [User!]! best: User }
interface Pet { name: String }
type Dog implements Pet { name: String barks: Boolean owner: User volume: Int }
type Cat implements Pet { name: String meows: Boolean owner: User volume: String }
enum Kind { SMALL LARGE }
scalar Any
input Filter { text: String! limit: Int = 5 kinds: [Kind!] inner: Filter one: One }
input One @oneOf { a: Int b: String }
`})

// check gives the first error's code and message, "" for none.
func check(t testing.TB, query string, limits validate.Limits) (string, string) {
	t.Helper()
	document, errs := validate.Parse(query, limits)
	if len(errs) == 0 {
		errs = validate.Document(schema, document, limits)
	}
	if len(errs) == 0 {
		return "", ""
	}
	return fmt.Sprint(errs[0].Extensions["code"]), errs[0].Message
}

func TestCodes(t *testing.T) {
	for _, test := range []struct {
		name, query string
		limits      validate.Limits
		code        string
	}{
		{"valid", `{ me { name friends { name } } }`, validate.Limits{}, ""},
		{"syntax", `{ me {`, validate.Limits{}, validate.CodeParse},
		{"empty", ``, validate.Limits{}, validate.CodeParse},
		{"unknown field", `{ you }`, validate.Limits{}, validate.CodeInvalid},
		{"bytes", `{ me { name } }`, validate.Limits{Bytes: 5}, validate.CodeTooLarge},
		{"tokens", `{ me { name } }`, validate.Limits{Tokens: 3}, validate.CodeTooLarge},
		{"deep", `{ me { best { best { best { name } } } } }`, validate.Limits{Depth: 4}, validate.CodeTooDeep},
		{"deep by fragments", `{ me { ...A } } fragment A on User { best { ...B } } fragment B on User { best { name } }`, validate.Limits{Depth: 3}, validate.CodeTooDeep},
		{"not too deep", `{ me { best { name } } }`, validate.Limits{Depth: 3}, ""},
		{"fields", `{ me { id name age } }`, validate.Limits{Fields: 3}, validate.CodeComplex},
		{"aliases", `{ a: me { id } b: me { id } }`, validate.Limits{Aliases: 1}, validate.CodeComplex},
		{"root fields", `{ a: me { id } ...F } fragment F on Query { b: me { id } }`, validate.Limits{RootFields: 1}, validate.CodeComplex},
		{"cost", `{ users(first: 100) { friends { id } } }`, validate.Limits{Cost: 1000}, validate.CodeComplex},
		{"cheap", `{ users(first: 9) { friends { id } } }`, validate.Limits{Cost: 1000}, ""},
		{"int range", `{ search(list: [3000000000]) }`, validate.Limits{}, validate.CodeInvalid},
		{"fragment cycle", `{ me { ...A } } fragment A on User { best { ...A } }`, validate.Limits{}, validate.CodeInvalid},
		{"unused bomb", "{ me { id } } " + bomb(40), validate.Limits{}, validate.CodeComplex},
	} {
		t.Run(test.name, func(t *testing.T) {
			if code, message := check(t, test.query, test.limits); code != test.code {
				t.Errorf("code %q (%s), want %q", code, message, test.code)
			}
		})
	}
}

func TestFieldsMerge(t *testing.T) {
	for _, test := range []struct{ name, query, want string }{
		{"same", `{ me { a: name a: name } }`, ""},
		{"argument order", `{ search(kind: SMALL, list: [1]) search(list: [1], kind: SMALL) }`, ""},
		{"other field", `{ me { a: name a: id } }`, "are different fields"},
		{"other arguments", `{ user(id: 1) { id } user(id: 2) { id } }`, "differing arguments"},
		{"nested", `{ me { best { a: name } } me { best { a: id } } }`, "are different fields"},
		{"through fragments", `{ me { ...A ...B } } fragment A on User { x: name } fragment B on User { x: age }`, "conflict"},
		{"objects apart", `{ pet { ... on Dog { x: barks } ... on Cat { x: meows } } }`, ""},
		{"objects apart, other shape", `{ pet { ... on Dog { volume } ... on Cat { volume } } }`, "conflicting types"},
		{"interface and object", `{ pet { x: name ... on Dog { x: barks } } }`, "conflict"},
		{"below objects apart", `{ pet { ... on Dog { owner { x: name } } ... on Cat { owner { x: id } } } }`, "conflicting types"},
		{"below objects apart, same shape", `{ pet { ... on Dog { owner { x: name } } ... on Cat { owner { x: name } } } }`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, message := check(t, test.query, validate.Limits{})
			if test.want == "" && message != "" || !strings.Contains(message, test.want) {
				t.Errorf("got %q, want %q", message, test.want)
			}
		})
	}
}

// bomb doubles at each level.
func bomb(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "fragment F%d on User { a: best { ...F%d } b: best { ...F%d } } ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on User { id }", levels)
	return b.String()
}

func TestBombs(t *testing.T) {
	var spreads strings.Builder
	for i := range 600 {
		fmt.Fprintf(&spreads, "fragment F%d on User { ...F%d ...F%d } ", i, i+1, i+1)
	}
	same := strings.Repeat("name ", 15_000)
	for name, test := range map[string]struct{ query, code string }{
		"doubling fields":  {"{ me { ...F0 } } " + bomb(50), validate.CodeComplex},
		"doubling spreads": {"{ me { ...F0 } } " + spreads.String() + "fragment F600 on User { id }", validate.CodeComplex},
		"many alike":       {"{ me { " + same + "} }", ""},
		"nested alike":     {"{ " + strings.Repeat("me { best { best { id } } } ", 1500) + "}", ""},
		"deep":             {strings.Repeat("{ me ", 5000) + strings.Repeat("}", 5000), validate.CodeParse},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			code, message := check(t, test.query, validate.Limits{RootFields: -1})
			runtime.ReadMemStats(&after)
			if code != test.code {
				t.Errorf("code %q (%s), want %q", code, message, test.code)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %s", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
				t.Errorf("allocated %d MB", used>>20)
			}
		})
	}
}

func TestOperation(t *testing.T) {
	document, _ := validate.Parse(`query A { me { id } } query B { me { id } }`, validate.Limits{})
	if operation, errs := validate.Operation(document, "B"); len(errs) > 0 || operation.Name != "B" {
		t.Error(operation, errs)
	}
	for _, name := range []string{"", "C"} {
		if _, errs := validate.Operation(document, name); len(errs) != 1 {
			t.Errorf("%q: %v", name, errs)
		}
	}
}
