package feedback

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// FeedbackStatistics counts the cases of an area and all below it.
type FeedbackStatistics struct {
	AreaCode        string
	Overdue         int
	ByClassAndState []*FeedbackCount // without zeros
	Total           int
	Open            int
	Closed          int
	rated           int
	satisfied       int
}

// FeedbackCount is the number of cases of a class and a state.
type FeedbackCount struct {
	AreaCode  string        `db:"area_code"`
	Class     FeedbackClass `db:"class"`
	State     FeedbackState `db:"state"`
	Count     int           `db:"cases"`
	Rated     int           `db:"rated"`
	Satisfied int           `db:"satisfied"`
}

// FeedbackClassCount is the number of cases of a class.
type FeedbackClassCount struct {
	Class FeedbackClass
	Count int
}

// FeedbackStateCount is the number of cases in a state.
type FeedbackStateCount struct {
	State FeedbackState
	Count int
}

func (s *FeedbackStatistics) add(c *FeedbackCount) {
	s.ByClassAndState = append(s.ByClassAndState, c)
	s.Total += c.Count
	if c.State.Open() {
		s.Open += c.Count
	} else {
		s.Closed += c.Count
	}
	s.rated += c.Rated
	s.satisfied += c.Satisfied
}

// ClosedRate is the share of cases with a result in percent; nil without cases.
func (s *FeedbackStatistics) ClosedRate() *float64 { return Percent(s.Closed, s.Total) }

// Satisfaction is the share of ratings with four or five stars in percent; nil
// without ratings.
func (s *FeedbackStatistics) Satisfaction() *float64 { return Percent(s.satisfied, s.rated) }

// ByClass counts per class, in the order of the schema, with zeros.
func (s *FeedbackStatistics) ByClass() []*FeedbackClassCount {
	counts := map[FeedbackClass]int{}
	for _, c := range s.ByClassAndState {
		counts[c.Class] += c.Count
	}
	list := make([]*FeedbackClassCount, len(Classes))
	for i, class := range Classes {
		list[i] = &FeedbackClassCount{Class: class, Count: counts[class]}
	}
	return list
}

// ByState counts per state, in the order of a case's life, with zeros.
func (s *FeedbackStatistics) ByState() []*FeedbackStateCount {
	counts := map[FeedbackState]int{}
	for _, c := range s.ByClassAndState {
		counts[c.State] += c.Count
	}
	list := make([]*FeedbackStateCount, len(States))
	for i, state := range States {
		list[i] = &FeedbackStateCount{State: state, Count: counts[state]}
	}
	return list
}

// Percent is part of whole in percent, to one decimal; nil when whole is 0.
func Percent(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	rounded := float64((part*1000+whole/2)/whole) / 10
	return &rounded
}

// Statistics counts for each of the areas, in their order, from the roll-ups;
// two store calls. Areas out of the principal's scope are refused as a whole.
func (s *Desk) Statistics(ctx context.Context, codes []string) (all []*FeedbackStatistics, err error) {
	for _, code := range codes {
		if err := Scope(ctx, access.FeedbackView, code); err != nil {
			return nil, err
		}
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		all, err = Tally(ctx, tx, codes, s.now())
		return err
	})
	return all, err
}

// Tally reads the roll-ups of the areas, in their order; two statements.
func Tally(ctx context.Context, tx sqlx.QueryerContext, codes []string, now time.Time) ([]*FeedbackStatistics, error) {
	asked, counted := expand(codes)
	var counts []*FeedbackCount
	err := sqlx.SelectContext(ctx, tx, &counts,
		`SELECT a.asked AS area_code, t.class, t.state, sum(t.cases) AS cases, sum(t.rated) AS rated, sum(t.satisfied) AS satisfied
		FROM unnest($1::text[], $2::text[]) AS a(asked, counted) JOIN community.feedback_tally t ON t.area_code = a.counted
		GROUP BY a.asked, t.class, t.state HAVING sum(t.cases) <> 0 ORDER BY t.class, t.state`,
		pq.Array(asked), pq.Array(counted))
	if err != nil {
		return nil, fmt.Errorf("feedback: reading the tally: %w", err)
	}
	var late []struct {
		AreaCode string `db:"area_code"`
		Due      int    `db:"due"`
	}
	err = sqlx.SelectContext(ctx, tx, &late,
		`SELECT a.asked AS area_code, sum(d.due) AS due
		FROM unnest($1::text[], $2::text[]) AS a(asked, counted) JOIN community.feedback_day d ON d.area_code = a.counted
		WHERE d.due <> 0 AND d.day < $3::date GROUP BY a.asked`,
		pq.Array(asked), pq.Array(counted), workday.Day(now))
	if err != nil {
		return nil, fmt.Errorf("feedback: reading what is overdue: %w", err)
	}
	byArea := map[string]*FeedbackStatistics{}
	all := make([]*FeedbackStatistics, len(codes))
	for i, code := range codes {
		if byArea[code] == nil {
			byArea[code] = &FeedbackStatistics{AreaCode: code}
		}
		all[i] = byArea[code]
	}
	for _, c := range counts {
		byArea[c.AreaCode].add(c)
	}
	for _, l := range late {
		byArea[l.AreaCode].Overdue = l.Due
	}
	return all, nil
}

// expand pairs each area, once, with the areas whose roll-ups add up to it.
func expand(codes []string) (asked, counted []string) {
	seen := map[string]bool{}
	for _, code := range codes {
		if seen[code] {
			continue
		}
		seen[code] = true
		for _, part := range area.Counted(code) {
			asked, counted = append(asked, code), append(counted, part)
		}
	}
	return asked, counted
}

// StatisticsBetween counts the area's cases that were submitted from the first
// day to the last one (YYYY-MM-DD, "" for no bound), from the cases themselves;
// without bounds, from the roll-ups.
func (s *Desk) StatisticsBetween(ctx context.Context, code, from, to string) (*FeedbackStatistics, error) {
	if from == "" && to == "" {
		all, err := s.Statistics(ctx, []string{code})
		if err != nil {
			return nil, err
		}
		return all[0], nil
	}
	if err := Scope(ctx, access.FeedbackView, code); err != nil {
		return nil, err
	}
	q := query{}
	q.within(code)
	if from != "" {
		first, err := workday.Parse(from)
		if err != nil {
			return nil, fault.Invalid("from", "日期格式应为 2026-03-01")
		}
		q.where("created_at >= ", first)
	}
	if to != "" {
		last, err := workday.Parse(to)
		if err != nil {
			return nil, fault.Invalid("to", "日期格式应为 2026-03-01")
		}
		q.where("created_at < ", last.AddDate(0, 0, 1))
	}
	statistics := &FeedbackStatistics{AreaCode: code}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		var counts []struct {
			FeedbackCount
			Late int `db:"late"`
		}
		err := tx.SelectContext(ctx, &counts,
			`SELECT class, state, count(*) AS cases, count(rating) AS rated, count(*) FILTER (WHERE rating >= 4) AS satisfied,
				count(*) FILTER (WHERE closed_at IS NULL AND waiting_since IS NULL AND due_at < `+q.bind(s.now())+`) AS late
			FROM community.feedback_case`+q.text()+` GROUP BY class, state ORDER BY class, state`, q.args...)
		if err != nil {
			return fmt.Errorf("feedback: counting between days: %w", err)
		}
		for i := range counts {
			statistics.add(&counts[i].FeedbackCount)
			statistics.Overdue += counts[i].Late
		}
		return nil
	})
	return statistics, err
}
