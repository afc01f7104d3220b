package gatewayrule_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
)

func as(t *testing.T, role access.Role) context.Context {
	return access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: "0199aaaa-0000-7000-8000-000000000001", AreaCode: "510100000000", Roles: []access.Role{role}})
}

func TestRules(t *testing.T) {
	data := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), data.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &gatewayrule.Service{DB: db}
	admin := as(t, access.SystemAdmin)
	limit := gatewayrule.Rule{Resource: "client:partner/operation:Services", Kind: gatewayrule.Limit, Threshold: 5, Enabled: true}

	t.Run("who may not", func(t *testing.T) {
		for name, ctx := range map[string]context.Context{
			"nobody": t.Context(), "a citizen": access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: "c"}),
			"a community worker":         as(t, access.CommunityWorker),
			"a district's administrator": access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: "0199aaaa-0000-7000-8000-000000000001", AreaCode: "510104000000", Roles: []access.Role{access.SystemAdmin}}), "the security administrator": as(t, access.SecurityAdmin), "a leader": as(t, access.Leader),
		} {
			want := fault.Forbidden
			if name == "a district's administrator" {
				want = fault.NotFound // rules count in the whole city
			} else if name == "nobody" {
				want = fault.Unauthenticated
			}
			_, put := s.Put(ctx, limit)
			_, all := s.List(ctx, "", false, keyset.Page{Size: 10})
			for _, err := range []error{put, all, s.Remove(ctx, "0199aaaa-0000-7000-8000-000000000002", 1)} {
				if fault.CodeOf(err) != want {
					t.Errorf("%s: %v", name, err)
				}
			}
			// The second wall, where the first is passed by.
			err := db.Write(ctx, func(tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO platform.gateway_rule (id, resource, kind) VALUES (gen_random_uuid(), 'client:app', 'LIMIT')`)
				return err
			})
			if err == nil {
				t.Errorf("%s: row-level security lets a rule in", name)
			}
		}
	})
	t.Run("what makes no sense", func(t *testing.T) {
		for _, test := range []struct {
			field string
			rule  gatewayrule.Rule
		}{
			{"resource", gatewayrule.Rule{Resource: "", Kind: gatewayrule.Limit}},
			{"resource", gatewayrule.Rule{Resource: "address:127.0.0.1", Kind: gatewayrule.Limit}},
			{"resource", gatewayrule.Rule{Resource: "client:", Kind: gatewayrule.Limit}},
			{"resource", gatewayrule.Rule{Resource: "client:" + strings.Repeat("a", 300), Kind: gatewayrule.Limit}},
			{"resource", gatewayrule.Rule{Resource: "client:a/operation:b/c", Kind: gatewayrule.Limit}},
			{"kind", gatewayrule.Rule{Resource: "client:app", Kind: "BLOCK"}},
			{"kind", gatewayrule.Rule{Resource: "client:app", Kind: gatewayrule.Breaker, Threshold: 3}},
			{"kind", gatewayrule.Rule{Resource: "subgraph:supply", Kind: gatewayrule.Limit}},
			{"threshold", gatewayrule.Rule{Resource: "client:app", Kind: gatewayrule.Limit, Threshold: -1}},
			{"threshold", gatewayrule.Rule{Resource: "subgraph:supply", Kind: gatewayrule.Breaker, Threshold: 0.5}},
			{"burst", gatewayrule.Rule{Resource: "client:app", Kind: gatewayrule.Limit, Burst: -1}},
			{"pauseSeconds", gatewayrule.Rule{Resource: "subgraph:supply", Kind: gatewayrule.Breaker, Threshold: 3, PauseSeconds: 86400}},
			{"message", gatewayrule.Rule{Resource: "client:app", Kind: gatewayrule.Degrade, Message: strings.Repeat("停", 201)}},
		} {
			_, err := s.Put(admin, test.rule)
			if f, ok := err.(*fault.Fault); !ok || f.Code != fault.InvalidInput || f.Field != "input."+test.field {
				t.Errorf("%+v: %v", test.rule, err)
			}
		}
	})
	t.Run("life", func(t *testing.T) {
		made, err := s.Put(admin, limit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(admin, limit); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("who did not see the rule changes it: %v", err)
		}
		changed := *made
		changed.Threshold, changed.Enabled = 9, false
		second, err := s.Put(admin, changed)
		if err != nil || second.ID != made.ID || second.Version != made.Version+1 {
			t.Fatalf("%+v, %v", second, err)
		}
		if _, err := s.Put(admin, changed); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("an old version counts: %v", err)
		}
		if inForce, err := s.InForce(t.Context()); err != nil || len(inForce) != 0 {
			t.Errorf("a rule that is off is in force: %v, %v", inForce, err)
		}
		second.Enabled = true
		if second, err = s.Put(admin, *second); err != nil {
			t.Fatal(err)
		}
		if inForce, err := s.InForce(t.Context()); err != nil || len(inForce) != 1 || inForce[0].Threshold != 9 {
			t.Errorf("in force: %v, %v", inForce, err)
		}
		if err := s.Remove(admin, second.ID, second.Version-1); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("removed by an old version: %v", err)
		}
		if err := s.Remove(admin, second.ID, second.Version); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(admin, second.ID, second.Version); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("removed twice: %v", err)
		}
		if err := s.Remove(admin, "x'", 1); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("no ID: %v", err)
		}
		var events int
		if err := data.Owner.Get(&events, `SELECT count(*) FROM platform.outbox WHERE subject = $1`, gatewayrule.Changed); err != nil || events != 4 {
			t.Errorf("%d events of 4 changes, %v", events, err)
		}
		if all, err := s.List(admin, "", false, keyset.Page{Size: 10}); err != nil || len(all.Rules) != 0 {
			t.Errorf("left: %v, %v", all, err)
		}
	})
}
