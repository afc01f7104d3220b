package workflow_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// leaves lets the worker leave for good; the successor may be nobody.
func (o *office) leaves(who, successor context.Context) event.Event {
	o.t.Helper()
	left := worker.LeftEvent{WorkerID: id(who), AreaCode: access.From(who).AreaCode, At: o.clock()}
	if successor != nil {
		left.SuccessorID = id(successor)
	}
	o.sql(`UPDATE platform.worker SET state = 'LEFT' WHERE id = $1`, left.WorkerID)
	o.sql(`UPDATE platform.assignment SET valid_to = '2026-11-23' WHERE worker_id = $1`, left.WorkerID)
	payload, err := json.Marshal(left)
	if err != nil {
		o.t.Fatal(err)
	}
	return event.Event{ID: uuid.NewString(), Subject: worker.LeftSubject, Payload: payload}
}

func (o *office) handOver(e event.Event) {
	o.t.Helper()
	if err := o.HandOver(context.WithoutCancel(o.t.Context()), e); err != nil {
		o.t.Fatal(err)
	}
}

// The open work of who leaves goes to the successor, what is not theirs yet
// too; who comes back to the event finds nothing to do.
func TestOpenWorkGoesToTheSuccessor(t *testing.T) {
	o := open(t)
	experts := o.started("purchase", `{"subject": "电梯", "amountFen": 50000000, "experts": ["`+id(o.ben)+`", "`+id(o.far)+`"]}`)
	o.must(o.cid, experts.ID, "APPROVE")
	transferred := o.started("purchase", purchase)
	o.must(o.cid, transferred.ID, engine.Transfer, to(o.far))
	delegated := o.started("purchase", purchase)
	o.must(o.cid, delegated.ID, engine.DelegateTask, to(o.far), until(o.clock().Add(day)))
	untouched := o.started("purchase", purchase)
	o.wantTodo(experts.ID, o.ben)
	o.wantTodo(transferred.ID, o.far)
	o.wantTodo(delegated.ID, o.cid, o.dan, o.far)
	o.events("")
	e := o.leaves(o.far, o.next)
	o.handOver(e)
	o.wantTodo(experts.ID, o.ben)
	o.wantTodo(transferred.ID, o.next)
	o.wantTodo(delegated.ID, o.cid, o.dan) // what was lent goes home, not to the successor
	o.wantTodo(untouched.ID, o.cid, o.dan)
	if told := o.events("platform.notification.requested"); len(told) != 2 {
		t.Errorf("%d are told, want the successor, of two instances: %v", len(told), told)
	}
	before := o.everything()
	o.handOver(e) // delivered twice
	if o.everything() != before {
		t.Error("the second delivery changed something")
	}
	o.must(o.ben, experts.ID, "AGREE")
	o.wantTodo(experts.ID, o.next) // whose turn came later
	o.must(o.next, transferred.ID, "APPROVE")
	if n := o.number(`SELECT count(*) FROM platform.workflow_history WHERE action = 'HANDED_OVER' AND for_id = $1 AND actor_kind = 'system'`, id(o.far)); n != 3 {
		t.Errorf("%d lines of history, want 3", n)
	}
}

// With no successor, or one who may not, work goes back to where it came from.
func TestOpenWorkGoesBackToTheQueue(t *testing.T) {
	o := open(t)
	reviewed := o.started("purchase", purchase)
	o.must(o.cid, reviewed.ID, engine.Transfer, to(o.eve))
	experts := o.started("purchase", `{"subject": "电梯", "amountFen": 50000000, "experts": ["`+id(o.eve)+`"]}`)
	o.must(o.cid, experts.ID, "APPROVE")
	own := o.started("purchase", purchase)
	o.must(o.cid, own.ID, engine.ReturnInitiator)
	joint := o.started("purchase", purchase)
	o.must(o.cid, joint.ID, "APPROVE")
	o.must(o.fay, joint.ID, engine.AddBefore, to(o.eve))
	o.wantTodo(joint.ID, o.cid, o.dan, o.eve)

	o.handOver(o.leaves(o.eve, nil))
	o.wantTodo(reviewed.ID, o.cid, o.dan)     // the state's role
	o.wantTodo(joint.ID, o.cid, o.dan, o.fay) // the added signer signs no more
	for _, i := range []string{experts.ID} {
		if got := o.number(`SELECT count(*) FROM platform.workflow_task WHERE instance_id = $1 AND status = 'OPEN' AND worker_id IS NULL AND role = 'SUPERVISOR'`, i); got != 1 {
			t.Errorf("%d open tasks of the supervisors", got)
		}
	}
	// The one who is named to follow began it, and must not decide on it.
	o.must(o.cid, reviewed.ID, engine.Transfer, to(o.gus))
	o.handOver(o.leaves(o.gus, o.ann))
	o.wantTodo(reviewed.ID, o.cid, o.dan)
	// Who began it leaves: the successor amends it; later returns go to the supervisors.
	o.handOver(o.leaves(o.ann, o.ben))
	o.wantTodo(own.ID, o.ben)
	o.must(o.ben, own.ID, engine.Resubmit)
	o.must(o.cid, own.ID, engine.ReturnInitiator)
	o.wantTodo(own.ID, o.cid, o.dan)
}

// One instance that cannot be handed over does not keep back the others, and
// the event is asked for again.
func TestHandingOverIsTakenUpAgain(t *testing.T) {
	o := open(t)
	var begun []string
	for range 3 {
		i := o.started("purchase", purchase)
		o.must(o.cid, i.ID, engine.Transfer, to(o.eve))
		begun = append(begun, i.ID)
	}
	o.sql(`ALTER TABLE platform.workflow_history ADD CONSTRAINT broken CHECK (instance_id <> '` + begun[1] + `' OR action <> 'HANDED_OVER') NOT VALID`)
	e := o.leaves(o.eve, o.fay)
	if err := o.HandOver(t.Context(), e); err == nil {
		t.Fatal("what failed counts as done")
	}
	o.wantTodo(begun[0], o.fay)
	o.wantTodo(begun[2], o.fay)
	if o.has(o.fay, inbox.Todo, begun[1]) {
		t.Error("half of a hand-over was written")
	}
	o.sql(`ALTER TABLE platform.workflow_history DROP CONSTRAINT broken`)
	o.restart() // by another process
	o.handOver(e)
	o.wantTodo(begun[1], o.fay)
	if n := o.number(`SELECT count(*) FROM platform.workflow_history WHERE action = 'HANDED_OVER'`); n != 3 {
		t.Errorf("%d lines, want one of each", n)
	}
	for _, bad := range []string{`{`, `{}`, `{"workerId": "x"}`, `{"workerId": "` + id(o.eve) + `", "successorId": "x"}`} {
		if err := o.HandOver(t.Context(), event.Event{Payload: json.RawMessage(bad)}); err != nil {
			t.Errorf("%s is asked for again and again: %v", bad, err)
		}
	}
	_, err := o.act(o.fay, begun[0], engine.HandedOver)
	wantCode(t, err, fault.InvalidInput) // the system's alone
}
