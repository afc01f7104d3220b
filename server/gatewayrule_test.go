package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
)

// testGatewayRules: a rule that was committed counts on the running gateway, and
// ends there, without a restart.
func (s *stage) testGatewayRules(t *testing.T) {
	server := httptest.NewServer(s.service.Handler)
	defer server.Close()
	ask := func(client, name string) (int, string) {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query":"query `+name+`{areas(first:1){edges{node{name}}}}"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/graphql-response+json")
		request.Header.Set("X-Client-Id", client)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	// until waits for an answer that fits.
	until := func(what, client, name string, fits func(status int, body string) bool) {
		t.Helper()
		deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			status, body := ask(client, name)
			if fits(status, body) {
				return
			}
			select {
			case <-deadline.Done():
				t.Fatalf("%s/%s: %s: still %d %s", client, name, what, status, body)
			case <-ticker.C:
			}
		}
	}
	becomes := func(client, name string, want int) {
		t.Helper()
		until("status "+strconv.Itoa(want), client, name, func(status int, _ string) bool { return status == want })
	}
	admin := access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: s.cast.Chief("510100000000").ID, AreaCode: "510100000000", Roles: []access.Role{access.SystemAdmin}})
	rules := &gatewayrule.Service{DB: s.ground.db}
	put := func(r gatewayrule.Rule) *gatewayrule.Rule {
		t.Helper()
		made, err := rules.Put(admin, r)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	becomes("app", "Watched", http.StatusOK)
	made := put(gatewayrule.Rule{Resource: "client:app/operation:Watched", Kind: gatewayrule.Degrade, Message: "首页维护中", Enabled: true})
	becomes("app", "Watched", http.StatusServiceUnavailable)
	if _, body := ask("app", "Watched"); !strings.Contains(body, "首页维护中") {
		t.Error(body)
	}
	if status, body := ask("miniprogram", "Watched"); status != http.StatusOK {
		t.Errorf("another client is stopped too: %d %s", status, body)
	}
	if status, body := ask("app", "Other"); status != http.StatusOK {
		t.Errorf("another operation is stopped too: %d %s", status, body)
	}
	made.Enabled = false
	put(*made)
	becomes("app", "Watched", http.StatusOK)

	// The same through the operation of the workbench, and by nobody else.
	const change = `mutation($input: PutGatewayRuleInput!) { putGatewayRule(input: $input) { gatewayRule { id version } } }`
	through := func(who *access.Principal, variables string) string {
		t.Helper()
		ctx, call := s.as(t, who)
		call.Variables = json.RawMessage(variables)
		got, err := answeredBy(ctx, s.engine, change, call)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Errors) > 0 {
			return fmt.Sprint(got.Errors[0].Extensions["code"])
		}
		return ""
	}
	const stop = `{"input": {"resource": "client:miniprogram/operation:Watched", "kind": "DEGRADE", "message": "小程序维护中", "enabled": true}}`
	if code := through(s.people()["community worker"], stop); code != "FORBIDDEN" {
		t.Errorf("a worker stops a client: %q", code)
	}
	if code := through(access.From(admin), stop); code != "" {
		t.Errorf("the administrator: %q", code)
	}
	becomes("miniprogram", "Watched", http.StatusServiceUnavailable)
	if code := through(access.From(admin), strings.Replace(stop, `"enabled": true`, `"enabled": false, "expectedVersion": 1`, 1)); code != "" {
		t.Errorf("the administrator: %q", code)
	}
	becomes("miniprogram", "Watched", http.StatusOK)

	limit := put(gatewayrule.Rule{Resource: "client:workbench", Kind: gatewayrule.Limit, Threshold: 0, Enabled: true})
	becomes("workbench", "Watched", http.StatusTooManyRequests)
	if err := rules.Remove(admin, limit.ID, limit.Version); err != nil {
		t.Fatal(err)
	}
	becomes("workbench", "Watched", http.StatusOK)

	// A subgraph goes by its name; what is not asked of it still answers.
	off := put(gatewayrule.Rule{Resource: "subgraph:platform", Kind: gatewayrule.Degrade, Enabled: true})
	until("the subgraph is not asked", "app", "Watched", func(_ int, body string) bool { return strings.Contains(body, "SUBREQUEST_FAILED") })
	if err := rules.Remove(admin, off.ID, off.Version); err != nil {
		t.Fatal(err)
	}
	until("the subgraph is asked again", "app", "Watched", func(_ int, body string) bool { return !strings.Contains(body, "errors") })

	// A gateway that starts now has the rules too.
	put(gatewayrule.Rule{Resource: "operation:Elsewhere", Kind: gatewayrule.Degrade, Enabled: true})
	fresh := &ruleKeeper{service: rules, rules: &guard.Rules{}, super: s.super, log: s.ground.log}
	if err := fresh.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	gate := &guard.Gate{Rules: fresh.rules}
	if gate.Run("app", "Elsewhere", time.Now()) == nil || gate.Run("app", "Watched", time.Now()) != nil {
		t.Error("a gateway that starts has other rules")
	}
}
