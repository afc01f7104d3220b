package demonstration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/supply/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
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
		err := at.Owner.Get(&sum, `SELECT concat_ws(' ',
			(SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM supply.participant p),
			(SELECT md5(string_agg(s::text, '' ORDER BY id)) FROM supply.community_service s),
			(SELECT md5(string_agg(d::text, '' ORDER BY service_id, area_code)) FROM supply.distribution d),
			(SELECT md5(string_agg(d::text, '' ORDER BY id)) FROM supply.demand d),
			(SELECT count(*) FROM supply.history))`)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
		var codes []string
		if err := at.Owner.Select(&codes, `SELECT uscc FROM supply.participant`); err != nil || len(codes) != 60 {
			t.Fatal(len(codes), err)
		}
		for _, code := range codes {
			if !participant.ValidUSCC(code) {
				t.Errorf("code %s", code)
			}
		}
		for what, query := range map[string]string{
			"versions that are not the lines of their history": `SELECT count(*) FROM (
				SELECT id, version FROM supply.participant UNION ALL SELECT id, version FROM supply.community_service UNION ALL SELECT id, version FROM supply.demand
				) x WHERE version <> (SELECT count(*) FROM supply.history WHERE subject_id = x.id)`,
			"services on the shelves of participants that do not take part": `SELECT count(*) FROM supply.community_service s JOIN supply.participant p ON p.id = s.participant_id
				WHERE s.offered <> (p.state IN ('APPROVED', 'CHANGE_REVIEW'))`,
			"demands matched with what is not listed": `SELECT count(*) FROM supply.demand d JOIN supply.community_service s ON s.id = d.community_service_id WHERE s.state <> 'LISTED'`,
			"open demands that are over":              `SELECT count(*) FROM supply.demand WHERE state = 'OPEN' AND window_to < '2026-03-11'`,
		} {
			var n int
			if err := at.Owner.Get(&n, query); err != nil || n != 0 {
				t.Errorf("%d %s, %v", n, what, err)
			}
		}
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" {
		t.Errorf("two loadings differ: %s", diff)
	}
}

func TestNoneLoadsNothing(t *testing.T) {
	at := embeddedtest.Open(t, migrations.FS)
	if err := Load(t.Context(), at.Owner, demonstration.New(demonstration.None, time.Now())); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := at.Owner.Get(&n, `SELECT count(*) FROM supply.participant`); err != nil || n != 0 {
		t.Errorf("%d participants, %v", n, err)
	}
}
