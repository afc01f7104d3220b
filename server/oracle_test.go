package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// randomOperations is how many random operations are compared.
const randomOperations = 500

// testOracle compares the gateway's answers, in process and over HTTP, with the
// reference executor over the same data: for every query of every client, and
// for random ones, asked by people of every kind.
func (s *stage) testOracle(t *testing.T) {
	for _, client := range s.manifests.Clients() {
		for _, operation := range s.manifests.Operations(client) {
			if operation.Type != "query" {
				continue
			}
			for name, p := range s.people() {
				t.Run(client+"/"+operation.Name+"/"+name, func(t *testing.T) {
					s.compare(t, p, operation.Body, s.variables(t, operation.Body))
				})
			}
		}
	}
	t.Run("random", func(t *testing.T) {
		names := []string{"nobody", "citizen", "community worker", "district leader", "city leader"}
		people := s.people()
		withData := 0
		for seed := range uint64(randomOperations) {
			random := &reference.Random{Schema: s.super.Public, Rand: rand.New(rand.NewPCG(seed, 1)), Depth: 6, Width: 5,
				Skip: changesByItself}
			random.Argument = s.argument(random.Rand)
			query := random.Query()
			name := names[seed%uint64(len(names))]
			if s.compare(t, people[name], query, nil) {
				withData++
			}
			if t.Failed() {
				t.Fatalf("seed %d, asked by %s", seed, name)
			}
		}
		if withData < randomOperations/2 {
			t.Errorf("only %d of %d random operations got data beyond nulls: the test says little", withData, randomOperations)
		}
	})
}

// compare says whether there was any data at all, and fails when answers differ.
func (s *stage) compare(t *testing.T, p *access.Principal, query string, variables map[string]any) bool {
	t.Helper()
	ctx, call := s.as(t, p)
	call.Variables, _ = json.Marshal(variables)
	want, wantErrors := s.reference(t, ctx, query, call.Variables)
	for name, engine := range map[string]*graph.Engine{"in process": s.engine, "over HTTP": s.overHTTP} {
		operation, refused := engine.Prepare(query, "")
		if len(refused) > 0 {
			t.Fatalf("%s: %v\n%s", name, refused, query)
		}
		response := engine.Execute(ctx, operation, call)
		var got struct {
			Data   json.RawMessage
			Errors []struct{ Message string }
		}
		if err := json.Unmarshal(response.Body, &got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, query)
		}
		response.Release()
		if !reference.Equal(timeless(want), timeless(got.Data)) {
			t.Errorf("%s differs\nquery %s\n got %s\n     %v\nwant %s\n     %v", name, query, got.Data, got.Errors, want, wantErrors)
		}
		if (len(got.Errors) > 0) != (wantErrors != nil) {
			t.Errorf("%s: errors %v, want %v\nquery %s", name, got.Errors, wantErrors, query)
		}
	}
	return strings.Trim(string(want), "{}abcdefghijklmnopqrstuvwxyz0123456789_\":,ulQ") != ""
}

// reference answers with the reference executor.
func (s *stage) reference(t *testing.T, ctx context.Context, query string, raw json.RawMessage) ([]byte, error) {
	t.Helper()
	document, refused := validate.Parse(query, validate.Limits{})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	if refused := validate.Document(s.super.Public, document, validate.Limits{}); len(refused) > 0 {
		t.Fatalf("%v\n%s", refused, query)
	}
	operation := document.Operations[0]
	variables, refused := validate.Coerce(s.super.Public, operation, raw)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	source := &reference.Subgraphs{Full: s.super.Full, Operation: operation, Variables: variables, Ask: s.ask}
	data, failures := reference.Execute(ctx, s.super.Public, operation, variables, source)
	if len(failures) == 0 {
		return data, nil
	}
	return data, failures
}

// ask runs a query on one subgraph's executable schema by gqlgen's own executor.
func (s *stage) ask(ctx context.Context, subgraph, query string, variables map[string]any) (map[string]any, error) {
	name := s.super.Subgraph(subgraph).Name
	running := s.running[name]
	e := executor.New(running.Executable())
	e.SetErrorPresenter(fault.Present)
	ctx = graphql.StartOperationTrace(running.Context(ctx))
	sent, err := json.Marshal(variables) // as a request brings them: custom scalars decoded too
	if err != nil {
		return nil, err
	}
	if variables, err = decoded(sent); err != nil {
		return nil, err
	}
	prepared, refused := e.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if len(refused) > 0 {
		return nil, fmt.Errorf("%s: %w\n%s", name, refused, query)
	}
	respond, ctx := e.DispatchOperation(ctx, prepared)
	response := respond(ctx)
	if len(response.Errors) > 0 {
		return nil, response.Errors
	}
	return decoded(response.Data)
}

