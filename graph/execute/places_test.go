package execute

import (
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph/plan"
)

// further adds a further place to an entity fetch.
func further(f *plan.Fetch, path string) {
	f.Places = append(f.Places, &plan.Place{Path: steps(path), Inputs: f.Inputs})
}

const twoPlaces = `{"data":{"me":{"id":"1","friend":{"id":"2"}},"users":[{"id":"2"},{"id":"3"}]}}`

func TestOneFetchForSeveralPlaces(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{friend{id name reviews{id body}}} users{id name reviews{id body}}}`}
	w.rootFetch(t, "me{id friend{id}} users{id}", says(twoPlaces))
	f := w.entityFetch(t, "me.friend", "User", "id", "name reviews{id}", says(`{"data":{"_entities":[{"name":"B","reviews":[{"id":"r"}]},{"name":"C","reviews":[]}]}}`), 0)
	further(f, "users")
	g := w.entityFetch(t, "users.reviews", "Review", "id", "body", says(`{"data":{"_entities":[{"body":"text"}]}}`), 1)
	further(g, "me.friend.reviews")
	same(t, w.run(t, nil), `{"data":{"me":{"friend":{"id":"2","name":"B","reviews":[{"id":"r","body":"text"}]}},"users":[{"id":"2","name":"B","reviews":[{"id":"r","body":"text"}]},{"id":"3","name":"C","reviews":[]}]}}`)
	same(t, w.sent[1], `1 {"representations":[{"__typename":"User","id":"2"},{"__typename":"User","id":"3"}]}`)
	same(t, w.sent[2], `2 {"representations":[{"__typename":"Review","id":"r"}]}`)
}

// TestPlacesThatGoOnDifferently has two fetches below one entity that stands in two places: each place
// must see its own.
func TestPlacesThatGoOnDifferently(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{friend{reviews{body}}} users{reviews{body}}}`}
	w.rootFetch(t, "me{id friend{id}} users{id}", says(twoPlaces))
	f := w.entityFetch(t, "me.friend", "User", "id", "reviews{id}", says(`{"data":{"_entities":[{"reviews":[{"id":"r"}]},{"reviews":[]}]}}`), 0)
	further(f, "users")
	w.entityFetch(t, "me.friend.reviews", "Review", "id", "body", says(`{"data":{"_entities":[{"body":"friend's"}]}}`), 1)
	w.entityFetch(t, "users.reviews", "Review", "id", "body", says(`{"data":{"_entities":[{"body":"users'"}]}}`), 1)
	same(t, w.run(t, nil), `{"data":{"me":{"friend":{"reviews":[{"body":"friend's"}]}},"users":[{"reviews":[{"body":"users'"}]},{"reviews":[]}]}}`)
}

func TestErrorsReachEveryPlace(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{friend{name}} users{name}}`}
	w.rootFetch(t, "me{id friend{id}} users{id}", says(twoPlaces))
	f := w.entityFetch(t, "me.friend", "User", "id", "name", says(`{"data":{"_entities":[null,{"name":"C"}]},"errors":[{"message":"away","path":["_entities",0]}]}`), 0)
	further(f, "users")
	same(t, w.run(t, nil), `{"data":{"me":{"friend":{"name":null}},"users":[{"name":null},{"name":"C"}]},"errors":[`+
		`{"message":"away","path":["me","friend"],"extensions":{"service":"S1"}},{"message":"away","path":["users",0],"extensions":{"service":"S1"}}]}`)
}

// TestPlaceBelowItself has a fetch whose places lie below each other: what it brings is completed by itself.
func TestPlaceBelowItself(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{me{name friend{name}}}`}
	w.rootFetch(t, "me{id friend{id}}", says(`{"data":{"me":{"id":"1","friend":{"id":"1"}}}}`))
	f := w.entityFetch(t, "me", "User", "id", "name", says(`{"data":{"_entities":[{"name":"A"}]}}`), 0)
	further(f, "me.friend")
	same(t, w.run(t, nil), `{"data":{"me":{"name":"A","friend":{"name":"A"}}}}`)
	same(t, w.sent[1], `1 {"representations":[{"__typename":"User","id":"1"}]}`)
}

// TestTrueTypeBehindAnInterfaceObject: the first subgraph only says Node, the second what it is.
func TestTrueTypeBehindAnInterfaceObject(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{node{__typename id ...on Product{price} ...on User{name}}}`}
	w.rootFetch(t, "node{__typename id}", says(`{"data":{"node":{"__typename":"Node","id":"1"}}}`))
	f := w.entityFetch(t, "node", "Product", "id", "__typename", says(`{"data":{"_entities":[{"__typename":"Product"}]}}`), 0)
	f.Inputs[0].Types, f.Inputs[0].Typename = nil, "Node"
	w.entityFetch(t, "node", "Product", "id", "price", says(`{"data":{"_entities":[{"__typename":"Node","price":5}]}}`), 1)
	w.entityFetch(t, "node", "User", "id", "name", nil, 1)
	same(t, w.run(t, nil), `{"data":{"node":{"__typename":"Product","id":"1","price":5}}}`)
	same(t, strings.Join(w.sent, "\n"), `0
1 {"representations":[{"__typename":"Node","id":"1"}]}
2 {"representations":[{"__typename":"Product","id":"1"}]}`)
}

func TestRepresentations(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{top{price}}`}
	w.rootFetch(t, "top{id box{width height} reviews{id author{name}}}", says(`{"data":{"top":[
		{"id":"1","box":{"width":2,"height":null},"reviews":[{"id":"r","author":null},{"id":"s","author":{"name":"x\u0041"}}]},
		{"id":"2","box":null,"reviews":[]},
		{"id":"3","box":{"width":null,"height":1},"reviews":[]}]}}`))
	f := w.entityFetch(t, "top", "Product", "id", "price", says(`{"data":{"_entities":[{"price":1},{"price":2}]}}`), 0)
	f.Inputs[0].Fields = append(f.Inputs[0].Fields,
		&plan.InputField{Name: "box", From: "box", Fields: []*plan.InputField{{Name: "width", From: "width", Key: true}, {Name: "height", From: "height"}}},
		&plan.InputField{Name: "reviews", From: "reviews", Fields: []*plan.InputField{{Name: "author", From: "author", Fields: []*plan.InputField{{Name: "name", From: "name"}}}}})
	same(t, w.run(t, nil), `{"data":{"top":[{"price":1},{"price":2},{"price":null}]}}`)
	same(t, w.sent[1], `1 {"representations":[`+
		`{"__typename":"Product","id":"1","box":{"width":2,"height":null},"reviews":[{"author":null},{"author":{"name":"x\u0041"}}]},`+
		`{"__typename":"Product","id":"2","box":null,"reviews":[]}]}`)
}

func TestRequiredValueThatFailed(t *testing.T) {
	w := &world{schema: load(t, shop), query: `{top{price reviews{id}}}`}
	w.rootFetch(t, "top{id}", says(`{"data":{"top":[{"id":"1"}]}}`))
	w.entityFetch(t, "top", "Product", "id", "price", says(`{"errors":[{"message":"no price","path":["_entities",0,"price"]}],"data":{"_entities":[{"price":null}]}}`), 0)
	f := w.entityFetch(t, "top", "Product", "id", "reviews{id}", nil, 1)
	f.Inputs[0].Fields = append(f.Inputs[0].Fields, &plan.InputField{Name: "price", From: "price"})
	same(t, w.run(t, nil), `{"data":{"top":[{"price":null,"reviews":null}]},"errors":[{"message":"no price","path":["top",0,"price"],"extensions":{"service":"S1"}}]}`)
}
