package personal_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// What the first version sealed, and how it indexed and derived.
func TestWhatTheFirstVersionSealedOpens(t *testing.T) {
	k := keys(t, 1)
	sealed, _ := hex.DecodeString("160009a53feb8f1a2aba55729358dc84e60f8eff85c90eac8514c9a6042648a5b146c86d5b01f0d1e6dde252dd00")
	if got, err := k.Open("citizen.mobile/1", sealed); err != nil || got != "+8613800000001" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := k.Open("citizen.mobile/2", sealed); err == nil {
		t.Error("it opens in another's place")
	}
	if got := hex.EncodeToString(k.Indexer("citizen.mobile").Of("+8613800000001")); got != "5587c6fc4a53ac4005ee531ee5c7c6a13b707f401b0cdfc3ecfc1c06a67956ae" {
		t.Errorf("index %s", got)
	}
	if got := hex.EncodeToString(k.Derive("file link")); got != "3b30bcc840cea9eedab0cc153b03d5d283b003b947bffa931e92186f7c49b6f1" {
		t.Errorf("derived %s", got)
	}
}

func load(t *testing.T, path string) *personal.Keys {
	t.Helper()
	k, err := personal.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRotationOfTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "personal.key")
	k := load(t, path)
	old, link, index := k.Seal("p", "text"), k.Derive("file link"), k.Indexer("citizen.mobile").Of("x")
	_, err := personal.Rotate(path, personal.SM4GCM, time.Now().Add(time.Hour))
	must(t, err)
	must(t, k.Reload())
	if early := k.Seal("p", "text"); !bytes.Equal(early[:6], old[:6]) {
		t.Error("the new key is in use before its time")
	}
	_, err = personal.Rotate(path, personal.SM4GCM, time.Now())
	must(t, err)
	_, err = personal.RotateIndex(path, time.Now())
	must(t, err)
	must(t, k.Reload())
	fresh := k.Seal("p", "text")
	if bytes.Equal(fresh[:6], old[:6]) || fresh[1] != 2 {
		t.Errorf("sealed by %x, want SM4", fresh[:6])
	}
	for _, sealed := range [][]byte{old, fresh} {
		if got, err := k.Open("p", sealed); err != nil || got != "text" {
			t.Errorf("%q %v", got, err)
		}
	}
	if all := k.Indexer("citizen.mobile").All("x"); len(all) != 2 || bytes.Equal(all[0], index) || !bytes.Equal(all[1], index) {
		t.Error("the old index is not looked for")
	}
	if !bytes.Equal(k.Indexer("worker.login").Of("x"), load(t, path).Indexer("worker.login").Of("x")) || len(k.Indexer("worker.login").All("x")) != 1 {
		t.Error("an index that cannot be made anew changed")
	}
	n, err := personal.Retire(path, time.Now())
	must(t, err)
	again := load(t, path)
	if _, err := again.Open("p", old); err == nil || n != 3 {
		t.Errorf("a retired key opens; %d retired, want two that seal and one of the index", n)
	}
	if got, err := again.Open("p", fresh); err != nil || got != "text" {
		t.Errorf("%q %v", got, err)
	}
	if !bytes.Equal(again.Derive("file link"), link) {
		t.Error("what is derived changed")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	// Rubbish in the file leaves a running process with what it has.
	must(t, os.WriteFile(path, []byte("rubbish\n"), 0o600))
	must(t, os.Chtimes(path, time.Now(), time.Now().Add(time.Minute)))
	if err := again.Reload(); err == nil || strings.Contains(err.Error(), "rubbish") {
		t.Errorf("reading rubbish: %v", err)
	}
	if got, err := again.Open("p", fresh); err != nil || got != "text" {
		t.Errorf("after rubbish: %q %v", got, err)
	}
}

// city is a database with so many citizens, sealed by the keys.
func city(t *testing.T, k *personal.Keys, n int) *embeddedtest.Database {
	t.Helper()
	d := embeddedtest.Open(t, migrations.FS)
	for i := range n {
		put(t.Context(), t, d.Owner, k, i)
	}
	return d
}

func number(i int) string { return fmt.Sprintf("+86138%08d", i) }

func put(ctx context.Context, t *testing.T, db *sqlx.DB, k *personal.Keys, i int) {
	id := uuid.NewString() // not in order: new rows stand behind the walk and before it
	_, err := db.ExecContext(ctx, `INSERT INTO platform.citizen (id, nickname, mobile, mobile_index) VALUES ($1, 'x', $2, $3)`,
		id, k.Seal("citizen.mobile/"+id, number(i)), k.Indexer("citizen.mobile").Of(number(i)))
	if err != nil {
		t.Error(err)
	}
}

