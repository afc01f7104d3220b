package platform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

const startWorkflow = `mutation($r: ID) { startWorkflow(input: {definitionKey: "general-approval", title: "用印", requestId: $r,
	variables: "{\"kind\": \"SEAL\", \"reason\": \"盖章\"}"}) { instance { id version tasks { id } } } }`

type begun struct {
	StartWorkflow struct {
		Instance struct {
			ID      string
			Version int
			Tasks   []struct{ ID string }
		}
	}
}

// workflows installs the definitions that come with the platform.
func (w *world) workflows() {
	w.t.Helper()
	w.must(workflow.New(w.db, w.clock.now, discard).Install(w.t.Context()))
}

type change struct {
	Counts  struct{ Todo, Unread, Overdue int }
	Item    *struct{ Title, StateLabel, Link string }
	Removed bool
	code    string
}

// inboxOf subscribes to the changes of the worker's inbox.
func (w *world) inboxOf(p *access.Principal) <-chan change {
	changes := make(chan change, 64)
	ctx := w.Context(graphql.StartOperationTrace(access.With(w.t.Context(), p)))
	go func() {
		defer close(changes)
		operation, errs := w.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: `subscription { inboxChanged {
			counts { todo unread overdue } removed item { title stateLabel link } } }`})
		if errs != nil {
			return
		}
		responses, ctx := w.executor.DispatchOperation(ctx, operation)
		for response := responses(ctx); response != nil; response = responses(ctx) {
			var data struct{ InboxChanged change }
			if len(response.Errors) > 0 {
				changes <- change{code: fmt.Sprint(response.Errors[0].Extensions["code"])}
				return
			}
			_ = json.Unmarshal(response.Data, &data)
			changes <- data.InboxChanged
		}
	}()
	return changes
}

func awaited(t *testing.T, changes <-chan change) change {
	t.Helper()
	select {
	case c := <-changes:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return change{}
	}
}

func TestTheInboxIsLive(t *testing.T) {
	w := newWorld(t)
	w.workflows()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	relay := &outbox.Relay{DB: w.db, URL: w.database.AppURL, Subgraph: "platform", Publisher: w.bus, Log: discard}
	go func() { _ = relay.Run(ctx) }()
	above, other := w.inboxOf(w.worker(street, access.Supervisor)), w.inboxOf(w.worker(next))
	if first := awaited(t, above); first.Counts.Todo != 0 || first.Item != nil {
		t.Errorf("at first %+v", first)
	}
	awaited(t, other)
	i := get[begun](w, w.worker(here), startWorkflow, "").StartWorkflow.Instance
	at := time.Now()
	if c := awaited(t, above); c.Counts.Todo != 1 || c.Counts.Unread != 1 || c.Item == nil || c.Item.Title != "用印" || c.Item.StateLabel != "街道审批" || c.Item.Link != "workflow/"+i.ID {
		t.Errorf("then %+v", c)
	}
	if took := time.Since(at); took > time.Second {
		t.Errorf("it took %s", took)
	}
	get[any](w, w.worker(street, access.Supervisor), `mutation($i: ID!, $t: ID, $v: Int!) { actOnWorkflow(input: {instanceId: $i, taskId: $t, action: "APPROVE", expectedVersion: $v}) { instance { id } } }`,
		fmt.Sprintf(`{"i": %q, "t": %q, "v": %d}`, i.ID, i.Tasks[0].ID, i.Version))
	removed := false
	for range 2 { // what was to do goes, what is done comes
		c := awaited(t, above)
		removed = removed || c.Removed
		if c.Counts.Todo != 0 {
			t.Errorf("after deciding %+v", c)
		}
	}
	if !removed {
		t.Error("the to-do did not go")
	}
	select {
	case c := <-other:
		t.Errorf("next door learns of %+v", c)
	default:
	}
	for _, p := range []*access.Principal{nil, {Kind: access.Citizen, ID: w.workers[here]}} {
		if c := awaited(t, w.inboxOf(p)); c.code != "UNAUTHENTICATED" && c.code != "FORBIDDEN" {
			t.Errorf("%v listens: %+v", p, c)
		}
	}
}

const inboxQuery = `query($n: Int, $l: InboxList) { inbox(first: $n, filter: {list: $l}) { edges { node { id title overdue area { id }
	allowedActions { name label } instance { id title stateLabel } } } } }`

