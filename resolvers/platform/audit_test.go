package platform_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
)

func (w *world) appender() *audit.Appender {
	w.t.Helper()
	seals, err := audit.NewSealer(bytes.Repeat([]byte{5}, 32))
	w.must(err)
	return &audit.Appender{DB: w.db, Sealer: seals, Now: w.clock.now, Log: discard}
}

// record appends what the principal did, with the action's name and a target.
func (w *world) record(p *access.Principal, action, target, area, result string) {
	w.t.Helper()
	r := record.Record{ID: uuid.Must(uuid.NewV7()).String(), At: w.clock.now(), Subgraph: "community", Action: action, Result: result, Request: "r-" + target,
		Actor:   record.Actor{Kind: p.Kind, ID: p.ID, Name: p.Name, Roles: p.Roles, Area: p.AreaCode},
		Changes: []record.Entry{{Target: record.Target{Kind: "FeedbackCase", ID: target, Area: area}}}}
	payload, err := json.Marshal(r)
	w.must(err)
	w.must(w.appender().Append(w.t.Context(), []event.Event{{ID: r.ID, Subject: "community.audit.recorded", At: r.At, Payload: payload}}))
}

const auditEntries = `query($f: AuditEntryFilter, $n: Int, $a: String) { auditEntries(filter: $f, first: $n, after: $a) {
	edges { cursor node { id action targetId } } pageInfo { hasNextPage endCursor } } }`

// targets are the targets of the entries that the principal finds.
func (w *world) targets(p *access.Principal, filter string) []string {
	w.t.Helper()
	found := get[struct {
		AuditEntries struct {
			Edges []struct {
				Node struct{ ID, Action, TargetID string }
			}
		}
	}](w, p, auditEntries, fmt.Sprintf(`{"f": %s, "n": 100}`, filter))
	var list []string
	for _, e := range found.AuditEntries.Edges {
		list = append(list, e.Node.TargetID)
	}
	slices.Sort(list)
	return list
}

func TestWhoMaySearchTheAuditLog(t *testing.T) {
	w := newWorld(t)
	w.record(w.worker(here), "takeFeedback", "one", here, "OK")
	w.record(w.worker(elsewhere), "takeFeedback", "two", elsewhere, "OK")
	w.record(w.worker(district, access.SystemAdmin), "createWorker", "three", district, "OK")
	w.record(w.worker(city, access.SecurityAdmin), "grantRole", "four", city, "FORBIDDEN")
	for _, c := range []struct {
		name string
		who  *access.Principal
		code string
		want []string
	}{
		{"nobody", nil, "UNAUTHENTICATED", nil},
		{"a citizen", &access.Principal{Kind: access.Citizen, ID: uuid.Must(uuid.NewV7()).String(), AreaCode: here}, "FORBIDDEN", nil},
		{"a worker, of the own deeds too", w.worker(here), "FORBIDDEN", nil},
		{"a leader of the city", w.worker(city, access.Leader), "FORBIDDEN", nil},
		{"the auditor of the city", w.worker(city, access.AuditAdmin), "", []string{"four", "one", "three", "two"}},
		{"the auditor of the district", w.worker(district, access.AuditAdmin), "", []string{"one", "three"}},
		{"the system administrator of the city", w.worker(city, access.SystemAdmin), "", []string{"four", "three"}},
		{"the security administrator of the district", w.worker(district, access.SecurityAdmin), "", []string{"three"}},
		{"the auditor of a community", w.worker(next, access.AuditAdmin), "", nil},
	} {
		if c.code != "" {
			if got := w.ask(c.who, auditEntries, "").code(); got != c.code {
				t.Errorf("%s: %q, want %q", c.name, got, c.code)
			}
			continue
		}
		if got := w.targets(c.who, "{}"); !slices.Equal(got, c.want) {
			t.Errorf("%s finds %v, want %v", c.name, got, c.want)
		}
	}
	// By ID nobody finds more.
	var id string
	w.must(w.database.Owner.GetContext(t.Context(), &id, `SELECT id FROM platform.audit_entry WHERE target_id = 'two'`))
	one := fmt.Sprintf(`{ auditEntry(id: %q) { targetId } }`, id)
	entity := fmt.Sprintf(`{ _entities(representations: [{__typename: "AuditEntry", id: %q}]) { ... on AuditEntry { targetId } } }`, id)
	for name, who := range map[string]*access.Principal{"the district's auditor": w.worker(district, access.AuditAdmin), "a system administrator": w.worker(city, access.SystemAdmin), "a worker": w.worker(here), "nobody": nil} {
		for _, query := range []string{one, entity} {
			if a := w.ask(who, query, ""); strings.Contains(string(a.Data), "two") {
				t.Errorf("%s reads %s", name, a.Data)
			}
		}
	}
	if a := w.ask(w.worker(city, access.AuditAdmin), one, ""); !strings.Contains(string(a.Data), "two") {
		t.Errorf("the city's auditor reads %s %v", a.Data, a.Errors)
	}
}

