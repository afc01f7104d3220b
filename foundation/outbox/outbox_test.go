package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats.go"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

var table = fstest.MapFS{"0001_outbox.sql": {Data: []byte(`-- +goose Up
CREATE SCHEMA probe;
CREATE TABLE probe.outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, subject text NOT NULL,
    area_code text NOT NULL DEFAULT '', at timestamptz NOT NULL DEFAULT now(), payload jsonb NOT NULL);
`)}}

func open(t *testing.T) (*database.DB, string) {
	t.Helper()
	d := embeddedtest.Open(t, table)
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, d.AppURL
}

func bus(t *testing.T) *event.Bus {
	t.Helper()
	url, _ := embeddedtest.Nats(t)
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	b, err := event.Open(t.Context(), conn, 1)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, db *database.DB, numbers ...int) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqlx.Tx) error {
		for _, n := range numbers {
			if err := outbox.Append(t.Context(), tx, "probe", outbox.Message{Subject: "probe.number.made", AreaCode: "510104017001", Payload: n}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommittedEventsReachAListener(t *testing.T) {
	db, url := open(t)
	sender := bus(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	live, err := sender.Live(ctx, "probe.number.*")
	if err != nil {
		t.Fatal(err)
	}
	relay := &outbox.Relay{DB: db, URL: url, Subgraph: "probe", Publisher: sender, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()

	rolledBack := errors.New("changed my mind")
	err = db.Write(ctx, func(tx *sqlx.Tx) error {
		if err := outbox.Append(ctx, tx, "probe", outbox.Message{Subject: "probe.number.made", Payload: -1}); err != nil {
			return err
		}
		return rolledBack
	})
	if !errors.Is(err, rolledBack) {
		t.Fatal(err)
	}
	put(t, db, 1, 2, 3)
	put(t, db, 4)
	for want := 1; want <= 4; want++ {
		e, ok := <-live
		if !ok {
			t.Fatal("the listener ended")
		}
		var got int
		if err := e.Read(&got); err != nil || got != want {
			t.Fatalf("got %d (%v), want %d: order, loss, or a rolled back event", got, err, want)
		}
		if e.AreaCode != "510104017001" {
			t.Errorf("area %q", e.AreaCode)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// failing refuses the first publishes, and loses the answer of one that was stored.
type failing struct {
	outbox  outbox.Publisher
	refuse  int
	lostAck bool
}

func (f *failing) Publish(ctx context.Context, events []event.Event) error {
	if f.refuse > 0 {
		f.refuse--
		return errors.New("away")
	}
	if err := f.outbox.Publish(ctx, events); err != nil {
		return err
	}
	if f.lostAck {
		f.lostAck = false
		return errors.New("stored, but the answer was lost")
	}
	return nil
}

func TestNothingIsLostAndNothingStoredTwice(t *testing.T) {
	db, url := open(t)
	b := bus(t)
	publisher := &failing{outbox: b, refuse: 2, lostAck: true}
	relay := &outbox.Relay{DB: db, URL: url, Subgraph: "probe", Publisher: publisher, Log: slog.New(slog.DiscardHandler)}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(chan string, 16)
	ready := make(chan struct{})
	go func() {
		first := true
		_ = b.Consume(ctx, "probe", "probe.>", func(_ context.Context, e event.Event) error {
			if e.Subject == "probe.start" {
				if first {
					first = false
					close(ready)
				}
				return nil
			}
			got <- string(e.Payload)
			return nil
		})
	}()
	start := event.Event{ID: "start", Subject: "probe.start", Payload: json.RawMessage("0")}
	for waiting := true; waiting; { // a new consumer sees what comes after it was made
		start.ID += "x"
		if err := b.Publish(ctx, []event.Event{start}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ready:
			waiting = false
		case <-time.After(50 * time.Millisecond):
		}
	}
	put(t, db, 7, 8)
	for range 3 {
		if err := relay.Flush(ctx); err == nil {
			t.Fatal("the failure was swallowed")
		}
	}
	if err := relay.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	put(t, db, 9)
	if err := relay.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for want := 7; want <= 9; want++ {
		if n := <-got; n != fmt.Sprint(want) {
			t.Fatalf("got %s, want %d: lost, or stored twice", n, want)
		}
	}
}
