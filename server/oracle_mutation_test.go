package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

// worlds are three platforms that began with the same data. What is changed in
// one is changed in the others too, each in its own way.
type worlds struct {
	inProcess, overHTTP, ofMonolith *stage
	monolith                        *monolith
	began                           time.Time
}

// raiseWorlds loads the demonstration data once and copies the database.
func raiseWorlds(t *testing.T) *worlds {
	t.Helper()
	first, dir := embeddedtest.Open(t), t.TempDir()
	loading, err := newWhole(t.Context(), installationOn(t, first, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := loading.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &worlds{began: time.Now().Truncate(time.Second)}
	for _, s := range []**stage{&w.inProcess, &w.overHTTP, &w.ofMonolith} {
		*s = raiseOn(t, copied(t, first), dir)
	}
	w.monolith = w.ofMonolith.startMonolith(t)
	return w
}

// copied is a database with all that the first one holds, which nobody uses now.
func copied(t *testing.T, first *embeddedtest.Database) *embeddedtest.Database {
	t.Helper()
	for _, pool := range []*sqlx.DB{first.Owner, first.App} {
		pool.SetMaxIdleConns(0)
	}
	d := embeddedtest.Open(t)
	name := func(address string) string {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(parsed.Path, "/")
	}
	elsewhere, err := url.Parse(first.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.Path = "/postgres"
	admin, err := sqlx.Open("postgres", elsewhere.String())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	d.Owner.SetMaxIdleConns(0)
	for _, statement := range []string{
		fmt.Sprintf(`DROP DATABASE %q WITH (FORCE)`, name(d.OwnerURL)),
		fmt.Sprintf(`CREATE DATABASE %q TEMPLATE %q`, name(d.OwnerURL), name(first.OwnerURL)),
	} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return d
}

// Every mutation of every client, by those who may and those who may not, on
// things in each of their states: the gateway's answer, in process and over
// HTTP, is the monolith's, and afterwards each table has as many rows.
func TestMutationsAreAsInAMonolith(t *testing.T) {
	w := raiseWorlds(t)
	seen, asked, carried, accepted, refused := map[string]bool{}, 0, 0, 0, 0
	for _, client := range w.inProcess.manifests.Clients() {
		for _, operation := range w.inProcess.manifests.Operations(client) {
			if operation.Type != "mutation" || seen[operation.Body] {
				continue
			}
			seen[operation.Body] = true
			t.Run(client+"/"+operation.Name, func(t *testing.T) {
				asked++
				before := accepted
				for i, try := range w.inProcess.attempts(t, operation.Body) {
					done, err := w.compare(t, try, operation.Body)
					if err != nil {
						t.Fatalf("attempt %d, by %v: %v", i, try.by, err)
					}
					if done {
						accepted++
					} else {
						refused++
					}
				}
				if accepted > before {
					carried++
				} else {
					t.Log("never carried out")
				}
			})
		}
	}
	t.Logf("%d operations, of which %d were carried out; %d times in all, and %d refusals", asked, carried, accepted, refused)
	if carried < asked/2 {
		t.Error("too few were carried out: the test says little")
	}
	want := w.ofMonolith.tables(t)
	for name, s := range map[string]*stage{"in process": w.inProcess, "over HTTP": w.overHTTP} {
		for table, rows := range s.tables(t) {
			if rows != want[table] {
				t.Errorf("%s: %s has %d rows, in the monolith's world %d", name, table, rows, want[table])
			}
		}
	}
}

// compare has all worlds do the same, and says whether it was accepted.
func (w *worlds) compare(t *testing.T, try attempt, body string) (bool, error) {
	t.Helper()
	variables, err := json.Marshal(try.variables)
	if err != nil {
		return false, err
	}
	names, stages := []string{"monolith", "in process", "over HTTP"}, []*stage{w.ofMonolith, w.inProcess, w.overHTTP}
	var answers [3]answer
	var failed [3]error
	var all sync.WaitGroup
	for i, s := range stages {
		ctx, call := s.as(t, try.by)
		call.Variables = variables
		all.Go(func() {
			switch s {
			case w.ofMonolith:
				answers[i], failed[i] = w.monolith.ask(ctx, body, variables, authorization(call))
			case w.inProcess:
				answers[i], failed[i] = answeredBy(ctx, s.engine, body, call)
			case w.overHTTP:
				answers[i], failed[i] = answeredBy(ctx, s.overHTTP, body, call)
			}
		})
	}
	all.Wait()
	for i, name := range names {
		err := failed[i]
		answers[i].Data = w.timeless(answers[i].Data)
		if err == nil && i > 0 {
			err = differ(answers[i], answers[0])
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w\nmutation %s\nvariables %s", name, err, body, variables)
		}
	}
	return len(answers[0].Errors) == 0, nil
}

var (
	ids     = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"`)
	times   = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)
	tokens  = regexp.MustCompile(`"([A-Za-z0-9_.-]{40,}|[A-Z2-7]{32}|otpauth://[^"]*|data:image/png;base64,[^"]*)"`)
	riddles = regexp.MustCompile(`"(image|question)":"[^"]*"`)
)

// timeless takes out what no two worlds can share: identifiers and times that
// were made since they began, tokens, captchas, and secrets of
// second factors.
func (w *worlds) timeless(data json.RawMessage) json.RawMessage {
	data = ids.ReplaceAllFunc(data, func(id []byte) []byte {
		parsed, err := uuid.ParseBytes(id[1 : len(id)-1])
		if seconds, _ := parsed.Time().UnixTime(); err == nil && seconds >= w.began.Unix() {
			return []byte(`"new"`)
		}
		return id
	})
	data = times.ReplaceAllFunc(data, func(text []byte) []byte {
		at, err := time.Parse(time.RFC3339, string(text[1:len(text)-1]))
		if err == nil && !at.Before(w.began) {
			return []byte(`"later"`)
		}
		return text
	})
	data = riddles.ReplaceAll(data, []byte(`"$1":"riddle"`))
	return tokens.ReplaceAll(data, []byte(`"token"`))
}

// tables counts the rows of every table but those that work in the background fills.
func (s *stage) tables(t *testing.T) map[string]int {
	t.Helper()
	var tables []string
	if err := s.owner.Select(&tables, `SELECT table_schema || '.' || table_name FROM information_schema.tables
		WHERE table_schema IN ('citizen', 'community', 'platform', 'supply') AND table_type = 'BASE TABLE'
		AND table_name NOT IN ('outbox', 'notification', 'popularity', 'daily_use', 'uncounted_use')`); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, table := range tables {
		counts[table] = s.rows(t, table)
	}
	return counts
}
