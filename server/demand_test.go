package main

import (
	"encoding/json"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
	"github.com/citizencloud/citizencloud/schema"
)

// TestCostsOfOurClients: every operation of a manifest costs less than its client may ask.
func TestCostsOfOurClients(t *testing.T) {
	super, err := supergraph.Load(schema.Supergraph)
	if err != nil {
		t.Fatal(err)
	}
	dispatcher, err := overHTTP(super, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := graph.New(super, dispatcher, graph.Options{Demand: true, PlanCacheSize: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	limits, err := clientCosts(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	most := maxCost(limits)
	for _, client := range clients.Names() {
		for _, o := range manifestOf(t, client) {
			op, errs := engine.Prepare(o.Body, o.Name)
			if len(errs) > 0 {
				t.Fatal(client, o.Name, errs)
			}
			document, errs := validate.Parse(o.Body, validate.Limits{})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			values := map[string]any{}
			for _, v := range document.Operations.ForName(o.Name).VariableDefinitions {
				values[v.Variable] = sample(super.Public, v.Type)
			}
			raw, err := json.Marshal(values)
			if err != nil {
				t.Fatal(err)
			}
			cost, ok := engine.Cost(op, &graph.Call{Variables: raw})
			if !ok {
				t.Errorf("%s: %s: no cost with %s", client, o.Name, raw)
			}
			if cost > most(client)/5 {
				t.Errorf("%s: %s costs %v; %v are allowed, which is to be generous", client, o.Name, cost, most(client))
			}
		}
	}
}

func TestClientCosts(t *testing.T) {
	limits, err := clientCosts(map[string]float64{"app": 0, "*": 7}, false)
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]float64{"app": 0, "partner": 2000, "workbench": 7, "invented": 7, "": 7} {
		if got := maxCost(limits)(client); got != want {
			t.Errorf("%q may cost %v, want %v", client, got, want)
		}
	}
	if limits, _ := clientCosts(nil, true); maxCost(limits) != nil {
		t.Error("there are limits in development mode")
	}
	for _, wrong := range []map[string]float64{{"apps": 1}, {"app": -1}} {
		if _, err := clientCosts(wrong, false); err == nil {
			t.Errorf("%v was accepted", wrong)
		}
	}
}

type manifestOperation struct{ Name, Body string }

func manifestOf(t *testing.T, client string) []manifestOperation {
	t.Helper()
	text, err := clients.Manifest(client)
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Operations []manifestOperation }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest.Operations
}

// sample is some value of an input type; conditions hold with it.
func sample(public *ast.Schema, t *ast.Type) any {
	if t.Elem != nil {
		return []any{sample(public, t.Elem)}
	}
	definition := public.Types[t.NamedType]
	switch definition.Kind {
	case ast.Enum:
		return definition.EnumValues[0].Name
	case ast.InputObject:
		object := map[string]any{}
		for _, field := range definition.Fields {
			if field.Type.NonNull || definition.Directives.ForName("oneOf") != nil && len(object) == 0 {
				object[field.Name] = sample(public, field.Type)
			}
		}
		return object
	}
	switch t.NamedType {
	case "Int", "Float":
		return 1
	case "Boolean":
		return true
	}
	return "x"
}
