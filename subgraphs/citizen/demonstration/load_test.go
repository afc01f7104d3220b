package demonstration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

func TestLoad(t *testing.T) {
	anchor := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	sums := []string{}
	for range 2 { // the same each time, whenever and wherever
		at := embeddedtest.Open(t, migrations.FS)
		cast := demonstration.New(demonstration.Demo, anchor)
		for range 2 { // the second run finds the marker
			if err := Load(t.Context(), at.Owner, cast); err != nil {
				t.Fatal(err)
			}
		}
		var sum string
		err := at.Owner.Get(&sum, `SELECT concat_ws(' ', (SELECT count(*) FROM citizen.service),
			(SELECT md5(string_agg(f::text, '' ORDER BY citizen_id, service_id)) FROM citizen.favourite f),
			(SELECT md5(string_agg(r::text, '' ORDER BY citizen_id, service_id)) FROM citizen.recent_use r),
			(SELECT md5(string_agg(p::text, '' ORDER BY area_code, service_id)) FROM citizen.popularity p))`)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
		var n int
		err = at.Owner.Get(&n, `SELECT count(DISTINCT area_code) FROM citizen.popularity`)
		if err != nil || n != 4 {
			t.Errorf("popularity in %d areas, %v, want three districts and the city", n, err)
		}
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" {
		t.Errorf("two loadings differ: %s", diff)
	}
}

func TestNoneLoadsTheCatalogueAlone(t *testing.T) {
	at := embeddedtest.Open(t, migrations.FS)
	if err := Load(t.Context(), at.Owner, demonstration.New(demonstration.None, time.Now())); err != nil {
		t.Fatal(err)
	}
	var services, favourites int
	if err := at.Owner.Get(&services, `SELECT count(*) FROM citizen.service WHERE publication = 'PUBLISHED'`); err != nil {
		t.Fatal(err)
	}
	if err := at.Owner.Get(&favourites, `SELECT count(*) FROM citizen.favourite`); err != nil {
		t.Fatal(err)
	}
	if services != 230 || favourites != 0 {
		t.Errorf("%d services and %d favourites", services, favourites)
	}
}
