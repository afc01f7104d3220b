package embeddedtest

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lib/pq"
	"github.com/nats-io/nats.go/jetstream"
)

var oneTable = fstest.MapFS{"migrations/0001_start.sql": {Data: []byte(`-- +goose Up
CREATE SCHEMA sample;
CREATE TABLE sample.note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, area_code text NOT NULL);
ALTER TABLE sample.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON sample.note USING (area_code LIKE current_setting('app.scope', true) || '%');
INSERT INTO sample.note (area_code) VALUES ('510104000000'), ('510107000000');
`)}}

func TestOpenGivesEachCallItsOwnDatabase(t *testing.T) {
	first, second := Open(t, oneTable), Open(t, oneTable)
	if _, err := first.App.Exec(`SET app.scope = '51'; DELETE FROM sample.note`); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := second.Owner.Get(&rows, `SELECT count(*) FROM sample.note`); err != nil {
		t.Fatal(err)
	}
	if rows != 2 {
		t.Errorf("the second database has %d rows, want 2", rows)
	}
}

func TestAppIsBoundByRowLevelSecurity(t *testing.T) {
	db := Open(t, oneTable)
	db.App.SetMaxOpenConns(1)
	for scope, want := range map[string]int{"510104": 1, "51": 2, "11": 0} {
		if _, err := db.App.Exec(`SELECT set_config('app.scope', $1, false)`, scope); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := db.App.Get(&rows, `SELECT count(*) FROM sample.note`); err != nil {
			t.Fatal(err)
		}
		if rows != want {
			t.Errorf("scope %s sees %d rows, want %d", scope, rows, want)
		}
	}
	for _, statement := range []string{
		`CREATE TABLE sample.other (id int)`,
		`ALTER TABLE sample.note DISABLE ROW LEVEL SECURITY`,
		`SET ROLE citizencloud`,
	} {
		_, err := db.App.Exec(statement)
		var refused *pq.Error
		if !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("the app role may %q: %v", statement, err)
		}
	}
}

func TestRedisAnswers(t *testing.T) {
	_, client := Redis(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client.Set(ctx, "会话", "值", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if got := client.Get(ctx, "会话").Val(); got != "值" {
		t.Errorf("got %q", got)
	}
}

func TestNatsKeepsMessages(t *testing.T) {
	_, stream := Nats(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := stream.CreateStream(ctx, jetstream.StreamConfig{Name: "events", Subjects: []string{"events.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Publish(ctx, "events.case", []byte("1")); err != nil {
		t.Fatal(err)
	}
	found, err := stream.Stream(ctx, "events")
	if err != nil {
		t.Fatal(err)
	}
	info, err := found.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if info.State.Msgs != 1 {
		t.Errorf("the stream holds %d messages, want 1", info.State.Msgs)
	}
}
