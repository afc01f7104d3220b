package audit_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/event"
)

func TestTheSameEventMakesOneEntry(t *testing.T) {
	w := newWorld(t)
	two := w.what(0)
	two.Changes = append(two.Changes, record.Entry{Target: record.Target{Kind: "FeedbackCase", ID: "another", Area: "510107061001"}})
	events := []event.Event{eventOf(t, w.what(1)), eventOf(t, two)}
	w.must(w.appender.Append(t.Context(), events))
	w.must(w.appender.Append(t.Context(), slices.Concat(events, events)))
	w.move(25 * time.Hour) // a day later, the very same
	w.must(w.appender.Append(t.Context(), append(events, eventOf(t, w.what(2)))))
	if n := w.number(`SELECT count(*) FROM platform.audit_entry`); n != 4 {
		t.Errorf("%d entries, want 1 + 2 of the first day and 1 of the second", n)
	}
	if n := w.number(`SELECT count(*) FROM platform.audit_entry WHERE area_code = '510107061001' AND target_id = 'another'`); n != 1 {
		t.Error("the second target does not stand in its own area")
	}
	if found := w.verify(); found != "" {
		t.Error(found)
	}
}

func TestManyAppendersMakeOneChain(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	failed := make(chan error, 200)
	for worker := range 8 {
		group.Go(func() {
			for i := range 20 {
				failed <- w.appender.Append(t.Context(), []event.Event{eventOf(t, w.what(worker*100+i))})
			}
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		w.must(err)
	}
	if n := w.number(`SELECT max(seq) FROM platform.audit_entry`); n != 160 {
		t.Errorf("the chain has %d entries, want 160", n)
	}
	if found := w.verify(); found != "" {
		t.Error(found)
	}
}

func TestWhatCannotBeReadIsNotLost(t *testing.T) {
	w := newWorld(t)
	odd := eventOf(t, w.what(0))
	odd.Payload = []byte(`["no record"]`)
	nul := w.what(1)
	nul.Purpose = "a\x00b\xff"
	w.must(w.appender.Append(t.Context(), []event.Event{odd, eventOf(t, nul)}))
	if n := w.number(`SELECT count(*) FROM platform.audit_entry WHERE action = 'unreadable' OR purpose LIKE 'ab%'`); n != 2 {
		t.Errorf("%d entries, want both", n)
	}
	if found := w.verify(); found != "" {
		t.Error(found)
	}
}

// No role of the running platform changes what stands there, nor does the
// owner by mistake.
func TestTheLogIsAppendOnly(t *testing.T) {
	w := newWorld(t)
	w.fill(3, 3)
	statements := []string{
		`UPDATE platform.audit_entry SET actor_name = ''`,
		`DELETE FROM platform.audit_entry`,
		`TRUNCATE platform.audit_entry`,
		`UPDATE platform.audit_entry_202603 SET actor_name = ''`,
		`DELETE FROM platform.audit_entry_202603`,
		`TRUNCATE platform.audit_entry_202603`,
		`DELETE FROM platform.audit_seal`,
		`TRUNCATE platform.audit_seal`,
		`UPDATE platform.audit_seal SET count = 1`,
		`INSERT INTO platform.audit_seal SELECT * FROM platform.audit_seal ON CONFLICT (day) DO UPDATE SET count = 2`,
	}
	system := access.AsSystem(t.Context(), "test")
	for _, statement := range statements {
		if _, err := w.database.Owner.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("the owner: %s", statement)
		}
		err := w.db.Write(system, func(tx *sqlx.Tx) error {
			_, err := tx.ExecContext(system, statement)
			return err
		})
		if err == nil {
			t.Errorf("the platform: %s", statement)
		}
	}
	for _, statement := range []string{
		`SELECT count(*) FROM platform.audit_entry_202603`,
		`ALTER TABLE platform.audit_entry DISABLE TRIGGER ALL`,
		`DROP TABLE platform.audit_entry`,
	} {
		err := w.db.Write(system, func(tx *sqlx.Tx) error {
			_, err := tx.ExecContext(system, statement)
			return err
		})
		if err == nil {
			t.Errorf("the platform: %s", statement)
		}
	}
	if found := w.verify(); found != "" {
		t.Error(found)
	}
}

// Row-level security by itself, without any check of a service.
func TestWhoseRowsTheDatabaseShows(t *testing.T) {
	w := newWorld(t)
	w.fill(2, 2) // of community 510104017001
	count := func(ctx context.Context) (n int) {
		w.must(w.db.Read(ctx, func(tx *sqlx.Tx) error {
			return tx.GetContext(ctx, &n, `SELECT count(*) FROM platform.audit_entry`)
		}))
		return n
	}
	as := func(kind access.Kind, area string) context.Context {
		return access.With(t.Context(), &access.Principal{Kind: kind, ID: "00000000-0000-7000-8000-000000000001", AreaCode: area, Roles: []access.Role{access.AuditAdmin}})
	}
	for _, c := range []struct {
		name string
		ctx  context.Context
		want int
	}{
		{"nobody", t.Context(), 0},
		{"a citizen of the community", as(access.Citizen, "510104017001"), 0},
		{"a worker of the next one", as(access.Worker, "510104017002"), 0},
		{"a worker of the district", as(access.Worker, "510104000000"), 2},
		{"the system", access.AsSystem(t.Context(), "test"), 2},
	} {
		if got := count(c.ctx); got != c.want {
			t.Errorf("%s sees %d entries, want %d", c.name, got, c.want)
		}
	}
	// A worker appends nothing, whatever the service is told.
	worker := as(access.Worker, "510104000000")
	err := w.db.Write(worker, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(worker, forged)
		return err
	})
	if err == nil {
		t.Error("a worker wrote an entry")
	}
}

const forged = `INSERT INTO platform.audit_entry SELECT day, 16, gen_random_uuid(), at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles,
	actor_unit, actor_post, delegation, session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash
	FROM platform.audit_entry WHERE seq = 1`
