// Package workday counts work days 工作日: Monday to Friday, less the public
// holidays, plus the weekends that make up for them. The State Council
// announces both once a year; who counts keeps them in a table.
//
// Start reading at Calendar.Add.
package workday

import "time"

// Zone is Beijing time, which has no daylight saving. All days are
// days of this zone.
var Zone = time.FixedZone("Asia/Shanghai", 8*60*60)

// Calendar knows the days that depart from the plain week.
type Calendar struct {
	departures map[string]bool // day → is work
}

// dateLayout is how days are written, in SQL and in GraphQL's Date.
const dateLayout = "2006-01-02"

// Day writes the moment's day in Beijing.
func Day(at time.Time) string { return at.In(Zone).Format(dateLayout) }

// Start is the first moment of the moment's day in Beijing.
func Start(at time.Time) time.Time {
	year, month, day := at.In(Zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, Zone)
}

// Parse reads a day written YYYY-MM-DD as its first moment.
func Parse(day string) (time.Time, error) { return time.ParseInLocation(dateLayout, day, Zone) }

// New makes a calendar of the given departures: day (YYYY-MM-DD) → is work.
func New(departures map[string]bool) Calendar { return Calendar{departures: departures} }

// fixed are the statutory holidays that no yearly announcement moves. They hold
// in years whose announcement is not in the table yet.
var fixed = map[string]bool{"01-01": true, "05-01": true, "05-02": true, "10-01": true, "10-02": true, "10-03": true}

// IsWork says whether the moment's day is a work day.
func (c Calendar) IsWork(at time.Time) bool {
	at = at.In(Zone)
	if work, departs := c.departures[at.Format(dateLayout)]; departs {
		return work
	}
	if fixed[at.Format("01-02")] {
		return false
	}
	return at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
}

// Add gives the end (the last second) of the day that lies so many work days
// after the moment's day, which itself does not count: what comes in on Friday
// with one work day's time is due at the end of Monday.
func (c Calendar) Add(at time.Time, days int) time.Time {
	day := Start(at)
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if c.IsWork(day) {
			days--
		}
	}
	return day.AddDate(0, 0, 1).Add(-time.Second).UTC()
}

// Count is the number of work days after from's day up to and with to's day;
// 0 when to is not later.
func (c Calendar) Count(from, to time.Time) int {
	count, last := 0, Start(to)
	for day := Start(from).AddDate(0, 0, 1); !day.After(last); day = day.AddDate(0, 0, 1) {
		if c.IsWork(day) {
			count++
		}
	}
	return count
}
