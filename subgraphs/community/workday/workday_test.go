package workday_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

func at(text string) time.Time {
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, workday.Zone)
	if err != nil {
		panic(err)
	}
	return moment
}

func TestTimeLimitsSkipWeekendsAndHolidays(t *testing.T) {
	db := embeddedtest.Open(t, migrations.FS)
	calendar, err := workday.Between(t.Context(), db.App, at("2026-01-01 00:00"), at("2026-12-31 00:00"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from string
		days int
		due  string
	}{
		{"2026-11-24 10:00", 1, "2026-11-25"}, // Tuesday → Wednesday
		{"2026-11-27 10:00", 1, "2026-11-30"}, // Friday → Monday
		{"2026-11-28 10:00", 1, "2026-11-30"}, // Saturday → Monday
		{"2026-09-30 17:00", 1, "2026-10-08"}, // over National Day
		{"2026-09-30 17:00", 3, "2026-10-10"}, // the Saturday that makes up for it counts
		{"2026-02-13 09:00", 2, "2026-02-24"}, // Saturday the 14th is work, then Spring Festival
		{"2026-09-18 09:00", 1, "2026-09-20"}, // Sunday, worked
		{"2026-11-24 23:59", 0, "2026-11-24"},
		{"2026-12-31 10:00", 1, "2027-01-04"}, // no announcement for 2027: New Year's Day is fixed, then a weekend
	} {
		got := calendar.Add(at(c.from), c.days)
		if want := at(c.due+" 00:00").AddDate(0, 0, 1).Add(-time.Second); !got.Equal(want) {
			t.Errorf("%s and %d work days is due %s, want %s", c.from, c.days, got, want)
		}
	}
}
