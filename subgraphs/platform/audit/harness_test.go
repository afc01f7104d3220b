package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
)

// world is an audit log on a database of its own.
type world struct {
	t        testing.TB
	database *embeddedtest.Database
	db       *database.DB
	sealer   *audit.Sealer
	appender *audit.Appender
	mu       sync.Mutex
	at       time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, database: embeddedtest.Open(t, migrations.FS), at: time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)}
	var err error
	w.db, err = database.Open(t.Context(), w.database.AppURL)
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	w.sealer, err = audit.NewSealer(bytes.Repeat([]byte{5}, 32))
	w.must(err)
	w.appender = &audit.Appender{DB: w.db, Sealer: w.sealer, Now: w.now, Log: slog.New(slog.DiscardHandler)}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) move(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(by)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sql runs a statement as the owner of the tables.
func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	_, err := w.database.Owner.ExecContext(w.t.Context(), statement, args...)
	w.must(err)
}

// tamper runs statements as somebody who may take the triggers away.
func (w *world) tamper(statements ...string) {
	w.t.Helper()
	w.sql(`ALTER TABLE platform.audit_entry DISABLE TRIGGER ALL`)
	w.sql(`ALTER TABLE platform.audit_seal DISABLE TRIGGER ALL`)
	for _, statement := range statements {
		w.sql(statement)
	}
}

func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	w.must(w.database.Owner.GetContext(w.t.Context(), &n, query, args...))
	return n
}

// what makes the record that the i-th test entry is of.
func (w *world) what(i int) record.Record {
	return record.Record{
		At: w.now(), Subgraph: "community", Action: "replyFeedback", Result: record.Done, Client: "workbench", Address: "192.0.2.1",
		Actor:   record.Actor{Kind: access.Worker, ID: "00000000-0000-7000-8000-000000000001", Name: "李敏", Roles: []access.Role{access.CommunityWorker}, Area: "510104017001"},
		Changes: []record.Entry{{Target: record.Target{Kind: "FeedbackCase", ID: fmt.Sprintf("case-%d", i)}, Before: json.RawMessage(`{"state":"IN_PROGRESS"}`), After: json.RawMessage(`{"state":"REPLIED"}`)}},
	}
}

func eventOf(t testing.TB, r record.Record) event.Event {
	t.Helper()
	payload, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return event.Event{ID: uuid.Must(uuid.NewV7()).String(), Subject: r.Subgraph + ".audit.recorded", At: r.At, Payload: payload}
}

// fill appends n entries, so many at once.
func (w *world) fill(n, atOnce int) {
	w.t.Helper()
	for done := 0; done < n; {
		var events []event.Event
		for range min(atOnce, n-done) {
			events = append(events, eventOf(w.t, w.what(done)))
			done++
		}
		w.must(w.appender.Append(w.t.Context(), events))
	}
}

// verify checks the log, and gives the first finding; "" for none.
func (w *world) verify(change ...func(*audit.Check)) string {
	w.t.Helper()
	keys, err := audit.ParsePublicKeys(w.sealer.Public())
	w.must(err)
	check := audit.Check{Keys: keys, Now: w.now()}
	for _, c := range change {
		c(&check)
	}
	report, err := audit.Verify(w.t.Context(), w.database.Owner, check)
	w.must(err)
	if len(report.Found) == 0 {
		return ""
	}
	return report.Found[0].String()
}

// pour puts what is in this log into another's tables.
func (w *world) pour(into *world) {
	w.t.Helper()
	for _, table := range []string{"audit_entry", "audit_seal"} {
		var rows []string
		w.must(w.database.Owner.SelectContext(w.t.Context(), &rows, `SELECT row_to_json(t)::text FROM platform.`+table+` t`))
		for _, row := range rows {
			into.sql(`INSERT INTO platform.`+table+` SELECT * FROM json_populate_record(NULL::platform.`+table+`, $1)`, row)
		}
	}
}

func (w *world) tryFill() error {
	return w.appender.Append(w.t.Context(), []event.Event{eventOf(w.t, w.what(0))})
}

func (w *world) mustFail(do func() error) {
	w.t.Helper()
	if do() == nil {
		w.t.Error("it was let through")
	}
}
