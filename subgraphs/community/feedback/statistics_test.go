package feedback_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// differences compares the roll-ups with the cases: rows that one side has and
// the other has not. The definition of what is counted stands here once more.
const differences = `
WITH raw AS (
	SELECT level.code, c.* FROM community.feedback_case c
	CROSS JOIN LATERAL (VALUES (c.area_code), (left(c.area_code, 9) || '000'), (left(c.area_code, 6) || '000000')) AS level(code)
), tally AS (
	SELECT code, class, state, count(*) AS cases, count(rating) AS rated, count(*) FILTER (WHERE rating >= 4) AS satisfied FROM raw GROUP BY 1, 2, 3
), day AS (
	SELECT code, day::date, sum(submitted) AS submitted, sum(closed) AS closed, sum(due) AS due FROM (
		SELECT code, (created_at + interval '8 hours') AT TIME ZONE 'UTC' AS day, 1 AS submitted, 0 AS closed, 0 AS due FROM raw
		UNION ALL SELECT code, (closed_at + interval '8 hours') AT TIME ZONE 'UTC', 0, 1, 0 FROM raw WHERE state IN ('REPLIED', 'REJECTED', 'DUPLICATE', 'CLOSED')
		UNION ALL SELECT code, (due_at + interval '8 hours') AT TIME ZONE 'UTC', 0, 0, 1 FROM raw
			WHERE state NOT IN ('REPLIED', 'REJECTED', 'DUPLICATE', 'CLOSED', 'WAITING_INFO')
	) AS each GROUP BY code, day::date
), differing AS (
	(SELECT code, class, state, cases, rated, satisfied FROM tally EXCEPT SELECT area_code, class, state, cases, rated, satisfied FROM community.feedback_tally)
	UNION ALL
	(SELECT area_code, class, state, cases, rated, satisfied FROM community.feedback_tally WHERE cases <> 0 EXCEPT SELECT code, class, state, cases, rated, satisfied FROM tally)
	UNION ALL
	(SELECT code, day::text, 'day', submitted, closed, due FROM day EXCEPT SELECT area_code, day::text, 'day', submitted, closed, due FROM community.feedback_day)
	UNION ALL
	(SELECT area_code, day::text, 'day', submitted, closed, due FROM community.feedback_day WHERE (submitted, closed, due) <> (0, 0, 0)
		EXCEPT SELECT code, day::text, 'day', submitted, closed, due FROM day)
) SELECT d::text FROM differing d LIMIT 10`

func (o *office) wantRollUpsExact() {
	o.t.Helper()
	var rows []string
	if err := o.db.Owner.Select(&rows, differences); err != nil {
		o.t.Fatal(err)
	}
	for _, row := range rows {
		o.t.Errorf("the roll-up differs: %s", row)
	}
}

