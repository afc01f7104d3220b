package feedback_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

var actions = []feedback.FeedbackAction{
	feedback.Assign, feedback.Take, feedback.Return, feedback.RequestInfo, feedback.SupplyInfo, feedback.Reply,
	feedback.Reject, feedback.MarkDuplicate, feedback.Reopen, feedback.Close, feedback.Rate,
}

// reach is how a case comes into each state.
var reach = map[feedback.FeedbackState][]feedback.FeedbackAction{
	feedback.Submitted:   {},
	feedback.Assigned:    {feedback.Assign},
	feedback.Returned:    {feedback.Assign, feedback.Return},
	feedback.InProgress:  {feedback.Take},
	feedback.WaitingInfo: {feedback.Take, feedback.RequestInfo},
	feedback.Replied:     {feedback.Take, feedback.Reply},
	feedback.Reopened:    {feedback.Reject, feedback.Reopen},
	feedback.Rejected:    {feedback.Reject},
	feedback.Duplicate:   {feedback.MarkDuplicate},
	feedback.Closed:      {feedback.Take, feedback.Reply, feedback.Close},
}

// allowed is the state machine once more, written down from the requirements.
var allowed = map[feedback.FeedbackState]map[feedback.FeedbackAction]feedback.FeedbackState{
	feedback.Submitted: {
		feedback.Assign: feedback.Assigned, feedback.Take: feedback.InProgress,
		feedback.Reject: feedback.Rejected, feedback.MarkDuplicate: feedback.Duplicate,
	},
	feedback.Assigned:    {feedback.Take: feedback.InProgress, feedback.Return: feedback.Returned},
	feedback.Returned:    {feedback.Assign: feedback.Assigned, feedback.Take: feedback.InProgress},
	feedback.InProgress:  {feedback.RequestInfo: feedback.WaitingInfo, feedback.Reply: feedback.Replied},
	feedback.WaitingInfo: {feedback.SupplyInfo: feedback.InProgress},
	feedback.Replied:     {feedback.Reopen: feedback.Reopened, feedback.Close: feedback.Closed, feedback.Rate: feedback.Replied},
	feedback.Reopened:    {feedback.Assign: feedback.Assigned, feedback.Take: feedback.InProgress},
	feedback.Rejected:    {feedback.Reopen: feedback.Reopened, feedback.Rate: feedback.Rejected},
	feedback.Duplicate:   {},
	feedback.Closed:      {feedback.Rate: feedback.Closed},
}

func TestEveryActionInEveryState(t *testing.T) {
	o := open(t)
	for _, state := range feedback.States {
		for _, action := range actions {
			o.citizen = citizen(t.Context()) // a citizen may submit only so many a day
			c := o.must(o.submitted(here), reach[state]...)
			if c.State != state {
				t.Fatalf("reached %s, want %s", c.State, state)
			}
			to, legal := allowed[state][action]
			if legal {
				after, err := o.act(o.usual(action), c, action)
				if err != nil {
					t.Errorf("%s in %s: %v", action, state, err)
				} else if after.State != to {
					t.Errorf("%s in %s leads to %s, want %s", action, state, after.State, to)
				}
				continue
			}
			if action == feedback.MarkDuplicate {
				continue // its own input would make a case; TestDuplicates has it
			}
			before := o.everything()
			_, err := o.act(o.usual(action), c, action)
			if fault.CodeOf(err) != fault.Conflict {
				t.Errorf("%s in %s: got %v, want CONFLICT", action, state, err)
			}
			if after := o.everything(); after != before {
				t.Errorf("%s in %s was refused, but changed something:\n%s", action, state, cmp.Diff(before, after))
			}
		}
	}
}

