package feedback_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

func (o *office) end(step func(context.Context, *sqlx.Tx, account.Keeper) error) {
	o.t.Helper()
	ctx := access.AsSystem(o.t.Context(), "test")
	for range 2 { // as an event that comes again
		if err := o.DB.Write(ctx, func(tx *sqlx.Tx) error { return step(ctx, tx, o.Keeper()) }); err != nil {
			o.t.Fatal(err)
		}
	}
}

// tallies are all that is counted of cases.
func (o *office) tallies() []string {
	o.t.Helper()
	var rows []string
	err := o.db.Owner.Select(&rows, `SELECT t::text FROM community.feedback_tally t WHERE cases <> 0
		UNION ALL SELECT d::text FROM community.feedback_day d WHERE submitted <> 0 OR closed <> 0 OR due <> 0 ORDER BY 1`)
	if err != nil {
		o.t.Fatal(err)
	}
	return rows
}

func TestCasesGoToTheSuccessor(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Assign, feedback.Take, feedback.Reply)
	before := o.tallies()
	o.end(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Merge(ctx, tx, access.From(o.citizen).ID, access.From(o.neighbour).ID)
	})
	tallied := o.tallies()
	if _, err := o.Case(o.citizen, c.ID); err == nil {
		t.Error("the former still sees the case")
	}
	if got, err := o.Case(o.neighbour, c.ID); err != nil || got.Version != c.Version {
		t.Errorf("the successor: %+v %v", got, err)
	}
	if _, err := o.act(o.neighbour, c, feedback.Rate); err != nil {
		t.Errorf("the successor cannot rate: %v", err)
	}
	var lines int
	if err := o.db.Owner.Get(&lines, `SELECT count(*) FROM community.feedback_event WHERE citizen_id = $1`, access.From(o.citizen).ID); err != nil || lines != 0 {
		t.Errorf("%d lines of the former: %v", lines, err)
	}
	if _, err := o.db.App.ExecContext(t.Context(), `SELECT community.feedback_event_ended($1, $2)`, access.From(o.neighbour).ID, access.From(o.citizen).ID); err == nil {
		t.Error("anybody but the platform gives lines to somebody")
	}
	if diff := cmp.Diff(before, tallied); diff != "" {
		t.Errorf("the figures changed:\n%s", diff)
	}
}

func TestACancelledAccountLeavesFiguresAndNothingElse(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Assign, feedback.Take, feedback.Reply, feedback.Rate)
	kept, err := o.Submit(o.neighbour, feedback.SubmitFeedbackInput{AreaID: here, Class: feedback.Parking, Title: "车位紧张", Content: "晚上回来找不到车位停车。"})
	if err != nil {
		t.Fatal(err)
	}
	before := o.tallies()
	o.end(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Erase(ctx, tx, access.From(o.citizen).ID)
	})
	if diff := cmp.Diff(before, o.tallies()); diff != "" {
		t.Errorf("the figures changed:\n%s", diff)
	}
	got, err := o.Case(o.worker, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != c.State || got.Class != c.Class || got.Rating == nil || *got.Rating != *c.Rating || !strings.Contains(got.Content, "已清除") {
		t.Errorf("%+v", got)
	}
	var rows []string
	if err := o.db.Owner.Select(&rows, `SELECT to_jsonb(c)::text FROM community.feedback_case c UNION ALL SELECT to_jsonb(e)::text FROM community.feedback_event e
		UNION ALL SELECT to_jsonb(w)::text FROM community.feedback_word w`); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if strings.Contains(row, access.From(o.citizen).ID) || strings.Contains(row, "杂物") {
			t.Errorf("left behind: %s", row)
		}
	}
	if other, err := o.Case(o.neighbour, kept.ID); err != nil || other.Content != kept.Content {
		t.Errorf("another citizen's case: %+v %v", other, err)
	}
}
