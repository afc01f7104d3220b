package execute

import (
	"context"
	"testing"
)

const boxes = `
type Query { box: Box  item: Item }
type Item { id: ID!  box: Box }
type Box { width: Int  height: Int!  lid: Lid! }
type Lid { color: String  weight: Int! }
`

// TestWhatASubgraphShouldHaveBroughtIsExplainedOnce: two subgraphs bring a part each of what is no entity. When one
// of them lost its part, by a null that bubbled, what is missing in the other's object is that null.
func TestWhatASubgraphShouldHaveBroughtIsExplainedOnce(t *testing.T) {
	const failed = `{"errors":[{"message":"坏","path":["_entities",0,"box","lid","weight"]}],"data":{"_entities":[{"box":null}]}}`
	const gone = `{"errors":[{"message":"坏","path":["_entities",0,"box","height"]}],"data":{"_entities":[null]}}`
	const want = `"errors":[{"message":"坏","path":["item","box",`
	for _, test := range []struct{ reply, path string }{{failed, `"lid","weight"]`}, {gone, `"height"]`}} {
		for _, order := range []string{"the parts that came first", "the parts that came last"} {
			w := &world{schema: load(t, boxes), query: `{item{box{width height lid{color weight}}}}`}
			w.rootFetch(t, "item{id}", says(`{"data":{"item":{"id":"1"}}}`))
			other := make(chan struct{})
			good := func(context.Context, string) (string, error) {
				if order == "the parts that came last" {
					<-other
				}
				return `{"data":{"_entities":[{"box":{"width":1,"lid":{"color":"red"}}}]}}`, nil
			}
			bad := func(context.Context, string) (string, error) {
				defer close(other)
				return test.reply, nil
			}
			w.entityFetch(t, "item", "Item", "id", "box{width lid{color}}", good, 0)
			w.entityFetch(t, "item", "Item", "id", "box{height lid{weight}}", bad, 0)
			service := "S2"
			same(t, w.run(t, nil), `{"data":{"item":{"box":null}},`+want+test.path+`,"extensions":{"service":"`+service+`"}}]}`)
		}
	}
}

// TestErrorsKnowTheTypeOfTheirEntity: the reply to an entity fetch need not tell the type, on which the client's
// path depends.
func TestErrorsKnowTheTypeOfTheirEntity(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{node{... on User{reviews{body}} ... on Product{price}}}`}
	w.rootFetch(t, "node{__typename id}", says(`{"data":{"node":{"__typename":"User","id":"1"}}}`))
	w.entityFetch(t, "node", "User", "id", "reviews{body}", says(`{"errors":[{"message":"坏","path":["_entities",0,"reviews",0,"body"]}],"data":{"_entities":[{"reviews":[{"body":null}]}]}}`), 0)
	same(t, w.run(t, nil), `{"data":{"node":{"reviews":[{"body":null}]}},"errors":[{"message":"坏","path":["node","reviews",0,"body"],"extensions":{"service":"S1"}}]}`)
}
