package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// The places of the tests: two communities of one street, and one elsewhere.
const (
	city      = "510100000000"
	district  = "510104000000"
	street    = "510104017000"
	here      = "510104017001"
	next      = "510104017002"
	elsewhere = "510107061001"
	password  = "a good long password"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// phone is an sms.Provider that keeps the last code of each number.
type phone struct {
	mu    sync.Mutex
	codes map[string]string
	fails bool
}

func (p *phone) Send(_ context.Context, m sms.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails {
		return errors.New("the operator is away")
	}
	p.codes[m.Mobile] = m.Code
	return nil
}

func (p *phone) code(mobile string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.codes[mobile]
}

// drawer is a file.Files in memory that counts what is put.
type drawer struct {
	mu       sync.Mutex
	contents map[string][]byte
	puts     int
}

func (d *drawer) Put(_ context.Context, key string, content io.Reader, _ int64) error {
	text, err := io.ReadAll(content)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.contents[key] = text
	d.puts++
	return err
}

func (d *drawer) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.contents, key)
	return nil
}

// opened is a content that is being read.
type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

func (d *drawer) Get(_ context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.contents[key]
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	return opened{bytes.NewReader(text)}, nil, nil
}

// world is the platform subgraph on real stores, with a few units and workers.
type world struct {
	*platform.Resolver
	t        testing.TB
	database *embeddedtest.Database
	db       *database.DB
	redis    *redis.Client
	keys     *personal.Keys
	bus      *event.Bus
	stream   jetstream.JetStream
	clock    *clock
	phone    *phone
	drawer   *drawer
	verifier *token.Verifier
	executor *executor.Executor
	// workers' IDs by area
	workers map[string]string
}

func newWorld(t testing.TB, change ...func(*platform.Deps)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: time.Now()}, phone: &phone{codes: map[string]string{}},
		drawer: &drawer{contents: map[string][]byte{}}, workers: map[string]string{}}
	w.database = embeddedtest.Open(t, migrations.FS)
	_, w.redis = embeddedtest.Redis(t)
	natsURL, stream := embeddedtest.Nats(t)
	w.stream = stream
	conn, err := nats.Connect(natsURL)
	w.must(err)
	t.Cleanup(conn.Close)
	w.bus, err = event.Open(t.Context(), conn, 1)
	w.must(err)
	w.db, err = database.Open(t.Context(), w.database.AppURL)
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	key, err := token.NewKey(bytes.Repeat([]byte{1}, 32))
	w.must(err)
	w.keys, err = personal.NewKeys(bytes.Repeat([]byte{2}, 32))
	w.must(err)
	w.verifier = token.NewVerifier(key, w.clock.now)
	deps := platform.Deps{DB: w.db, Bus: w.bus, Redis: w.redis, Signer: token.NewSigner(key, w.clock.now), Verifier: w.verifier,
		Files: w.drawer, Keys: w.keys, SMS: w.phone, Now: w.clock.now, Log: discard, Development: true}
	for _, c := range change {
		c(&deps)
	}
	w.Resolver = platform.New(deps)
	w.executor = executor.New(w.Executable())
	w.executor.SetErrorPresenter(fault.Present)
	w.executor.SetRecoverFunc(fault.Recover)
	w.staff()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

var testHash = sync.OnceValues(func() (string, error) {
	return worker.NewPasswords().Hash(context.Background(), password)
})

// staff makes a unit and a worker for each place; the login name is "w" and the code.
func (w *world) staff() {
	hash, err := testHash()
	w.must(err)
	for i, place := range []struct{ code, role string }{
		{city, "LEADER"}, {district, "LEADER"}, {street, "SUPERVISOR"}, {here, "COMMUNITY_WORKER"}, {next, "COMMUNITY_WORKER"}, {elsewhere, "COMMUNITY_WORKER"},
	} {
		id := fmt.Sprintf("00000000-0000-7000-8000-00000000000%d", i)
		w.workers[place.code] = id
		w.sql(`INSERT INTO platform.org_unit (id, name, kind, area_code, parent_id) VALUES ($1, '机构' || $2::text, 'COMMUNITY', $2,
			(SELECT u.id FROM platform.org_unit u JOIN platform.area a ON a.parent_code = u.area_code WHERE a.code = $2))`, id, place.code)
		w.sql(`INSERT INTO platform.worker (id, login, name, password_hash, area_code) VALUES ($1, 'w' || $2::text, '工' || $2::text, $3, $2)`, id, place.code, hash)
		w.sql(`INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post, roles, is_primary, valid_from)
			VALUES ($1, $1, $1, $2, '岗位', ARRAY[$3], true, '2025-01-01')`, id, place.code, place.role)
	}
}

