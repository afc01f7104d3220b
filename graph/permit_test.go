package graph_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// refusedAt is the error at a place, as JSON.
func refusedAt(path string) string {
	return `{"message":"没有访问该内容的权限","path":[` + path + `],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}`
}

func TestWhatRulesDeny(t *testing.T) {
	engine, s := reading(t, library, graph.Options{Authorization: graph.AuthorizationFilter})
	for _, test := range []struct {
		name, query string
		claims      claims
		want        string
		// never must not be asked of any subgraph.
		never string
	}{
		{"nobody, an open field", `{open}`, nil, `{"data":{"open":"开放"}}`, ""},
		{"nobody, a field for those signed in", `{open me{name}}`, nil,
			`{"data":{"open":"开放","me":null},"errors":[` + refusedAt(`"me"`) + `]}`, "me"},
		{"nothing is left", `{me{name}}`, nil, `{"data":{"me":null},"errors":[` + refusedAt(`"me"`) + `]}`, "me"},
		{"signed in", `{me{name}}`, claims{"-"}, `{"data":{"me":{"name":"程欣怡"}}}`, "email"},
		{"one alternative of two", `{book{cost}}`, claims{"finance"}, `{"data":{"book":{"cost":7}}}`, ""},
		{"the other alternative", `{book{cost}}`, claims{"read", "audit"}, `{"data":{"book":{"cost":7}}}`, ""},
		{"half an alternative", `{book{cost}}`, claims{"audit"},
			`{"data":{"book":{"cost":null}},"errors":[` + refusedAt(`"book","cost"`) + `]}`, "cost"},
		{"null goes up", `{me{name email}}`, claims{"-"},
			`{"data":{"me":null},"errors":[` + refusedAt(`"me","email"`) + `]}`, "email"},
		{"null goes up through a list to the root", `{readers{email}}`, claims{"-"},
			`{"data":null,"errors":[` + refusedAt(`"readers",0,"email"`) + `]}`, "email"},
		{"a policy", `{me{email}}`, claims{"!owner"}, `{"data":{"me":{"email":"a@example.cn"}}}`, ""},
		{"a scope of the policy's name is none", `{me{email}}`, claims{"owner"},
			`{"data":{"me":null},"errors":[` + refusedAt(`"me","email"`) + `]}`, "email"},
		{"an alias", `{x:book{y:cost}}`, nil, `{"data":{"x":{"y":null}},"errors":[` + refusedAt(`"x","y"`) + `]}`, "cost"},
		{"a fragment", `{book{...F}} fragment F on Book{...{cost}}`, nil,
			`{"data":{"book":{"cost":null}},"errors":[` + refusedAt(`"book","cost"`) + `]}`, "cost"},
		{"a scalar", `{book{title price}}`, nil,
			`{"data":{"book":{"title":"城记","price":null}},"errors":[` + refusedAt(`"book","price"`) + `]}`, "price"},
		{"a field that leads to a denied type", `{readers{card{number}}}`, nil,
			`{"data":{"readers":[{"card":null}]},"errors":[` + refusedAt(`"readers",0,"card"`) + `]}`, "card"},
		{"what @requires needs", `{book{margin}}`, nil,
			`{"data":{"book":{"margin":null}},"errors":[` + refusedAt(`"book","margin"`) + `]}`, "cost"},
		{"objects of a denied type among others", `{items{id}}`, claims{"journals"},
			`{"data":{"items":null},"errors":[` + refusedAt(`"items",1`) + `]}`, ""},
		{"of a union", `{found{...on Book{id}...on Letter{text}}}`, nil,
			`{"data":{"found":[{"id":"b1"},null]},"errors":[` + refusedAt(`"found",1`) + `]}`, "text"},
		{"of a union, the type only", `{found{__typename}}`, nil,
			`{"data":{"found":[{"__typename":"Book"},null]},"errors":[` + refusedAt(`"found",1`) + `]}`, ""},
		{"a field of some objects only", `{items{title ...on Letter{id}}}`, claims{"letters"},
			`{"data":{"items":[{"title":"城记"},{"title":"家书","id":"l1"},{"title":null}]},"errors":[` + refusedAt(`"items",2,"title"`) + `]}`, ""},
		{"an interface's rule goes on to what implements it", `{letter{text}}`, claims{"-"},
			`{"data":{"letter":null},"errors":[` + refusedAt(`"letter"`) + `]}`, "letter"},
		{"all implementations are denied", `{sealed{id}}`, nil,
			`{"data":{"sealed":null},"errors":[` + refusedAt(`"sealed"`) + `]}`, "sealed"},
		{"a mutation that is denied is not run, its neighbour is", `mutation{erase note}`, claims{"-"},
			`{"data":{"erase":null,"note":"记"},"errors":[` + refusedAt(`"erase"`) + `]}`, "erase"},
		{"introspection is open", `{__type(name:"Card"){name}}`, nil, `{"data":{"__type":{"name":"Card"}}}`, ""},
		{"skipped is not denied", `query($no:Boolean=true){open me@skip(if:$no){name}}`, nil, `{"data":{"open":"开放"}}`, "me"},
		{"the same field allowed and denied by type", `{items{...on Book{t:title}...on Journal{t:title}}}`, claims{"letters"},
			`{"data":{"items":[{"t":"城记"},{},{"t":null}]},"errors":[` + refusedAt(`"items",2,"t"`) + `]}`, ""},
		{"behind an entity of another subgraph", `{book{lent{name card{number}}}}`, nil,
			`{"data":{"book":{"lent":[{"name":"程欣怡","card":null}]}},"errors":[` + refusedAt(`"book","lent",0,"card"`) + `]}`, "card"},
	} {
		t.Run(test.name, func(t *testing.T) {
			call := graph.Call{}
			if test.claims != nil {
				call.Claims = test.claims
			}
			body, asked := read(t, engine, s, test.query, call)
			if diff := cmp.Diff(test.want, body); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if test.never != "" && strings.Contains(asked, test.never) {
				t.Errorf("%s was asked of a subgraph:\n%s", test.never, asked)
			}
		})
	}
}

