package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/citizencloud/citizencloud/graph/persisted"
)

const (
	asJSON     = "application/json; charset=utf-8"
	asResponse = "application/graphql-response+json; charset=utf-8"
)

// The rules of GraphQL over HTTP, one a row, for both media types where they differ.
func TestGraphQLOverHTTP(t *testing.T) {
	server := newServer(t, nil)
	post := func(accept, body string) sent {
		header := map[string]string{"Content-Type": "application/json"}
		if accept != "" {
			header["Accept"] = accept
		}
		return sent{header: header, body: body}
	}
	typed := func(contentType, body string) sent {
		return sent{header: map[string]string{"Content-Type": contentType, "Accept": "application/json"}, body: body}
	}
	get := func(accept string, parameters ...string) sent {
		values := url.Values{}
		for i := 0; i < len(parameters); i += 2 {
			values.Add(parameters[i], parameters[i+1])
		}
		return sent{method: "GET", path: "/graphql?" + values.Encode(), header: map[string]string{"Accept": accept, "X-Client-Id": "app"}}
	}
	const graphQL, plain = "application/graphql-response+json", "application/json"
	ok := `{"query":"{ echo }"}`
	for _, test := range []struct {
		name   string
		sent   sent
		status int
		media  string
		code   string // of the error, "" for none
		field  string
	}{
		// Media types
		{"accept graphql-response", post(graphQL, ok), 200, asResponse, "", ""},
		{"accept json", post(plain, ok), 200, asJSON, "", ""},
		{"accept anything", post("*/*", ok), 200, asJSON, "", ""},
		{"accept application/*", post("application/*", ok), 200, asJSON, "", ""},
		{"no accept", post("", ok), 200, asResponse, "", ""},
		{"accept both", post("application/json, application/graphql-response+json", ok), 200, asResponse, "", ""},
		{"accept by quality", post("application/graphql-response+json;q=0.5, application/json;q=0.9", ok), 200, asJSON, "", ""},
		{"accept with charset", post("application/json; charset=utf-8", ok), 200, asJSON, "", ""},
		{"accept another charset", post("application/json; charset=gbk", ok), 406, asJSON, "NOT_ACCEPTABLE", ""},
		{"accept html", post("text/html", ok), 406, asJSON, "NOT_ACCEPTABLE", ""},
		{"accept nothing of it", post("application/json;q=0", ok), 406, asJSON, "NOT_ACCEPTABLE", ""},
		{"accept a wildcard except", post("application/json;q=0, */*", ok), 406, asJSON, "NOT_ACCEPTABLE", ""},
		{"browser's accept", post("text/html,application/xhtml+xml,*/*;q=0.8", ok), 200, asJSON, "", ""},
		{"content type with charset", typed("application/json; charset=UTF-8", ok), 200, asJSON, "", ""},
		{"another charset", typed("application/json; charset=gbk", ok), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type missing", typed("", ok), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type text", typed("text/plain", ok), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type form", typed("application/x-www-form-urlencoded", "query={echo}"), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type multipart", typed("multipart/form-data; boundary=x", ok), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type graphql", typed("application/graphql", "{ echo }"), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"content type nonsense", typed("application/json; x=", ok), 415, asJSON, "UNSUPPORTED_MEDIA_TYPE", ""},
		// Methods
		{"PUT", sent{method: "PUT", body: ok}, 405, asJSON, "METHOD_NOT_ALLOWED", ""},
		{"GET", get(graphQL, "query", "{ echo }"), 200, asResponse, "", ""},
		{"GET with name", get(plain, "query", "query A { echo } query B { echo }", "operationName", "B"), 200, asJSON, "", ""},
		{"GET with empty name", get(plain, "query", "{ echo }", "operationName", ""), 200, asJSON, "", ""},
		{"GET with variables", get(plain, "query", "query($a: Int) { echo }", "variables", `{"a":1}`), 200, asJSON, "", ""},
		{"GET with null variables", get(plain, "query", "{ echo }", "variables", "null"), 200, asJSON, "", ""},
		{"GET with list of variables", get(plain, "query", "{ echo }", "variables", "[7]"), 400, asJSON, "BAD_REQUEST", "variables"},
		{"GET with wrong variables", get(plain, "query", "{ echo }", "variables", "{"), 400, asJSON, "MALFORMED_JSON", "variables"},
		{"GET with more than variables", get(plain, "query", "{ echo }", "variables", "{} x"), 400, asJSON, "MALFORMED_JSON", "variables"},
		{"GET with wrong extensions", get(plain, "query", "{ echo }", "extensions", `"x"`), 400, asJSON, "BAD_REQUEST", "extensions"},
		{"GET without query", get(graphQL), 400, asResponse, "BAD_REQUEST", "query"},
		{"GET two queries", get(plain, "query", "{ echo }", "query", "{ big }"), 400, asJSON, "BAD_REQUEST", "query"},
		{"GET a mutation", get(graphQL, "query", "mutation { echo }"), 405, asResponse, "METHOD_NOT_ALLOWED", ""},
		{"GET a mutation by name", get(plain, "query", "query A { echo } mutation B { echo }", "operationName", "B"), 405, asJSON, "METHOD_NOT_ALLOWED", ""},
		{"GET a query beside a mutation", get(plain, "query", "query A { echo } mutation B { echo }", "operationName", "A"), 200, asJSON, "", ""},
		{"POST a mutation", post(plain, `{"query":"mutation { echo }"}`), 200, asJSON, "", ""},
		{"a subscription", post(plain, `{"query":"subscription { news }"}`), 406, asJSON, "SUBSCRIPTION_NEEDS_STREAM", ""},
		// Requests that are not well-formed: 400 in both
		{"nonsense", post(plain, `NONSENSE`), 400, asJSON, "MALFORMED_JSON", ""},
		{"cut", post(graphQL, `{"query":`), 400, asResponse, "MALFORMED_JSON", ""},
		{"empty body", post(plain, ``), 400, asJSON, "MALFORMED_JSON", ""},
		{"more than one", post(plain, ok+ok), 400, asJSON, "MALFORMED_JSON", ""},
		{"string", post(plain, `"{ echo }"`), 400, asJSON, "MALFORMED_JSON", ""},
		{"batch", post(plain, `[`+ok+`,`+ok+`]`), 400, asJSON, "BATCHING_NOT_SUPPORTED", ""},
		{"not UTF-8", post(plain, "{\"query\":\"{ echo } # \xff\"}"), 400, asJSON, "MALFORMED_JSON", ""},
		{"deep", post(plain, `{"query":"{ echo }","variables":{"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}}`), 400, asJSON, "MALFORMED_JSON", ""},
		{"typo", post(plain, `{"qeury":"{ echo }"}`), 400, asJSON, "BAD_REQUEST", "query"},
		{"query null", post(plain, `{"query":null}`), 400, asJSON, "BAD_REQUEST", "query"},
		{"query number", post(plain, `{"query":7}`), 400, asJSON, "BAD_REQUEST", "query"},
		{"query object", post(graphQL, `{"query":{"a":1}}`), 400, asResponse, "BAD_REQUEST", "query"},
		{"query twice", post(plain, `{"query":"{ echo }","query":"{ big }"}`), 400, asJSON, "BAD_REQUEST", "query"},
		{"query twice, escaped", post(plain, `{"query":"{ echo }","qu\u0065ry":"{ big }"}`), 400, asJSON, "BAD_REQUEST", "query"},
		{"name boolean", post(plain, `{"query":"{ echo }","operationName":true}`), 400, asJSON, "BAD_REQUEST", "operationName"},
		{"name list", post(plain, `{"query":"{ echo }","operationName":["A"]}`), 400, asJSON, "BAD_REQUEST", "operationName"},
		{"variables list", post(plain, `{"query":"{ echo }","variables":[7]}`), 400, asJSON, "BAD_REQUEST", "variables"},
		{"variables string", post(plain, `{"query":"{ echo }","variables":"{}"}`), 400, asJSON, "BAD_REQUEST", "variables"},
		{"variables number", post(graphQL, `{"query":"{ echo }","variables":7}`), 400, asResponse, "BAD_REQUEST", "variables"},
		{"extensions list", post(plain, `{"query":"{ echo }","extensions":[]}`), 400, asJSON, "BAD_REQUEST", "extensions"},
		{"extensions boolean", post(plain, `{"query":"{ echo }","extensions":false}`), 400, asJSON, "BAD_REQUEST", "extensions"},
		{"persistedQuery string", post(plain, `{"extensions":{"persistedQuery":"x"}}`), 400, asJSON, "BAD_REQUEST", "extensions.persistedQuery"},
		{"hash number", post(plain, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":7}}}`), 400, asJSON, "BAD_REQUEST", "extensions.persistedQuery.sha256Hash"},
		{"hash missing", post(plain, `{"extensions":{"persistedQuery":{"version":1}}}`), 400, asJSON, "BAD_REQUEST", "extensions.persistedQuery.sha256Hash"},
		{"hash version", post(plain, `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`), 400, asJSON, "PERSISTED_QUERY_NOT_SUPPORTED", "extensions.persistedQuery.version"},
		{"documentId number", post(plain, `{"documentId":7}`), 400, asJSON, "BAD_REQUEST", "documentId"},
		// Null and unknown members are nothing
		{"nulls", post(plain, `{"query":"{ echo }","operationName":null,"variables":null,"extensions":null,"documentId":null}`), 200, asJSON, "", ""},
		{"maps", post(plain, `{"query":"{ echo }","variables":{},"extensions":{"x":{"y":[1]}}}`), 200, asJSON, "", ""},
		{"unknown members", post(plain, ` { "id" : [1, 2.5e-3, "a\"b"] , "query" : "{ echo }" } `), 200, asJSON, "", ""},
		{"empty name", post(plain, `{"query":"{ echo }","operationName":""}`), 200, asJSON, "", ""},
		// Well-formed requests with request errors: by media type
		{"syntax", post(plain, `{"query":"{"}`), 200, asJSON, "GRAPHQL_PARSE_FAILED", ""},
		{"syntax", post(graphQL, `{"query":"{"}`), 400, asResponse, "GRAPHQL_PARSE_FAILED", ""},
		{"validation", post(plain, `{"query":"{ invalid }"}`), 200, asJSON, "GRAPHQL_VALIDATION_FAILED", ""},
		{"validation", post(graphQL, `{"query":"{ invalid }"}`), 400, asResponse, "GRAPHQL_VALIDATION_FAILED", ""},
		{"no such operation", post(plain, `{"query":"query A { echo }","operationName":"B"}`), 200, asJSON, "OPERATION_RESOLUTION_FAILURE", ""},
		{"no such operation", post(graphQL, `{"query":"query A { echo }","operationName":"B"}`), 400, asResponse, "OPERATION_RESOLUTION_FAILURE", ""},
		{"coercion", post(plain, `{"query":"{ coerce }"}`), 200, asJSON, "BAD_USER_INPUT", ""},
		{"coercion", post(graphQL, `{"query":"{ coerce }"}`), 400, asResponse, "BAD_USER_INPUT", ""},
		// Field errors are no request errors
		{"data null", post(plain, `{"query":"{ nothing }"}`), 200, asJSON, "", ""},
		{"data null", post(graphQL, `{"query":"{ nothing }"}`), 200, asResponse, "", ""},
		// Ours
		{"panic", post(plain, `{"query":"{ panic }"}`), 500, asJSON, "INTERNAL", ""},
		{"elsewhere", sent{path: "/elsewhere"}, 404, asJSON, "NOT_FOUND", ""},
	} {
		t.Run(test.name+" "+fmt.Sprint(test.status), func(t *testing.T) {
			response := test.sent.do(t, server)
			body := read(t, response)
			if response.StatusCode != test.status || response.Header.Get("Content-Type") != test.media {
				t.Errorf("%d %s, want %d %s\n%s", response.StatusCode, response.Header.Get("Content-Type"), test.status, test.media, body)
			}
			if got := response.Header.Get("Content-Length"); got != fmt.Sprint(len(body)) {
				t.Errorf("Content-Length %s of %d", got, len(body))
			}
			failed := failureOf(t, body)
			if test.code != "" && (failed.Extensions.Code != test.code || failed.Extensions.Field != test.field) {
				t.Errorf("code %q field %q, want %q %q", failed.Extensions.Code, failed.Extensions.Field, test.code, test.field)
			}
			if test.code != "" && (strings.Contains(body, `"data"`) || !chinese(failed.Message)) {
				t.Errorf("a refusal has no data and a Chinese message: %s", body)
			}
			if test.code == "" && !strings.Contains(body, `"data"`) {
				t.Errorf("no data: %s", body)
			}
			if strings.Contains(body, "secret") || strings.Contains(body, "goroutine") {
				t.Errorf("the answer tells what it must not: %s", body)
			}
			if test.status == 405 && response.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func chinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// What a page of another site can send without asking us first must not run.
func TestCSRF(t *testing.T) {
	server := newServer(t, nil)
	const path = "/graphql?query=%7Becho%7D"
	for _, test := range []struct {
		name   string
		sent   sent
		status int
	}{
		{"link or image", sent{method: "GET", path: path, header: map[string]string{"Accept": "*/*"}}, 400},
		{"form as text", sent{header: map[string]string{"Content-Type": "text/plain"}, body: `{"query":"{echo}","a=":""}`}, 415},
		{"form", sent{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: `query={echo}`}, 415},
		{"form with files", sent{header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, body: `--x`}, 415},
		{"beacon without a type", sent{header: map[string]string{"Accept": "*/*"}, body: `{"query":"{echo}"}`}, 415},
		{"GET with a simple type", sent{method: "GET", path: path, header: map[string]string{"Content-Type": "text/plain"}}, 400},
		{"GET with an empty header", sent{method: "GET", path: path, header: map[string]string{"X-Client-Id": ""}}, 400},
		{"event source", sent{method: "GET", path: "/graphql/stream?query=%7Becho%7D", header: map[string]string{"Accept": "text/event-stream"}}, 400},
		{"client ID", sent{method: "GET", path: path, header: map[string]string{"X-Client-Id": "app"}}, 200},
		{"preflight header", sent{method: "GET", path: path, header: map[string]string{"Apollo-Require-Preflight": "1"}}, 200},
		{"JSON type", sent{method: "GET", path: path, header: map[string]string{"Content-Type": "application/json"}}, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			if response := test.sent.do(t, server); response.StatusCode != test.status {
				t.Errorf("%d, want %d: %s", response.StatusCode, test.status, read(t, response))
			}
		})
	}
}

func TestCORS(t *testing.T) {
	const friend = "https://portal.example.cn"
	server := newServer(t, func(o *Options) { o.Origins = []string{friend} })
	for _, test := range []struct {
		origin, method, allowed string
	}{
		{friend, "OPTIONS", friend}, {friend, "POST", friend}, {"https://evil.example", "OPTIONS", ""},
		{"https://portal.example.cn.evil.example", "POST", ""}, {"null", "POST", ""}, {"", "POST", ""},
	} {
		response := sent{
			method: test.method, body: `{"query":"{ echo }"}`,
			header: map[string]string{"Origin": test.origin, "Content-Type": "application/json", "Accept": "application/json"},
		}.do(t, server)
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != test.allowed {
			t.Errorf("%s from %q: allowed %q, want %q", test.method, test.origin, got, test.allowed)
		}
		if response.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials of browsers must never go along")
		}
		if !strings.Contains(strings.Join(response.Header["Vary"], ","), "Origin") {
			t.Errorf("%s from %q: Vary %q", test.method, test.origin, response.Header["Vary"])
		}
	}
	plain := sent{method: "OPTIONS", header: map[string]string{"Origin": friend}}.do(t, newServer(t, nil))
	if plain.StatusCode != http.StatusNoContent || plain.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without origins: %d %v", plain.StatusCode, plain.Header)
	}
}

func TestVariablesTravelAsTheyCame(t *testing.T) {
	server := newServer(t, nil)
	variables := `{"amount": 12345678901234567890123, "text":"\u793e区\\\"", "n":null}`
	body := read(t, sent{body: `{"variables":` + variables + `,"query":"{\n\techo # \u793e\ud83d\ude00\n}"}`}.do(t, server))
	if !strings.Contains(body, `"echo":`+variables) {
		t.Errorf("got %s", body)
	}
}

func TestRequestID(t *testing.T) {
	server := newServer(t, nil)
	id := func(given string) string {
		return sent{body: `{"query":"{ echo }"}`, header: map[string]string{"X-Request-Id": given, "Content-Type": "application/json"}}.
			do(t, server).Header.Get("X-Request-Id")
	}
	if got := id("abc-1.2_3"); got != "abc-1.2_3" {
		t.Errorf("a sound ID was replaced by %q", got)
	}
	for _, unsound := range []string{"", "a b", "a\nb", "社区", strings.Repeat("x", 65)} {
		if got := id(unsound); got == unsound || got == "" {
			t.Errorf("%q became %q", unsound, got)
		}
	}
	if id("") == id("") {
		t.Error("two requests bear one ID")
	}
}

func TestObserve(t *testing.T) {
	var seen []Observation
	server := newServer(t, func(o *Options) {
		o.Operations = policy(t, persisted.Development)
		o.Observe = func(x Observation) { x.Duration = 0; seen = append(seen, x) }
	})
	for _, body := range []string{`{"query":"query Free { echo }"}`, `{"query":"mutation Save { nothing }"}`, `{"query":"{"}`, `{"documentId":"` + hash(homeQuery) + `"}`} {
		for _, client := range []string{"app", "made-up-by-someone"} {
			sent{
				body:   body,
				header: map[string]string{"Content-Type": "application/json", "Accept": "application/json", "X-Client-Id": client},
			}.do(t, server)
		}
	}
	stranger := Observation{Asked: Asked{Other, Other}, Status: 403, Errors: 1}
	app := Asked{"app", Other} // the names are the client's own invention
	want := []Observation{
		{Asked: app, Kind: "query", Status: 200}, stranger,
		{Asked: app, Kind: "mutation", Status: 200, Errors: 1}, stranger,
		{Asked: app, Status: 200, Errors: 1}, stranger,
		{Asked: Asked{"app", "Home"}, Kind: "query", Status: 200}, stranger,
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}
