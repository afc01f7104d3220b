package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/reference"
)

// randomOperations is how many random operations with data in their answers are compared.
const randomOperations = 500

// testOracle compares the gateway's answers, in process and over HTTP, with
// those of one monolithic schema over the same data, executed by graphql-js:
// for every query of every client, and for random ones, asked by people of
// every kind.
func (s *stage) testOracle(t *testing.T) {
	m := s.startMonolith(t)
	for _, client := range s.manifests.Clients() {
		for _, operation := range s.manifests.Operations(client) {
			if operation.Type != "query" {
				continue
			}
			for name, p := range s.people() {
				t.Run(client+"/"+operation.Name+"/"+name, func(t *testing.T) {
					if _, err := s.compare(t, m, p, operation.Body, s.variables(t, operation.Body)); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	t.Run("introspection", func(t *testing.T) { s.testIntrospection(t, m) })
	t.Run("random", func(t *testing.T) { s.testRandom(t, m) })
}

// testIntrospection compares what both say of the schema, whose lists have no order.
func (s *stage) testIntrospection(t *testing.T, m *monolith) {
	const query = `{ __schema { queryType { name } mutationType { name } subscriptionType { name }
		types { kind name description specifiedByURL isOneOf interfaces { name } possibleTypes { name }
			fields(includeDeprecated: true) { name description isDeprecated deprecationReason args(includeDeprecated: true) { ...value } type { ...type } }
			inputFields(includeDeprecated: true) { ...value } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } } } }
		fragment value on __InputValue { name description defaultValue type { ...type } }
		fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`
	ctx, call := s.as(t, nil)
	want, err := m.ask(ctx, query, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := answeredBy(ctx, s.engine, query, call)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := definitions(t, got), definitions(t, want)
	for name := range ours {
		if definition := s.super.Public.Types[name]; definition == nil || definition.BuiltIn {
			continue // the specification's own: each library describes them in its words
		}
		if diff := cmp.Diff(theirs[name], ours[name]); diff != "" {
			t.Errorf("%s (-monolith +gateway):\n%s", name, diff)
		}
	}
	if len(ours) != len(theirs) || len(ours) < 50 {
		t.Errorf("the gateway shows %d types, the monolith %d", len(ours), len(theirs))
	}
}

// definitions are the types of an introspection by name, with lists by name instead of in order.
func definitions(t *testing.T, a answer) map[string]any {
	t.Helper()
	var data struct {
		Schema struct{ Types []any } `json:"__schema"`
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatal(err, a.Errors)
	}
	return byName(data.Schema.Types).(map[string]any)
}

func byName(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = byName(v[key])
		}
	case []any:
		named := map[string]any{}
		for _, item := range v {
			named[item.(map[string]any)["name"].(string)] = byName(item)
		}
		return named
	}
	return value
}

// testRandom compares random operations until enough of them got data; many get
// none, as who asks may not ask what it says.
func (s *stage) testRandom(t *testing.T, m *monolith) {
	names := []string{"nobody", "citizen", "city leader", "community worker", "district leader", "city leader", "citizen", "community worker"}
	people := s.people()
	var next, withData atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for withData.Load() < randomOperations && next.Load() < 4*randomOperations && !t.Failed() {
				seed := uint64(next.Add(1) - 1)
				random := &reference.Random{Schema: s.super.Public, Rand: rand.New(rand.NewPCG(seed, 1)), Depth: 6, Width: 5,
					Skip: changesByItself}
				random.Argument = s.argument(random.Rand)
				name := names[seed%uint64(len(names))]
				some, err := s.compare(t, m, people[name], random.Query(), nil)
				if err != nil {
					t.Errorf("seed %d, asked by %s: %v", seed, name, err)
				}
				if some {
					withData.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if !t.Failed() && withData.Load() < randomOperations {
		t.Errorf("only %d of %d random operations got data: the test says little", withData.Load(), next.Load())
	}
}

// compare asks all three, and gives how their answers differ as an error. It
// says besides whether there was any data at all.
func (s *stage) compare(t *testing.T, m *monolith, p *access.Principal, query string, variables map[string]any) (bool, error) {
	t.Helper()
	ctx, call := s.as(t, p)
	call.Variables, _ = json.Marshal(variables)
	want, err := m.ask(ctx, query, call.Variables, authorization(call))
	if err != nil {
		return false, fmt.Errorf("%w\n%s", err, query)
	}
	for name, engine := range map[string]*graph.Engine{"in process": s.engine, "over HTTP": s.overHTTP} {
		got, err := answeredBy(ctx, engine, query, call)
		if err == nil {
			err = differ(got, want)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w\nquery %s", name, err, query)
		}
	}
	return strings.ContainsAny(nothing.ReplaceAllString(string(want.Data), ""), `"123456789`), nil
}

// answeredBy asks an engine, as the monolith is asked.
func answeredBy(ctx context.Context, engine *graph.Engine, query string, call graph.Call) (got answer, err error) {
	operation, refused := engine.Prepare(query, "")
	if len(refused) > 0 {
		return got, refused
	}
	response := engine.Execute(ctx, operation, call)
	defer response.Release()
	return got, json.Unmarshal(response.Body, &got)
}

// differ says where the answers differ: in the data, byte for byte but for how
// strings and numbers may be written, or in the errors.
func differ(got, want answer) error {
	if g, w := canonical(got.Data), canonical(want.Data); g != w {
		return fmt.Errorf("data differ\n got %s\n     %v\nwant %s\n     %v", g, got.Errors, w, want.Errors)
	}
	if place := errorsDiffer(got, want); place != "" {
		return fmt.Errorf("errors differ at %s\n got %v\nwant %v", place, got.Errors, want.Errors)
	}
	return nil
}

// nothing is what an answer without data consists of.
var nothing = regexp.MustCompile(`"\w+":|"Query"`)

// canonical is the JSON text in one way of writing, its keys in their order.
func canonical(data json.RawMessage) string {
	var out bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(timeless(data)))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch v := token.(type) {
		case string:
			fmt.Fprintf(&out, "%q ", v)
		case json.Number:
			f, _ := v.Float64()
			fmt.Fprint(&out, f, " ")
		default:
			fmt.Fprint(&out, v, " ")
		}
	}
	return out.String()
}

// explanation is an error as it is compared.
type explanation struct {
	path, code string
	below      bool // it happened below the null that the data shows
}

// errorsDiffer gives a place of the data where the two answers explain a null
// differently: by another path, or another code; "" when there is none. When a
// null was carried upward an executor may leave out what else failed below it
// (section 6.4.4 of the specification), so there one common error is enough.
func errorsDiffer(got, want answer) string {
	g, w := explanations(got), explanations(want)
	for place, ours := range g {
		if w[place] == nil {
			w[place] = map[explanation]bool{}
		}
		for e := range ours {
			w[place][e] = w[place][e] // false when only we have it
		}
	}
	for place, all := range w {
		common := false
		for e, wanted := range all {
			both := wanted && g[place][e]
			common = common || both
			if !both && !e.below {
				return place
			}
		}
		if !common {
			return place
		}
	}
	return ""
}

// explanations sorts the errors by the place of the null that each explains.
func explanations(a answer) map[string]map[explanation]bool {
	places := map[string]map[explanation]bool{}
	for _, e := range a.Errors {
		var value any
		_ = json.Unmarshal(a.Data, &value) // no data at all: null
		depth := 0
		for ; value != nil && depth < len(e.Path); depth++ {
			switch step := e.Path[depth].(type) {
			case string:
				object, _ := value.(map[string]any)
				value = object[step]
			case float64:
				list, _ := value.([]any)
				if int(step) >= len(list) {
					value = nil
				} else {
					value = list[int(step)]
				}
			}
		}
		code, _ := e.Extensions["code"].(string)
		if code == "INVALID_RESPONSE" {
			code = "" // our word for what graphql-js has none for: a null that may not be
		}
		place := "/" + fmt.Sprint(e.Path[:depth])
		if places[place] == nil {
			places[place] = map[explanation]bool{}
		}
		places[place][explanation{fmt.Sprint(e.Path), code, depth < len(e.Path)}] = true
	}
	return places
}

// changesByItself names fields whose values differ from one asking to the next.
func changesByItself(coordinate string) bool {
	return slices.Contains([]string{"Board.generatedAt", "FileAsset.url", "FileAsset.thumbnail", "FileVersion.url"}, coordinate)
}

var (
	generatedAt = regexp.MustCompile(`"generatedAt":"[^"]*"`)
	signature   = regexp.MustCompile(`("/files/[^"?]*)\?[^"]*"`)
)

// timeless takes out what changesByItself names, where clients ask for it.
func timeless(data []byte) []byte {
	return signature.ReplaceAll(generatedAt.ReplaceAll(data, []byte(`"generatedAt":""`)), []byte(`$1"`))
}