func TestSearchingTheAuditLog(t *testing.T) {
	w := newWorld(t)
	auditor := w.worker(city, access.AuditAdmin)
	for i := range 5 {
		w.record(w.worker(here), "takeFeedback", fmt.Sprintf("t%d", i), here, []string{"OK", "CONFLICT"}[i%2])
	}
	w.record(w.worker(elsewhere), "replyFeedback", "other", elsewhere, "OK")
	at := w.clock.now().Format("2006-01-02T15:04:05Z07:00")
	for filter, want := range map[string][]string{
		`{"action": "replyFeedback"}`:                            {"other"},
		`{"targetId": "t3"}`:                                     {"t3"},
		`{"targetKind": "FeedbackCase", "outcome": "REFUSED"}`:   {"t1", "t3"},
		`{"code": "CONFLICT", "areaId": "` + street + `"}`:       {"t1", "t3"},
		`{"actorId": "` + w.workers[elsewhere] + `"}`:            {"other"},
		`{"requestId": "r-t4"}`:                                  {"t4"},
		`{"to": "2026-01-01T00:00:00Z"}`:                         nil,
		`{"from": "` + at + `", "subgraph": "community"}`:        {"other", "t0", "t1", "t2", "t3", "t4"},
		`{"areaId": "` + elsewhere + `", "outcome": "DONE"}`:     {"other"},
		`{"targetId": "'; DROP TABLE platform.audit_entry; --"}`: nil,
	} {
		if got := w.targets(auditor, filter); !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", filter, got, want)
		}
	}
	for filter, field := range map[string]string{`{"action": ""}`: "filter.action", `{"areaId": "5101"}`: "filter.areaId",
		`{"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}`: "filter.to"} {
		if a := w.ask(auditor, auditEntries, `{"f": `+filter+`}`); a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != field {
			t.Errorf("%s: %v", filter, a.Errors)
		}
	}
	var seen []string
	after := "null"
	for range 4 {
		page := get[struct {
			AuditEntries struct {
				Edges    []struct{ Node struct{ TargetID string } }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}](w, auditor, auditEntries, `{"n": 2, "a": `+after+`}`).AuditEntries
		for _, e := range page.Edges {
			seen = append(seen, e.Node.TargetID)
		}
		if after = `"` + page.PageInfo.EndCursor + `"`; !page.PageInfo.HasNextPage {
			break
		}
	}
	if want := []string{"other", "t4", "t3", "t2", "t1", "t0"}; !slices.Equal(seen, want) {
		t.Errorf("the pages hold %v, want %v", seen, want)
	}
}

func TestExportingTheAuditLog(t *testing.T) {
	w := newWorld(t)
	auditor := w.worker(city, access.AuditAdmin)
	w.record(w.worker(here), "takeFeedback", "=HYPERLINK(\"http://x\")", here, "OK")
	w.record(w.worker(here), "takeFeedback", " ＋1", here, "OK")
	const export = `mutation($p: String!) { exportAuditEntries(input: {purpose: $p, filter: {action: "takeFeedback"}}) { fileName csv rows truncated } }`
	for _, who := range []*access.Principal{nil, w.worker(here), w.worker(city, access.SystemAdmin), w.worker(city, access.SecurityAdmin)} {
		if a := w.ask(who, export, `{"p": "每月例行检查"}`); a.code() != "FORBIDDEN" && a.code() != "UNAUTHENTICATED" {
			t.Errorf("%v exports: %s", who, a.Data)
		}
	}
	if a := w.ask(auditor, export, `{"p": " 查 "}`); a.code() != "INVALID_INPUT" {
		t.Errorf("an export without a purpose: %s", a.Data)
	}
	var made []record.Record
	got := get[struct {
		ExportAuditEntries struct {
			FileName, CSV string
			Rows          int
			Truncated     bool
		}
	}](w, auditor, export, `{"p": "每月例行检查"}`).ExportAuditEntries
	made = w.records()
	if last := made[len(made)-1]; last.Purpose != "每月例行检查" || last.Action != "exportAuditEntries" || last.Result != record.Done {
		t.Errorf("the export is recorded as %+v", last)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.CSV, "\uFEFF"))).ReadAll()
	w.must(err)
	if len(rows) != 3 || got.Rows != 2 || got.Truncated {
		t.Fatalf("%d lines: %s", len(rows), got.CSV)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(strings.TrimSpace(cell), "＋") {
				t.Errorf("the cell %q is a formula to a spreadsheet", cell)
			}
		}
	}
}

// From the mutation over the outbox and the stream into the log, and once only.
func TestWhatIsDoneStandsInTheLog(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	ended, taken := make(chan error, 1), make(chan int, 100)
	go func() {
		ended <- w.bus.Gather(ctx, "platform-audit", 100, func(ctx context.Context, events []event.Event) error {
			// As after a crash between the commit and the word of it: all comes twice.
			err := errors.Join(w.appender().Append(ctx, events), w.appender().Append(ctx, events))
			taken <- len(events)
			return err
		})
	}()
	_, citizen := w.signIn("13800000009")
	w.ask(citizen, `mutation { updateProfile(input: {areaId: "`+here+`"}) { viewer { id } } }`, "")
	w.flush()
	for n := 0; n < 3; {
		n += <-taken
	}
	stop()
	w.must(<-ended)
	if got := w.targets(w.worker(here, access.AuditAdmin), `{"action": "updateProfile"}`); !slices.Equal(got, []string{citizen.ID}) {
		t.Errorf("the auditor finds %v", got)
	}
	keys, err := audit.ParsePublicKeys(w.appender().Sealer.Public())
	w.must(err)
	report, err := audit.Verify(t.Context(), w.database.Owner, audit.Check{Keys: keys, Now: w.clock.now()})
	w.must(err)
	if len(report.Found) > 0 || report.Entries != 3 {
		t.Errorf("%d entries, %v", report.Entries, report.Found)
	}
}