func TestRulesAreNotEnforcedUnasked(t *testing.T) {
	engine, s := reading(t, library, graph.Options{})
	if body, _ := read(t, engine, s, `{me{name email} book{cost}}`, graph.Call{}); body != `{"data":{"me":{"name":"程欣怡","email":"a@example.cn"},"book":{"cost":7}}}` {
		t.Error(body)
	}
}

func TestRejectRunsNothing(t *testing.T) {
	engine, s := reading(t, library, graph.Options{Authorization: graph.AuthorizationReject})
	body, asked := read(t, engine, s, `{open me{name} book{c:cost}}`, graph.Call{})
	if want := `{"errors":[{"message":"没有访问该内容的权限","path":["me"],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"没有访问该内容的权限","path":["book","c"],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}`; body != want {
		t.Error(body)
	}
	if asked != "" {
		t.Errorf("asked of a subgraph: %s", asked)
	}
	if body, _ := read(t, engine, s, `query($no:Boolean=true){open me@skip(if:$no){name}}`, graph.Call{}); body != `{"data":{"open":"开放"}}` {
		t.Errorf("skipped: %s", body)
	}
}

func TestSubscriptionThatIsDenied(t *testing.T) {
	engine, _ := reading(t, library, graph.Options{Authorization: graph.AuthorizationFilter})
	op, errs := engine.Prepare(`subscription{arrived{name}}`, "")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	_, errs = engine.Subscribe(t.Context(), op, graph.Call{View: "a"})
	if len(errs) != 1 || errs[0].Extensions["code"] != "UNAUTHORIZED_FIELD_OR_TYPE" {
		t.Error(errs)
	}
	if _, errs = engine.Subscribe(t.Context(), op, graph.Call{View: "a", Claims: claims{"-"}}); len(errs) != 1 || errs[0].Extensions["code"] != "SUBREQUEST_FAILED" {
		t.Error("it was not started for who may: ", errs)
	}
}

// Whatever callers come one after the other, none gets what another may see.
func TestVariantsAreKeptApart(t *testing.T) {
	engine, s := reading(t, library, graph.Options{Authorization: graph.AuthorizationFilter, Dedupe: graph.DedupeAll})
	const query = `{book{cost price} items{title} readers{card{number}}}`
	callers := []claims{nil, {"finance"}, {"prices"}, {"-"}, {"letters", "journals"}, {"finance", "prices", "letters", "journals"}}
	first := make([]string, len(callers))
	for round := range 3 {
		for i, c := range callers {
			call := graph.Call{View: "the same"}
			if c != nil {
				call.Claims = c
			}
			body, _ := read(t, engine, s, query, call)
			if round == 0 {
				first[i] = body
			} else if body != first[i] {
				t.Errorf("round %d, caller %v: %s, before: %s", round, c, body, first[i])
			}
			if got, may := strings.Contains(body, `"cost":7`), c.HasScope("finance"); got != may {
				t.Errorf("caller %v: cost %v: %s", c, got, body)
			}
			if got, may := strings.Contains(body, "12.50"), c.HasScope("prices"); got != may {
				t.Errorf("caller %v: price %v: %s", c, got, body)
			}
		}
	}
}

