// Package workday keeps the calendar of work days 工作日, which
// foundation/workday counts by: the table community.workday, which the
// administrator extends. Each change is told to the other subgraphs.
//
// Start reading at Read; the administrator's part is Desk in desk.go.
package workday

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/workday"
)

// Zone is Beijing time. All of the community's days are days of this zone.
var Zone = workday.Zone

// horizon is how far ahead a calendar is read; the longest time limit, over
// the longest holidays, is far below it.
const horizon = 90 * 24 * time.Hour

// Calendar knows the days that depart from the plain week.
type Calendar = workday.Calendar

// Day writes the moment's day in Beijing.
func Day(at time.Time) string { return workday.Day(at) }

// Start is the first moment of the moment's day in Beijing.
func Start(at time.Time) time.Time { return workday.Start(at) }

// Parse reads a day written YYYY-MM-DD as its first moment.
func Parse(day string) (time.Time, error) { return workday.Parse(day) }

// New makes a calendar of the given departures: day (YYYY-MM-DD) → is work.
func New(departures map[string]bool) Calendar { return workday.New(departures) }

// Read reads the calendar of the months after the day.
func Read(ctx context.Context, q sqlx.QueryerContext, from time.Time) (Calendar, error) {
	return Between(ctx, q, from, from.Add(horizon))
}

// Between reads the calendar of the days from the first to the last moment.
func Between(ctx context.Context, q sqlx.QueryerContext, first, last time.Time) (Calendar, error) {
	var rows []struct {
		Day  time.Time `db:"day"`
		Work bool      `db:"work"`
	}
	err := sqlx.SelectContext(ctx, q, &rows,
		`SELECT day, work FROM community.workday WHERE day BETWEEN $1::date AND $2::date`, Day(first), Day(last))
	if err != nil {
		return Calendar{}, fmt.Errorf("workday: reading the calendar: %w", err)
	}
	departures := make(map[string]bool, len(rows))
	for _, row := range rows {
		departures[row.Day.Format(time.DateOnly)] = row.Work
	}
	return New(departures), nil
}
