package execute

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/citizencloud/citizencloud/graph/plan"
)

func away(context.Context, string) (string, error) { return "", errors.New("away") }

// halves is an operation with two entity fetches of one subgraph in one request, and what they answer alone.
func halves(t testing.TB, roots, joint string, alone ...string) *world {
	w := &world{schema: load(t, shop), query: `{users{id name} top{id price}}`}
	w.rootFetch(t, "users{id} top{id}", says(roots))
	replies := []func(context.Context, string) (string, error){away, away}
	for i := range alone {
		replies[i] = says(alone[i])
	}
	w.entityFetch(t, "users", "User", "id", "name", replies[0], 0)
	w.entityFetch(t, "top", "Product", "id", "price", replies[1], 0)
	if joint == "" {
		w.together(t, away)
	} else {
		w.together(t, says(joint))
	}
	return w
}

const both = `{"data":{"users":[{"id":"1"},{"id":"2"}],"top":[{"id":"7"}]}}`

func (w *world) wantSent(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.sent, want) {
		t.Errorf("sent %q, want %q", w.sent, want)
	}
}

func TestPartsTravelTogether(t *testing.T) {
	w := halves(t, both, `{"data":{"e1":[{"price":5}],"e0":[{"name":"A"},{"name":"B"}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":"B"}],"top":[{"id":"7","price":5}]}}`)
	w.wantSent(t, `0`, `3 {"r0":[{"__typename":"User","id":"1"},{"__typename":"User","id":"2"}],"r1":[{"__typename":"Product","id":"7"}]}`)
}

func TestAPartAloneWhereTheOtherHasNothingToAsk(t *testing.T) {
	w := halves(t, `{"data":{"users":[],"top":[{"id":"7"}]}}`, "", `none`, `{"data":{"_entities":[{"price":5}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[],"top":[{"id":"7","price":5}]}}`)
	w.wantSent(t, `0`, `2 {"r1":[{"__typename":"Product","id":"7"}]}`)

	w = halves(t, `{"data":{"users":[],"top":[]}}`, "")
	same(t, w.run(t, nil), `{"data":{"users":[],"top":[]}}`)
	w.wantSent(t, `0`)
}

func TestAPartWhoseConditionDoesNotHold(t *testing.T) {
	w := halves(t, both, "", `{"data":{"_entities":[{"name":"A"},{"name":"B"}]}}`)
	w.query = `query($a: Boolean!) {users{id name} top @include(if: $a) {id price}}`
	w.fetches[1].Parts[1].When = plan.Condition{{{Variable: "a", Is: true}}}
	same(t, w.run(t, map[string]any{"a": false}), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":"B"}]}}`)
	if len(w.sent) != 2 {
		t.Errorf("sent %q", w.sent)
	}
}

func TestErrorsOfPartsAreAtTheirPlaces(t *testing.T) {
	w := halves(t, both, `{"errors":[{"message":"无权查看","path":["e0",1,"name"],"extensions":{"code":"FORBIDDEN"}},{"message":"缺货","path":["e1",0,"price"]}],
		"data":{"e0":[{"name":"A"},{"name":null}],"e1":[{"price":null}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":null}],"top":[{"id":"7","price":null}]},"errors":[`+
		`{"message":"无权查看","path":["users",1,"name"],"extensions":{"code":"FORBIDDEN","service":"S3"}},`+
		`{"message":"缺货","path":["top",0,"price"],"extensions":{"service":"S3"}}]}`)
}

func TestAnErrorOfNoPartIsToldOnce(t *testing.T) {
	w := halves(t, both, `{"errors":[{"message":"慢"}],"data":{"e0":[{"name":"A"},null],"e1":[null]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":null}],"top":[{"id":"7","price":null}]},"errors":[{"message":"慢","extensions":{"service":"S3"}}]}`)
}

// TestOnePartDoesNotTakeTheOtherAway has an error that bubbled up to data: the parts are asked again, each alone.
func TestOnePartDoesNotTakeTheOtherAway(t *testing.T) {
	w := halves(t, both, `{"errors":[{"message":"坏","path":["e1"]}],"data":null}`,
		`{"data":{"_entities":[{"name":"A"},{"name":"B"}]}}`, `{"errors":[{"message":"坏","path":["_entities"]}],"data":null}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":"B"}],"top":[{"id":"7","price":null}]},"errors":[{"message":"坏","extensions":{"service":"S3"}}]}`)
	if len(w.sent) != 4 {
		t.Errorf("sent %q", w.sent)
	}
}

func TestAPartThatIsNoAnswerIsLostAlone(t *testing.T) {
	w := halves(t, both, `{"data":{"e0":[{"name":"A"},{"name":"B"}],"e1":[{"price":5},{"price":6}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":"A"},{"id":"2","name":"B"}],"top":[{"id":"7","price":null}]},`+
		`"errors":[{"message":"暂时无法取得这部分数据，请稍后重试","path":["top",0],"extensions":{"code":"SUBREQUEST_FAILED","service":"S3"}}]}`)
}

func TestARequestThatFailsFailsForEachPart(t *testing.T) {
	w := halves(t, both, "")
	same(t, w.run(t, nil), `{"data":{"users":[{"id":"1","name":null},{"id":"2","name":null}],"top":[{"id":"7","price":null}]},"errors":[`+
		`{"message":"暂时无法取得这部分数据，请稍后重试","path":["users"],"extensions":{"code":"SUBREQUEST_FAILED","service":"S3"}},`+
		`{"message":"暂时无法取得这部分数据，请稍后重试","path":["top",0],"extensions":{"code":"SUBREQUEST_FAILED","service":"S3"}}]}`)
}

func TestWhatComesAfterParts(t *testing.T) {
	for _, roots := range []string{both, `{"data":{"users":[{"id":"1"},{"id":"2"}],"top":[]}}`} {
		w := &world{schema: load(t, shop), query: `{users{name reviews{id body}} top{price}}`}
		w.rootFetch(t, "users{id} top{id}", says(roots))
		w.entityFetch(t, "users", "User", "id", "name reviews{id}", says(`{"data":{"_entities":[{"name":"A","reviews":[{"id":"9"}]},{"name":"B","reviews":[]}]}}`), 0)
		w.entityFetch(t, "top", "Product", "id", "price", away, 0)
		w.together(t, says(`{"data":{"e0":[{"name":"A","reviews":[{"id":"9"}]},{"name":"B","reviews":[]}],"e1":[{"price":1}]}}`))
		w.entityFetch(t, "users.reviews", "Review", "id", "body", says(`{"data":{"_entities":[{"body":"good"}]}}`), 1)
		top := `[{"price":1}]`
		if roots != both {
			top = `[]`
		}
		same(t, w.run(t, nil), `{"data":{"users":[{"name":"A","reviews":[{"id":"9","body":"good"}]},{"name":"B","reviews":[]}],"top":`+top+`}}`)
	}
}
