package feedback

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// SubjectWorkflow is where the workflow is told of each step. The state machine
// of this package stays the truth; the workflow puts the case into the inbox of
// whose turn it is, keeps the time limit, calls superiors and takes urging.
const SubjectWorkflow = "community.workflow.requested"

// report is the payload of SubjectWorkflow. The case's ID is the request's too:
// a case has one instance.
type report struct {
	RequestID  string   `json:"requestId"`
	Definition string   `json:"definition"` // of the same transitions, as data
	SubjectID  string   `json:"subjectId"`
	AreaCode   string   `json:"areaCode"`
	Title      string   `json:"title"`
	Initiator  person   `json:"initiator"`
	Variables  assigned `json:"variables"`
	Report     standing `json:"report"`
}

type person struct {
	Kind access.Kind `json:"kind"`
	ID   string      `json:"id"`
}

type assigned struct {
	Assignee []string `json:"assignee,omitempty"`
}

type standing struct {
	State   FeedbackState  `json:"state"`
	Action  FeedbackAction `json:"action"`
	Actor   person         `json:"actor"`
	DueAt   *time.Time     `json:"dueAt,omitempty"` // nil while the clock stands still
	Version int            `json:"version"`
}

// told is what the workflow is told of the action: where the case stands, in
// the version that it will have.
func told(c *FeedbackCase, action FeedbackAction, doer *access.Principal, version int) outbox.Message {
	r := report{
		RequestID: c.ID, Definition: "feedback", SubjectID: c.ID, AreaCode: c.AreaCode, Title: c.Number + " " + c.Title, Initiator: person{access.Citizen, c.CitizenID},
		Report: standing{State: c.State, Action: action, Actor: person{doer.Kind, doer.ID}, Version: version},
	}
	if c.AssigneeID != nil {
		r.Variables.Assignee = []string{*c.AssigneeID}
	}
	if c.State.Open() && c.WaitingSince == nil {
		r.Report.DueAt = &c.DueAt
	}
	return outbox.Message{Subject: SubjectWorkflow, AreaCode: c.AreaCode, Payload: r}
}

// TellAll tells the workflow of all cases without a result, for those that were
// loaded and not lived through. The transaction sees them all.
func TellAll(ctx context.Context, tx sqlx.ExecerContext) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO community.outbox (id, subject, area_code, payload)
		SELECT gen_random_uuid(), '`+SubjectWorkflow+`', area_code, jsonb_build_object(
			'requestId', id, 'definition', 'feedback', 'subjectId', id, 'areaCode', area_code, 'title', number || ' ' || title,
			'initiator', jsonb_build_object('kind', 'citizen', 'id', citizen_id),
			'variables', CASE WHEN assignee_id IS NULL THEN '{}' ELSE jsonb_build_object('assignee', jsonb_build_array(assignee_id)) END,
			'report', jsonb_build_object('state', state, 'action', 'SYNC', 'actor', jsonb_build_object('kind', 'system', 'id', 'feedback'), 'version', version,
				'dueAt', CASE WHEN waiting_since IS NULL THEN to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END))
		FROM community.feedback_case WHERE closed_at IS NULL ORDER BY created_at, id`)
	if err != nil {
		return fmt.Errorf("feedback: telling the workflow of all cases: %w", err)
	}
	return nil
}
