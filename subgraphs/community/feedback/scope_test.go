package feedback_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// seers says of each person whether a case of the place is theirs to see.
func (o *office) seers() map[string]struct {
	ctx context.Context
	may map[string]bool
} {
	type seer = struct {
		ctx context.Context
		may map[string]bool
	}
	only := func(places ...string) map[string]bool {
		may := map[string]bool{}
		for _, place := range places {
			may[place] = true
		}
		return may
	}
	return map[string]seer{
		"owner":           {o.citizen, only(here, nextDoor, elsewhere, farAway)},
		"neighbour":       {o.neighbour, only()},
		"worker here":     {o.worker, only(here)},
		"worker nextDoor": {o.nextDoorWorker, only(nextDoor)},
		"street":          {o.street, only(here, nextDoor)},
		"other street":    {o.otherStreet, only(elsewhere)},
		"district":        {o.district, only(here, nextDoor, elsewhere)},
		"other district":  {o.otherDistrict, only(farAway)},
		"city":            {o.city, only(here, nextDoor, elsewhere, farAway)},
		"auditor":         {o.auditor, only()},
	}
}

func TestEachSeesTheirScopeOnly(t *testing.T) {
	eachWall(t, eachSeesTheirScopeOnly)
}

func eachSeesTheirScopeOnly(t *testing.T, o *office) {
	cases := map[string]*feedback.FeedbackCase{}
	for _, place := range []string{here, nextDoor, elsewhere, farAway} {
		cases[place] = o.submitted(place)
	}
	for name, seer := range o.seers() {
		for place, c := range cases {
			got, err := o.Case(seer.ctx, c.ID)
			if seer.may[place] {
				if err != nil || got.ID != c.ID {
					t.Errorf("%s does not see %s: %v", name, place, err)
				}
			} else if fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%s asks for %s: got %v, %v, want NOT_FOUND", name, place, got, err)
			}
		}
	}
	if _, err := o.Case(t.Context(), cases[here].ID); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("nobody signed in: %v", err)
	}
}

func TestListsHoldTheScopeOnly(t *testing.T) {
	eachWall(t, listsHoldTheScopeOnly)
}

func listsHoldTheScopeOnly(t *testing.T, o *office) {
	for _, place := range []string{here, here, nextDoor, elsewhere, farAway} {
		o.submitted(place)
	}
	for _, c := range []struct {
		ctx  context.Context
		area string
		want int
		code fault.Code
	}{
		{o.worker, "", 2, ""},
		{o.worker, here, 2, ""},
		{o.worker, nextDoor, 0, fault.NotFound},
		{o.worker, "510104017000", 0, fault.NotFound},
		{o.street, "", 3, ""},
		{o.street, nextDoor, 1, ""},
		{o.street, elsewhere, 0, fault.NotFound},
		{o.district, "", 4, ""},
		{o.district, "510104018000", 1, ""},
		{o.city, "", 5, ""},
		{o.city, "510107000000", 1, ""},
		{o.city, "110000000000", 0, fault.NotFound},
		{o.auditor, "", 0, fault.Forbidden},
		{o.citizen, "", 0, fault.Forbidden},
		{t.Context(), "", 0, fault.Unauthenticated},
	} {
		got, err := o.List(c.ctx, feedback.Filter{AreaCode: c.area}, keyset.Page{Size: 20})
		if fault.CodeOf(err) != c.code || len(got) != c.want {
			t.Errorf("%s asks for %q: %d cases, %v; want %d, %s", name(c.ctx), c.area, len(got), err, c.want, c.code)
		}
	}
	own, err := o.OfCitizen(o.citizen, access.From(o.citizen).ID, keyset.Page{Size: 20})
	if err != nil || len(own) != 5 {
		t.Errorf("the citizen has %d cases, %v", len(own), err)
	}
	for _, stranger := range []context.Context{o.neighbour, o.worker, o.city} {
		_, err := o.OfCitizen(stranger, access.From(o.citizen).ID, keyset.Page{Size: 20})
		wantCode(t, err, fault.Forbidden)
	}
}

func name(ctx context.Context) string {
	p := access.From(ctx)
	if p == nil {
		return "nobody"
	}
	return string(p.Kind) + " of " + p.AreaCode
}

