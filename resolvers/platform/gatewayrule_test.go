package platform_test

import (
	"slices"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const (
	putRule    = `mutation($i: PutGatewayRuleInput!) { putGatewayRule(input: $i) { gatewayRule { id resource kind threshold enabled version } } }`
	removeRule = `mutation($i: RemoveGatewayRuleInput!) { removeGatewayRule(input: $i) { id } }`
	listRules  = `query($k: GatewayRuleKind, $e: Boolean, $f: Int, $a: String) { gatewayRules(kind: $k, enabledOnly: $e, first: $f, after: $a) {
		edges { cursor node { id resource kind version } } pageInfo { hasNextPage endCursor } } }`
)

type ruleNode struct {
	ID, Resource, Kind string
	Version            int
	Enabled            bool
}

type rulePage struct {
	GatewayRules struct {
		Edges    []struct{ Node ruleNode }
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
	}
}

func TestGatewayRules(t *testing.T) {
	w := newWorld(t)
	_, citizen := w.signIn("13800000001")
	admin := w.worker(city, access.SystemAdmin)
	for _, c := range []struct {
		name string
		who  *access.Principal
		code string
	}{
		{"nobody", nil, "UNAUTHENTICATED"}, {"a citizen", citizen, "FORBIDDEN"}, {"a community worker", w.worker(here), "FORBIDDEN"},
		{"a leader of the city", w.worker(city, access.Leader), "FORBIDDEN"}, {"the security administrator", w.worker(city, access.SecurityAdmin), "FORBIDDEN"},
		{"the auditor", w.worker(city, access.AuditAdmin), "FORBIDDEN"}, {"a district's administrator", w.worker(district, access.SystemAdmin), "NOT_FOUND"},
	} {
		for _, a := range []answer{
			w.ask(c.who, putRule, `{"i": {"resource": "client:app", "kind": "LIMIT", "threshold": 1, "enabled": true}}`),
			w.ask(c.who, removeRule, `{"i": {"id": "00000000-0000-7000-8000-000000000001", "expectedVersion": 1}}`),
			w.ask(c.who, listRules, `{}`),
		} {
			if a.code() != c.code {
				t.Errorf("%s: %v, want %s", c.name, a.Errors, c.code)
			}
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.gateway_rule`); n != 0 {
		t.Fatalf("%d rules were made", n)
	}
	type put struct {
		PutGatewayRule struct{ GatewayRule ruleNode }
	}
	for _, resource := range []string{"client:app", "operation:AppHome", "subgraph:supply"} {
		get[put](w, admin, putRule, `{"i": {"resource": "`+resource+`", "kind": "DEGRADE", "enabled": true}}`)
	}
	made := get[put](w, admin, putRule, `{"i": {"resource": "client:app", "kind": "LIMIT", "threshold": 12.5, "burst": 20, "enabled": false}}`).PutGatewayRule.GatewayRule
	for variables, field := range map[string]string{
		`{"i": {"resource": "app", "kind": "LIMIT", "enabled": true}}`:                                   "input.resource",
		`{"i": {"resource": "subgraph:supply", "kind": "BREAKER", "enabled": true}}`:                     "input.threshold",
		`{"i": {"resource": "client:x", "kind": "LIMIT", "threshold": 1, "burst": -1, "enabled": true}}`: "input.burst",
	} {
		if a := w.ask(admin, putRule, variables); a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != field {
			t.Errorf("%s: %v", variables, a.Errors)
		}
	}
	if a := w.ask(admin, putRule, `{"i": {"resource": "client:app", "kind": "LIMIT", "threshold": 1, "enabled": true}}`); a.code() != "CONFLICT" {
		t.Errorf("changed unseen: %v", a.Errors)
	}
	// by resource and kind, page by page
	var seen []string
	after := ""
	for range 4 {
		page := get[rulePage](w, admin, listRules, `{"f": 2, "a": "`+after+`"}`).GatewayRules
		for _, edge := range page.Edges {
			seen = append(seen, edge.Node.Resource+" "+edge.Node.Kind)
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		after = page.PageInfo.EndCursor
	}
	if want := []string{"client:app DEGRADE", "client:app LIMIT", "operation:AppHome DEGRADE", "subgraph:supply DEGRADE"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
	if got := get[rulePage](w, admin, listRules, `{"k": "LIMIT"}`).GatewayRules.Edges; len(got) != 1 || got[0].Node.ID != made.ID {
		t.Errorf("limits: %+v", got)
	}
	if got := get[rulePage](w, admin, listRules, `{"e": true}`).GatewayRules.Edges; len(got) != 3 {
		t.Errorf("in force: %+v", got)
	}
	if a := w.ask(admin, removeRule, `{"i": {"id": "`+made.ID+`", "expectedVersion": 7}}`); a.code() != "CONFLICT" {
		t.Errorf("removed by another version: %v", a.Errors)
	}
	get[any](w, admin, removeRule, `{"i": {"id": "`+made.ID+`", "expectedVersion": 1}}`)
	if a := w.ask(admin, removeRule, `{"i": {"id": "`+made.ID+`", "expectedVersion": 1}}`); a.code() != "NOT_FOUND" {
		t.Errorf("removed twice: %v", a.Errors)
	}
}