// whole says whether every row opens, and is found by its newest index.
func whole(t *testing.T, db *sqlx.DB, k *personal.Keys, n int) {
	t.Helper()
	for i := range n {
		var row struct {
			ID     string `db:"id"`
			Mobile []byte `db:"mobile"`
		}
		if err := db.Get(&row, `SELECT id, mobile FROM platform.citizen WHERE mobile_index = $1`, k.Indexer("citizen.mobile").Of(number(i))); err != nil {
			t.Fatalf("%s: %v", number(i), err)
		}
		if got, err := k.Open("citizen.mobile/"+row.ID, row.Mobile); err != nil || got != number(i) {
			t.Fatalf("%s: %q %v", number(i), got, err)
		}
	}
}

func TestRotationWhileWritesGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "personal.key")
	mine := load(t, path)
	elsewhere := filepath.Join(t.TempDir(), "personal.key") // another machine, whose files are brought up to date later
	for _, name := range []string{"personal.key", "index.key"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(filepath.Dir(elsewhere), name), text, 0o600))
	}
	others := load(t, elsewhere)
	d := city(t, mine, 300)
	_, err := personal.Rotate(path, personal.SM4GCM, time.Now())
	must(t, err)
	_, err = personal.RotateIndex(path, time.Now())
	must(t, err)
	must(t, mine.Reload())
	sealing := &personal.Sealing{DB: d.Owner, Keys: mine, Batch: 20}
	var writers sync.WaitGroup
	begun := make(chan struct{})
	once := sync.Once{}
	sealing.Told = func(personal.Column, int64) { once.Do(func() { close(begun) }) }
	for w, k := range []*personal.Keys{mine, others} { // the other machine does not have the new keys yet
		writers.Go(func() {
			<-begun
			for i := range 100 {
				put(t.Context(), t, d.Owner, k, 1000+w*100+i)
			}
		})
	}
	first, err := sealing.All(t.Context(), personal.Columns...)
	must(t, err)
	writers.Wait()
	second, err := sealing.All(t.Context(), personal.Columns...)
	must(t, err)
	if first+second < 400 {
		t.Errorf("%d and %d rows sealed anew, want 300 and the other machine's 100", first, second)
	}
	for _, c := range personal.Columns[:1] {
		if left, err := sealing.Left(t.Context(), c); err != nil || left != 0 {
			t.Errorf("%d rows left (%v)", left, err)
		}
	}
	_, err = personal.Retire(path, time.Now())
	must(t, err)
	whole(t, d.Owner, load(t, path), 300)
	if third, err := sealing.All(t.Context(), personal.Columns...); err != nil || third != 0 {
		t.Errorf("%d rows sealed anew without a reason (%v)", third, err)
	}
}

func TestSealingGoesOnWhereItStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "personal.key")
	k := load(t, path)
	d := city(t, k, 100)
	_, err := personal.Rotate(path, personal.AES256GCM, time.Now())
	must(t, err)
	must(t, k.Reload())
	ctx, stop := context.WithCancel(t.Context())
	sealing := &personal.Sealing{DB: d.Owner, Keys: k, Batch: 10, Told: func(_ personal.Column, done int64) {
		if done == 40 {
			stop()
		}
	}}
	first, err := sealing.All(ctx, personal.Columns[0])
	if !errors.Is(err, context.Canceled) || first != 40 {
		t.Fatalf("%d rows, %v", first, err)
	}
	var batches int
	sealing.Told = func(personal.Column, int64) { batches++ }
	second, err := sealing.All(t.Context(), personal.Columns[0])
	must(t, err)
	if second != 60 || batches > 7 {
		t.Errorf("%d rows in %d batches, want the 60 that were left", second, batches)
	}
	whole(t, d.Owner, k, 100)
}

// digest says by a column's name that it holds a hash or a signature.
var digest = regexp.MustCompile(`[._](hash|digest|sm3|sha256|root|previous|signature)$`)

// Whatever is sealed in a table must be known to who changes the keys.
func TestEverySealedColumnIsListed(t *testing.T) {
	d := embeddedtest.Open(t, migrations.FS)
	var columns []string
	must(t, d.Owner.Select(&columns, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'platform' AND data_type = 'bytea' AND table_name !~ '^audit_entry_' ORDER BY 1`))
	known := map[string]bool{"lockout.login_index": true, "session.device_key": true} // indexes that cannot be made anew
	for _, c := range personal.Columns {
		known[strings.TrimPrefix(c.Table, "platform.")+"."+c.Sealed] = true
		known[strings.TrimPrefix(c.Table, "platform.")+"."+c.Index] = true
	}
	for _, column := range columns {
		if !known[column] && !digest.MatchString(column) {
			t.Errorf("%s is neither listed in personal.Columns nor known to hold nothing sealed", column)
		}
	}
}