// Another community's case: every action answers NOT_FOUND and changes nothing.
func TestStrangersChangeNothing(t *testing.T) {
	eachWall(t, strangersChangeNothing)
}

func strangersChangeNothing(t *testing.T, o *office) {
	for _, state := range feedback.States {
		c := o.must(o.submitted(here), reach[state]...)
		before := o.everything()
		for _, stranger := range []context.Context{o.nextDoorWorker, o.otherStreet, o.otherDistrict, o.neighbour} {
			for _, action := range actions {
				if action == feedback.MarkDuplicate || action == feedback.SupplyInfo && access.From(stranger).Kind == access.Worker {
					continue // the first makes a case in act; the second asks for a citizen before anything else
				}
				_, err := o.act(stranger, c, action)
				if fault.CodeOf(err) != fault.NotFound {
					t.Errorf("%s, %s by %s: got %v, want NOT_FOUND", state, action, name(stranger), err)
				}
			}
		}
		_, err := o.MarkDuplicate(o.nextDoorWorker, feedback.MarkDuplicateInput{ID: c.ID, ExpectedVersion: c.Version, OriginalID: c.ID})
		wantCode(t, err, fault.NotFound)
		if o.everything() != before {
			t.Fatalf("%s: something changed", state)
		}
	}
}

// Who sees a case may still not do to it what is not theirs.
func TestSeeingIsNotDoing(t *testing.T) {
	o := open(t)
	for _, c := range []struct {
		who     context.Context
		state   feedback.FeedbackState
		actions []feedback.FeedbackAction
	}{
		{o.street, feedback.Submitted, []feedback.FeedbackAction{feedback.Take}},
		{o.street, feedback.InProgress, []feedback.FeedbackAction{feedback.Reply, feedback.RequestInfo}},
		{o.city, feedback.Submitted, []feedback.FeedbackAction{feedback.Assign, feedback.Take, feedback.Reject}},
		{o.worker, feedback.Replied, []feedback.FeedbackAction{feedback.Close, feedback.Rate, feedback.Reopen}},
		{o.citizen, feedback.Submitted, []feedback.FeedbackAction{feedback.Take, feedback.Reject, feedback.Assign}},
		{o.citizen, feedback.InProgress, []feedback.FeedbackAction{feedback.Reply}},
	} {
		made := o.must(o.submitted(here), reach[c.state]...)
		before := o.everything()
		for _, action := range c.actions {
			_, err := o.act(c.who, made, action)
			if fault.CodeOf(err) != fault.Forbidden {
				t.Errorf("%s by %s: got %v, want FORBIDDEN", action, name(c.who), err)
			}
		}
		if o.everything() != before {
			t.Errorf("%v by %s changed something", c.actions, name(c.who))
		}
	}
	c := o.submitted(here)
	if _, err := o.act(o.street, c, feedback.Assign); err != nil {
		t.Errorf("the street's supervisor may assign: %v", err)
	}
}

