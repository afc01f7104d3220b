package file

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// drawer is a Files in memory.
type drawer struct {
	mu       sync.Mutex
	contents map[string][]byte
	fails    error // of Put
}

func (d *drawer) Put(_ context.Context, key string, content io.Reader, size int64) error {
	text, err := io.ReadAll(io.LimitReader(content, size))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails != nil {
		return d.fails
	}
	d.contents[key] = text
	return err
}

func (d *drawer) Get(_ context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.contents[key]
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	return opened{bytes.NewReader(text)}, nil, nil
}

func (d *drawer) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.contents, key)
	return nil
}

func (d *drawer) number() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.contents)
}

type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

// world is the service on a real database and Redis.
type world struct {
	*Service
	t        *testing.T
	database *embeddedtest.Database
	redis    *redis.Client
	drawer   *drawer
	server   *httptest.Server
	mu       sync.Mutex
	at       time.Time
}

func newWorld(t *testing.T, scanner Scanner) *world {
	t.Helper()
	w := &world{t: t, at: time.Now().Truncate(time.Second), drawer: &drawer{contents: map[string][]byte{}}, database: embeddedtest.Open(t, migrations.FS)}
	_, w.redis = embeddedtest.Redis(t)
	db, err := database.Open(t.Context(), w.database.AppURL)
	w.must(err)
	t.Cleanup(func() { _ = db.Close() })
	key, err := token.NewKey(bytes.Repeat([]byte{1}, 32))
	w.must(err)
	keys, err := personal.NewKeys(bytes.Repeat([]byte{2}, 32))
	w.must(err)
	w.Service = New(Parts{DB: db, Redis: w.redis, Files: w.drawer, Scanner: scanner, Signer: token.NewSigner(key, w.now),
		Verifier: token.NewVerifier(key, w.now), Keys: keys, Now: w.now, Log: slog.New(slog.DiscardHandler)})
	w.server = httptest.NewServer(w.Handler())
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) move(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(by)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

const here = "510104017001"

// citizen is a new one, with an access token.
func (w *world) citizen() (*access.Principal, string) {
	w.t.Helper()
	id, err := identifier.New()
	w.must(err)
	p := &access.Principal{Kind: access.Citizen, ID: id, AreaCode: here, Session: id}
	bearer, _, err := w.Signer.Access(p)
	w.must(err)
	return p, bearer
}

// worker is one of the place with the role.
func worker(area string, role access.Role) *access.Principal {
	return &access.Principal{Kind: access.Worker, ID: "00000000-0000-7000-8000-000000000001", AreaCode: area, Roles: []access.Role{role}}
}

func (w *world) as(p *access.Principal) context.Context { return access.With(w.t.Context(), p) }

// upload keeps the content for the principal.
func (w *world) upload(p *access.Principal, content []byte, name string) Stored {
	w.t.Helper()
	c, err := spool(bytes.NewReader(content), MaxUpload)
	w.must(err)
	defer c.Close()
	stored, err := w.store(w.as(p), p, c, name, "", nil)
	w.must(err)
	return stored
}

func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	w.must(w.database.Owner.GetContext(w.t.Context(), &n, query, args...))
	return n
}

// ask sends a request to the handler as the principal.
func (w *world) ask(p *access.Principal, method, url string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil).WithContext(w.as(p))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.Handler().ServeHTTP(recorder, r)
	return recorder
}
