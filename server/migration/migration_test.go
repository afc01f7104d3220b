package migration_test

import (
	"database/sql"
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/server/migration"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)} }

func TestManyProcessesMigrateOnce(t *testing.T) {
	d := embeddedtest.Open(t)
	sources := []migration.Source{
		{Subgraph: "one", Files: fstest.MapFS{"0001_a.sql": file("CREATE TABLE one.a (n int); INSERT INTO one.a VALUES (1);")}},
		{Subgraph: "two", Files: fstest.MapFS{"0001_b.sql": file("CREATE TABLE two.b (n int);")}},
	}
	failures := make(chan error)
	for range 6 {
		go func() { failures <- migration.Up(t.Context(), d.OwnerURL, sources, slog.New(slog.DiscardHandler)) }()
	}
	for range 6 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	db, err := sql.Open("postgres", d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows int
	if err := db.QueryRow(`SELECT count(*) FROM one.a`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows (%v), want 1: a migration ran twice or never", rows, err)
	}
	broken := []migration.Source{{Subgraph: "one", Files: fstest.MapFS{
		"0001_a.sql": sources[0].Files.(fstest.MapFS)["0001_a.sql"],
		"0002_c.sql": file("CREATE TABLE one.c (n int); SELECT no_such_thing;")}}}
	if err := migration.Up(t.Context(), d.OwnerURL, broken, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a broken migration passed")
	}
	if err := db.QueryRow(`SELECT count(*) FROM pg_tables WHERE schemaname = 'one' AND tablename = 'c'`).Scan(&rows); err != nil || rows != 0 {
		t.Error("half of a broken migration stayed")
	}
}
