package place_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/place"
)

const (
	here = "510104017001"
	next = "510104017002"
)

// world is a platform with places alone.
type world struct {
	*place.Service
	t        testing.TB
	database *embeddedtest.Database
	at       time.Time
}

// noon is a Wednesday's, in Beijing.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, workday.Zone)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, at: noon, database: embeddedtest.Open(t, migrations.FS)}
	db, err := database.Open(t.Context(), w.database.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.Service = &place.Service{DB: db, Now: func() time.Time { return w.at }}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// as is a context of a worker of the area with the role.
func (w *world) as(code string, role access.Role) context.Context {
	return access.With(w.t.Context(), &access.Principal{Kind: access.Worker, ID: "00000000-0000-7000-8000-000000000001", AreaCode: code, Roles: []access.Role{role}})
}

// hall describes a place so many metres east of the middle.
func hall(east float64) place.Description {
	return place.Description{Name: "水井坊便民服务中心", Kind: place.ServiceHall, AreaID: here, Address: "锦江区水井街 8 号",
		Longitude: 104.08 + east/95_700, Latitude: 30.65, Datum: position.CGCS2000}
}

// make makes a place.
func (w *world) make(d place.Description) *place.Place {
	w.t.Helper()
	p, err := w.Create(w.as(here, access.CommunityWorker), d)
	w.must(err)
	return p
}

func around(metres int) place.NearbyPlacesInput {
	return place.NearbyPlacesInput{Longitude: 104.08, Latitude: 30.65, Datum: position.CGCS2000, RadiusMetres: metres}
}

// all reads all pages of so many places, each a new cursor.
func all(t testing.TB, size int, ask func(keyset.Page) (place.Page, error)) []*place.Place {
	t.Helper()
	var found []*place.Place
	var after *string
	for range 10_000 {
		page, err := keyset.Parse(&size, after, place.KeyColumns)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ask(page)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, got.Places...)
		if !got.Info.HasNextPage {
			return found
		}
		after = got.Info.EndCursor
	}
	t.Fatal("the pages do not end")
	return nil
}

// refused says which code and field an error has.
func refused(err error) string {
	if f, ok := err.(*fault.Fault); ok {
		return fmt.Sprint(f.Code, " ", f.Field)
	}
	return fmt.Sprint(err)
}