func decoded(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data map[string]any
	return data, decoder.Decode(&data)
}

// changesByItself names fields whose values differ from one asking to the next.
func changesByItself(coordinate string) bool { return coordinate == "Board.generatedAt" }

var generatedAt = regexp.MustCompile(`"generatedAt":"[^"]*"`)

// timeless takes out what changesByItself names, where clients ask for it.
func timeless(data []byte) []byte { return generatedAt.ReplaceAll(data, []byte(`"generatedAt":""`)) }

// variables fills the variables of a client's query from what is in the data.
func (s *stage) variables(t *testing.T, query string) map[string]any {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, v := range document.Operations[0].VariableDefinitions {
		switch name := strings.ToLower(v.Variable); {
		case !v.Type.NonNull && name != "first":
		case name == "areaid" || name == "area" || name == "parentid":
			values[v.Variable] = s.cast.Communities()[0][:6] + "000000"
		case v.Type.Name() == "Int":
			values[v.Variable] = 3
		case v.Type.Name() == "ID":
			values[v.Variable] = s.anyID(operationTopic(query))
		case v.Type.Name() == "Date":
			values[v.Variable] = map[bool]string{true: "2026-01-01", false: "2026-12-31"}[name == "from"]
		case v.Type.Name() == "Client":
			values[v.Variable] = "APP"
		case v.Type.Name() == "String":
			values[v.Variable] = "社保"
		default:
			t.Fatalf("no value for $%s: %s", v.Variable, v.Type)
		}
	}
	return values
}

// operationTopic guesses the table that an operation's $id is of, by its first root field.
func operationTopic(query string) string {
	for _, topic := range []string{"feedbackCase", "activity", "communityService", "participant", "demand", "worker", "orgUnit", "service", "area"} {
		if strings.Contains(query, topic+"(") {
			return topic
		}
	}
	return ""
}

var tables = map[string]string{
	"feedbackCase": "community.feedback_case", "activity": "community.activity", "communityService": "supply.community_service",
	"participant": "supply.participant", "demand": "supply.demand", "worker": "platform.worker", "orgUnit": "platform.org_unit",
	"service": "citizen.service",
}

// anyID gives the ID of a row of the topic.
func (s *stage) anyID(topic string) string { return s.ids(topic)[0] }

func (s *stage) ids(topic string) []string {
	if topic == "area" {
		c := s.cast.Communities()[0]
		return []string{c[:6] + "000000", "510100000000", c[:9] + "000", c, s.cast.Communities()[31]}
	}
	ids := []string{demonstration.ID("nothing", 1)}
	if table, ok := tables[topic]; ok {
		var rows []string
		if err := s.owner.Select(&rows, `SELECT id::text FROM `+table+` ORDER BY id LIMIT 40`); err == nil {
			ids = append(rows, ids...)
		}
	}
	return ids
}

// argument chooses literals for random operations.
func (s *stage) argument(r *rand.Rand) func(string, *ast.ArgumentDefinition) (string, bool) {
	pools := map[string][]string{}
	pick := func(topic string) string {
		if pools[topic] == nil {
			pools[topic] = s.ids(topic)
		}
		return fmt.Sprintf("%q", pools[topic][r.IntN(len(pools[topic]))])
	}
	return func(coordinate string, a *ast.ArgumentDefinition) (string, bool) {
		wanted := a.Type.NonNull || r.IntN(2) == 0
		topic := strings.TrimPrefix(strings.SplitN(coordinate, "(", 2)[0], "Query.")
		definition := s.super.Public.Types[a.Type.Name()]
		switch {
		case a.Name == "after" || a.Type.Name() == "Date" || topic == "service" && a.Name != "seqNo":
			return "", false
		case a.Name == "first":
			return fmt.Sprint(1 + r.IntN(4)), true
		case a.Name == "seqNo":
			return fmt.Sprint(1 + r.IntN(230)), true
		case strings.HasPrefix(strings.ToLower(a.Name), "area") || a.Name == "parentId":
			return pick("area"), wanted
		case a.Name == "id":
			return pick(topic), true
		case a.Name == "search":
			return `"社保"`, r.IntN(6) == 0
		case a.Type.Name() == "Boolean":
			return fmt.Sprint(r.IntN(2) == 0), wanted
		case definition.Kind == ast.Enum && a.Type.Elem != nil:
			return "[" + definition.EnumValues[r.IntN(len(definition.EnumValues))].Name + "]", wanted
		case definition.Kind == ast.Enum:
			return definition.EnumValues[r.IntN(len(definition.EnumValues))].Name, wanted
		}
		return "", false
	}
}
