package workflow_test

import (
	"sync"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// looked lets some processes look after the time limits at once.
func (o *office) looked() {
	o.t.Helper()
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := o.KeepTime(o.t.Context()); err != nil {
				o.t.Error(err)
			}
		})
	}
	group.Wait()
	if err := o.KeepTime(o.t.Context()); err != nil { // what one skipped, the next look does
		o.t.Fatal(err)
	}
}

func TestOverdueCallsTheSuperior(t *testing.T) {
	o := open(t) // a Tuesday; the street has two work days
	i := o.started("general-approval", seal)
	if got := workday.Day(*i.DueAt); got != "2026-11-26" {
		t.Fatalf("due %s", got)
	}
	o.later(2 * day)
	o.looked()
	o.wantTodo(i.ID, o.cid, o.dan)
	o.events("")
	o.later(day) // Friday
	o.looked()
	o.wantTodo(i.ID, o.cid, o.dan, o.eve)
	told := map[string]bool{}
	for _, n := range o.events("platform.notification.requested") {
		told[n["recipient"].(map[string]any)["workerId"].(string)] = true
	}
	if len(told) != 3 || !told[id(o.cid)] || !told[id(o.dan)] || !told[id(o.eve)] {
		t.Errorf("told %v", told)
	}
	o.looked()
	if again := o.events("platform.notification.requested"); len(again) != 0 {
		t.Errorf("told again: %v", again)
	}
	items, _, err := o.inbox.List(o.eve, inbox.Filter{Overdue: true, Order: inbox.DueFirst}, keyset.Page{Size: 10})
	if err != nil || len(items) != 1 || !items[0].OverdueAt(o.clock()) {
		t.Errorf("overdue: %v, %v", items, err)
	}
	if counts, err := o.inbox.Counts(o.eve); err != nil || counts.Overdue != 1 || counts.Todo != 1 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	// Two more work days over the weekend: the city has no supervisor, so that
	// nobody more is called than before, and the superior may sign.
	o.later(5 * day)
	o.looked()
	if n := o.number(`SELECT max(escalation) FROM platform.workflow_task`); n != 2 {
		t.Errorf("called %d times", n)
	}
	o.later(30 * day)
	o.looked()
	if n := o.number(`SELECT count(*) FROM platform.workflow_history WHERE action = 'OVERDUE'`); n != 2 {
		t.Errorf("%d lines", n)
	}
	o.sql(`UPDATE platform.workflow_task SET superior_area = $1`, district)
	o.sql(`UPDATE platform.inbox_item SET addressee = 'r:SUPERVISOR:' || $1, scope_area = $1 WHERE addressee = 'r:SUPERVISOR:510100000000'`, district)
	i = o.must(o.eve, i.ID, "APPROVE")
	if i.Outcome != "APPROVED" {
		t.Errorf("the superior's approval led to %s", i.State)
	}
}

func TestHolidaysProlong(t *testing.T) {
	o := open(t)
	if err := o.KeepCalendar(t.Context(), request(map[string]any{"day": "2026-11-25", "work": false, "name": "假"})); err != nil {
		t.Fatal(err)
	}
	i := o.started("general-approval", seal)
	if got := workday.Day(*i.DueAt); got != "2026-11-27" {
		t.Errorf("due %s over a holiday", got)
	}
	for range 2 {
		if err := o.KeepCalendar(t.Context(), request(map[string]any{"day": "2026-11-25"})); err != nil {
			t.Fatal(err)
		}
	}
	if i = o.started("general-approval", seal); workday.Day(*i.DueAt) != "2026-11-26" {
		t.Errorf("due %s", workday.Day(*i.DueAt))
	}
}

func TestUrgingIsLimited(t *testing.T) {
	o := open(t)
	i := o.started("general-approval", seal)
	item := o.list(o.cid, inbox.Todo)[0]
	if marked, counts, err := o.inbox.MarkRead(o.cid, []string{item.ID}); err != nil || marked != 1 || counts.Unread != 0 || counts.Todo != 1 {
		t.Fatalf("marked %d, %+v, %v", marked, counts, err)
	}
	if counts, err := o.inbox.Counts(o.dan); err != nil || counts.Unread != 1 {
		t.Errorf("what cid has read is unread for dan: %+v, %v", counts, err)
	}
	if marked, _, err := o.inbox.MarkRead(o.far, []string{item.ID}); err != nil || marked != 0 {
		t.Errorf("a stranger marks %d, %v", marked, err)
	}
	o.events("")
	if _, err := o.Urge(o.ann, workflow.UrgeWorkflowInput{InstanceID: &i.ID}); err != nil {
		t.Fatal(err)
	}
	if told := o.events("platform.notification.requested"); len(told) != 2 {
		t.Errorf("told %v", told)
	}
	if counts, err := o.inbox.Counts(o.cid); err != nil || counts.Unread != 1 {
		t.Errorf("urged, and still read: %+v, %v", counts, err)
	}
	for _, who := range []int{0, 1} {
		ctx := o.ann
		if who == 1 {
			ctx = o.eve
		}
		_, err := o.Urge(ctx, workflow.UrgeWorkflowInput{InstanceID: &i.ID})
		wantCode(t, err, fault.RateLimited)
	}
	o.later(day)
	if _, err := o.Urge(o.eve, workflow.UrgeWorkflowInput{InstanceID: &i.ID}); err != nil {
		t.Error(err)
	}
	o.must(o.cid, i.ID, engine.ReturnInitiator)
	o.later(day)
	_, err := o.Urge(o.ann, workflow.UrgeWorkflowInput{InstanceID: &i.ID})
	wantCode(t, err, fault.Conflict) // it waits for ann
}

// A process that dies between two steps leaves an instance that the next one
// goes on with.
func TestAnotherProcessGoesOn(t *testing.T) {
	o := open(t)
	i := o.started("purchase", purchase)
	for _, step := range []func(){
		func() { o.must(o.cid, i.ID, "APPROVE") },
		func() { o.must(o.fay, i.ID, engine.AddBefore, to(o.gus)) },
		func() { o.must(o.gus, i.ID, engine.Sign) },
		func() { o.later(10 * day); o.looked() },
		func() { o.must(o.fay, i.ID, "AGREE") },
		func() { o.must(o.fay, i.ID, "AGREE") }, // called as the superior of the street, too
	} {
		step()
		o.restart()
	}
	i, err := o.Instance(o.ann, i.ID)
	if err != nil || i.Outcome != "APPROVED" {
		t.Errorf("%+v, %v", i, err)
	}
}
