package favourite

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/usage"
)

// Favourites and last uses of an account that another one takes over, and of
// one that is cancelled; each twice, as an event that comes again.
func TestWhatBecomesOfAnAccountsMarksAndUses(t *testing.T) {
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := catalogue.Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	const a, b, c = "01890a5d-ac96-774b-bcce-b302099a9001", "01890a5d-ac96-774b-bcce-b302099a9002", "01890a5d-ac96-774b-bcce-b302099a9003"
	catalog := catalogue.New(db)
	keepers := []account.Keeper{New(db, catalog, time.Now).Keeper(), usage.New(db, catalog, time.Now).Keeper()}
	mark := func(citizen string, seqNo int, day int) {
		t.Helper()
		for _, statement := range []string{
			`INSERT INTO citizen.favourite (citizen_id, service_id, created_at) VALUES ($1, $2, date '2026-03-01' + $3::int)`,
			`INSERT INTO citizen.recent_use (citizen_id, service_id, used_at) VALUES ($1, $2, date '2026-03-01' + $3::int)`,
		} {
			if _, err := at.Owner.Exec(statement, citizen, catalogue.ListedID(seqNo), day); err != nil {
				t.Fatal(err)
			}
		}
	}
	mark(a, 1, 9)
	mark(a, 2, 2)
	mark(b, 2, 5)
	mark(b, 3, 1)
	mark(c, 1, 1)
	number := func(query string, args ...any) (n int) {
		t.Helper()
		if err := at.Owner.Get(&n, query, args...); err != nil {
			t.Fatal(err)
		}
		return n
	}
	do := func(step func(context.Context, *sqlx.Tx, account.Keeper) error) {
		t.Helper()
		ctx := access.AsSystem(t.Context(), "test")
		for range 2 {
			for _, k := range keepers {
				if err := db.Write(ctx, func(tx *sqlx.Tx) error { return step(ctx, tx, k) }); err != nil {
					t.Fatal(k.Name, err)
				}
			}
		}
	}
	do(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error { return k.Merge(ctx, tx, a, b) })
	for _, table := range []string{"favourite", "recent_use"} {
		if n := number(`SELECT count(*) FROM citizen.`+table+` WHERE citizen_id = $1`, a); n != 0 {
			t.Errorf("%s: %d are left with the former", table, n)
		}
		if n := number(`SELECT count(*) FROM citizen.`+table+` WHERE citizen_id = $1`, b); n != 3 {
			t.Errorf("%s: the successor has %d, want 3", table, n)
		}
	}
	if n := number(`SELECT count(*) FROM citizen.recent_use WHERE citizen_id = $1 AND service_id = $2 AND used_at::date = '2026-03-06'`, b, catalogue.ListedID(2)); n != 1 {
		t.Error("of a service that both used the later use does not count")
	}
	// As many favourites as one may have: the successor's own stay.
	if _, err := at.Owner.Exec(`INSERT INTO citizen.favourite SELECT $1, id, now() FROM citizen.service WHERE id <> $2 ORDER BY id LIMIT $3`, a, catalogue.ListedID(3), limit); err != nil {
		t.Fatal(err)
	}
	do(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error { return k.Merge(ctx, tx, a, b) })
	if n, own := number(`SELECT count(*) FROM citizen.favourite WHERE citizen_id = $1`, b), number(`SELECT count(*) FROM citizen.favourite WHERE citizen_id = $1 AND service_id = $2`, b, catalogue.ListedID(3)); n != limit || own != 1 {
		t.Errorf("%d favourites, the own one %d times", n, own)
	}
	do(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error { return k.Erase(ctx, tx, b) })
	for _, table := range []string{"favourite", "recent_use"} {
		if n, others := number(`SELECT count(*) FROM citizen.`+table+` WHERE citizen_id = $1`, b), number(`SELECT count(*) FROM citizen.`+table+` WHERE citizen_id = $1`, c); n != 0 || others != 1 {
			t.Errorf("%s: %d of the cancelled account, %d of another", table, n, others)
		}
	}
}