// The second wall: the same questions to the tables, past the checks in Go.
func TestRowsAreHiddenByTheDatabaseToo(t *testing.T) {
	o := open(t)
	places := []string{here, nextDoor, elsewhere, farAway}
	byID := map[string]string{}
	for _, place := range places {
		byID[o.submitted(place).ID] = place
	}
	for name, seer := range o.seers() {
		want := len(seer.may)
		if name == "auditor" {
			want = len(places) // its scope is the city; what keeps it out is its role, which is Go's to check
		}
		err := o.DB.Read(seer.ctx, func(tx *sqlx.Tx) error {
			for _, table := range []string{"feedback_case", "feedback_event"} {
				var rows int
				if err := tx.Get(&rows, `SELECT count(*) FROM community.`+table); err != nil {
					return err
				}
				if rows != want {
					t.Errorf("%s sees %d rows of %s, want %d", name, rows, table, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Nobody signed in sees nothing, and no statistics of others' areas show.
	if err := o.DB.Read(t.Context(), func(tx *sqlx.Tx) error {
		var rows int
		err := tx.Get(&rows, `SELECT (SELECT count(*) FROM community.feedback_case) + (SELECT count(*) FROM community.feedback_event)
			+ (SELECT count(*) FROM community.feedback_tally) + (SELECT count(*) FROM community.feedback_day)`)
		if rows != 0 {
			t.Errorf("nobody sees %d rows", rows)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := o.DB.Read(o.street, func(tx *sqlx.Tx) error {
		var codes []string
		err := tx.Select(&codes, `SELECT DISTINCT area_code FROM community.feedback_tally ORDER BY 1`)
		if got := strings.Join(codes, " "); got != "510104017000 510104017001 510104017002" {
			t.Errorf("the street sees tallies of %s", got)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTheDatabaseRefusesToo(t *testing.T) {
	o := open(t)
	c := o.submitted(here)
	before := o.everything()
	// rows that are not there for the asker are not changed
	for _, stranger := range []context.Context{o.nextDoorWorker, o.otherDistrict, o.neighbour, t.Context()} {
		err := o.DB.Write(stranger, func(tx *sqlx.Tx) error {
			result, err := tx.Exec(`UPDATE community.feedback_case SET state = 'REJECTED', closed_at = now() WHERE id = $1`, c.ID)
			if err != nil {
				return err
			}
			if n, _ := result.RowsAffected(); n != 0 {
				t.Errorf("%s changed %d rows", name(stranger), n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// and these are refused outright
	for statement, who := range map[string]context.Context{
		`UPDATE community.feedback_event SET note = 'x'`:                                         o.worker,
		`DELETE FROM community.feedback_event`:                                                   o.worker,
		`DELETE FROM community.feedback_case`:                                                    o.worker,
		`UPDATE community.feedback_tally SET cases = 0`:                                          o.worker,
		`INSERT INTO community.workday (day, work, name) VALUES ('2027-01-01', true, '')`:        o.citizen,
		`UPDATE community.feedback_case SET area_code = '510104017002'`:                          o.worker,
		`UPDATE community.feedback_case SET citizen_id = '00000000-0000-4000-8000-000000000000'`: o.citizen,
		`INSERT INTO community.feedback_case (id, number, area_code, class, state, title, content, citizen_id, created_at, updated_at, due_at)
			SELECT gen_random_uuid(), 'x', area_code, class, state, title, content, citizen_id, now(), now(), now() FROM community.feedback_case`: o.worker,
		`INSERT INTO community.feedback_event (id, case_id, seq, area_code, citizen_id, at, action, to_state, actor)
			SELECT gen_random_uuid(), id, 99, '510107001004', citizen_id, now(), 'RATE', state, 'SYSTEM' FROM community.feedback_case`: o.worker,
	} {
		err := o.DB.Write(who, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("%s may %s: %v", name(who), statement, err)
		}
	}
	if o.everything() != before {
		t.Error("something changed")
	}
}

// A worker of the community sees who submitted, unless that was anonymous; the
// levels above, who have no business with the person, do not.
func TestWhoSeesTheSubmitter(t *testing.T) {
	o := open(t)
	named := o.submitted(here)
	yes := true
	hidden, err := o.Submit(o.citizen, feedback.SubmitFeedbackInput{AreaID: here, Class: feedback.Other, Title: "匿名反映", Content: "不愿透露姓名的反映", Anonymous: &yes})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who           context.Context
		named, hidden bool
	}{{o.citizen, true, true}, {o.worker, true, false}, {o.nextDoorWorker, false, false}, {o.street, false, false}, {o.neighbour, false, false}, {t.Context(), false, false}} {
		p := access.From(c.who)
		if got := named.SubmitterSeenBy(p); got != c.named {
			t.Errorf("%s sees the submitter: %t", name(c.who), got)
		}
		if got := hidden.SubmitterSeenBy(p); got != c.hidden {
			t.Errorf("%s sees the anonymous submitter: %t", name(c.who), got)
		}
	}
}

func TestStatementsDoNotGrowWithRows(t *testing.T) {
	o := open(t)
	var ids []string
	for range 10 {
		ids = append(ids, o.submitted(here).ID)
	}
	for _, rows := range []int{1, 10} {
		ctx, counter := database.WithCounter(o.worker)
		if _, err := o.Cases(ctx, ids[:rows]); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Histories(ctx, ids[:rows]); err != nil {
			t.Fatal(err)
		}
		if _, err := o.List(ctx, feedback.Filter{}, keyset.Page{Size: rows}); err != nil {
			t.Fatal(err)
		}
		if got := counter.Statements(); got != 3 {
			t.Errorf("%d rows took %d statements, want 3", rows, got)
		}
	}
}
