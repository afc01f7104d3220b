package feedback_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

func TestOverdueAfterTheLastWorkDay(t *testing.T) {
	o := open(t) // a Tuesday; the class has three work days
	c := o.submitted(here)
	if got := workday.Day(c.DueAt); got != "2026-11-27" {
		t.Fatalf("due %s, want Friday", got)
	}
	late := func() (listed int, counted int, itself bool) {
		t.Helper()
		yes := true
		cases, err := o.List(o.worker, feedback.Filter{Overdue: &yes}, keyset.Page{Size: 20})
		if err != nil {
			t.Fatal(err)
		}
		statistics, err := o.Statistics(o.street, []string{"510104017000"})
		if err != nil {
			t.Fatal(err)
		}
		now, err := o.Case(o.worker, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return len(cases), statistics[0].Overdue, now.OverdueAt(o.clock())
	}
	want := func(when string, n int) {
		t.Helper()
		if listed, counted, itself := late(); listed != n || counted != n || itself != (n == 1) {
			t.Errorf("%s: listed %d, counted %d, itself %t; want %d", when, listed, counted, itself, n)
		}
	}
	o.later(3*day + 13*time.Hour) // Friday 23:00
	want("on the last evening", 0)
	o.later(2 * time.Hour)
	want("after midnight", 1)
	c = o.must(c, feedback.Take, feedback.RequestInfo)
	want("while the citizen is asked", 0)
	c = o.must(c, feedback.SupplyInfo)
	want("after a weekend's moment without a work day", 1)
	c = o.must(c, feedback.Reply)
	want("after the reply", 0)
}

func TestWaitingForTheCitizenProlongs(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Take, feedback.RequestInfo)
	o.later(6 * day) // Monday: Wednesday, Thursday, Friday and Monday were waited
	c = o.must(c, feedback.SupplyInfo)
	if got := workday.Day(c.DueAt); got != "2026-12-03" { // Friday and four work days
		t.Errorf("due %s", got)
	}
}

func TestReopeningBeginsAnewWithinTenDays(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Take, feedback.Reply, feedback.Rate)
	other := o.must(o.submitted(here), feedback.Reject)
	o.later(10 * day)
	c = o.must(c, feedback.Reopen)
	if got := workday.Day(c.DueAt); got != "2026-12-09" || c.ClosedAt != nil || c.Rating != nil || c.AssigneeID != nil {
		t.Errorf("reopened: due %s, %+v", got, c)
	}
	c = o.must(c, feedback.Take, feedback.Reply, feedback.Rate) // the new result has its own rating
	_, err := o.act(o.citizen, c, feedback.Rate)
	wantCode(t, err, fault.Conflict)

	o.later(time.Second)
	before := o.everything()
	_, err = o.act(o.citizen, other, feedback.Reopen)
	wantCode(t, err, fault.Conflict)
	if err == nil || !strings.Contains(err.Error(), "十日") {
		t.Errorf("the refusal does not say why: %v", err)
	}
	if o.everything() != before {
		t.Error("something changed")
	}
}

func TestRepliedCasesCloseByThemselves(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Take, feedback.Reply)
	refused := o.must(o.submitted(here), feedback.Reject)
	state := func(id string) feedback.FeedbackState {
		t.Helper()
		now, err := o.Case(o.worker, id)
		if err != nil {
			t.Fatal(err)
		}
		return now.State
	}
	o.later(10 * day)
	if err := o.KeepDeadlines(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := state(c.ID); got != feedback.Replied {
		t.Fatalf("closed too early: %s", got)
	}
	o.later(time.Second)
	for range 2 { // the second look finds nothing to do
		if err := o.KeepDeadlines(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(c.ID); got != feedback.Closed {
		t.Errorf("the replied case is %s", got)
	}
	if got := state(refused.ID); got != feedback.Rejected {
		t.Errorf("the refused case is %s", got)
	}
	histories, err := o.Histories(o.citizen, []string{c.ID})
	if err != nil {
		t.Fatal(err)
	}
	last := histories[0][len(histories[0])-1]
	if last.Action != feedback.Close || last.Actor != feedback.BySystem || len(histories[0]) != 5 {
		t.Errorf("last line %+v of %d", last, len(histories[0]))
	}
}

// The workflow is told of each step in the transaction of the step: where the
// case stands, whose it is, and until when.
func TestTheWorkflowIsToldOfEachStep(t *testing.T) {
	o := open(t)
	c := o.submitted(here)
	due := c.DueAt
	o.must(c, feedback.Take, feedback.RequestInfo, feedback.SupplyInfo, feedback.Reply, feedback.Rate)
	type told struct {
		State, Action, Actor string
		Version              float64
		Due, Assigned        bool
	}
	var got []told
	for _, e := range o.events() {
		if e.Subject != feedback.SubjectWorkflow {
			continue
		}
		r := e.field("report").(map[string]any)
		at, _ := r["dueAt"].(string)
		if at != "" {
			if moment, err := time.Parse(time.RFC3339Nano, at); err != nil || !moment.Equal(due) {
				t.Errorf("due %s, want %s", at, due)
			}
		}
		_, assigned := e.field("variables").(map[string]any)["assignee"]
		got = append(got, told{r["state"].(string), r["action"].(string), r["actor"].(map[string]any)["kind"].(string), r["version"].(float64), at != "", assigned})
		if e.field("subjectId") != c.ID || e.field("initiator").(map[string]any)["id"] != access.From(o.citizen).ID {
			t.Errorf("told %s", e.Payload)
		}
	}
	want := []told{
		{"SUBMITTED", "SUBMIT", "citizen", 1, true, false}, {"IN_PROGRESS", "TAKE", "worker", 2, true, true}, {"WAITING_INFO", "REQUEST_INFO", "worker", 3, false, true},
		{"IN_PROGRESS", "SUPPLY_INFO", "citizen", 4, true, true}, {"REPLIED", "REPLY", "worker", 5, false, true}, {"REPLIED", "RATE", "citizen", 6, false, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A case that was loaded is told of as one that was lived through.
func TestTheWorkflowIsToldOfAllOpenCases(t *testing.T) {
	o := open(t)
	open, taken := o.submitted(here), o.must(o.submitted(here), feedback.Take)
	o.must(o.submitted(here), feedback.Reject)
	o.events()
	if err := o.DB.Write(access.AsSystem(t.Context(), "test"), func(tx *sqlx.Tx) error { return feedback.TellAll(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	told := o.events()
	if len(told) != 2 {
		t.Fatalf("%d reports", len(told))
	}
	for i, c := range []*feedback.FeedbackCase{open, taken} {
		r := told[i].field("report").(map[string]any)
		if told[i].field("subjectId") != c.ID || r["state"] != string(c.State) || r["version"] != float64(c.Version) {
			t.Errorf("told %s", told[i].Payload)
		}
	}
}
