package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats.go"

	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

var table = fstest.MapFS{"0001_account.sql": {Data: []byte(`-- +goose Up
CREATE SCHEMA probe;
GRANT USAGE ON SCHEMA probe TO citizencloud_app;
CREATE TABLE probe.ended_account (citizen_id uuid PRIMARY KEY, successor_id uuid, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE probe.thing (name text PRIMARY KEY, citizen_id uuid);
GRANT SELECT, INSERT, UPDATE ON probe.ended_account, probe.thing TO citizencloud_app;
`)}}

// desk follows accounts with one keeper, whose things carry the citizen's ID.
type desk struct {
	*account.Follower
	t     *testing.T
	owner *sqlx.DB

	mu    sync.Mutex
	fails int // how often the keeper fails yet
}

var errAway = errors.New("away")

func open(t *testing.T) *desk {
	t.Helper()
	at := embeddedtest.Open(t, table)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d := &desk{t: t, owner: at.Owner}
	do := func(ctx context.Context, tx *sqlx.Tx, statement string, args ...any) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
		if d.fails > 0 {
			d.fails--
			return errAway
		}
		return nil
	}
	d.Follower = &account.Follower{Subgraph: "probe", DB: db, Log: slog.New(slog.DiscardHandler), Keepers: []account.Keeper{{
		Name: "thing",
		Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
			return do(ctx, tx, `UPDATE probe.thing SET citizen_id = $2 WHERE citizen_id = $1`, from, to)
		},
		Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
			return do(ctx, tx, `UPDATE probe.thing SET citizen_id = NULL WHERE citizen_id = $1`, citizenID)
		},
	}}}
	return d
}

// people of the tests.
var a, b, c = uuid.NewString(), uuid.NewString(), uuid.NewString()

func (d *desk) own(name, citizen string) {
	d.t.Helper()
	if _, err := d.owner.Exec(`INSERT INTO probe.thing VALUES ($1, $2)`, name, citizen); err != nil {
		d.t.Fatal(err)
	}
}

// want compares the things and their owners.
func (d *desk) want(all ...string) {
	d.t.Helper()
	var got []string
	if err := d.owner.Select(&got, `SELECT name || coalesce(' ' || citizen_id, '') FROM probe.thing ORDER BY name`); err != nil {
		d.t.Fatal(err)
	}
	if !slices.Equal(got, all) {
		d.t.Errorf("got %v, want %v", got, all)
	}
}

func merged(from, to string) event.Event {
	return made(account.MergedSubject, fmt.Sprintf(`{"citizenId": %q, "successorId": %q}`, from, to))
}

func cancelled(id string) event.Event {
	return made(account.CancelledSubject, fmt.Sprintf(`{"citizenId": %q}`, id))
}

func made(subject, payload string) event.Event {
	return event.Event{ID: uuid.Must(uuid.NewV7()).String(), Subject: subject, At: time.Now(), Payload: json.RawMessage(payload)}
}

func (d *desk) handle(events ...event.Event) {
	d.t.Helper()
	for _, e := range events {
		if err := d.Handle(d.t.Context(), e); err != nil {
			d.t.Fatal(err)
		}
	}
}

// However often and in whichever order the ends of a chain are told, what A had
// is at the end of the chain.
func TestEndsInAnyOrderAndTwice(t *testing.T) {
	for name, events := range map[string][]event.Event{
		"in order":   {merged(a, b), merged(b, c)},
		"backwards":  {merged(b, c), merged(a, b)},
		"repeatedly": {merged(b, c), merged(a, b), merged(b, c), merged(a, b)},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			d.own("1", a)
			d.own("2", b)
			d.own("3", c)
			d.handle(events...)
			d.want("1 "+c, "2 "+c, "3 "+c)
		})
	}
	t.Run("cancelled at the end", func(t *testing.T) {
		d := open(t)
		d.own("1", a)
		d.own("2", b)
		d.own("3", c)
		d.handle(cancelled(b), merged(a, b), cancelled(b))
		d.want("1", "2", "3 "+c)
	})
	t.Run("what cannot be", func(t *testing.T) {
		d := open(t)
		d.own("1", a)
		d.handle(made(account.MergedSubject, `{"citizenId": "x", "successorId": "y"}`), made(account.CancelledSubject, `[]`), merged(a, a),
			made("platform.citizen.changed", fmt.Sprintf(`{"citizenId": %q}`, a)))
		d.want("1 " + a)
	})
	t.Run("a circle ends", func(t *testing.T) {
		d := open(t)
		d.own("1", a)
		d.handle(merged(b, a), merged(a, b))
	})
}

// watched tells of each event that was followed.
type watched struct {
	*event.Bus
	followed chan struct{}
}

func (w watched) ConsumeAll(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error {
	return w.Bus.ConsumeAll(ctx, durable, subject, func(ctx context.Context, e event.Event) error {
		err := handle(ctx, e)
		if err == nil {
			w.followed <- struct{}{}
		}
		return err
	})
}

// An event that came before anybody listened is followed, one that fails comes
// again, and what a failure had begun is not left behind.
func TestFailedOnesComeAgain(t *testing.T) {
	d := open(t)
	url, _ := embeddedtest.Nats(t)
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	bus, err := event.Open(t.Context(), conn, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.own("1", a)
	d.fails = 1
	if err := d.Handle(t.Context(), merged(a, b)); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	d.want("1 " + a)
	var remembered int
	if err := d.owner.Get(&remembered, `SELECT count(*) FROM probe.ended_account`); err != nil || remembered != 0 {
		t.Errorf("%d remembered of what failed: %v", remembered, err)
	}
	if err := bus.Publish(t.Context(), []event.Event{merged(a, b)}); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.fails = 1
	d.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	told := watched{Bus: bus, followed: make(chan struct{}, 10)}
	go func() { done <- d.Run(ctx, told) }()
	select {
	case <-told.followed:
	case <-time.After(30 * time.Second):
		t.Fatal("the event did not come again")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.want("1 " + b)
}