// Random actions, in several communities at once and over several days: after
// each burst the roll-ups are what counting the cases gives.
func TestRollUpsAreExactWhateverHappens(t *testing.T) {
	o := open(t)
	const seed = 7
	places := []string{here, nextDoor, elsewhere, farAway}
	classes := feedback.Classes
	for round := range 6 {
		var group sync.WaitGroup
		for hand := range 8 {
			random := rand.New(rand.NewPCG(seed, uint64(round*100+hand)))
			group.Go(func() {
				place := places[random.IntN(len(places))]
				owner, handler := citizen(t.Context()), worker(t.Context(), place, access.CommunityWorker)
				for range 3 {
					c, err := o.Submit(owner, feedback.SubmitFeedbackInput{AreaID: place, Class: classes[random.IntN(len(classes))], Title: "随机事项", Content: "随机产生的内容"})
					if err != nil {
						t.Errorf("submit: %v", err)
						return
					}
					for range random.IntN(8) {
						next := c.Allowed(access.From(handler), o.clock())
						next = append(next, c.Allowed(access.From(owner), o.clock())...)
						if len(next) == 0 {
							break
						}
						action, ctx := next[random.IntN(len(next))], handler
						if action == feedback.MarkDuplicate {
							continue
						}
						if len(c.Allowed(access.From(owner), o.clock())) > 0 {
							ctx = owner
						}
						if c, err = o.random(ctx, c, action, random); err != nil {
							t.Errorf("%s: %v", action, err)
							return
						}
					}
				}
			})
		}
		group.Wait()
		if round == 3 {
			o.later(11 * day)
			if err := o.KeepDeadlines(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		o.wantRollUpsExact()
		o.later(30 * time.Hour)
	}
	var states int
	if err := o.db.Owner.Get(&states, `SELECT count(DISTINCT state) FROM community.feedback_case`); err != nil {
		t.Fatal(err)
	}
	if states < 7 {
		t.Errorf("only %d states were reached: the test tests too little", states)
	}
	if _, err := o.db.Owner.Exec(`DELETE FROM community.feedback_event; DELETE FROM community.feedback_case WHERE class = 'SAFETY'`); err != nil {
		t.Fatal(err)
	}
	o.wantRollUpsExact()
}

func (o *office) random(ctx context.Context, c *feedback.FeedbackCase, action feedback.FeedbackAction, random *rand.Rand) (*feedback.FeedbackCase, error) {
	if action == feedback.Rate {
		return o.Rate(ctx, feedback.RateFeedbackInput{ID: c.ID, ExpectedVersion: c.Version, Rating: 1 + random.IntN(5)})
	}
	return o.act(ctx, c, action)
}

func TestStatisticsOfTheFourLevels(t *testing.T) {
	o := open(t)
	o.must(o.submitted(here), feedback.Take, feedback.Reply, feedback.Rate)
	o.submitted(here)
	o.submitted(nextDoor)
	o.submitted(elsewhere)
	o.submitted(farAway)
	for _, c := range []struct {
		ctx                 context.Context
		area                string
		total, open, closed int
		code                fault.Code
	}{
		{o.worker, here, 2, 1, 1, ""},
		{o.street, "510104017000", 3, 2, 1, ""},
		{o.district, "510104000000", 4, 3, 1, ""},
		{o.city, "510100000000", 5, 4, 1, ""},
		{o.city, here, 2, 1, 1, ""},
		{o.city, "510105000000", 0, 0, 0, ""},
		{o.worker, nextDoor, 0, 0, 0, fault.NotFound},
		{o.worker, "510104017000", 0, 0, 0, fault.NotFound},
		{o.otherDistrict, "510104000000", 0, 0, 0, fault.NotFound},
		{o.district, "510100000000", 0, 0, 0, fault.NotFound},
		{o.citizen, here, 0, 0, 0, fault.Forbidden},
		{o.auditor, here, 0, 0, 0, fault.Forbidden},
	} {
		for _, from := range []string{"", "2026-11-24"} { // from the roll-ups, and from the cases
			got, err := o.StatisticsBetween(c.ctx, c.area, from, "")
			wantCode(t, err, c.code)
			if err == nil && (got.Total != c.total || got.Open != c.open || got.Closed != c.closed) {
				t.Errorf("%s from %q: %d, %d, %d; want %+v", c.area, from, got.Total, got.Open, got.Closed, c)
			}
		}
	}
	got, err := o.StatisticsBetween(o.city, "510100000000", "", "2026-11-23")
	if err != nil || got.Total != 0 {
		t.Errorf("before the first day: %+v, %v", got, err)
	}
	wantCode(t, second(o.StatisticsBetween(o.city, here, "yesterday", "")), fault.InvalidInput)
}

func TestStatisticsOfManyAreasAreTwoReads(t *testing.T) {
	o := open(t)
	o.submitted(here)
	o.submitted(elsewhere)
	for _, areas := range [][]string{{here}, {here, elsewhere, "510104017000", "510100000000", here}} {
		ctx, counter := database.WithCounter(o.city)
		all, err := o.Statistics(ctx, areas)
		if err != nil {
			t.Fatal(err)
		}
		if got := counter.Statements(); got != 2 {
			t.Errorf("%d areas took %d statements", len(areas), got)
		}
		if len(areas) == 5 {
			var totals []int
			for _, s := range all {
				totals = append(totals, s.Total)
			}
			if diff := cmp.Diff([]int{1, 1, 1, 2, 1}, totals); diff != "" {
				t.Error(diff)
			}
		}
	}
}
