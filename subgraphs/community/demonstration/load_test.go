package demonstration_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	cast "github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
)

var anchor = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// legal are the steps that a history may show, from the state machine.
var legal = map[string]bool{
	" SUBMIT SUBMITTED": true, "SUBMITTED ASSIGN ASSIGNED": true, "REOPENED ASSIGN ASSIGNED": true, "ASSIGNED TAKE IN_PROGRESS": true,
	"IN_PROGRESS REQUEST_INFO WAITING_INFO": true, "WAITING_INFO SUPPLY_INFO IN_PROGRESS": true, "IN_PROGRESS REPLY REPLIED": true,
	"SUBMITTED REJECT REJECTED": true, "SUBMITTED MARK_DUPLICATE DUPLICATE": true, "REPLIED REOPEN REOPENED": true, "REPLIED CLOSE CLOSED": true,
	"REPLIED RATE REPLIED": true, "REJECTED RATE REJECTED": true,
}

func TestDemonstrationIsAPossibleStory(t *testing.T) {
	db := embeddedtest.Open(t, migrations.FS)
	story := cast.New(cast.Demo, anchor)
	for range 2 { // the second does nothing
		if err := demonstration.Load(t.Context(), db.Owner, story); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(query string) (n int) {
		t.Helper()
		if err := db.Owner.Get(&n, query); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM community.feedback_case`:                                                                                                                 3000,
		`SELECT count(*) FROM community.activity`:                                                                                                                      300,
		`SELECT sum(cases) FROM community.feedback_tally WHERE area_code LIKE '%000000'`:                                                                               3000,
		`SELECT sum(submitted) FROM community.feedback_day WHERE area_code LIKE '%000000'`:                                                                             3000,
		`SELECT count(*) FROM community.feedback_case WHERE created_at > '2026-11-24' OR updated_at > '2026-11-24'`:                                                    0,
		`SELECT count(*) FROM community.feedback_event WHERE at > '2026-11-24'`:                                                                                        0,
		`SELECT count(*) FROM community.registration WHERE registered_at > '2026-11-24'`:                                                                               0,
		`SELECT count(*) FROM community.feedback_case WHERE state = 'REPLIED' AND closed_at < timestamptz '2026-11-24' - interval '10 days'`:                           0,
		`SELECT count(*) FROM community.feedback_case c WHERE state <> (SELECT to_state FROM community.feedback_event WHERE case_id = c.id ORDER BY seq DESC LIMIT 1)`: 0,
		`SELECT count(*) FROM (SELECT lag(to_state) OVER (PARTITION BY case_id ORDER BY seq) AS before, from_state, lag(at) OVER (PARTITION BY case_id ORDER BY seq) AS earlier, at
			FROM community.feedback_event) e WHERE before IS DISTINCT FROM from_state OR earlier > at`: 0,
		`SELECT count(*) FROM community.activity a WHERE confirmed_count <> (SELECT count(*) FROM community.registration WHERE activity_id = a.id AND state IN ('CONFIRMED', 'ATTENDED', 'ABSENT'))`: 0,
		`SELECT count(*) FROM pg_class WHERE relname IN ('feedback_case', 'feedback_event', 'activity', 'registration') AND relforcerowsecurity`:                                                     4,
		`SELECT count(*) FROM pg_constraint WHERE conname = 'feedback_event_case_id_fkey' AND convalidated`:                                                                                          1,
		`SELECT count(*) FROM community.outbox o FULL JOIN (SELECT id FROM community.feedback_case WHERE closed_at IS NULL) c
			ON o.subject = 'community.workflow.requested' AND o.payload->>'subjectId' = c.id::text WHERE o.seq IS NULL OR c.id IS NULL`: 0,
	} {
		if got := ask(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for query, least := range map[string]int{
		`SELECT count(*) FROM community.feedback_case WHERE citizen_id = '` + story.Citizen(0).ID + `'`:                                                   4,
		`SELECT count(DISTINCT state) FROM community.feedback_case`:                                                                                       7,
		`SELECT count(*) FROM community.feedback_case WHERE closed_at IS NULL`:                                                                            40,
		`SELECT count(*) FROM community.feedback_case WHERE closed_at IS NULL AND waiting_since IS NULL AND due_at < '2026-11-24'`:                        3,
		`SELECT count(*) FROM community.activity WHERE state = 'PUBLISHED' AND starts_at > '2026-11-24' AND area_code = '` + story.Communities()[0] + `'`: 2,
		`SELECT count(*) FROM community.activity WHERE waitlisted_count > 0`:                                                                              5,
	} {
		if got := ask(query); got < least {
			t.Errorf("%s: %d, want %d at least", query, got, least)
		}
	}
	var steps []string
	if err := db.Owner.Select(&steps, `SELECT DISTINCT coalesce(from_state, '') || ' ' || action || ' ' || to_state FROM community.feedback_event`); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if !legal[step] {
			t.Errorf("a history shows the illegal step %q", step)
		}
	}
}

func TestTheSameStoryEachTime(t *testing.T) {
	digest := func() (digests []string) {
		db := embeddedtest.Open(t, migrations.FS)
		if err := demonstration.Load(t.Context(), db.Owner, cast.New(cast.Demo, anchor.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"feedback_case", "feedback_event", "activity", "registration"} {
			var sum string
			if err := db.Owner.Get(&sum, `SELECT md5(string_agg(r::text, '' ORDER BY r.id)) FROM community.`+table+` r`); err != nil {
				t.Fatal(err)
			}
			digests = append(digests, sum)
		}
		return digests
	}
	if diff := cmp.Diff(digest(), digest()); diff != "" {
		t.Error(diff)
	}
}

// At the city's scale the load and the questions must still be quick. It takes
// a minute, so it runs only when asked for.
func TestCity(t *testing.T) {
	if os.Getenv("CITIZENCLOUD_TEST_CITY") == "" {
		t.Skip("set CITIZENCLOUD_TEST_CITY=1 to load the whole city")
	}
	db := embeddedtest.Open(t, migrations.FS)
	start := time.Now()
	if err := demonstration.Load(t.Context(), db.Owner, cast.New(cast.City, anchor)); err != nil {
		t.Fatal(err)
	}
	t.Logf("loaded in %s", time.Since(start).Round(time.Millisecond))
	measure(t, db)
}
