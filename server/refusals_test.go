package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/server/transport"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
)

// testRefusals: what the gateway turns away is a few rows of the audit log,
// however often it comes, and the log is whole afterwards.
func (s *stage) testRefusals(t *testing.T) {
	server := httptest.NewServer(s.service.Handler)
	defer server.Close()
	const (
		small  = `{"query":"{areas(first:1){edges{node{name}}}}"}`
		secret = "13812345678"
	)
	post := func(client, token, body string) {
		t.Helper()
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Client-Id", client)
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if err := s.refused.write(t.Context()); err != nil { // what other tests left
		t.Fatal(err)
	}
	began := time.Now()
	for range 300 {
		post("app", "forged."+secret, small)
	}
	for range 20 {
		post("partner", "", small) // only registered operations
	}
	post("app", "", `{"query":"{areas(first:1){edges{node{`+strings.Repeat("parent{", 150)+`name`+strings.Repeat("}", 150)+`}}}}"}`)
	post("app", "", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+strings.Repeat("ab", 32)+`"}}}`)
	post(strings.Repeat("x", 100), "forged", small)
	post("app", "", small) // goes through
	if err := s.refused.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Result    string `db:"result"`
		Client    string `db:"client"`
		Address   string `db:"address"`
		ActorKind string `db:"actor_kind"`
		After     string `db:"after"`
	}
	var rows []row
	deadline := time.After(20 * time.Second)
	for len(rows) < 5 { // the relay and the appender work in the background
		select {
		case <-deadline:
			t.Fatalf("only %d rows: %+v", len(rows), rows)
		case <-time.After(50 * time.Millisecond):
		}
		rows = nil
		if err := s.owner.Select(&rows, `SELECT result, client, address, actor_kind, after FROM platform.audit_entry
			WHERE action = 'gateway.refused' AND at > $1 AND after LIKE '%"times":%' AND NOT (result = 'RATE_LIMITED' OR result = 'SERVICE_DEGRADED') ORDER BY result, client`, began); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for _, r := range rows {
		var after struct{ Times, Addresses, TimesOfAddress int }
		if err := json.Unmarshal([]byte(r.After), &after); err != nil {
			t.Fatal(err)
		}
		got[r.Result+" "+r.Client] = after.Times
		if r.Address != "127.0.0.1" || r.ActorKind != "system" || after.Addresses != 1 || after.TimesOfAddress != after.Times {
			t.Errorf("%+v", r)
		}
		if strings.Contains(r.After, secret) {
			t.Errorf("what was sent stands in the log: %+v", r)
		}
	}
	for kind, times := range map[string]int{"UNAUTHENTICATED app": 300, "OPERATION_NOT_ALLOWED partner": 20, "QUERY_TOO_DEEP app": 1, "PERSISTED_QUERY_NOT_FOUND app": 1} {
		if got[kind] != times {
			t.Errorf("%s: %d times, want %d of %v", kind, got[kind], times, got)
		}
	}
	if len(rows) != 5 {
		t.Errorf("%d rows for 323 refusals: %+v", len(rows), rows)
	}
	s.verifyAudit(t, "")
	// Whoever takes such a row out or makes its number smaller is found.
	s.tampered(t, `UPDATE platform.audit_entry SET after = replace(after, '"times":300', '"times":3') WHERE action = 'gateway.refused' AND result = 'UNAUTHENTICATED'`)
	s.tampered(t, `DELETE FROM platform.audit_entry WHERE action = 'gateway.refused' AND result = 'QUERY_TOO_DEEP'`)
	s.tampered(t, `UPDATE platform.audit_entry e SET seq = 1000000 - seq WHERE action = 'gateway.refused'`)
}

// verifyAudit checks the audit log in the transaction's view; found says
// whether something must be wrong.
func (s *stage) verifyAudit(t *testing.T, tampering string) {
	t.Helper()
	keys, err := audit.ParsePublicKeys(s.ground.seals.Public())
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.AsSystem(t.Context(), "test")
	tx, err := s.owner.BeginTxx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if tampering != "" {
		s.breakIn(t, ctx, tx, tampering)
	}
	report, err := audit.Verify(ctx, tx, audit.Check{Keys: keys, Now: s.ground.now()})
	if err != nil {
		t.Fatal(err)
	}
	if (len(report.Found) > 0) != (tampering != "") {
		t.Errorf("%q: found %v among %d entries", tampering, report.Found, report.Entries)
	}
}

func (s *stage) tampered(t *testing.T, statement string) { t.Helper(); s.verifyAudit(t, statement) }

// breakIn changes the log as somebody could who owns the database.
func (s *stage) breakIn(t *testing.T, ctx context.Context, tx *sqlx.Tx, statement string) {
	t.Helper()
	for _, step := range []string{`ALTER TABLE platform.audit_entry DISABLE TRIGGER ALL`, statement} {
		result, err := tx.ExecContext(ctx, step)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if n, _ := result.RowsAffected(); step == statement && n == 0 {
			t.Fatalf("%s changed nothing", step)
		}
	}
}

// Whatever comes in a minute, what is remembered of it is bounded.
func TestRefusalsAreBounded(t *testing.T) {
	r := newRefusals(nil, time.Now, nil)
	address := netip.MustParseAddr("10.0.0.0")
	for i := range 5000 {
		address = address.Next()
		r.count(transport.Refused{Asked: transport.Asked{Client: "app", Operation: "other"}, Code: "UNAUTHENTICATED", Address: address})
		r.count(transport.Refused{Asked: transport.Asked{Client: "app", Operation: "other"}, Code: strings.Repeat("X", i%2000)})
		r.count(transport.Refused{Code: "INTERNAL"})
	}
	if len(r.kinds) > mostKinds+1 {
		t.Errorf("%d kinds", len(r.kinds))
	}
	known := r.kinds[refusalKind{"UNAUTHENTICATED", "app"}]
	if known.times != 5000 || len(known.addresses) != mostAddresses {
		t.Errorf("%d times, %d addresses", known.times, len(known.addresses))
	}
	if r.kinds[refusalKind{"INTERNAL", ""}] != nil {
		t.Error("our own failure counts as somebody's refusal")
	}
	// What could not be written is written with the next.
	kinds := r.kinds
	r.kinds = map[refusalKind]*refusalCount{}
	r.count(transport.Refused{Asked: transport.Asked{Client: "app"}, Code: "UNAUTHENTICATED", Address: address})
	r.keep(kinds, r.since)
	if got := r.kinds[refusalKind{"UNAUTHENTICATED", "app"}].times; got != 5001 {
		t.Errorf("%d times", got)
	}
}
