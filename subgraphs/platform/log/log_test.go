package log_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/log"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
)

var discard = slog.New(slog.DiscardHandler)

func as(t *testing.T, kind access.Kind, roles ...access.Role) context.Context {
	return access.With(t.Context(), &access.Principal{Kind: kind, ID: "00000000-0000-7000-8000-000000000001", AreaCode: "510100000000", Roles: roles})
}

// TestFromProcessAndClientToSearch: what a process logs and a client posts is
// found by words and filters, with no personal data in any row.
func TestFromProcessAndClientToSearch(t *testing.T) {
	d := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	url, _ := embeddedtest.Nats(t)
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Ensure(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	_, redis := embeddedtest.Redis(t)

	shipper := log.NewShipper("serve", "one", "1.2.3")
	logger := slog.New(shipper.Handler(slog.LevelInfo)).With("subgraph", "platform")
	logger.WarnContext(as(t, access.Worker, access.CommunityWorker), "短信发送失败：13800138000", "request", "r-17", "trace", "4bf92f3577b34da6a3ce929d0e0e4736", "password", "Geheim", slog.Group("outer", "mail", "wang@example.com"))
	logger.Debug("不收集")
	logger.Error("数据库连接中断", "error", errors.New("connection refused"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	shipper.Run(ctx, js) // sends what is queued, and ends
	if shipper.Dropped() != 0 {
		t.Errorf("%d lines dropped", shipper.Dropped())
	}

	intake := &log.Intake{Stream: js, Redis: redis, Clients: []string{"app"}, Address: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }, Now: time.Now, Log: discard,
		Principal: func(*http.Request) *access.Principal { return nil }}
	post := func(client, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/logs", strings.NewReader(body))
		if client != "" {
			r.Header.Set("X-Client-Id", client)
		}
		w := httptest.NewRecorder()
		intake.ServeHTTP(w, r)
		return w
	}
	if w := post("app", `{"version":"3.1","entries":[{"level":"ERROR","message":"页面崩溃，用户 11010519491231002X","attributes":{"lat":30.65}}]}`); w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	many := strings.Repeat(`{"level":"INFO","message":"x"},`, 101)
	for name, test := range map[string]struct {
		client, body string
		code         int
	}{
		"no client":      {"", `{"entries":[{"level":"INFO","message":"x"}]}`, 400},
		"unknown client": {"nobody", `{"entries":[{"level":"INFO","message":"x"}]}`, 400},
		"no lines":       {"app", `{"entries":[]}`, 400},
		"too many":       {"app", `{"entries":[` + many[:len(many)-1] + `]}`, 400},
		"too large":      {"app", `{"entries":[{"level":"INFO","message":"` + strings.Repeat("长", 200_000) + `"}]}`, 400},
		"no level":       {"app", `{"entries":[{"level":"LOUD","message":"x"}]}`, 400},
	} {
		if w := post(test.client, test.body); w.Code != test.code || !strings.Contains(w.Body.String(), "INVALID_INPUT") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for range 60 {
		post("app", `{}`)
	}
	if w := post("app", `{"entries":[{"level":"INFO","message":"x"}]}`); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("no limit: %d", w.Code)
	}

	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	collector := &log.Collector{DB: db, Now: time.Now, Log: discard}
	go func() { done <- collector.Run(running, js) }()
	for n, deadline := 0, time.Now().Add(20*time.Second); n < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("%d lines are stored after 20 s, want 3", n)
		}
		if err := d.Owner.Get(&n, `SELECT count(*) FROM platform.log_entry`); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var rows []string
	if err := d.Owner.Select(&rows, `SELECT row_to_json(l)::text FROM platform.log_entry l`); err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{"13800138000", "Geheim", "wang@example.com", "11010519491231002X", "30.65"} {
		if strings.Contains(strings.Join(rows, "\n"), raw) {
			t.Errorf("%s is stored: %s", raw, rows)
		}
	}
	var ahead int
	if err := d.Owner.Get(&ahead, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'platform.log_entry'::regclass`); err != nil || ahead != 2 {
		t.Errorf("%d partitions: %v", ahead, err)
	}

	service, admin := &log.Service{DB: db, Now: time.Now}, as(t, access.Worker, access.SystemAdmin)
	text := func(s string) *string { return &s }
	warn, client := log.Error, log.Client
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		filter log.LogFilter
		want   int
	}{
		"all": {log.LogFilter{}, 3}, "two characters": {log.LogFilter{Search: text("崩溃")}, 1}, "a word": {log.LogFilter{Search: text("refused")}, 1},
		"errors": {log.LogFilter{MinLevel: &warn}, 2}, "clients": {log.LogFilter{Source: &client}, 1}, "a service": {log.LogFilter{Service: text("serve")}, 2},
		"a request": {log.LogFilter{RequestID: text("r-17")}, 1}, "a user": {log.LogFilter{UserID: text("00000000-0000-7000-8000-000000000001")}, 1}, "nothing": {log.LogFilter{Search: text("没有")}, 0},
		"a trace": {log.LogFilter{TraceID: text("4bf92f3577b34da6a3ce929d0e0e4736")}, 1}, "an hour": {log.LogFilter{From: &past, To: &future}, 3},
		"the past": {log.LogFilter{To: &past}, 0}, "the future": {log.LogFilter{From: &future, To: ptr(future.Add(time.Hour))}, 0},
		"two at once": {log.LogFilter{Service: text("serve"), Search: text("短信"), TraceID: text("4bf92f3577b34da6a3ce929d0e0e4736")}, 1},
	} {
		page, err := service.List(admin, test.filter, keyset.Page{Size: 10})
		if err != nil || len(page.Entries) != test.want {
			t.Errorf("%s: %d lines, want %d (%v)", name, len(page.Entries), test.want, err)
		}
	}
	first, err := service.List(admin, log.LogFilter{}, keyset.Page{Size: 2})
	if err != nil || !first.Info.HasNextPage {
		t.Fatalf("%+v %v", first, err)
	}
	if second, err := service.List(admin, log.LogFilter{}, keyset.Page{Size: 2, After: first.Entries[1].Key()}); err != nil || len(second.Entries) != 1 {
		t.Errorf("the second page: %+v %v", second, err)
	}
	total := 0
	buckets, err := service.Histogram(as(t, access.Worker, access.SecurityAdmin), log.LogFilter{}, 24)
	for _, b := range buckets {
		total += b.Debug + b.Info + b.Warn + b.Error
	}
	if err != nil || len(buckets) != 24 || total != 3 {
		t.Errorf("%d lines in %d buckets: %v", total, len(buckets), err)
	}
	for name, ctx := range map[string]context.Context{
		"UNAUTHENTICATED": t.Context(), "FORBIDDEN citizen": as(t, access.Citizen), "FORBIDDEN worker": as(t, access.Worker, access.CommunityWorker, access.Leader), "FORBIDDEN auditor": as(t, access.Worker, access.AuditAdmin),
	} {
		_, err := service.List(ctx, log.LogFilter{}, keyset.Page{Size: 10})
		_, err2 := service.Histogram(ctx, log.LogFilter{}, 10)
		if want := strings.Fields(name)[0]; string(fault.CodeOf(err)) != want || string(fault.CodeOf(err2)) != want {
			t.Errorf("%s: %v, %v", name, err, err2)
		}
	}
	tx := d.App.MustBegin() // the second wall
	defer func() { _ = tx.Rollback() }()
	tx.MustExec(`SELECT set_config('app.kind', 'worker', true), set_config('app.area', '5101', true), set_config('app.actions', 'audit.view', true)`)
	var seen int
	if err := tx.Get(&seen, `SELECT count(*) FROM platform.log_entry`); err != nil || seen != 0 {
		t.Errorf("an auditor sees %d rows: %v", seen, err)
	}
}

// TestRetention: a month that is over for long goes, six months always stay,
// and a line that comes twice is stored once.
func TestRetention(t *testing.T) {
	d := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	collector := &log.Collector{DB: db, Months: 1, Now: func() time.Time { return now }, Log: discard}
	for _, months := range []int{-9, -7, -5} {
		d.Owner.MustExec(`SELECT platform.log_partition($1)`, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, months, 0))
	}
	if err := collector.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := d.Owner.Get(&left, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'platform.log_entry'::regclass`); err != nil || left != 3 {
		t.Errorf("%d partitions are left, want 3: %v", left, err)
	}
	d.Owner.MustExec(`SELECT platform.log_partition($1)`, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -9, 0))
	d.Owner.MustExec(`SELECT platform.log_partition($1)`, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -10, 0))
	longer := &log.Collector{DB: db, Months: 9, Now: func() time.Time { return now }, Log: discard}
	if err := longer.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Owner.Get(&left, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'platform.log_entry'::regclass`); err != nil || left != 4 {
		t.Errorf("nine months: %d partitions are left, want 4: %v", left, err)
	}
	line := log.Line{ID: "00000000-0000-7000-8000-000000000001", At: now.AddDate(-1, 0, 0), Level: log.Info, Source: log.Process, Service: "serve", Message: "一年前"}
	for range 2 {
		if err := collector.Store(t.Context(), []log.Line{line, line}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Owner.Get(&left, `SELECT count(*) FROM platform.log_entry WHERE at > now() - interval '1 hour'`); err != nil || left != 1 {
		t.Errorf("%d rows of one line: %v", left, err)
	}
}

// TestDropsAreCounted: who logs never waits.
func TestDropsAreCounted(t *testing.T) {
	shipper := log.NewShipper("serve", "", "")
	logger := slog.New(shipper.Handler(slog.LevelInfo))
	for i := range 9000 {
		logger.Info(fmt.Sprint(i))
	}
	if got := shipper.Dropped(); got != 9000-8192 {
		t.Errorf("%d lines dropped", got)
	}
}

func ptr[T any](value T) *T { return &value }

// TestWhoPostsTooMuch: each address and each user has a share of their own, and
// one address cannot post without end whoever signs in there.
func TestWhoPostsTooMuch(t *testing.T) {
	_, redis := embeddedtest.Redis(t)
	url, _ := embeddedtest.Nats(t)
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	intake := &log.Intake{Stream: js, Redis: redis, Clients: []string{"app"}, Now: time.Now, Log: discard,
		Address: func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("From")) },
		Principal: func(r *http.Request) *access.Principal {
			if id := r.Header.Get("User"); id != "" {
				return &access.Principal{Kind: access.Citizen, ID: id}
			}
			return nil
		}}
	post := func(from, user string) int {
		r := httptest.NewRequest("POST", "/logs", strings.NewReader("{}"))
		r.Header.Set("X-Client-Id", "app")
		r.Header.Set("From", from)
		r.Header.Set("User", user)
		w := httptest.NewRecorder()
		intake.ServeHTTP(w, r)
		return w.Code
	}
	for range 60 {
		post("192.0.2.1", "")
	}
	for name, c := range map[string]struct {
		from, user string
		want       int
	}{
		"the same address":            {"192.0.2.1", "", 429},
		"the same, as IPv6 has it":    {"::ffff:192.0.2.1", "", 429},
		"another address":             {"192.0.2.2", "", 400},
		"somebody behind the address": {"192.0.2.1", "one", 400},
	} {
		if got := post(c.from, c.user); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	for i := range 1200 {
		post("198.51.100.7", fmt.Sprint("user ", i))
	}
	if got := post("198.51.100.7", "a fresh user"); got != 429 {
		t.Errorf("an address posts without end: %d", got)
	}
	if got := post("198.51.100.8", "user 1"); got != 400 {
		t.Errorf("another address pays for it: %d", got)
	}
}
