package citizen

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/entry"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

// processes are two resolvers at work over one database, each with its own
// connections to it and to the bus, and the relay between them.
func processes(t *testing.T) (a, b *Resolver) {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	url, _ := embeddedtest.Nats(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	started := 0
	t.Cleanup(func() {
		stop()
		for range started {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	start := func(run func(context.Context) error) {
		started++
		go func() { ended <- run(ctx) }()
	}
	var both [2]*Resolver
	for i := range both {
		db, err := database.Open(t.Context(), at.AppURL)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := nats.Connect(url)
		if err != nil {
			t.Fatal(err)
		}
		bus, err := event.Open(t.Context(), conn, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := catalogue.Load(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		both[i] = New(Deps{DB: db, Bus: bus, Log: slog.New(slog.DiscardHandler)})
		start(both[i].Run)
		if i == 0 {
			relay := &outbox.Relay{DB: db, URL: at.AppURL, Subgraph: "citizen", Publisher: bus, Log: slog.New(slog.DiscardHandler)}
			start(relay.Run)
		}
		t.Cleanup(func() { conn.Close(); _ = db.Close() })
	}
	return both[0], both[1]
}

// within waits until the process holds what is wanted. The patience is less
// than the age at which it would look by itself.
func (r *Resolver) within(t *testing.T, patience time.Duration, wanted func(*catalogue.Edition) bool) bool {
	t.Helper()
	end, look := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer look.Stop()
	for {
		held, err := r.catalogue.Published(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wanted(held) {
			return true
		}
		select {
		case <-end:
			return false
		case <-look.C:
		}
	}
}

// TestAChangeReachesTheOtherProcess by its event, and the process that made it
// at once.
func TestAChangeReachesTheOtherProcess(t *testing.T) {
	a, b := processes(t)
	manager := access.With(t.Context(), editor)
	id, note := catalogue.ListedID(7), "线路故障"
	version := func(at int) func(*catalogue.Edition) bool {
		return func(e *catalogue.Edition) bool { s := e.Service(id); return s != nil && s.Version == at }
	}
	changed := &catalogue.Service{Version: 1}
	for attempt := 0; ; attempt++ { // until the other one listens
		var err error
		changed, err = a.catalogue.SetHealth(manager, catalogue.SetServiceHealthInput{ID: id, ExpectedVersion: changed.Version, Health: catalogue.Degraded, Note: &note})
		if err != nil {
			t.Fatal(err)
		}
		if held, err := a.catalogue.Published(t.Context()); err != nil || !version(changed.Version)(held) {
			t.Fatalf("who made the change does not hold it: %v", err)
		}
		if b.within(t, 300*time.Millisecond, version(changed.Version)) {
			break
		}
		if attempt == 30 {
			t.Fatal("no change reaches the other process")
		}
	}
	if _, err := a.entries.Set(manager, entry.SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, Target: new("/elsewhere")}); err != nil {
		t.Fatal(err)
	}
	if !b.within(t, 2*time.Second, func(e *catalogue.Edition) bool { return *e.Service(id).EntryLines[0].Target == "/elsewhere" }) {
		t.Error("the entry's change does not reach the other process")
	}

	citizen := access.With(t.Context(), resident)
	if _, err := a.catalogue.Unpublish(manager, id, changed.Version, "停用"); err != nil {
		t.Fatal(err)
	}
	if !b.within(t, 2*time.Second, func(e *catalogue.Edition) bool { return e.Service(id) == nil }) {
		t.Error("the hidden service is still held")
	}
	if found, err := b.catalogue.Find(citizen, []string{id}); err != nil || len(found) != 0 {
		t.Errorf("a citizen finds the hidden service: %v, %v", found, err)
	}
	popular, err := b.usage.Popular(citizen, 230, nil)
	if err != nil || len(popular) != 229 {
		t.Errorf("%d popular services, want 229, %v", len(popular), err)
	}
}
