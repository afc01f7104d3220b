package workflow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// changed is the built-in approval, with one thing changed.
func changed(t *testing.T, old, new string) string {
	t.Helper()
	builtins, err := definition.Builtins()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range builtins {
		if b.Key == "general-approval" {
			if !strings.Contains(string(b.Body), old) {
				t.Fatalf("nothing to change: %s", old)
			}
			return strings.Replace(string(b.Body), old, new, 1)
		}
	}
	t.Fatal("no such definition")
	return ""
}

func TestInFlightInstancesFinishOnTheirVersion(t *testing.T) {
	o := open(t)
	old := o.started("general-approval", `{"kind": "LEAVE", "days": 2, "reason": "探亲"}`)
	draft, err := o.DraftDefinition(o.admin, workflow.DraftWorkflowDefinitionInput{Body: changed(t, "days > 3", "days > 1")})
	if err != nil || draft.Number != 2 || draft.State != workflow.Draft {
		t.Fatalf("%+v, %v", draft, err)
	}
	step := func(d *workflow.WorkflowDefinition) workflow.WorkflowDefinitionStepInput {
		return workflow.WorkflowDefinitionStepInput{Key: d.Key, Version: d.Number, ExpectedVersion: d.Version}
	}
	_, err = o.PublishDefinition(o.admin, step(draft))
	wantCode(t, err, fault.Conflict) // not reviewed yet
	for _, who := range []context.Context{o.admin, o.fay, o.ann, o.citizen} {
		if _, err := o.ReviewDefinition(who, step(draft)); err == nil {
			t.Error("reviewed by who may not")
		}
	}
	reviewed, err := o.ReviewDefinition(o.gus, step(draft))
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.PublishDefinition(o.admin, step(draft))
	wantCode(t, err, fault.Conflict) // an old version
	_, err = o.PublishDefinition(o.gus, step(reviewed))
	wantCode(t, err, fault.Forbidden)
	published, err := o.PublishDefinition(o.admin, step(reviewed))
	if err != nil || published.State != workflow.Published {
		t.Fatalf("%+v, %v", published, err)
	}
	fresh := o.started("general-approval", `{"kind": "LEAVE", "days": 2, "reason": "探亲"}`)
	if fresh.DefinitionVersion != 2 || old.DefinitionVersion != 1 {
		t.Errorf("versions %d and %d", fresh.DefinitionVersion, old.DefinitionVersion)
	}
	if i := o.must(o.cid, old.ID, "APPROVE"); i.Status != engine.Ended {
		t.Errorf("the old one is in %s", i.State)
	}
	if i := o.must(o.cid, fresh.ID, "APPROVE"); i.State != "DISTRICT_REVIEW" {
		t.Errorf("the new one is in %s", i.State)
	}
	if err := o.Install(t.Context()); err != nil { // an upgrade leaves the administrator's version alone
		t.Fatal(err)
	}
	if got, err := o.Definition(o.ann, "general-approval", nil); err != nil || got.Number != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	retired, err := o.RetireDefinition(o.admin, step(published))
	if err != nil || retired.State != workflow.Retired {
		t.Fatalf("%+v, %v", retired, err)
	}
	_, err = o.Start(o.ann, workflow.StartWorkflowInput{DefinitionKey: "general-approval", Title: "用印", Variables: ptr(seal)})
	wantCode(t, err, fault.InvalidInput)
	if i := o.must(o.fay, fresh.ID, "APPROVE"); i.Outcome != "APPROVED" {
		t.Errorf("the one in flight is in %s", i.State)
	}
}

func TestDraftsAreTheirKeepers(t *testing.T) {
	o := open(t)
	body := changed(t, "days > 3", "days > 1")
	for _, who := range []context.Context{o.ann, o.gus, o.security, o.citizen, t.Context()} {
		if _, err := o.DraftDefinition(who, workflow.DraftWorkflowDefinitionInput{Body: body}); err == nil {
			t.Error("drafted by who may not")
		}
		if _, err := o.Problems(who, body); err == nil {
			t.Error("checked for who may not")
		}
	}
	_, err := o.DraftDefinition(o.admin, workflow.DraftWorkflowDefinitionInput{Body: changed(t, `"to": "APPROVED" }] }`, `"to": "NOWHERE" }] }`)})
	wantCode(t, err, fault.InvalidInput)
	draft, err := o.DraftDefinition(o.admin, workflow.DraftWorkflowDefinitionInput{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.DraftDefinition(o.admin, workflow.DraftWorkflowDefinitionInput{Body: body})
	wantCode(t, err, fault.Conflict) // there is one already
	reviewed, err := o.ReviewDefinition(o.gus, workflow.WorkflowDefinitionStepInput{Key: draft.Key, Version: draft.Number, ExpectedVersion: draft.Version})
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.DraftDefinition(o.admin, workflow.DraftWorkflowDefinitionInput{Body: body, ExpectedVersion: &reviewed.Version})
	if err != nil || again.State != workflow.Draft || again.ReviewedBy != nil {
		t.Errorf("what was changed after the review: %+v, %v", again, err)
	}
	_, err = o.Definition(o.ann, draft.Key, &draft.Number)
	wantCode(t, err, fault.NotFound)
	list, _, err := o.Definitions(o.ann, workflow.Draft, keyset.Page{Size: 10})
	if err != nil || len(list) != 4 || list[0].State != workflow.Published {
		t.Errorf("ann sees %d, %v", len(list), err)
	}
	first, info, err := o.Definitions(o.admin, "", keyset.Page{Size: 2})
	if err != nil || len(first) != 2 || !info.HasNextPage {
		t.Fatalf("%v, %v", first, err)
	}
	rest, _, err := o.Definitions(o.admin, "", keyset.Page{Size: 5, After: workflow.DefinitionKey(first[1])})
	if err != nil || len(rest) != 3 {
		t.Errorf("%d on the second page, %v", len(rest), err)
	}
}
