package execute

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/plan"
)

// filled is an operation with a fetch whose variable the users fill with their names. Both users have the same
// friend, whose reviews come once for both.
func filled(t testing.TB, users string) (*world, *plan.Fetch) {
	w := &world{schema: load(t, shop), query: `{users{name friend{reviews{id body}}}}`}
	w.rootFetch(t, "users{id name friend{id}}", says(`{"data":{"users":`+users+`}}`))
	w.entityFetch(t, "users.friend", "User", "id", "reviews{id}", says(`{"data":{"_entities":[{"reviews":[{"id":"5"},{"id":"6"}]}]}}`), 0)
	f := w.entityFetch(t, "users.friend.reviews", "Review", "id", "body", nil, 1)
	f.Contexts = []*plan.Context{{Variable: "context_0", Type: ast.NamedType("String", nil), Sources: []*plan.Source{
		{Depth: 1, Types: []string{"User"}, Fields: []*plan.InputField{{Name: "name", From: "name"}}},
	}}}
	w.groups = map[int]string{}
	return w, f
}

// answerGroups answers the fetch with contexts: by its own document, and by that for two groups.
func (w *world) answerGroups(one, two string) {
	w.replies[2] = says(one)
	w.groups[2] = two
}

func TestObjectsAreGroupedByTheContextTheyAreIn(t *testing.T) {
	w, _ := filled(t, `[{"id":"1","name":"A","friend":{"id":"9"}},{"id":"2","name":"B","friend":{"id":"9"}}]`)
	w.answerGroups("", `{"data":{"e_0":[{"body":"a5"},{"body":"a6"}],"e_1":[{"body":"b5"},{"body":"b6"}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"name":"A","friend":{"reviews":[{"id":"5","body":"a5"},{"id":"6","body":"a6"}]}},`+
		`{"name":"B","friend":{"reviews":[{"id":"5","body":"b5"},{"id":"6","body":"b6"}]}}]}}`)
	reviews := `[{"__typename":"Review","id":"5"},{"__typename":"Review","id":"6"}]`
	same(t, w.sent[2], `2 {"representations_0":`+reviews+`,"context_0_0":"A","representations_1":`+reviews+`,"context_0_1":"B"}`)
	same(t, strings.Join(w.documents, "\n"), `query($representations_0:[_Any!]!,$context_0_0:String,$representations_1:[_Any!]!,$context_0_1:String)`+
		`{e_0:_entities(representations:$representations_0){...on Review{body}} e_1:_entities(representations:$representations_1){...on Review{body}}}`)
}

func TestOneGroupNeedsNoAlias(t *testing.T) {
	w, _ := filled(t, `[{"id":"1","name":"A","friend":{"id":"9"}},{"id":"2","name":"A","friend":{"id":"9"}}]`)
	w.answerGroups(`{"data":{"_entities":[{"body":"a5"},{"body":"a6"}]}}`, "")
	got := w.run(t, nil)
	if strings.Count(got, `"reviews":[{"id":"5","body":"a5"},{"id":"6","body":"a6"}]`) != 2 {
		t.Error(got)
	}
	same(t, w.sent[2], `2 {"representations":[{"__typename":"Review","id":"5"},{"__typename":"Review","id":"6"}],"context_0":"A"}`)
}

func TestContextsThatAreNull(t *testing.T) {
	users := `[{"id":"1","name":null,"friend":{"id":"9"}},{"id":"2","name":"B","friend":{"id":"9"}}]`
	w, f := filled(t, users)
	w.answerGroups("", `{"errors":[{"message":"坏","path":["e_1",1,"body"]}],"data":{"e_0":[{"body":"n5"},{"body":"n6"}],"e_1":[{"body":"b5"},null]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"name":null,"friend":{"reviews":[{"id":"5","body":"n5"},{"id":"6","body":"n6"}]}},`+
		`{"name":"B","friend":{"reviews":[{"id":"5","body":"b5"},{"id":"6","body":null}]}}]},`+
		`"errors":[{"message":"坏","path":["users",1,"friend","reviews",1,"body"],"extensions":{"service":"S2"}}]}`)

	w, f = filled(t, users)
	f.Contexts[0].Type = ast.NonNullNamedType("String", nil)
	w.answerGroups(`{"data":{"_entities":[{"body":"b5"},{"body":"b6"}]}}`, "")
	if got := w.run(t, nil); !strings.Contains(got, `{"name":"B","friend":{"reviews":[{"id":"5","body":"b5"},{"id":"6","body":"b6"}]}}`) {
		t.Error(got)
	}
	same(t, w.sent[2], `2 {"representations":[{"__typename":"Review","id":"5"},{"__typename":"Review","id":"6"}],"context_0":"B"}`)
}

func TestAContextThatFailedIsNotAsked(t *testing.T) {
	w, _ := filled(t, "")
	w.replies[0] = says(`{"errors":[{"message":"无权查看","path":["users",0,"name"]}],"data":{"users":[{"id":"1","name":null,"friend":{"id":"9"}}]}}`)
	same(t, w.run(t, nil), `{"data":{"users":[{"name":null,"friend":{"reviews":[{"id":"5","body":null},{"id":"6","body":null}]}}]},`+
		`"errors":[{"message":"无权查看","path":["users",0,"name"],"extensions":{"service":"S0"}}]}`)
	if len(w.sent) != 2 {
		t.Errorf("sent %q", w.sent)
	}
}
