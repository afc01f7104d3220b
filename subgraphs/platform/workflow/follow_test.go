package workflow_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

// report is what the feedback module says of a case.
func (o *office) report(caseID, state, action string, version int, due time.Time, assignee string, actor workflow.Person) workflow.Request {
	variables := `{}`
	if assignee != "" {
		variables = `{"assignee": ["` + assignee + `"]}`
	}
	return workflow.Request{RequestID: uuid.NewString(), Definition: "feedback", SubjectID: caseID, AreaCode: here, Title: "路灯不亮", Variables: []byte(variables),
		Initiator: workflow.Person{Kind: access.Citizen, ID: id(o.citizen)},
		Report:    &workflow.Report{State: state, Action: action, Actor: actor, DueAt: &due, Version: version}}
}

func (o *office) fulfil(requests ...workflow.Request) {
	o.t.Helper()
	for _, r := range requests {
		if err := o.Fulfil(o.t.Context(), request(r)); err != nil {
			o.t.Fatal(err)
		}
	}
}

func TestCasesAppearInTheInbox(t *testing.T) {
	o := open(t)
	caseID, due := uuid.NewString(), o.clock().Add(3*day)
	citizen, ann := workflow.Person{Kind: access.Citizen, ID: id(o.citizen)}, workflow.Person{Kind: access.Worker, ID: id(o.ann)}
	submitted := o.report(caseID, "SUBMITTED", "SUBMIT", 1, due, "", citizen)
	taken := o.report(caseID, "IN_PROGRESS", "TAKE", 2, due, id(o.ann), ann)
	replied := o.report(caseID, "REPLIED", "REPLY", 3, due, id(o.ann), ann)

	o.fulfil(submitted, submitted)
	items := o.list(o.ben, inbox.Todo)
	if len(items) != 1 || items[0].Link != "feedback/"+caseID || items[0].Module != "FEEDBACK" || items[0].StateLabel != "待受理" || !items[0].DueAt.Equal(due) {
		t.Fatalf("items %+v", items)
	}
	instance := items[0].InstanceID
	o.wantTodo(instance, o.ann, o.ben)
	allowed, err := o.OfItems(o.ben, items)
	if err != nil || len(allowed[items[0].ID]) != 4 || !allowed[items[0].ID][0].InModule {
		t.Errorf("allowed %v, %v", allowed, err)
	}
	_, err = o.act(o.ben, instance, "TAKE")
	wantCode(t, err, fault.Conflict) // the module does it

	o.fulfil(taken, submitted)
	o.wantTodo(instance, o.ann)
	o.fulfil(replied, taken, submitted) // late ones are passed over
	o.wantTodo(instance)
	if !o.has(o.ann, inbox.Done, instance) || o.has(o.ben, inbox.Done, instance) {
		t.Error("it is done by ann alone")
	}
	o.fulfil(o.report(caseID, "REOPENED", "REOPEN", 4, due.Add(7*day), "", citizen))
	o.wantTodo(instance, o.ann, o.ben)
	o.fulfil(o.report(caseID, "CLOSED", "CLOSE", 7, due, "", workflow.Person{Kind: access.System, ID: "deadline"}))
	o.wantTodo(instance)
	if n := o.number(`SELECT count(*) FROM platform.workflow_instance WHERE status = 'ENDED' AND outcome = 'CLOSED'`); n != 1 {
		t.Errorf("%d instances ended", n)
	}
	if n := o.number(`SELECT count(*) FROM platform.workflow_history`); n != 5 {
		t.Errorf("%d lines", n)
	}
}

