package feedback_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// Who leaves leaves no open case behind; closed ones keep their name.
func TestOpenCasesGoToTheSuccessor(t *testing.T) {
	o := open(t)
	leaver, successor := access.From(o.worker).ID, access.From(o.colleague).ID
	closed := o.must(o.submitted(here), feedback.Take)
	if _, err := o.Reply(o.worker, feedback.ReplyFeedbackInput{ID: closed.ID, ExpectedVersion: closed.Version, Content: "已经修好了"}); err != nil {
		t.Fatal(err)
	}
	running, other := o.must(o.submitted(here), feedback.Take), o.must(o.submitted(here), feedback.Take)
	leaver = *running.AssigneeID
	if _, err := o.db.Owner.Exec(`UPDATE community.feedback_case SET assignee_id = $2 WHERE id = $1`, other.ID, uuid.NewString()); err != nil {
		t.Fatal(err)
	}
	leave := func(successorID string) {
		t.Helper()
		payload, _ := json.Marshal(map[string]string{"workerId": leaver, "successorId": successorID})
		if err := o.HandOver(context.WithoutCancel(t.Context()), event.Event{Subject: feedback.SubjectLeft, Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	assignee := func(id string) (who string) {
		t.Helper()
		if err := o.db.Owner.Get(&who, `SELECT coalesce(assignee_id::text, '') FROM community.feedback_case WHERE id = $1`, id); err != nil {
			t.Fatal(err)
		}
		return who
	}
	lines := func() (n int) {
		t.Helper()
		if err := o.db.Owner.Get(&n, `SELECT count(*) FROM community.feedback_event`); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := lines()
	leave(successor)
	leave(successor) // the event comes twice
	if assignee(running.ID) != successor || assignee(closed.ID) != leaver || assignee(other.ID) == successor {
		t.Errorf("running %s, closed %s, another's %s", assignee(running.ID), assignee(closed.ID), assignee(other.ID))
	}
	if got := lines() - before; got != 1 {
		t.Errorf("%d lines of history, want 1", got)
	}
	last, err := o.Case(o.colleague, running.ID)
	if err != nil || last.State != running.State || last.Version != running.Version+1 {
		t.Errorf("%+v %v", last, err)
	}
	leaver = successor
	leave("")
	if got := assignee(running.ID); got != "" {
		t.Errorf("without a successor it stays with %s", got)
	}
	for _, bad := range []string{`{`, `{}`, `{"workerId": "x"}`, fmt.Sprintf(`{"workerId": %q, "successorId": "x"}`, leaver)} {
		if err := o.HandOver(t.Context(), event.Event{Payload: json.RawMessage(bad)}); err != nil {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
