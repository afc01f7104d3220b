package reference_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/reference"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
type Query { a: Thing  b: Thing!  list: [Thing!]  any: Any }
type Thing { id: ID!  name: String  sure: String!  child: Thing  kids: [Thing] }
type Other { id: ID! }
union Any = Thing | Other
`})

// source answers "sure" with null for things named bad, and fails at "name" of those.
type source struct{}

func (source) Resolve(_ context.Context, parent *reference.Object, fields []*ast.Field) (any, error) {
	good, bad := &reference.Object{Type: "Thing", Value: "good"}, &reference.Object{Type: "Thing", Value: "bad"}
	switch fields[0].Name {
	case "a", "any":
		return good, nil
	case "b", "child":
		return bad, nil
	case "list", "kids":
		return []any{good, bad}, nil
	case "sure":
		if parent.Value == "bad" {
			return nil, nil
		}
		return "yes", nil
	case "name":
		if parent.Value == "bad" {
			return nil, errors.New("no name")
		}
		return parent.Value, nil
	}
	return parent.Value, nil
}

func TestExecute(t *testing.T) {
	for _, c := range []struct{ query, want, errors string }{
		{`{ a { name x: sure __typename } }`, `{"a":{"name":"good","x":"yes","__typename":"Thing"}}`, ``},
		{`{ a { child { sure } } }`, `{"a":{"child":null}}`, `a.child.sure`},
		{`{ b { sure } a { name } }`, `null`, `b.sure`},
		{`{ list { sure } a { name } }`, `{"list":null,"a":{"name":"good"}}`, `list[1].sure`},
		{`{ a { kids { name } } }`, `{"a":{"kids":[{"name":"good"},{"name":null}]}}`, `a.kids[1].name`},
		{`{ any { ... on Thing { name } ... on Other { id } } }`, `{"any":{"name":"good"}}`, ``},
		{`{ a @skip(if: true) { id } }`, `{}`, ``},
		{`{ a { name } ...{ a { id } } }`, `{"a":{"name":"good","id":"good"}}`, ``},
	} {
		document := gqlparser.MustLoadQuery(schema, c.query)
		data, errs := reference.Execute(t.Context(), schema, document.Operations[0], nil, source{})
		var paths []string
		for _, err := range errs {
			paths = append(paths, err.Path.String())
		}
		if string(data) != c.want || strings.Join(paths, " ") != c.errors {
			t.Errorf("%s\n got %s %v\nwant %s %s", c.query, data, paths, c.want, c.errors)
		}
	}
}

func TestRandomQueriesAreValid(t *testing.T) {
	r := &reference.Random{Schema: schema, Rand: rand.New(rand.NewPCG(1, 2)), Depth: 4, Width: 4,
		Argument: func(string, *ast.ArgumentDefinition) (string, bool) { return "", false }}
	for range 200 {
		query := r.Query()
		if _, err := gqlparser.LoadQueryWithRules(schema, query, nil); err != nil {
			t.Fatalf("%v\n%s", err, query)
		}
	}
}
