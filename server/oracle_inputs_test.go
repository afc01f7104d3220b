package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

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
		case v.Type.Name() == "AuditEntryFilter": // what is done meanwhile would come in between
			values[v.Variable] = map[string]any{"to": "2020-01-01T00:00:00Z"}
		case !v.Type.NonNull && name != "first":
		case name == "areaid" || name == "area" || name == "parentid":
			values[v.Variable] = s.cast.Communities()[0][:6] + "000000"
		case v.Type.Name() == "Float": // a place, or the corners of a box, in the middle of the city
			values[v.Variable] = map[string]float64{"longitude": 104.06, "west": 104.0, "east": 104.1, "latitude": 30.66, "south": 30.6, "north": 30.7}[name]
		case v.Type.Name() == "Int" && name == "radiusmetres":
			values[v.Variable] = 20_000
		case v.Type.Name() == "Int":
			values[v.Variable] = 3
		case v.Type.Name() == "ID":
			values[v.Variable] = s.anyID(operationTopic(query))
		case v.Type.Name() == "Date":
			values[v.Variable] = map[bool]string{true: "2026-01-01", false: "2026-12-31"}[name == "from"]
		case v.Type.Name() == "Client":
			values[v.Variable] = "APP"
		case v.Type.Name() == "DelegationSide":
			values[v.Variable] = "RECEIVED"
		case v.Type.Name() == "String":
			values[v.Variable] = "社保"
		case v.Type.Name() == "VerificationMethod":
			values[v.Variable] = "FACE"
		default:
			t.Fatalf("no value for $%s: %s", v.Variable, v.Type)
		}
	}
	return values
}

// operationTopic guesses the table that an operation's $id is of, by its first root field.
func operationTopic(query string) string {
	for _, topic := range []string{"feedbackCase", "activity", "communityService", "participant", "demand", "worker", "orgUnit", "service", "area", "place", "file", "clientApp", "identityVerification", "realNameOf"} {
		if strings.Contains(query, topic+"(") {
			return topic
		}
	}
	return ""
}

var tables = map[string]string{
	"feedbackCase": "community.feedback_case", "activity": "community.activity", "communityService": "supply.community_service",
	"participant": "supply.participant", "demand": "supply.demand", "worker": "platform.worker", "orgUnit": "platform.org_unit",
	"service": "citizen.service", "place": "platform.place", "file": "platform.file", "clientApp": "platform.client_app",
	"identityVerification": "platform.realname_verification", "citizen": "platform.citizen", "realNameOf": "platform.citizen",
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
		case a.Name == "citizenId":
			return pick("citizen"), true
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