func TestCasesEscalateAndAreUrged(t *testing.T) {
	o := open(t)
	caseID, due := uuid.NewString(), o.clock().Add(day)
	citizen, ann := workflow.Person{Kind: access.Citizen, ID: id(o.citizen)}, workflow.Person{Kind: access.Worker, ID: id(o.ann)}
	o.fulfil(o.report(caseID, "SUBMITTED", "SUBMIT", 1, due, "", citizen))
	key := "feedback"
	in := workflow.UrgeWorkflowInput{DefinitionKey: &key, SubjectID: &caseID}
	for _, stranger := range []int{0, 1} {
		ctx := o.far
		if stranger == 1 {
			ctx = access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: uuid.NewString()})
		}
		_, err := o.Urge(ctx, in)
		wantCode(t, err, fault.NotFound)
	}
	_, err := o.Urge(o.ben, in)
	wantCode(t, err, fault.Forbidden)
	if _, err := o.Urge(o.citizen, in); err != nil {
		t.Fatal(err)
	}
	items := o.list(o.ann, inbox.Todo)
	_, err = o.Instance(o.citizen, items[0].InstanceID)
	wantCode(t, err, fault.NotFound) // what workers say among themselves is not the citizen's

	o.later(2 * day)
	o.events("")
	o.looked()
	o.wantTodo(items[0].InstanceID, o.ann, o.ben, o.cid, o.dan)
	if told := o.events("platform.notification.requested"); len(told) != 4 {
		t.Errorf("told %v", told)
	}
	called := o.list(o.cid, inbox.Todo)
	if allowed, err := o.OfItems(o.cid, called); err != nil || len(allowed[called[0].ID]) != 0 {
		t.Errorf("the superior is promised what the module may refuse: %v, %v", allowed, err)
	}
	o.fulfil(o.report(caseID, "IN_PROGRESS", "TAKE", 2, due, id(o.ann), ann)) // with the same limit nobody is told again
	o.looked()
	if told := o.events("platform.notification.requested"); len(told) != 0 {
		t.Errorf("told %v", told)
	}
	o.wantTodo(items[0].InstanceID, o.ann, o.cid, o.dan)
}

func TestRequestsThatCannotBe(t *testing.T) {
	o := open(t)
	before := o.everything()
	for _, change := range []func(*workflow.Request){
		func(r *workflow.Request) { r.Definition = "nothing" },
		func(r *workflow.Request) { r.Report.State = "NOWHERE" },
		func(r *workflow.Request) { r.AreaCode = "here" },
		func(r *workflow.Request) { r.SubjectID = "" },
		func(r *workflow.Request) { r.RequestID = "1" },
		func(r *workflow.Request) { r.Report = nil },
		func(r *workflow.Request) { r.Definition = "purchase" },
		func(r *workflow.Request) { r.Variables = []byte(`{"more": 1}`) },
	} {
		r := o.report(uuid.NewString(), "SUBMITTED", "SUBMIT", 1, o.clock(), "", workflow.Person{Kind: access.Citizen, ID: id(o.citizen)})
		change(&r)
		_ = o.Fulfil(t.Context(), request(r))
	}
	if o.everything() != before {
		t.Error("something changed")
	}
}

// Other subgraphs begin instances, once a request, and learn of the result.
func TestSubgraphsBeginInstances(t *testing.T) {
	o := open(t)
	r := workflow.Request{RequestID: uuid.NewString(), Definition: "purchase", SubjectID: "purchase-1", AreaCode: here, Title: "采购桌椅", Variables: []byte(purchase),
		Initiator: workflow.Person{Kind: access.Worker, ID: id(o.ann)}}
	o.fulfil(r, r)
	r.RequestID = uuid.NewString() // the same subject a second time
	if err := o.Fulfil(t.Context(), request(r)); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a second instance of one subject: %v", err)
	}
	items := o.list(o.ann, inbox.Mine)
	if len(items) != 1 {
		t.Fatalf("%d instances", len(items))
	}
	o.events("")
	o.must(o.cid, items[0].InstanceID, "REJECT")
	changed := o.events(workflow.SubjectChanged)
	if len(changed) != 1 || changed[0]["subjectId"] != "purchase-1" || changed[0]["outcome"] != "REJECTED" || changed[0]["status"] != "ENDED" {
		t.Errorf("told %v", changed)
	}
}
