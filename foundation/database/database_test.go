package database_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

var table = fstest.MapFS{"0001_note.sql": {Data: []byte(`-- +goose Up
CREATE SCHEMA probe;
CREATE TABLE probe.note (area_code text COLLATE "C" NOT NULL, citizen_id text NOT NULL);
ALTER TABLE probe.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY worker ON probe.note USING (current_setting('app.kind', true) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY owner ON probe.note USING (current_setting('app.kind', true) = 'citizen' AND citizen_id = current_setting('app.principal', true));
CREATE POLICY system ON probe.note USING (current_setting('app.kind', true) = 'system');
INSERT INTO probe.note VALUES ('510104017001', 'a'), ('510104017002', 'b'), ('510105001001', 'a');
`)}}

func TestRowLevelSecurityKnowsThePrincipal(t *testing.T) {
	d := embeddedtest.Open(t, table)
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, c := range []struct {
		name string
		ctx  context.Context
		want []string
	}{
		{"system", access.AsSystem(t.Context(), "test"), []string{"510104017001", "510104017002", "510105001001"}},
		{"nobody, after the system used the connection", t.Context(), nil},
		{"district", access.With(t.Context(), &access.Principal{Kind: access.Worker, AreaCode: "510104000000"}), []string{"510104017001", "510104017002"}},
		{"community", access.With(t.Context(), &access.Principal{Kind: access.Worker, AreaCode: "510104017002"}), []string{"510104017002"}},
		{"a zone of two streets' communities", access.With(t.Context(), &access.Principal{Kind: access.Worker, AreaCode: "510191000000",
			Prefixes: []string{"510191", "510104017002", "510105001"}}), []string{"510104017002", "510105001001"}},
		{"a worker of no scope", access.With(t.Context(), &access.Principal{Kind: access.Worker, AreaCode: "510104017002", Prefixes: []string{}}), nil},
		{"a worker who has not shown the second factor", access.With(t.Context(), &access.Principal{Kind: access.Worker, AreaCode: "510104017002", Confined: access.FactorDue}), nil},
		{"somebody with quotes in the name", access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: `a', true), set_config('app.kind', 'system`}), nil},
		{"worker without area", access.With(t.Context(), &access.Principal{Kind: access.Worker}), nil},
		{"citizen", access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: "a", AreaCode: "510104017002"}), []string{"510104017001", "510105001001"}},
	} {
		ctx, counter := database.WithCounter(c.ctx)
		var got []string
		err := db.Read(ctx, func(tx *sqlx.Tx) error {
			return tx.SelectContext(ctx, &got, `SELECT area_code FROM probe.note ORDER BY area_code`)
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s sees: %s", c.name, diff)
		}
		if n := counter.Statements(); n != 1 {
			t.Errorf("%s: %d statements counted, want 1", c.name, n)
		}
	}
	// A statement that failed cannot be committed, even by who ignores its error.
	err = db.Write(access.AsSystem(t.Context(), "test"), func(tx *sqlx.Tx) error {
		_, _ = tx.Exec(`SELECT no_such_thing`)
		return nil
	})
	if err == nil {
		t.Error("a failed transaction was committed")
	}
	err = db.Read(t.Context(), func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO probe.note VALUES ('x', 'y')`)
		return err
	})
	if err == nil {
		t.Error("Read let a write through")
	}
}
