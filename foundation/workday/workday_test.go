package workday_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/workday"
)

func at(text string) time.Time {
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, workday.Zone)
	if err != nil {
		panic(err)
	}
	return moment
}

func TestDaysAreBeijingDays(t *testing.T) {
	late := time.Date(2026, 11, 24, 16, 30, 0, 0, time.UTC) // half past midnight of the 25th in Beijing
	if got := workday.Day(late); got != "2026-11-25" {
		t.Errorf("got %s", got)
	}
	if got := workday.New(nil).Add(late, 1); got.In(workday.Zone).Day() != 26 {
		t.Errorf("due %s", got)
	}
}

func TestCountIsAddsInverse(t *testing.T) {
	calendar := workday.New(map[string]bool{"2026-11-25": false, "2026-11-28": true})
	from := at("2026-11-23 12:00")
	for days := range 30 {
		if got := calendar.Count(from, calendar.Add(from, days)); got != days {
			t.Errorf("%d work days count as %d", days, got)
		}
	}
	if got := calendar.Count(from, from.AddDate(0, 0, -3)); got != 0 {
		t.Errorf("backwards counts %d", got)
	}
}