func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	if _, err := w.database.Owner.ExecContext(w.t.Context(), statement, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	w.must(w.database.Owner.GetContext(w.t.Context(), &n, query, args...))
	return n
}

// worker is the worker of the place as who asks.
func (w *world) worker(code string, roles ...access.Role) *access.Principal {
	if len(roles) == 0 {
		roles = []access.Role{access.CommunityWorker}
	}
	return &access.Principal{Kind: access.Worker, ID: w.workers[code], AreaCode: code, Roles: roles}
}

// answer is what an operation answered.
type answer struct {
	Data   json.RawMessage
	Errors gqlerror.List
}

func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return fmt.Sprint(a.Errors[0].Extensions["code"])
}

// ask runs the operation for the principal; variables are given as JSON.
func (w *world) ask(p *access.Principal, query, variables string) answer {
	w.t.Helper()
	return w.askIn(w.t.Context(), p, query, variables)
}

func (w *world) askIn(ctx context.Context, p *access.Principal, query, variables string) answer {
	w.t.Helper()
	ctx = w.Context(graphql.StartOperationTrace(access.With(ctx, p)))
	params := &graphql.RawParams{Query: query}
	if variables != "" {
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		w.must(decoder.Decode(&params.Variables))
	}
	operation, errs := w.executor.CreateOperationContext(ctx, params)
	if errs != nil {
		return answer{Errors: errs}
	}
	responses, ctx := w.executor.DispatchOperation(ctx, operation)
	response := responses(ctx)
	return answer{Data: response.Data, Errors: response.Errors}
}

// get is ask, decoded into T; errors end the test.
func get[T any](w *world, p *access.Principal, query, variables string) T {
	w.t.Helper()
	a := w.ask(p, query, variables)
	if len(a.Errors) > 0 {
		w.t.Fatalf("%s: %v", query, a.Errors)
	}
	var data T
	w.must(json.Unmarshal(a.Data, &data))
	return data
}

// tokens are what signing in gives.
type tokens struct {
	AccessToken, RefreshToken string
	IsNew                     bool
	Viewer                    struct {
		ID, Nickname, MobileMasked string
		UnreadNotificationCount    int
	}
}

// code asks for a code to the number, after the limits of the last one.
func (w *world) code(mobile string) string {
	w.t.Helper()
	w.forgetLimits()
	get[any](w, nil, `mutation($m: String!) { requestSmsCode(input: {mobile: $m, scene: SIGN_IN}) { retryAfterSeconds expiresInSeconds } }`,
		fmt.Sprintf(`{"m": %q}`, mobile))
	return w.phone.code("+86" + mobile)
}

// forgetLimits removes what Redis counts, and leaves the codes.
func (w *world) forgetLimits() {
	w.t.Helper()
	keys, err := w.redis.Keys(w.t.Context(), "platform:*").Result()
	w.must(err)
	for _, key := range keys {
		if kind, _ := w.redis.Type(w.t.Context(), key).Result(); kind == "string" && !strings.Contains(key, ":session:") {
			w.must(w.redis.Del(w.t.Context(), key).Err())
		}
	}
}

const signInByCode = `mutation($m: String!, $c: String!) { signInByCode(input: {mobile: $m, code: $c}) {
	accessToken refreshToken isNew viewer { id nickname mobileMasked unreadNotificationCount } } }`

// signIn signs the citizen of the number in.
func (w *world) signIn(mobile string) (tokens, *access.Principal) {
	w.t.Helper()
	code := w.code(mobile)
	t := get[struct{ SignInByCode tokens }](w, nil, signInByCode, fmt.Sprintf(`{"m": %q, "c": %q}`, mobile, code)).SignInByCode
	p, _, err := w.verifier.Access(t.AccessToken)
	w.must(err)
	return t, p
}

var discard = slog.New(slog.DiscardHandler)

// consumes says whether the durable consumer is there.
func (w *world) consumes(durable string) bool {
	w.t.Helper()
	_, err := w.stream.Consumer(w.t.Context(), "EVENTS", durable)
	return err == nil
}

// flush relays the outbox to the bus.
func (w *world) flush() {
	w.t.Helper()
	relay := &outbox.Relay{DB: w.db, URL: w.database.AppURL, Subgraph: "platform", Publisher: w.bus, Log: discard}
	w.must(relay.Flush(w.t.Context()))
}