func TestAllowedActionsAreWhatIsAllowed(t *testing.T) {
	o := open(t)
	for _, state := range feedback.States {
		c := o.must(o.submitted(here), reach[state]...)
		offered := map[feedback.FeedbackAction]bool{}
		for _, who := range []*access.Principal{access.From(o.worker), access.From(o.citizen)} {
			for _, action := range c.Allowed(who, o.clock()) {
				offered[action] = true
			}
		}
		for _, action := range actions {
			if _, legal := allowed[state][action]; legal != offered[action] {
				t.Errorf("%s in %s: offered %t, legal %t", action, state, offered[action], legal)
			}
		}
		if got := c.Allowed(access.From(o.neighbour), o.clock()); len(got) > 0 {
			t.Errorf("a neighbour is offered %v", got)
		}
		if got := c.Allowed(access.From(o.nextDoorWorker), o.clock()); len(got) > 0 {
			t.Errorf("the worker next door is offered %v", got)
		}
	}
}

func TestHistoryTellsTheWholeLife(t *testing.T) {
	o := open(t)
	c := o.must(o.submitted(here), feedback.Take, feedback.RequestInfo, feedback.SupplyInfo, feedback.Reply, feedback.Rate,
		feedback.Reopen, feedback.Assign, feedback.Return, feedback.Take, feedback.Reply, feedback.Rate, feedback.Close)
	histories, err := o.Histories(o.citizen, []string{c.ID})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, e := range histories[0] {
		from := ""
		if e.From != nil {
			from = string(*e.From)
		}
		got = append(got, string(e.Actor)+" "+string(e.Action)+" "+from+"→"+string(e.To))
		if e.Seq != i+1 {
			t.Errorf("line %d has number %d", i+1, e.Seq)
		}
		if (e.Actor == feedback.ByWorker) != (e.WorkerID != nil) {
			t.Errorf("line %d: actor %s, worker %v", i+1, e.Actor, e.WorkerID)
		}
	}
	want := []string{
		"CITIZEN SUBMIT →SUBMITTED", "WORKER ASSIGN SUBMITTED→ASSIGNED", "WORKER TAKE ASSIGNED→IN_PROGRESS",
		"WORKER REQUEST_INFO IN_PROGRESS→WAITING_INFO", "CITIZEN SUPPLY_INFO WAITING_INFO→IN_PROGRESS",
		"WORKER REPLY IN_PROGRESS→REPLIED", "CITIZEN RATE REPLIED→REPLIED", "CITIZEN REOPEN REPLIED→REOPENED",
		"WORKER ASSIGN REOPENED→ASSIGNED", "WORKER RETURN ASSIGNED→RETURNED", "WORKER ASSIGN RETURNED→ASSIGNED",
		"WORKER TAKE ASSIGNED→IN_PROGRESS", "WORKER REPLY IN_PROGRESS→REPLIED", "CITIZEN RATE REPLIED→REPLIED", "CITIZEN CLOSE REPLIED→CLOSED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Version != 13 {
		t.Errorf("version %d, want 13: one a mutation", c.Version)
	}
}

func TestOnlyOneOfManyTakersWins(t *testing.T) {
	o := open(t)
	c := o.submitted(here)
	var group sync.WaitGroup
	codes := make([]fault.Code, 20)
	for i := range codes {
		ctx := o.worker
		if i%2 == 1 {
			ctx = o.colleague
		}
		group.Go(func() {
			_, err := o.act(ctx, c, feedback.Take)
			codes[i] = fault.CodeOf(err)
		})
	}
	group.Wait()
	counts := map[fault.Code]int{}
	for _, code := range codes {
		counts[code]++
	}
	if counts[""] != 1 || counts[fault.Conflict] != len(codes)-1 {
		t.Errorf("got %v, want one success and the rest CONFLICT", counts)
	}
}

func TestStaleVersionIsRefused(t *testing.T) {
	o := open(t)
	c := o.submitted(here)
	o.must(c, feedback.Assign)
	before := o.everything()
	_, err := o.act(o.worker, c, feedback.Take) // legal from ASSIGNED too, but seen from an old version
	wantCode(t, err, fault.Conflict)
	if o.everything() != before {
		t.Error("something changed")
	}
}
