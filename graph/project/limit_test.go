package project

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/tree"
)

func TestAnswerIsBounded(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `type Query {l: [T!]!} type T {s: String!}`})
	types := tree.NewTypes()
	types.Add("Query", true)
	types.Add("T", true)
	root := tree.NewPosition()
	root.Assume(types.ID("Query"))
	child := root.Under(root.Slot("l"))
	child.Assume(types.ID("T"))
	child.Slot("s")
	below := &tree.Shape{Position: child, Types: types, Fields: []tree.Field{{Key: `"s"`, Slot: 1}}}
	shape := &tree.Shape{Position: root, Types: types, Fields: []tree.Field{{Key: `"l"`, Slot: 1, Child: below}}}
	list := schema.Query.Fields.ForName("l").Type
	p, err := New(&plan.Plan{RootType: "Query", Response: []*plan.Output{{Key: "l", From: "l", Name: "l", Type: list, Fields: []*plan.Output{
		{Key: "s", From: "s", Name: "s", Type: schema.Types["T"].Fields[0].Type},
	}}}}, root, types, schema)
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]string{
		1000: `{"data":{"l":[{"s":"xxxxxxxxxx"},{"s":"xxxxxxxxxx"},{"s":"xxxxxxxxxx"}]}}`,
		30:   `{"data":null,"errors":[{"message":"结果过大，请缩小查询范围","extensions":{"code":"RESPONSE_TOO_LARGE"}}]}`,
	} {
		merged := tree.New(1, root)
		d := merged.Decoder(0)
		v, err := d.Data([]byte(`{"l":[{"s":"xxxxxxxxxx"},{"s":"xxxxxxxxxx"},{"s":"xxxxxxxxxx"}]}`), shape)
		if err != nil {
			t.Fatal(err)
		}
		if err := merged.Merge(merged.Root, v, shape, false); err != nil {
			t.Fatal(err)
		}
		w := &Writer{limit: limit}
		w.Write(p, merged)
		if string(w.Body) != want {
			t.Errorf("limit %d: %s, want %s", limit, w.Body, want)
		}
		merged.Release()
	}
}
