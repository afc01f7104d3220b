package embedded

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	redisclient "github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/server/embedded/foldertest"
)

func open(t *testing.T, settings Settings) *State {
	t.Helper()
	settings.Fast = true
	state, err := Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeState(t, state) })
	return state
}

func closeState(t *testing.T, state *State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := state.Close(ctx); err != nil {
		t.Error(err)
	}
}

// use writes one thing into each part, or finds what an earlier use wrote.
func use(t *testing.T, state *State, found bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	db, err := sql.Open("postgres", state.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	options, err := redisclient.ParseURL(state.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redisclient.NewClient(options)
	defer client.Close()
	connection, err := nats.Connect(state.NatsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	stream, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Files(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if found {
		app, err := sql.Open("postgres", state.DatabaseAppURL)
		if err != nil {
			t.Fatal(err)
		}
		defer app.Close()
		var n int
		if err := app.QueryRowContext(ctx, `SELECT n FROM kept`).Scan(&n); err != nil || n != 7 {
			t.Errorf("the table holds %d, %v", n, err)
		}
		if got := client.Get(ctx, "kept").Val(); got != "7" {
			t.Errorf("Redis holds %q", got)
		}
		events, err := stream.Stream(ctx, "kept")
		if err != nil {
			t.Fatal(err)
		}
		if messages := events.CachedInfo().State.Msgs; messages != 1 {
			t.Errorf("the stream holds %d messages", messages)
		}
		if info, err := store.Stat(ctx, "kept"); err != nil || info.Size() != 1 {
			t.Errorf("the file: %v", err)
		}
		return
	}
	_, errTable := db.ExecContext(ctx, `CREATE TABLE kept AS SELECT 7 AS n`)
	_, errStream := stream.CreateStream(ctx, jetstream.StreamConfig{Name: "kept", Subjects: []string{"kept"}})
	_, errPublish := stream.Publish(ctx, "kept", []byte("7"))
	if err := errors.Join(errTable, client.Set(ctx, "kept", "7", time.Hour).Err(), errStream, errPublish,
		store.Put(ctx, "kept", strings.NewReader("7"), 1)); err != nil {
		t.Fatal(err)
	}
}

func TestEverythingInsideSurvivesARestart(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), "data")
	state := open(t, Settings{Dir: dir})
	use(t, state, false)
	closeState(t, state)
	if _, err := os.Stat(filepath.Join(dir, "state.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the addresses are still there after the stop: %v", err)
	}
	use(t, open(t, Settings{Dir: dir}), true)
}

func TestSecondProcessAttaches(t *testing.T) {
	dir := foldertest.Folder(t)
	first := open(t, Settings{Dir: dir})
	use(t, first, false)
	if info, err := os.Stat(filepath.Join(dir, "state.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state.json: %v, %v", info.Mode(), err)
	}
	// flock holds between two opened files, also of one process.
	_, err := Open(t.Context(), Settings{Dir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second Open: %v", err)
	}
	second, err := OpenOrAttach(t.Context(), Settings{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	closeState(t, second)
	use(t, first, true) // the second's Close stopped nothing
}

func TestAttachWaitsForTheFirst(t *testing.T) {
	dir := foldertest.Folder(t)
	opened := make(chan *State, 2)
	for range 2 {
		go func() {
			state, err := OpenOrAttach(t.Context(), Settings{Dir: dir, Fast: true})
			if err != nil {
				t.Error(err)
			}
			opened <- state
		}()
	}
	one, other := <-opened, <-opened
	if one == nil || other == nil {
		t.FailNow()
	}
	if (one.lock == nil) == (other.lock == nil) {
		t.Error("both or none run the state")
	}
	if one.DatabaseURL != other.DatabaseURL || one.NatsURL != other.NatsURL {
		t.Error("they use different states")
	}
	if one.lock != nil {
		one, other = other, one
	}
	closeState(t, one)
	closeState(t, other)
}

func TestEverythingElsewhere(t *testing.T) {
	db := embeddedtest.Open(t)
	redisURL, _ := embeddedtest.Redis(t)
	natsURL, _ := embeddedtest.Nats(t)
	dir := foldertest.Folder(t)
	state := open(t, Settings{
		Dir:         filepath.Join(dir, "unused"),
		DatabaseURL: db.OwnerURL, RedisURL: redisURL, NatsURL: natsURL, FilesURL: "file://" + filepath.Join(dir, "files"),
	})
	use(t, state, false)
	use(t, state, true)
	if _, err := os.Stat(state.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a data folder that nothing needs was made: %v", err)
	}
	app, err := sql.Open("postgres", state.DatabaseAppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	var role string
	if err := app.QueryRow(`SELECT current_user`).Scan(&role); err != nil || role != "citizencloud_app" {
		t.Errorf("requests are served as %q, %v", role, err)
	}
}

func TestWrongAddressesAreOneSentence(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := dead.Addr().String()
	dead.Close()
	for _, test := range []struct {
		settings Settings
		want     string
	}{
		{Settings{DatabaseURL: "postgres://me:geheim@" + host + "/db?sslmode=disable"}, "the database " + host + "/db cannot be reached: connection refused"},
		{Settings{DatabaseURL: "mysql://me:geheim@" + host}, "must have the form postgres://"},
		{Settings{DatabaseURL: "postgres://me:geheim@[" + host}, "must have the form postgres://"},
		{Settings{RedisURL: "redis://:geheim@" + host}, "Redis at " + host + " cannot be reached: connection refused"},
		{Settings{NatsURL: "nats://geheim@" + host}, "NATS at " + host + " cannot be reached"},
		{Settings{FilesURL: "ftp://geheim@" + host}, "file://"},
		{Settings{Dir: "/dev/null/data"}, "the data folder /dev/null/data cannot be written (not a directory)"},
	} {
		test.settings.Fast = true
		if test.settings.Dir == "" {
			test.settings.Dir = foldertest.Folder(t)
		}
		state, err := Open(t.Context(), test.settings)
		if err == nil {
			closeState(t, state)
			t.Errorf("%q: opened", test.want)
			continue
		}
		if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "geheim") || strings.Contains(text, "\n") {
			t.Errorf("got %q, want %q", text, test.want)
		}
	}
}

func TestMissingPostgresIsOneSentence(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	_, err := Open(t.Context(), Settings{Dir: foldertest.Folder(t), Fast: true})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL is not installed") || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("got %v", err)
	}
}
