package workflow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

func TestApprovalGoesItsWay(t *testing.T) {
	o := open(t)
	i := o.started("general-approval", `{"kind": "LEAVE", "days": 5, "reason": "探亲"}`)
	o.wantTodo(i.ID, o.cid, o.dan)
	if !o.has(o.ann, inbox.Mine, i.ID) {
		t.Error("it is not among ann's own")
	}
	i = o.must(o.cid, i.ID, "APPROVE")
	o.wantTodo(i.ID, o.fay)
	i = o.must(o.fay, i.ID, "APPROVE")
	o.wantTodo(i.ID)
	if i.Status != engine.Ended || i.Outcome != "APPROVED" || i.EndedAt == nil {
		t.Errorf("ended as %+v", i)
	}
	if !o.has(o.cid, inbox.Done, i.ID) || o.has(o.dan, inbox.Done, i.ID) {
		t.Error("it is done by cid, and by nobody else of the street")
	}
	history, err := o.Histories(o.ann, []*workflow.WorkflowInstance{i})
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, e := range history[i] {
		steps = append(steps, e.Action+":"+e.From+">"+e.To)
	}
	if diff := cmp.Diff([]string{"START:>STREET_REVIEW", "APPROVE:STREET_REVIEW>DISTRICT_REVIEW", "APPROVE:DISTRICT_REVIEW>APPROVED"}, steps); diff != "" {
		t.Error(diff)
	}
	for _, action := range []string{"APPROVE", engine.Withdraw, engine.Comment} {
		_, err := o.act(o.ann, i.ID, action)
		wantCode(t, err, fault.Conflict)
	}
	short := o.started("general-approval", `{"kind": "LEAVE", "days": 2, "reason": "探亲"}`)
	if short = o.must(o.dan, short.ID, "APPROVE"); short.Status != engine.Ended {
		t.Errorf("two days went to %s", short.State)
	}
}

func TestJointSignOffNeedsAll(t *testing.T) {
	o := open(t)
	i := o.started("purchase", purchase)
	i = o.must(o.cid, i.ID, "APPROVE")
	o.wantTodo(i.ID, o.cid, o.dan, o.fay)
	i = o.must(o.fay, i.ID, "AGREE")
	if i.Status != engine.Running {
		t.Fatal("one of two was enough")
	}
	o.wantTodo(i.ID, o.cid, o.dan)
	i = o.must(o.dan, i.ID, "AGREE")
	if i.Outcome != "APPROVED" {
		t.Errorf("ended in %s", i.State)
	}
	if !o.has(o.eve, inbox.Cc, i.ID) || o.has(o.gus, inbox.Cc, i.ID) {
		t.Error("the district's supervisor is told, and nobody else")
	}
}

func TestExpertsSignOneAfterTheOther(t *testing.T) {
	o := open(t)
	i := o.started("purchase", `{"subject": "电梯", "amountFen": 50000000, "experts": ["`+id(o.ben)+`", "`+id(o.far)+`"]}`)
	o.must(o.cid, i.ID, "APPROVE")
	o.wantTodo(i.ID, o.ben)
	_, err := o.act(o.far, i.ID, "AGREE")
	wantCode(t, err, fault.NotFound) // whose turn has not come sees nothing
	o.must(o.ben, i.ID, "AGREE")
	o.wantTodo(i.ID, o.far)
	o.must(o.far, i.ID, "AGREE")
	o.wantTodo(i.ID, o.cid, o.dan, o.fay)
}

func TestReturningTransferringAndAdding(t *testing.T) {
	o := open(t)
	i := o.started("purchase", purchase)
	o.must(o.cid, i.ID, engine.ReturnInitiator)
	o.wantTodo(i.ID, o.ann)
	o.must(o.ann, i.ID, engine.Resubmit)
	o.wantTodo(i.ID, o.cid, o.dan)
	o.must(o.cid, i.ID, engine.Transfer, to(o.eve))
	o.wantTodo(i.ID, o.eve)
	o.must(o.eve, i.ID, "APPROVE")
	o.must(o.fay, i.ID, engine.AddBefore, to(o.gus))
	o.wantTodo(i.ID, o.cid, o.dan, o.gus)
	o.must(o.gus, i.ID, engine.Sign)
	o.wantTodo(i.ID, o.cid, o.dan, o.fay)
	o.must(o.fay, i.ID, engine.AddAfter, to(o.gus))
	o.must(o.cid, i.ID, "AGREE")
	if i = o.must(o.fay, i.ID, "AGREE"); i.Status != engine.Running {
		t.Fatal("the added signer was passed over")
	}
	o.wantTodo(i.ID, o.gus)
	if i = o.must(o.gus, i.ID, engine.Sign); i.Outcome != "APPROVED" {
		t.Errorf("ended in %s", i.State)
	}

	back := o.started("purchase", purchase)
	o.must(o.cid, back.ID, "APPROVE")
	o.must(o.fay, back.ID, engine.ReturnPrevious)
	o.wantTodo(back.ID, o.cid, o.dan)
	_, err := o.act(o.ann, back.ID, engine.Withdraw)
	wantCode(t, err, fault.Conflict) // purchases: until somebody has decided
	o.must(o.cid, back.ID, engine.ReturnInitiator)
	o.must(o.ann, back.ID, engine.Withdraw)
	o.wantTodo(back.ID)
}