// One item costs as many statements as twenty.
func TestTheInboxCostsNoQueryARow(t *testing.T) {
	w := newWorld(t)
	w.workflows()
	supervisor := w.worker(street, access.Supervisor)
	for range 20 {
		get[begun](w, w.worker(here), startWorkflow, "")
	}
	w.statements(supervisor, inboxQuery, `{"n": 1}`) // definitions and areas are read once
	one, _ := w.statements(supervisor, inboxQuery, `{"n": 1}`)
	many, a := w.statements(supervisor, inboxQuery, `{"n": 20}`)
	var data struct {
		Inbox struct {
			Edges []struct {
				Node struct {
					AllowedActions []struct{ Name string }
					Instance       struct{ ID string }
				}
			}
		}
	}
	w.must(json.Unmarshal(a.Data, &data))
	if len(data.Inbox.Edges) != 20 || one != many {
		t.Errorf("%d statements for 1, %d for %d", one, many, len(data.Inbox.Edges))
	}
	n := data.Inbox.Edges[0].Node
	if len(n.AllowedActions) != 7 {
		t.Errorf("%+v", n)
	}
	whole := get[struct {
		WorkflowInstance struct {
			InitiatorName string
			Tasks         []struct{ AllowedActions []struct{ Name string } }
			History       []struct{ ActorName, ActionLabel string }
		}
	}](w, supervisor, `query($i: ID!) { workflowInstance(id: $i) { initiatorName tasks { workerName allowedActions { name } } history { actorName actionLabel toLabel } } }`,
		fmt.Sprintf(`{"i": %q}`, n.Instance.ID)).WorkflowInstance
	if whole.InitiatorName == "" || len(whole.Tasks) != 1 || len(whole.Tasks[0].AllowedActions) != 7 || whole.History[0].ActorName == "" || whole.History[0].ActionLabel != "发起" {
		t.Errorf("%+v", whole)
	}
	for _, p := range []*access.Principal{nil, {Kind: access.Citizen, ID: w.workers[here]}, w.worker(next)} {
		a := w.ask(p, inboxQuery, `{"n": 20}`)
		if a.code() == "" && string(a.Data) != `{"inbox":{"edges":[]}}` {
			t.Errorf("%v sees %s", p, a.Data)
		}
	}
}

// A stranger learns nothing of an instance, not even through the federation.
func TestInstancesAreHidden(t *testing.T) { eachWall(t, instancesAreHidden) }

func instancesAreHidden(t *testing.T, w *world) {
	w.workflows()
	id := get[begun](w, w.worker(here), startWorkflow, "").StartWorkflow.Instance.ID
	for name, c := range map[string]struct {
		p    *access.Principal
		sees bool
	}{
		"nobody": {nil, false}, "a citizen": {&access.Principal{Kind: access.Citizen, ID: w.workers[here]}, false}, "next door": {w.worker(next), false},
		"elsewhere": {w.worker(elsewhere), false}, "who began it": {w.worker(here), true}, "the street": {w.worker(street, access.Supervisor), true},
		"the district's leader": {w.worker(district, access.Leader), true}, "an administrator": {w.worker(city, access.SystemAdmin), false},
	} {
		a := w.ask(c.p, `query($r: [_Any!]!) { _entities(representations: $r) { ... on WorkflowInstance { title variables history { comment } } } }`,
			fmt.Sprintf(`{"r": [{"__typename": "WorkflowInstance", "id": %q}]}`, id))
		if sees := len(a.Errors) == 0 && string(a.Data) != `{"_entities":[null]}`; sees != c.sees {
			t.Errorf("%s: %s %v", name, a.Data, a.Errors)
		}
		a = w.ask(c.p, `query($i: ID!) { workflowInstance(id: $i) { title } }`, fmt.Sprintf(`{"i": %q}`, id))
		if sees := len(a.Errors) == 0; sees != c.sees || !sees && a.code() != "NOT_FOUND" && a.code() != "UNAUTHENTICATED" {
			t.Errorf("%s asks for it: %s %v", name, a.Data, a.Errors)
		}
	}
}

// Who leaves is in the stream before anybody consumes it: the work goes to the
// successor's inbox all the same, and once.
func TestWorkOfWhoLeftReachesTheSuccessor(t *testing.T) {
	w := newWorld(t)
	w.workflows()
	a := w.administrators()
	id := get[begun](w, w.worker(here), startWorkflow, `{}`).StartWorkflow.Instance.ID
	w.sql(`UPDATE platform.workflow_task SET worker_id = $2, role = '', role_area = '' WHERE instance_id = $1`, id, w.workers[district])
	w.refused("leaving", w.do(a.system, "endWorker", "EndWorkerInput", workerFields, map[string]any{
		"id": w.workers[district], "expectedVersion": 1, "reason": "调离", "successorId": w.workers[city]}), "", "")
	w.flush()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	successor := w.inboxOf(w.worker(city, access.Leader))
	if first := awaited(t, successor); first.Counts.Todo != 0 {
		t.Errorf("at first %+v", first)
	}
	ended := make(chan error, 1)
	go func() { ended <- workflow.New(w.db, w.clock.now, discard).Run(ctx, w.bus) }()
	relay := &outbox.Relay{DB: w.db, URL: w.database.AppURL, Subgraph: "platform", Publisher: w.bus, Log: discard}
	go func() { _ = relay.Run(ctx) }()
	if got := awaited(t, successor); got.Item == nil || got.Item.Title != "用印" || got.Counts.Todo != 1 {
		t.Errorf("%+v", got)
	}
	stop()
	w.must(<-ended)
	if !w.consumes("platform-workflow-left") {
		t.Error("the consumer is not durable")
	}
}
