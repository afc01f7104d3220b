package demonstration_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	load "github.com/citizencloud/citizencloud/subgraphs/platform/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func keys(t *testing.T) *personal.Keys {
	t.Helper()
	k, err := personal.NewKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// nowhere is a file store that forgets.
type nowhere struct{}

func (nowhere) Put(context.Context, string, io.Reader, int64) error { return nil }
func (nowhere) Get(context.Context, string) (io.ReadSeekCloser, fs.FileInfo, error) {
	return nil, nil, fs.ErrNotExist
}
func (nowhere) Delete(context.Context, string) error { return nil }

func loaded(t *testing.T, scale demonstration.Scale) (*embeddedtest.Database, *demonstration.Cast) {
	t.Helper()
	d, cast := embeddedtest.Open(t, migrations.FS), demonstration.New(scale, day)
	for range 2 { // the second time changes nothing
		if err := load.Load(t.Context(), d.Owner, cast, keys(t), nowhere{}); err != nil {
			t.Fatal(err)
		}
	}
	return d, cast
}

func number(t *testing.T, d *embeddedtest.Database, query string, args ...any) (n int) {
	t.Helper()
	if err := d.Owner.Get(&n, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDemo(t *testing.T) {
	d, cast := loaded(t, demonstration.Demo)
	if n := number(t, d, `SELECT count(*) FROM platform.citizen`); n != 5000 {
		t.Errorf("%d citizens", n)
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM platform.worker w WHERE NOT EXISTS (SELECT FROM platform.assignment a JOIN platform.org_unit u ON u.id = a.unit_id
			WHERE a.worker_id = w.id AND a.is_primary AND u.area_code = w.area_code AND a.area_code = w.area_code)`: 0,
		`SELECT count(*) FROM platform.org_unit WHERE parent_id IS NULL`:                                                                                                 1,
		`SELECT count(*) FROM platform.worker WHERE login LIKE 'sq%'`:                                                                                                    60,
		`SELECT count(*) FROM platform.worker WHERE login = 'admin'`:                                                                                                     1,
		`SELECT count(*) FROM pg_class WHERE relnamespace = 'platform'::regnamespace AND relrowsecurity AND NOT relforcerowsecurity`:                                     0,
		`SELECT count(DISTINCT state) FROM platform.file`:                                                                                                                4,
		`SELECT count(*) FROM platform.file f WHERE held <> EXISTS (SELECT FROM platform.file_hold h WHERE h.file_id = f.id)`:                                            0,
		`SELECT count(DISTINCT state) FROM platform.message_template`:                                                                                                    4,
		`SELECT count(DISTINCT state) FROM platform.message`:                                                                                                             3,
		`SELECT count(*) FROM platform.message m WHERE people_count <> (SELECT count(DISTINCT recipient_id) FROM platform.message_delivery d WHERE d.message_id = m.id)`: 0,
		`SELECT count(*) FROM platform.message_delivery d WHERE channel = 'IN_APP' AND state = 'DELIVERED' AND NOT EXISTS (SELECT FROM platform.notification n WHERE n.id = d.id AND n.request_id = d.message_id)`: 0,
		`SELECT count(DISTINCT tag_id) FROM platform.citizen_tag_holder`:                                        3,
		`SELECT count(DISTINCT citizen_id) FROM platform.citizen_identity`:                                      200,
		`SELECT count(DISTINCT principal_id) FROM platform.session WHERE kind = 'citizen' AND ended_at IS NULL`: 200,
		`SELECT count(*) / 500 FROM platform.place`:                                                             4, // between 2,000 and 2,500
		`SELECT count(*) FROM platform.place WHERE NOT position <@ '(105.1,31.6),(102.8,29.9)'::box`:            0,
	} {
		if n := number(t, d, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if n := number(t, d, `SELECT count(*) FROM platform.notification WHERE read_at IS NULL`); n < 500 {
		t.Errorf("%d unread notifications", n)
	}
	// the running platform finds the citizen and the workers of the story
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := access.AsSystem(t.Context(), "test")
	citizens := citizen.New(db, keys(t), time.Now)
	err = db.Write(ctx, func(tx *sqlx.Tx) error {
		c, isNew, err := citizens.SignIn(ctx, tx, "+8613800000013")
		if err == nil && (isNew || c.ID != cast.Citizen(13).ID || *c.Mobile != "+8613800000013" || c.AreaCode != cast.Citizen(13).CommunityCode) {
			t.Errorf("citizen 13 is %+v (new %v), want %+v", c, isNew, cast.Citizen(13))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	workers := &worker.Service{DB: db, Now: time.Now}
	for _, want := range []demonstration.Worker{cast.CommunityWorker(cast.Communities()[0]), cast.Chief("510104000000"), cast.Chief("510100000000")} {
		id, hash, err := workers.Credentials(ctx, want.Login)
		if err != nil || id != want.ID {
			t.Fatalf("%s: %s %v", want.Login, id, err)
		}
		if ok, err := worker.NewPasswords().Verify(ctx, hash, demonstration.Password); !ok || err != nil {
			t.Errorf("%s: the password does not fit: %v", want.Login, err)
		}
	}
}

func TestNoneHasTheAdministratorsAlone(t *testing.T) {
	d, _ := loaded(t, demonstration.None)
	for table, want := range map[string]int{"worker": 3, "post": 3, "second_factor": 0, "org_unit": 1, "citizen": 0, "notification": 0, "place": 0, "area": 3331} {
		if n := number(t, d, `SELECT count(*) FROM platform.`+table); n != want {
			t.Errorf("%d rows of %s, want %d", n, table, want)
		}
	}
	isNew := func() bool {
		t.Helper()
		answer, err := load.AdministratorIsNew(t.Context(), d.Owner)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if !isNew() {
		t.Error("the administrator has signed in before anybody could")
	}
	d.Owner.MustExec(`INSERT INTO platform.session (id, kind, principal_id, created_at, refreshed_at, expires_at)
		SELECT gen_random_uuid(), 'worker', id, now(), now(), now() FROM platform.worker`)
	if isNew() {
		t.Error("the password is shown to those who come after the administrator")
	}
	passwords, seen := worker.NewPasswords(), map[string]bool{}
	for _, login := range load.AdministratorLogins() {
		var kept struct {
			Hash string `db:"password_hash"`
			Due  bool   `db:"password_due"`
		}
		if err := d.Owner.Get(&kept, `SELECT password_hash, password_due FROM platform.worker WHERE login = $1`, login); err != nil {
			t.Fatal(err)
		}
		if ok, _ := passwords.Verify(t.Context(), kept.Hash, demonstration.Password); ok || !kept.Due {
			t.Errorf("%s of a real installation has the demonstration's password, or keeps the first one", login)
		}
		own := load.AdministratorPassword(demonstration.None, keys(t), login)
		if ok, err := passwords.Verify(t.Context(), kept.Hash, own); !ok || err != nil || seen[own] {
			t.Errorf("%s's password does not fit, or is another's: %v", login, err)
		}
		seen[own] = true
	}
}

// TestCity loads a million citizens; it takes a while, so only on demand.
func TestCity(t *testing.T) {
	if os.Getenv("CITIZENCLOUD_TEST_CITY") == "" {
		t.Skip("set CITIZENCLOUD_TEST_CITY to load the city")
	}
	began := time.Now()
	d, _ := loaded(t, demonstration.City)
	t.Logf("loaded in %v", time.Since(began))
	if n := number(t, d, `SELECT count(*) FROM platform.citizen`); n != 1_000_000 {
		t.Errorf("%d citizens", n)
	}
	for name, query := range map[string]string{
		"a citizen's unread notifications": `SELECT count(*) FROM platform.notification WHERE recipient_kind = 'citizen' AND recipient_id = '019421c4-5380-7000-8000-000000000000' AND read_at IS NULL`,
		"a page of a community's citizens": `SELECT id FROM platform.citizen WHERE area_code >= '510104017001' AND area_code < '510104017001:' ORDER BY area_code, id LIMIT 21`,
		"a page of a street's workers":     `SELECT id FROM platform.worker WHERE area_code >= '510104017' AND area_code < '510104017:' ORDER BY area_code, id LIMIT 21`,
		"a citizen by ID":                  `SELECT nickname FROM platform.citizen WHERE id = ANY('{019421c4-5380-7000-8000-000000000000}')`,
	} {
		tx := d.App.MustBegin()
		tx.MustExec(`SELECT set_config('app.kind', 'worker', true), set_config('app.area', '510104', true), set_config('app.principal', 'x', true)`)
		var plan []string
		if err := tx.Select(&plan, `EXPLAIN (ANALYZE) `+query); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(plan, "\n"), "Seq Scan") {
			t.Errorf("%s reads the whole table:\n%s", name, strings.Join(plan, "\n"))
		}
		t.Logf("%s: %s", name, plan[len(plan)-1])
		_ = tx.Rollback()
	}
}