func TestRefusedStepsChangeNothing(t *testing.T) {
	o := open(t)
	i := o.started("purchase", purchase)
	tasks, err := o.Tasks(o.cid, []*workflow.WorkflowInstance{i})
	if err != nil {
		t.Fatal(err)
	}
	task := tasks[i][0].ID
	before := o.everything()
	for name, c := range map[string]struct {
		who  context.Context
		in   workflow.ActOnWorkflowInput
		code fault.Code
	}{
		"nobody":                  {t.Context(), workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.Unauthenticated},
		"a citizen":               {o.citizen, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.Forbidden},
		"elsewhere":               {o.far, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.NotFound},
		"a colleague of ann":      {o.ben, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.NotFound},
		"the district":            {o.eve, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.Forbidden},
		"the initiator":           {o.ann, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task}, fault.Forbidden},
		"an old version":          {o.cid, workflow.ActOnWorkflowInput{Action: "APPROVE", TaskID: &task, ExpectedVersion: -1}, fault.Conflict},
		"no such action":          {o.cid, workflow.ActOnWorkflowInput{Action: "AGREE", TaskID: &task}, fault.Conflict},
		"no task":                 {o.cid, workflow.ActOnWorkflowInput{Action: "APPROVE"}, fault.Conflict},
		"no previous state":       {o.cid, workflow.ActOnWorkflowInput{Action: engine.ReturnPrevious, TaskID: &task, Comment: ptr("退")}, fault.Conflict},
		"refusing without reason": {o.cid, workflow.ActOnWorkflowInput{Action: "REJECT", TaskID: &task}, fault.InvalidInput},
		"to nobody":               {o.cid, workflow.ActOnWorkflowInput{Action: engine.Transfer, TaskID: &task}, fault.InvalidInput},
		"to who is not there":     {o.cid, workflow.ActOnWorkflowInput{Action: engine.Transfer, TaskID: &task, TargetWorkerID: ptr(uuid.NewString())}, fault.InvalidInput},
		"to the initiator":        {o.cid, workflow.ActOnWorkflowInput{Action: engine.Transfer, TaskID: &task, TargetWorkerID: ptr(id(o.ann))}, fault.InvalidInput},
		"withdrawn by another":    {o.cid, workflow.ActOnWorkflowInput{Action: engine.Withdraw}, fault.Forbidden},
		"the system's":            {o.cid, workflow.ActOnWorkflowInput{Action: engine.Overdue, TaskID: &task}, fault.InvalidInput},
	} {
		c.in.InstanceID = i.ID
		if c.in.ExpectedVersion == 0 {
			c.in.ExpectedVersion = i.Version
		} else {
			c.in.ExpectedVersion = i.Version + 1
		}
		_, err := o.Act(c.who, c.in)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	for who, code := range map[context.Context]fault.Code{o.far: fault.NotFound, o.ben: fault.NotFound, o.cid: "", o.citizen: fault.NotFound} {
		if who == o.cid {
			continue
		}
		_, err := o.Urge(who, workflow.UrgeWorkflowInput{InstanceID: &i.ID})
		wantCode(t, err, code)
	}
	if o.everything() != before {
		t.Error("something changed")
	}
	for _, c := range []struct {
		who       context.Context
		variables string
		code      fault.Code
	}{{o.gus, purchase, fault.Forbidden}, {o.citizen, purchase, fault.Forbidden}, {o.ann, `{}`, fault.InvalidInput},
		{o.ann, `{"subject": "桌椅", "amountFen": 1, "experts": ["` + uuid.NewString() + `"]}`, fault.InvalidInput}} {
		_, err := o.Start(c.who, workflow.StartWorkflowInput{DefinitionKey: "purchase", Title: "一件事项", Variables: &c.variables})
		wantCode(t, err, c.code)
	}
	_, err = o.Start(o.ann, workflow.StartWorkflowInput{DefinitionKey: "feedback", Title: "一件事项"})
	wantCode(t, err, fault.Forbidden)
}

