package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// guarded is tinySupergraph with access rules and weights.
func guarded(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	file := upstream(t, answer)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sdl := strings.Replace(string(text), "type Query @join__type(graph: GREETING) { hello: String }", `
type Query @join__type(graph: GREETING) { hello: String secret: String @requiresScopes(scopes: [["greet:secretly"]]) many(first: Int): [Greeting] @listSize(slicingArguments: ["first"]) }
type Greeting @join__type(graph: GREETING) { text: String @cost(weight: 3) }`, 1)
	sdl = strings.Replace(sdl, "for: EXECUTION)", `for: EXECUTION) @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY) @link(url: "https://specs.apollo.dev/cost/v0.1")`, 1)
	if err := os.WriteFile(file, []byte(sdl), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestGatewayEnforcesRulesAndCosts(t *testing.T) {
	asked := make(chan string, 16)
	file := guarded(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"hello":"你好","secret":"密","many":[]}}`)
	})
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := jwkset.NewJWKFromKey(public, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "one"}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []any{jwk.Marshal()}})
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(keys, set, 0o600); err != nil {
		t.Fatal(err)
	}
	token := func(audience, scope string) string {
		made := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"aud": audience, "exp": time.Now().Add(time.Hour).Unix(), "scope": scope})
		made.Header["kid"] = "one"
		text, err := made.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--authorization", "filter", "--jwks", keys, "--audience", "gateway", "--max-cost", "40")
	ask := func(authorization, query, variables string) (int, string) {
		body, _ := json.Marshal(map[string]any{"query": query, "variables": json.RawMessage(variables)})
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(string(body)))
		request.Header.Set("Content-Type", "application/json")
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	denied := `{"data":{"hello":"你好","secret":null},"errors":[{"message":"没有访问该内容的权限","path":["secret"],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}`
	const many = `query($n:Int){many(first:$n){text}}`
	for _, test := range []struct {
		name, authorization, query, variables string
		status                                int
		want                                  string // begins so
		sent                                  string // to the subgraph; "" for nothing
	}{
		{"nobody", "", `{hello secret}`, `{}`, 200, denied, "{hello}"},
		{"without the scope", token("gateway", "greet"), `{hello secret}`, `{}`, 200, denied, "{hello}"},
		{"with it", token("gateway", "greet greet:secretly"), `{hello secret}`, `{}`, 200, `{"data":{"hello":"你好","secret":"密"}}`, "{hello secret}"},
		{"of another audience", token("bank", "greet:secretly"), `{hello secret}`, `{}`, 401, `{"errors":[{"message":"登录凭证无效或已过期，请重新登录","extensions":{"code":"UNAUTHENTICATED"`, ""},
		{"forged", token("gateway", "greet:secretly") + "x", `{hello secret}`, `{}`, 401, `{"errors":`, ""},
		{"cheap enough", "", many, `{"n":10}`, 200, `{"data":{"many":[]}}`, "many"},
		{"too dear", "", many, `{"n":11}`, 400, `{"errors":[{"message":"操作的估算成本为 44，超过上限 40，请减少字段或每页数量","extensions":{"code":"COST_ESTIMATED_TOO_EXPENSIVE","cost":{"estimated":44,"max":40}}}]}`, ""},
		{"of no said size", "", many, `{}`, 400, `{"errors":[{"message":"字段 many 必须且只能给出一个限定数量的参数","extensions":{"code":"COST_SLICING_ARGUMENT_REQUIRED"}}]}`, ""},
		{"introspection", "", `{__type(name:"Query"){name}}`, `{}`, 200, `{"data":{"__type":{"name":"Query"}}}`, ""},
	} {
		status, body := ask(test.authorization, test.query, test.variables)
		if status != test.status || !strings.HasPrefix(body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, body, test.status, test.want)
		}
		select {
		case sent := <-asked:
			if test.sent == "" || !strings.Contains(sent, test.sent) || test.sent == "{hello}" && strings.Contains(sent, "secret") {
				t.Errorf("%s: the subgraph was asked %s", test.name, sent)
			}
		default:
			if test.sent != "" {
				t.Errorf("%s: the subgraph was not asked", test.name)
			}
		}
	}
}

func TestGatewayRefusesAccessFlags(t *testing.T) {
	file := upstream(t, func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"--authorization", "filter"}, "give --jwks"},
		{[]string{"--audience", "a"}, "give --jwks"},
		{[]string{"--authorization", "maybe"}, "--authorization"},
		{[]string{"--jwks", filepath.Join(t.TempDir(), "none.json")}, "JWK set"},
		{[]string{"--max-cost", "much"}, "--max-cost"},
	} {
		var complaints strings.Builder
		code := run(t.Context(), append([]string{"gateway", "--supergraph", file, "--listen", "127.0.0.1:0"}, test.arguments...), terminal{strings.NewReader(""), io.Discard, &complaints})
		if code == 0 || !strings.Contains(complaints.String(), test.want) {
			t.Errorf("%v: code %d, %s", test.arguments, code, complaints.String())
		}
	}
}