// A rule that cannot be understood refuses the supergraph, where rules are to be enforced.
func TestRulesThatCannotBeUnderstood(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{`@requiresScopes(scopes: [])`, "would let nobody in"},
		{`@requiresScopes(scopes: [[]])`, "would let everybody in"},
		{`@requiresScopes(scopes: [["a"], []])`, "would let everybody in"},
		{`@requiresScopes(scopes: [[1]])`, "no list of lists of names"},
		{`@requiresScopes(scopes: [[["a"]]])`, "no list of lists of names"},
		{`@requiresScopes(scopes: {a: "b"})`, "no list of lists of names"},
		{`@requiresScopes(scopes: null)`, "no list of lists of names"},
		{`@requiresScopes`, "scopes is missing"},
		{`@ruled(scopes: [["a"]])`, "policies is missing"},
		{`@ruled(policies: [[""]])`, "no list of lists of names"},
	} {
		sdl := strings.Replace(library, "open: String @join__field(graph: READERS)", "open: String @join__field(graph: READERS) "+test.rule, 1)
		super, err := supergraph.Load(sdl)
		if err != nil {
			t.Errorf("%s: %v", test.rule, err)
			continue
		}
		if _, err := graph.New(super, &stacks{}, graph.Options{Authorization: graph.AuthorizationFilter}); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "Query.open") {
			t.Errorf("%s: %v", test.rule, err)
		}
		if _, err := graph.New(super, &stacks{}, graph.Options{}); err != nil {
			t.Errorf("%s, not enforced: %v", test.rule, err)
		}
	}
	// A single value stands for a list of one, as everywhere in GraphQL.
	engine, s := reading(t, strings.Replace(library, "open: String @join__field(graph: READERS)", `open: String @join__field(graph: READERS) @requiresScopes(scopes: "a")`, 1), graph.Options{Authorization: graph.AuthorizationFilter})
	if body, _ := read(t, engine, s, `{open}`, graph.Call{Claims: claims{"a"}}); body != `{"data":{"open":"开放"}}` {
		t.Error(body)
	}
	if body, _ := read(t, engine, s, `{open}`, graph.Call{Claims: claims{"b"}}); !strings.Contains(body, "UNAUTHORIZED") {
		t.Error(body)
	}
}

// Rules go by what the links call the directives, not by what they are called elsewhere.
func TestRenamedRules(t *testing.T) {
	for _, link := range []string{
		`@link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "signed", for: SECURITY)`,
		`@link(url: "https://specs.apollo.dev/authenticated/v0.1", import: [{name: "@authenticated", as: "@signed"}], for: SECURITY)`,
	} {
		sdl := strings.Replace(library, `@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)`, link, 1)
		sdl = strings.ReplaceAll(sdl, "@authenticated", "@signed")
		sdl = strings.ReplaceAll(sdl, `"@signed", as: "@signed"`, `"@authenticated", as: "@signed"`)
		engine, s := reading(t, sdl, graph.Options{Authorization: graph.AuthorizationFilter})
		if body, _ := read(t, engine, s, `{me{name}}`, graph.Call{}); !strings.Contains(body, "UNAUTHORIZED") {
			t.Errorf("%s: %s", link, body)
		}
		if body, _ := read(t, engine, s, `{me{name}}`, graph.Call{Claims: claims{"-"}}); strings.Contains(body, "UNAUTHORIZED") {
			t.Errorf("%s: %s", link, body)
		}
	}
}

// What is inaccessible is not named, with rules on it or without.
func TestWhatIsInaccessibleIsNotNamed(t *testing.T) {
	sdl := strings.Replace(library, `type Journal implements Item @join__type(graph: BOOKS)`, `type Journal implements Item @join__type(graph: BOOKS) @inaccessible @authenticated`, 1)
	for _, mode := range []graph.Authorization{graph.AuthorizationOff, graph.AuthorizationFilter, graph.AuthorizationReject} {
		engine, s := reading(t, sdl, graph.Options{Authorization: mode})
		for _, query := range []string{`{items{id title}}`, `{items{__typename}}`, `{items{...on Book{id}}}`, `{readers{id card{number}}}`, `{__schema{types{name fields{name}}}}`} {
			for _, c := range []claims{nil, {"letters"}, {"letters", "journals", "!owner"}} {
				call := graph.Call{}
				if c != nil {
					call.Claims = c
				}
				body, _ := read(t, engine, s, query, call)
				for _, name := range []string{"Journal", "journals", "secret", "scopes"} {
					if strings.Contains(body, name) {
						t.Errorf("mode %d, caller %v: %s names %s: %s", mode, c, query, name, body)
					}
				}
			}
		}
	}
}
