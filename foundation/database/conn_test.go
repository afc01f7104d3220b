package database_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

// opened is a pool over a fresh database with the table of notes; suffix goes
// behind the URL.
func opened(t *testing.T, suffix string) (*database.DB, *embeddedtest.Database) {
	t.Helper()
	d := embeddedtest.Open(t, table)
	db, err := database.Open(t.Context(), d.AppURL+suffix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, d
}

func worker(ctx context.Context, area string) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Worker, ID: "w" + area, AreaCode: area})
}

// Nobody ever sees another one's rows, however their statements follow each
// other on the same connections and prepared statements; also behind a pooler,
// where nothing may be kept in a session.
func TestPrincipalsOnTheSameConnections(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			db, _ := opened(t, "&default_query_exec_mode="+mode)
			seen := map[string][]string{"510104017001": {"510104017001"}, "510104017002": {"510104017002"}, "510105000000": {"510105001001"}, "510104000000": {"510104017001", "510104017002"}}
			var group sync.WaitGroup
			for area, want := range seen {
				for n := range 4 {
					group.Go(func() {
						ctx := worker(t.Context(), area)
						if n == 1 {
							ctx = database.PlannedOnce(ctx)
						}
						if n == 2 {
							ctx = database.PlannedEachTime(ctx)
						}
						for i := range 60 {
							way := db.Read
							switch (i + n) % 3 {
							case 1:
								way = db.Snapshot
							case 2:
								way = db.Write
							}
							err := way(ctx, func(tx *sqlx.Tx) error {
								for range 1 + i%3 {
									var got []string
									if err := tx.SelectContext(ctx, &got, `SELECT area_code FROM probe.note WHERE area_code > $1 ORDER BY area_code`, "1"); err != nil {
										return err
									}
									if !slices.Equal(got, want) {
										return fmt.Errorf("%s sees %v", area, got)
									}
								}
								if i%7 == 0 {
									return errors.New("enough")
								}
								return nil
							})
							if err != nil && err.Error() != "enough" {
								t.Error(err)
								return
							}
						}
					})
				}
			}
			group.Wait()
			if err := db.Read(t.Context(), func(tx *sqlx.Tx) error {
				var got []string
				if err := tx.SelectContext(t.Context(), &got, `SELECT area_code FROM probe.note`); err != nil || len(got) > 0 {
					return fmt.Errorf("nobody sees %v, %w", got, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A statement is asked in the name of who began the transaction, whatever
// context it comes with itself.
func TestTheScopeIsTheTransactions(t *testing.T) {
	db, _ := opened(t, "")
	for name, way := range map[string]func(context.Context, func(*sqlx.Tx) error) error{"Read": db.Read, "Snapshot": db.Snapshot, "Write": db.Write} {
		err := way(worker(t.Context(), "510104017001"), func(tx *sqlx.Tx) error {
			var n int
			if err := tx.GetContext(access.AsSystem(t.Context(), "test"), &n, `SELECT count(*) FROM probe.note`); err != nil || n != 1 {
				return fmt.Errorf("%d rows, %w", n, err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A table that changes under a prepared statement: the statement is made anew
// where it is the first of its transaction, and the next time otherwise.
func TestTablesChangeUnderPreparedStatements(t *testing.T) {
	db, d := opened(t, "")
	ctx := access.AsSystem(t.Context(), "test")
	type way = func(context.Context, func(*sqlx.Tx) error) error
	ask := func(do way, before ...string) error {
		return do(ctx, func(tx *sqlx.Tx) error {
			for _, query := range append(before, `SELECT * FROM probe.note ORDER BY 1`) {
				if _, err := tx.ExecContext(ctx, query); err != nil {
					return err
				}
			}
			return nil
		})
	}
	alter := func(how string) {
		t.Helper()
		if _, err := d.Owner.Exec(`ALTER TABLE probe.note ` + how); err != nil {
			t.Fatal(err)
		}
	}
	for i, do := range []way{db.Read, db.Snapshot, db.Write} {
		for range 8 { // on whichever connection
			if err := ask(do); err != nil {
				t.Fatal(err)
			}
		}
		alter(fmt.Sprintf("ADD COLUMN c%d text", i))
		if err := ask(do); err != nil {
			t.Errorf("way %d, first statement: %v", i, err)
		}
	}
	if err := ask(db.Write); err != nil {
		t.Fatal(err)
	}
	alter("DROP COLUMN c0")
	if err := ask(db.Write, `SELECT 1`); err == nil || !strings.Contains(err.Error(), "cached plan") {
		t.Errorf("a statement that something went before cannot be made anew by itself: %v", err)
	}
	if err := ask(db.Write, `SELECT 1`); err != nil {
		t.Errorf("the next time: %v", err)
	}
}

// Behind a pooler the session may be another one: what was prepared is gone.
func TestPreparedStatementsThatAreGone(t *testing.T) {
	db, _ := opened(t, "")
	ctx := access.AsSystem(t.Context(), "test")
	for n := range 2 {
		err := db.Write(ctx, func(tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(ctx, `SELECT area_code FROM probe.note WHERE area_code = $1`, "x"); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`DEALLOCATE ALL -- %d: it forgets itself too`, n))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Read(ctx, func(tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, `SELECT area_code FROM probe.note WHERE area_code = $1`, "x")
			return err
		}); err != nil {
			t.Errorf("after DEALLOCATE ALL: %v", err)
		}
	}
}

// The prepared statements of a connection are bounded.
func TestPreparedStatementsAreBounded(t *testing.T) {
	db, _ := opened(t, "&statement_cache_capacity=20")
	err := db.Write(t.Context(), func(tx *sqlx.Tx) error {
		for n := range 50 {
			var got int
			if err := tx.GetContext(t.Context(), &got, fmt.Sprintf(`SELECT %d + $1::int`, n), 1); err != nil || got != n+1 {
				return fmt.Errorf("%d, %w", got, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := db.Read(t.Context(), func(tx *sqlx.Tx) error {
		return tx.GetContext(t.Context(), &kept, `SELECT count(*) FROM pg_prepared_statements`)
	}); err != nil || kept == 0 || kept > 22 {
		t.Errorf("%d statements are kept, %v", kept, err)
	}
}

// A transaction that failed ends failed, and the connection is as new.
func TestFailuresStayInTheirTransaction(t *testing.T) {
	db, d := opened(t, "")
	ctx := access.AsSystem(t.Context(), "test")
	insert := `INSERT INTO probe.note VALUES ($1, 'f')`
	for name, fails := range map[string]string{"at parsing": `SELECT no_such_thing`, "at running": `SELECT 1 / (SELECT count(*) FROM probe.note WHERE area_code = 'none')`, "at its argument": `SELECT $1::int`} {
		for _, first := range []bool{true, false} {
			err := db.Write(ctx, func(tx *sqlx.Tx) error {
				if !first {
					if _, err := tx.ExecContext(ctx, insert, "510199000000"); err != nil {
						t.Error(err)
					}
				}
				var arguments []any
				if strings.Contains(fails, "$1") {
					arguments = []any{"no number"}
				}
				if _, err := tx.ExecContext(ctx, fails, arguments...); err == nil {
					t.Errorf("%s: no error", name)
				}
				if _, err := tx.ExecContext(ctx, insert, "510199000001"); err == nil {
					t.Errorf("%s: a statement ran after the failure", name)
				}
				return nil // ignoring it
			})
			if err == nil {
				t.Errorf("%s, first %t: committed", name, first)
			}
		}
	}
	var n int
	if err := d.Owner.Get(&n, `SELECT count(*) FROM probe.note WHERE citizen_id = 'f'`); err != nil || n != 0 {
		t.Errorf("%d rows stayed, %v", n, err)
	}
	if err := db.Write(ctx, func(tx *sqlx.Tx) error { _, err := tx.ExecContext(ctx, insert, "510199000002"); return err }); err != nil {
		t.Error(err)
	}
	// one who leaves in the middle of the rows
	cut, cancel := context.WithCancel(ctx)
	err := db.Write(cut, func(tx *sqlx.Tx) error {
		found, err := tx.QueryxContext(cut, `SELECT n FROM generate_series(1, 100000) AS n`)
		if err != nil {
			return err
		}
		found.Next()
		cancel()
		for found.Next() {
		}
		return errors.Join(found.Err(), found.Close())
	})
	if err == nil {
		t.Error("a cancelled transaction was committed")
	}
	if err := db.Read(ctx, func(tx *sqlx.Tx) error { return tx.GetContext(ctx, &n, `SELECT count(*) FROM probe.note`) }); err != nil || n != 4 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// A snapshot sees one state of all; reading sees what is committed meanwhile.
func TestSnapshot(t *testing.T) {
	db, d := opened(t, "")
	ctx := access.AsSystem(t.Context(), "test")
	count := func(way func(context.Context, func(*sqlx.Tx) error) error) (before, after int) {
		t.Helper()
		err := way(ctx, func(tx *sqlx.Tx) error {
			if err := tx.GetContext(ctx, &before, `SELECT count(*) FROM probe.note`); err != nil {
				return err
			}
			if _, err := d.Owner.Exec(`INSERT INTO probe.note VALUES ('510199000009', 's')`); err != nil {
				return err
			}
			return tx.GetContext(ctx, &after, `SELECT count(*) FROM probe.note`)
		})
		if err != nil {
			t.Fatal(err)
		}
		return before, after
	}
	if before, after := count(db.Snapshot); before != after {
		t.Errorf("a snapshot sees %d, then %d", before, after)
	}
	if before, after := count(db.Read); before+1 != after {
		t.Errorf("reading sees %d, then %d", before, after)
	}
	for name, way := range map[string]func(context.Context, func(*sqlx.Tx) error) error{"Read": db.Read, "Snapshot": db.Snapshot} {
		for _, statement := range []string{`DELETE FROM probe.note`, `SELECT set_config('transaction_read_only', 'off', true)`} {
			if err := way(ctx, func(tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				if err == nil {
					_, err = tx.ExecContext(ctx, `DELETE FROM probe.note`)
				}
				return err
			}); err == nil {
				t.Errorf("%s let %s through", name, statement)
			}
		}
	}
}

// Work is counted where the plan is, for who asks, and changes no answer.
func TestWork(t *testing.T) {
	db, _ := opened(t, "")
	ctx, work := database.WithWork(worker(t.Context(), "510104000000"))
	var got []string
	for _, way := range []func(context.Context, func(*sqlx.Tx) error) error{db.Read, db.Snapshot, db.Write} {
		if err := way(ctx, func(tx *sqlx.Tx) error {
			got = nil
			return tx.SelectContext(ctx, &got, `SELECT area_code FROM probe.note WHERE area_code <> $1`, "510104017001")
		}); err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
	}
	if work.Pages() != 3 || strings.Count(work.Plans(), "Seq Scan") != 3 {
		t.Errorf("%d pages: %s", work.Pages(), work.Plans())
	}
}

// Connections that were lost while they lay idle are replaced before anybody
// notices; in the middle of a transaction it fails.
func TestConnectionsThatWereLost(t *testing.T) {
	db, d := opened(t, "")
	ctx := access.AsSystem(t.Context(), "test")
	lose := func() {
		t.Helper()
		if _, err := d.Owner.Exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'citizencloud_app' AND datname = current_database()`); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO probe.note VALUES ('510199000001', 'l')`)
		return err
	}
	read := func(tx *sqlx.Tx) error {
		var n int
		return tx.GetContext(ctx, &n, `SELECT count(*) FROM probe.note WHERE citizen_id = $1`, "l")
	}
	for name, way := range map[string]func() error{
		"Read": func() error { return db.Read(ctx, read) }, "Snapshot": func() error { return db.Snapshot(ctx, read) }, "Write": func() error { return db.Write(ctx, insert) },
	} {
		if err := way(); err != nil {
			t.Fatal(err)
		}
		lose()
		if err := way(); err != nil {
			t.Errorf("%s after its connection was lost: %v", name, err)
		}
	}
	err := db.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(tx); err != nil {
			return err
		}
		lose()
		_ = insert(tx)
		return nil
	})
	if err == nil {
		t.Error("a transaction whose connection was lost was committed")
	}
	var n int
	if err := d.Owner.Get(&n, `SELECT count(*) FROM probe.note WHERE citizen_id = 'l'`); err != nil || n != 2 {
		t.Errorf("%d rows, want the two of the writes that succeeded, %v", n, err)
	}
}

// The owner's sessions step down to the role of the running platform.
func TestSteppingDown(t *testing.T) {
	d := embeddedtest.Open(t, table)
	db, err := database.Open(t.Context(), d.OwnerURL+"&role=citizencloud_app")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var n int
	if err := db.Read(worker(t.Context(), "510104017001"), func(tx *sqlx.Tx) error {
		return tx.GetContext(t.Context(), &n, `SELECT count(*) FROM probe.note`)
	}); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}
