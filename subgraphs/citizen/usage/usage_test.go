package usage

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/favourite"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

type fixture struct {
	*Usage
	favourites *favourite.Favourites
	db         *database.DB
	owner      *sqlx.DB
	clock      *time.Time
}

func open(t *testing.T) fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := catalogue.Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	clock := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	var turn sync.Mutex
	now := func() time.Time {
		turn.Lock()
		defer turn.Unlock()
		clock = clock.Add(time.Second)
		return clock
	}
	c := catalogue.New(db)
	return fixture{New(db, c, now), favourite.New(db, c, now), db, at.Owner, &clock}
}

func citizen(n int, area string) *access.Principal {
	return &access.Principal{Kind: access.Citizen, ID: fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a9%03d", n), AreaCode: area}
}

const (
	inJinjiang = "510104017001"
	inQingyang = "510105017001"
)

func as(t *testing.T, p *access.Principal) context.Context { return access.With(t.Context(), p) }

func (f fixture) use(t *testing.T, p *access.Principal, seqNos ...int) {
	t.Helper()
	for _, seqNo := range seqNos {
		if _, _, err := f.Use(as(t, p), UseServiceInput{ServiceID: catalogue.ListedID(seqNo), Client: catalogue.App}); err != nil {
			t.Fatalf("using %d: %v", seqNo, err)
		}
	}
}

func numbers(all []*catalogue.Service) []int {
	numbers := []int{}
	for _, s := range all {
		numbers = append(numbers, *s.SeqNo)
	}
	return numbers
}

func TestRecent(t *testing.T) {
	f := open(t)
	a, b := citizen(1, inJinjiang), citizen(2, inJinjiang)
	f.use(t, a, 5, 6, 7, 5)
	f.use(t, b, 9)
	for who, c := range map[*access.Principal][]int{a: {5, 7}, b: {9}} {
		got, err := f.Recent(as(t, who), 2)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, numbers(got)); diff != "" {
			t.Error(diff)
		}
	}
	_, err := f.Recent(t.Context(), 2)
	if fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("nobody: %v", err)
	}
}

