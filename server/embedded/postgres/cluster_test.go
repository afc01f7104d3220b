package postgres

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/citizencloud/citizencloud/server/embedded/foldertest"
)

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	cluster, err := Start(t.Context(), Options{Dir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestStartTwice(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), "postgres")
	for round := range 2 {
		cluster := start(t, dir)
		db := open(t, cluster.URL("postgres", OwnerRole))
		if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS kept (round int)`); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := db.QueryRow(`SELECT count(*) FROM kept`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != round {
			t.Errorf("round %d sees %d rows", round, rows)
		}
		if _, err := db.Exec(`INSERT INTO kept VALUES ($1)`, round); err != nil {
			t.Fatal(err)
		}
		db.Close()
		if err := cluster.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
