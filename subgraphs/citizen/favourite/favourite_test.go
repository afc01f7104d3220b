package favourite

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

func TestFavourites(t *testing.T) {
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
	c := catalogue.New(db)
	f := New(db, c, func() time.Time { clock = clock.Add(time.Second); return clock })
	as := func(id string) context.Context {
		return access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: id})
	}
	a, b := as("01890a5d-ac96-774b-bcce-b302099a9001"), as("01890a5d-ac96-774b-bcce-b302099a9002")
	add := func(ctx context.Context, seqNos ...int) {
		t.Helper()
		for _, n := range seqNos {
			if _, err := f.Add(ctx, FavouriteServiceInput{ServiceID: catalogue.ListedID(n)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := func(ctx context.Context, first int, want ...int) {
		t.Helper()
		found, err := f.List(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		got := []int{}
		for _, s := range found {
			got = append(got, *s.SeqNo)
		}
		if diff := cmp.Diff(append([]int{}, want...), got); diff != "" {
			t.Error(diff)
		}
	}
	add(a, 1, 2, 3, 1) // marking again changes nothing, not even the order
	add(b, 9)
	list(a, 10, 3, 2, 1)
	list(a, 2, 3, 2)
	list(b, 10, 9)
	if _, err := f.Remove(b, UnfavouriteServiceInput{ServiceID: catalogue.ListedID(1)}); err != nil {
		t.Fatal(err)
	}
	list(a, 10, 3, 2, 1)
	if _, err := f.Remove(a, UnfavouriteServiceInput{ServiceID: catalogue.ListedID(2)}); err != nil {
		t.Fatal(err)
	}
	list(a, 10, 3, 1)
	marked, err := f.Marked(a, []string{catalogue.ListedID(1), catalogue.ListedID(2), catalogue.ListedID(9)})
	if err != nil || !marked[catalogue.ListedID(1)] || len(marked) != 1 {
		t.Errorf("marked: %v, %v", marked, err)
	}

	// what is hidden takes no place, and comes back with the service
	if _, err := at.Owner.Exec(`UPDATE citizen.service SET publication = 'UNPUBLISHED' WHERE seq_no = 3`); err != nil {
		t.Fatal(err)
	}
	c.Renew(t.Context())
	list(a, 1, 1)
	_, err = f.Add(b, FavouriteServiceInput{ServiceID: catalogue.ListedID(3)})
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("marking a hidden service: %v", err)
	}

	for n := 4; n <= 205; n++ {
		if _, err = f.Add(a, FavouriteServiceInput{ServiceID: catalogue.ListedID(n)}); err != nil {
			break
		}
	}
	if fault.CodeOf(err) != fault.Full {
		t.Errorf("beyond the limit: %v", err)
	}
	add(a, 1) // marked already

	for code, ctx := range map[fault.Code]context.Context{
		fault.Unauthenticated: t.Context(),
		fault.Forbidden:       access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a9001", AreaCode: "510100000000"}),
	} {
		_, err := f.Add(ctx, FavouriteServiceInput{ServiceID: catalogue.ListedID(1)})
		if fault.CodeOf(err) != code {
			t.Errorf("adding: %v, want %s", err, code)
		}
		if _, err := f.List(ctx, 1); fault.CodeOf(err) != code {
			t.Errorf("listing: %v, want %s", err, code)
		}
	}
}
