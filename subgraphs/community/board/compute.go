package board

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// Compute reads the area's board in one snapshot; five statements, whatever the
// number of cases.
func Compute(ctx context.Context, tx sqlx.QueryerContext, code string, now time.Time) (*Board, error) {
	children := area.Children(code)
	counts, err := feedback.Tally(ctx, tx, append([]string{code}, children...), now)
	if err != nil {
		return nil, err
	}
	own := counts[0]
	b := &Board{AreaCode: code, GeneratedAt: now, ByState: own.ByState(), ByClass: own.ByClass(), Ranking: rank(counts[1:])}
	slices.SortStableFunc(b.ByClass, func(x, y *feedback.FeedbackClassCount) int { return cmp.Compare(y.Count, x.Count) })
	b.Totals = &BoardTotals{Total: own.Total, Open: own.Open, Closed: own.Closed, Overdue: own.Overdue,
		ClosedRate: own.ClosedRate(), Satisfaction: own.Satisfaction()}
	if b.Trend, err = trend(ctx, tx, code, now); err != nil {
		return nil, err
	}
	today := b.Trend[len(b.Trend)-1]
	b.Totals.SubmittedToday, b.Totals.ClosedToday = today.Submitted, today.Closed
	if b.Feed, err = feed(ctx, tx, code); err != nil {
		return nil, err
	}
	b.Totals.Activities, b.Totals.Registrations, err = activity.Upcoming(ctx, tx, code, now)
	return b, err
}

// rank orders the areas that have cases: by closed rate, then satisfaction,
// then number of cases; codes decide last, so that the order is stable.
func rank(areas []*feedback.FeedbackStatistics) []*AreaRank {
	ranking := []*AreaRank{}
	for _, a := range areas {
		if a.Total > 0 {
			ranking = append(ranking, &AreaRank{AreaCode: a.AreaCode, Total: a.Total, Open: a.Open, ClosedRate: *a.ClosedRate(), Satisfaction: a.Satisfaction()})
		}
	}
	known := func(rate *float64) float64 {
		if rate == nil {
			return -1
		}
		return *rate
	}
	slices.SortFunc(ranking, func(x, y *AreaRank) int {
		return cmp.Or(cmp.Compare(y.ClosedRate, x.ClosedRate), cmp.Compare(known(y.Satisfaction), known(x.Satisfaction)),
			cmp.Compare(y.Total, x.Total), cmp.Compare(x.AreaCode, y.AreaCode))
	})
	for i, r := range ranking {
		r.Rank = i + 1
	}
	return ranking
}

func trend(ctx context.Context, tx sqlx.QueryerContext, code string, now time.Time) ([]*BoardTrendDay, error) {
	first := workday.Start(now).AddDate(0, 0, 1-trendDays)
	days := make([]*BoardTrendDay, trendDays)
	byDate := map[string]*BoardTrendDay{}
	for i := range days {
		days[i] = &BoardTrendDay{Date: workday.Day(first.AddDate(0, 0, i))}
		byDate[days[i].Date] = days[i]
	}
	var rows []struct {
		Day       time.Time `db:"day"`
		Submitted int       `db:"submitted"`
		Closed    int       `db:"closed"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows,
		`SELECT day, sum(submitted) AS submitted, sum(closed) AS closed FROM community.feedback_day
		WHERE area_code = ANY($1) AND day BETWEEN $2::date AND $3::date GROUP BY day`,
		pq.Array(area.Counted(code)), days[0].Date, days[trendDays-1].Date)
	if err != nil {
		return nil, fmt.Errorf("board: reading the trend: %w", err)
	}
	for _, row := range rows {
		day := byDate[row.Day.Format("2006-01-02")]
		day.Submitted, day.Closed = row.Submitted, row.Closed
	}
	return days, nil
}

// feed reads the newest lines of the cases' histories. The index of the area's
// level gives them in order.
func feed(ctx context.Context, tx sqlx.QueryerContext, code string) ([]*BoardFeedItem, error) {
	where, args := "", []any{}
	switch division.LevelOf(code) {
	case division.City: // all there is
	case division.District:
		where, args = "WHERE e.district = $1", append(args, division.Prefix(code))
	case division.Street:
		where, args = "WHERE e.street = $1", append(args, division.Prefix(code))
	default:
		where, args = "WHERE e.area_code = $1", append(args, code)
	}
	items := []*BoardFeedItem{}
	err := sqlx.SelectContext(ctx, tx, &items,
		`SELECT e.id, e.at, e.action, e.to_state, e.area_code, c.number, c.class, c.title
		FROM (SELECT e.id, e.at, e.action, e.to_state, e.area_code, e.case_id FROM community.feedback_event e `+where+`
			ORDER BY e.at DESC, e.id DESC LIMIT 20) AS e
		JOIN community.feedback_case c ON c.id = e.case_id ORDER BY e.at DESC, e.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("board: reading the feed: %w", err)
	}
	for _, item := range items {
		item.Title = redact(item.Title)
	}
	return items, nil
}

// redact hides what may be a telephone, card or house number: five digits or
// more in a row (full-width ones too, and however spaced).
func redact(title string) string {
	shown := []rune(title)
	for i := 0; i < len(shown); {
		end, digits := i, 0
		for end < len(shown) && (isDigit(shown[end]) || digits > 0 && (shown[end] == ' ' || shown[end] == '-')) {
			if isDigit(shown[end]) {
				digits++
			}
			end++
		}
		if digits >= 5 {
			for j := i; j < end; j++ {
				if isDigit(shown[j]) {
					shown[j] = '*'
				}
			}
		}
		i = max(end, i+1)
	}
	return string(shown)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }
