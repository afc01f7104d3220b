package demonstration_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/board"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// measure asks what screens and workbenches ask, and logs the median of the
// times. What PostgreSQL looks at for each has its limit, twice what it was when
// the limit was set: a question that outgrows it has lost its index.
func measure(t *testing.T, db *embeddedtest.Database) {
	t.Helper()
	pool, err := database.Open(t.Context(), db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	clock := func() time.Time { return anchor }
	desk := &feedback.Desk{DB: pool, Clock: clock}
	halls := &activity.Desk{DB: pool, Clock: clock}
	worker := func(area string) context.Context {
		return access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: "0199f000-0000-7000-8000-000000000001", AreaCode: area,
			Roles: []access.Role{access.Leader, access.CommunityWorker}})
	}
	yes := true
	type question struct {
		name  string
		limit int64 // pages of 8 KB that PostgreSQL may look at, whatever the area
		ask   func(ctx context.Context, area string) error
	}
	list := func(f feedback.Filter) func(context.Context, string) error {
		return func(ctx context.Context, area string) error {
			f.AreaCode = area
			_, err := desk.List(ctx, f, keyset.Page{Size: 20})
			return err
		}
	}
	questions := []question{
		{"board", 10_000, func(ctx context.Context, area string) error {
			return pool.Read(ctx, func(tx *sqlx.Tx) error {
				_, err := board.Compute(ctx, tx, area, anchor)
				return err
			})
		}},
		{"statistics", 4000, func(ctx context.Context, area string) error {
			_, err := desk.Statistics(ctx, []string{area})
			return err
		}},
		{"statistics of a month", 120_000, func(ctx context.Context, area string) error {
			_, err := desk.StatisticsBetween(ctx, area, "2026-10-01", "2026-10-31")
			return err
		}},
		{"newest cases", 1500, list(feedback.Filter{})},
		{"open cases", 2000, list(feedback.Filter{States: []feedback.FeedbackState{feedback.Submitted, feedback.InProgress}})},
		{"waiting cases", 8000, list(feedback.Filter{States: []feedback.FeedbackState{feedback.WaitingInfo}})},
		{"refused cases", 15_000, list(feedback.Filter{States: []feedback.FeedbackState{feedback.Rejected}})},
		{"overdue cases", 4000, list(feedback.Filter{Overdue: &yes})},
		{"search, common", 5000, list(feedback.Filter{Search: "路灯"})},
		{"search, nothing", 300, list(feedback.Filter{Search: "恐龙化石"})},
		{"search, rare", 5000, list(feedback.Filter{Search: "公共车位被私自安装地锁"})},
		{"search, two filters", 60_000, list(feedback.Filter{Search: "路灯", States: []feedback.FeedbackState{feedback.Rejected}})},
		{"search, number", 30, list(feedback.Filter{Search: "YJ20260801-000001"})},
		{"activities", 2000, func(ctx context.Context, area string) error {
			_, err := halls.Published(ctx, []string{area}, keyset.Page{Size: 20}, true)
			return err
		}},
	}
	for _, q := range questions {
		for _, area := range []string{"510100000000", "510104000000", "510104017000", "510104017001"} {
			var times []time.Duration
			for range 9 { // for the log alone: a machine may be busy
				start := time.Now()
				if err := q.ask(worker(area), area); err != nil {
					t.Fatalf("%s of %s: %v", q.name, area, err)
				}
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			ctx, work := database.WithWork(worker(area))
			if err := q.ask(ctx, area); err != nil {
				t.Fatalf("%s of %s: %v", q.name, area, err)
			}
			t.Logf("%-24s %s %8.2f ms %8d pages", q.name, area, float64(times[len(times)/2].Microseconds())/1000, work.Pages())
			if work.Pages() > q.limit {
				t.Errorf("%s of %s looks at %d pages, want %d at most:\n%s", q.name, area, work.Pages(), q.limit, work.Plans())
			}
		}
	}
}