func TestUsesAreCountedOnce(t *testing.T) {
	f := open(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			ctx := access.With(context.WithoutCancel(t.Context()), citizen(i, []string{inJinjiang, inQingyang}[i%2]))
			for range 5 {
				if _, _, err := f.Use(ctx, UseServiceInput{ServiceID: catalogue.ListedID(7), Client: catalogue.App}); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() { // several processes count at the same time
			if err := f.Count(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := f.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Area   string `db:"area_code"`
		Total  int    `db:"total"`
		Recent int    `db:"recent"`
	}
	if err := f.owner.Select(&rows, `SELECT area_code, total, recent FROM citizen.popularity ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(rows)
	if want := "[{510100000000 100 100} {510104000000 50 50} {510105000000 50 50}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var waiting int
	if err := f.owner.Get(&waiting, `SELECT count(*) FROM citizen.uncounted_use`); err != nil || waiting != 0 {
		t.Errorf("%d uses wait, %v", waiting, err)
	}
}

func TestPopularAndRecommended(t *testing.T) {
	f := open(t)
	// the city likes 30, then 20; Jinjiang likes 10, then 20
	for i := range 6 {
		f.use(t, citizen(100+i, inQingyang), 30)
	}
	f.use(t, citizen(1, inQingyang), 20, 20, 20)
	f.use(t, citizen(2, inJinjiang), 10, 10, 20)
	if err := f.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	popular := func(area *string, want ...int) {
		t.Helper()
		got, err := f.Popular(t.Context(), len(want), area)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, numbers(got)); diff != "" {
			t.Error(diff)
		}
	}
	jinjiang := inJinjiang
	popular(nil, 30, 20, 10, 1)
	popular(&jinjiang, 10, 20, 1, 2)

	who := citizen(50, inJinjiang)
	recommended := func(want ...int) {
		t.Helper()
		got, err := f.Recommended(as(t, who), len(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, numbers(got)); diff != "" {
			t.Error(diff)
		}
	}
	recommended(10, 20, 30, 1) // 1 + 0.17, 0.5 + 0.33, 0 + 0.5
	if _, err := f.favourites.Add(as(t, who), favourite.FavouriteServiceInput{ServiceID: catalogue.ListedID(10)}); err != nil {
		t.Fatal(err)
	}
	recommended(20, 30, 1)

	// forty days later nothing is recent, but the totals stay
	*f.clock = f.clock.AddDate(0, 0, 40)
	if err := f.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	popular(nil, 30, 20, 10, 1)
	recommended(1, 2, 3)
	var recent int
	if err := f.owner.Get(&recent, `SELECT sum(recent) FROM citizen.popularity`); err != nil || recent != 0 {
		t.Errorf("recent uses: %d, %v", recent, err)
	}
}

func TestWhatCannotBeUsed(t *testing.T) {
	f := open(t)
	id := catalogue.ListedID(3)
	use := func(p *access.Principal, client catalogue.Client, version string) fault.Code {
		_, _, err := f.Use(as(t, p), UseServiceInput{ServiceID: id, Client: client, ClientVersion: &version})
		return fault.CodeOf(err)
	}
	set := func(statement string) {
		t.Helper()
		if _, err := f.owner.Exec(statement, id); err != nil {
			t.Fatal(err)
		}
		f.catalogue.Renew(t.Context())
	}
	who := citizen(1, inJinjiang)
	if code := use(who, catalogue.Workbench, "1.0"); code != fault.NotFound {
		t.Errorf("a client that it is not offered on: %q", code)
	}
	set(`UPDATE citizen.service_entry SET min_version = '3.2.0' WHERE service_id = $1`)
	for version, want := range map[string]fault.Code{"3.1.9": fault.Conflict, "3": fault.Conflict, "3.2": "", "3.10.0": "", "4": ""} {
		if code := use(who, catalogue.App, version); code != want {
			t.Errorf("version %s: %q, want %q", version, code, want)
		}
	}
	set(`UPDATE citizen.service_entry SET grey_percent = 0 WHERE service_id = $1`)
	if code := use(who, catalogue.App, "4"); code != fault.NotFound {
		t.Errorf("outside of the grey release: %q", code)
	}
	set(`UPDATE citizen.service_entry SET grey_percent = 100 WHERE service_id = $1`)
	set(`UPDATE citizen.service SET health = 'PAUSED', health_note = '升级中' WHERE id = $1`)
	if code := use(who, catalogue.App, "4"); code != fault.Unavailable {
		t.Errorf("paused: %q", code)
	}
	set(`UPDATE citizen.service SET publication = 'UNPUBLISHED' WHERE id = $1`)
	if code := use(who, catalogue.App, "4"); code != fault.NotFound {
		t.Errorf("unpublished: %q", code)
	}
}

// TestUseIsNobodyElses asks for a citizen's rows as another one, straight at
// the tables.
func TestUseIsNobodyElses(t *testing.T) {
	f := open(t)
	a, b := citizen(1, inJinjiang), citizen(2, inJinjiang)
	f.use(t, a, 5)
	if _, err := f.favourites.Add(as(t, a), favourite.FavouriteServiceInput{ServiceID: catalogue.ListedID(5)}); err != nil {
		t.Fatal(err)
	}
	worker := &access.Principal{Kind: access.Worker, ID: a.ID, AreaCode: "510100000000", Roles: []access.Role{access.CatalogueEditor}}
	for who, p := range map[string]*access.Principal{"another citizen": b, "a worker of the city": worker, "nobody": nil} {
		err := f.db.Write(as(t, p), func(tx *sqlx.Tx) error {
			for _, table := range []string{"recent_use", "favourite", "uncounted_use", "daily_use"} {
				var n int
				if err := tx.Get(&n, `SELECT count(*) FROM citizen.`+table); err != nil {
					return err
				}
				if n != 0 {
					t.Errorf("%s sees %d rows of %s", who, n, table)
				}
			}
			result, err := tx.Exec(`DELETE FROM citizen.favourite`)
			if err != nil {
				return err
			}
			if n, _ := result.RowsAffected(); n != 0 {
				t.Errorf("%s deleted %d favourites", who, n)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
}