func TestOfTwoAtOnceOneWins(t *testing.T) {
	o := open(t)
	for range 5 {
		i := o.started("general-approval", seal)
		var won, lost int
		var mu sync.Mutex
		var group sync.WaitGroup
		tasks, _ := o.Tasks(o.cid, []*workflow.WorkflowInstance{i})
		for _, who := range []context.Context{o.cid, o.dan, o.cid, o.dan} {
			group.Go(func() {
				_, err := o.Act(who, workflow.ActOnWorkflowInput{InstanceID: i.ID, TaskID: &tasks[i][0].ID, Action: "APPROVE", ExpectedVersion: i.Version})
				mu.Lock()
				defer mu.Unlock()
				switch fault.CodeOf(err) {
				case "":
					won++
				case fault.Conflict:
					lost++
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won != 1 || lost != 3 {
			t.Errorf("%d won, %d lost", won, lost)
		}
	}
}

func TestARequestBeginsOnce(t *testing.T) {
	o := open(t)
	in := workflow.StartWorkflowInput{DefinitionKey: "general-approval", Title: "用印", Variables: ptr(seal), RequestID: ptr(uuid.NewString())}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := o.Start(o.ann, in); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := o.number(`SELECT count(*) FROM platform.workflow_instance`); n != 1 {
		t.Errorf("%d instances", n)
	}
	_, err := o.Start(o.ben, in)
	wantCode(t, err, fault.InvalidInput)
}

// Delegating lasts until its end; then the delegate is a stranger again.
func TestDelegatesOnlyUntilTheEnd(t *testing.T) {
	o := open(t)
	i := o.started("general-approval", seal)
	_, err := o.act(o.cid, i.ID, engine.DelegateTask, to(o.far), until(o.clock().Add(-day)))
	wantCode(t, err, fault.InvalidInput)
	o.must(o.cid, i.ID, engine.DelegateTask, to(o.far), until(o.clock().Add(2*day)))
	o.wantTodo(i.ID, o.cid, o.dan, o.far)
	_, err = o.act(o.far, i.ID, engine.Transfer, to(o.gus))
	wantCode(t, err, fault.Forbidden)
	o.later(2 * day)
	o.wantTodo(i.ID, o.cid, o.dan)
	_, err = o.act(o.far, i.ID, "APPROVE")
	wantCode(t, err, fault.NotFound)
	tasks, _ := o.Tasks(o.cid, []*workflow.WorkflowInstance{i})
	_, err = o.Act(o.far, workflow.ActOnWorkflowInput{InstanceID: i.ID, TaskID: &tasks[i][0].ID, Action: "APPROVE", ExpectedVersion: i.Version + 1})
	wantCode(t, err, fault.NotFound)

	o.must(o.cid, i.ID, engine.RevokeDelegate)
	o.must(o.cid, i.ID, engine.DelegateTask, to(o.gus), until(o.clock().Add(day)))
	i = o.must(o.gus, i.ID, "APPROVE")
	if i.Outcome != "APPROVED" || !o.has(o.gus, inbox.Done, i.ID) {
		t.Errorf("the delegate's approval led to %s", i.State)
	}
}

// The second wall: the tables themselves, past the checks in Go.
func TestRowsAreHiddenByTheDatabaseToo(t *testing.T) {
	o := open(t)
	i := o.started("general-approval", seal)
	for name, c := range map[string]struct {
		ctx              context.Context
		instances, items int
	}{
		"elsewhere": {o.far, 0, 0}, "next door": {o.next, 0, 0}, "the citizen": {o.citizen, 0, 0}, "nobody": {t.Context(), 0, 0},
		"the initiator": {o.ann, 1, 1}, "the street": {o.cid, 1, 1}, "the district": {o.eve, 1, 1},
	} {
		err := o.pool.Read(c.ctx, func(tx *sqlx.Tx) error {
			for table, want := range map[string]int{"workflow_instance": c.instances, "workflow_task": c.instances, "workflow_history": c.instances, "inbox_item": c.items} {
				var n int
				if err := tx.Get(&n, `SELECT count(*) FROM platform.`+table); err != nil {
					return err
				}
				if n != want {
					t.Errorf("%s sees %d rows of %s, want %d", name, n, table, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = o.pool.Write(c.ctx, func(tx *sqlx.Tx) error {
			changed, err := tx.Exec(`UPDATE platform.workflow_instance SET status = 'ENDED' WHERE id = $1`, i.ID)
			if err == nil {
				if n, _ := changed.RowsAffected(); n != 0 {
					t.Errorf("%s ends an instance past the engine", name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := o.pool.Write(access.AsSystem(t.Context(), "test"), func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`DELETE FROM platform.workflow_history`)
		return err
	}); err == nil {
		t.Error("the history can be deleted")
	}
}
