package feedback

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// SubjectLeft is the platform's event of a worker who left.
const SubjectLeft = "platform.worker.left"

// handOverBatch bounds one look for the cases of who left.
const handOverBatch = 200

// HandOver gives the open cases of the worker who left to the successor, or
// where there is none back to the community's queue; each with a line of its
// history, in a transaction of its own. An event that comes twice finds nothing
// left to do.
func (s *Desk) HandOver(ctx context.Context, e event.Event) error {
	var left struct {
		WorkerID    string `json:"workerId"`
		SuccessorID string `json:"successorId"`
	}
	if err := e.Read(&left); err != nil || !input.ID(left.WorkerID) || left.SuccessorID != "" && !input.ID(left.SuccessorID) {
		return nil // it will not be readable next time either
	}
	ctx = access.AsSystem(ctx, "handover")
	for {
		ids, err := s.ids(ctx, `SELECT id FROM community.feedback_case WHERE assignee_id = $1 AND closed_at IS NULL
			ORDER BY created_at DESC, id DESC LIMIT $2`, left.WorkerID, handOverBatch)
		if err != nil {
			return fmt.Errorf("feedback: handing over: %w", err)
		}
		for _, id := range ids {
			if err := s.handOver(ctx, id, left.WorkerID, left.SuccessorID); err != nil {
				return fmt.Errorf("feedback: handing over: %w", err)
			}
		}
		if len(ids) < handOverBatch {
			return nil
		}
	}
}

func (s *Desk) handOver(ctx context.Context, id, from, to string) error {
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		c, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if c == nil || c.AssigneeID == nil || *c.AssigneeID != from || c.ClosedAt != nil {
			return nil // somebody was faster
		}
		at, state, note := s.now(), c.State, "原承办人离职，退回待办"
		if c.AssigneeID = nil; to != "" {
			c.AssigneeID, note = &to, "原承办人离职，移交承接人办理"
		}
		c.UpdatedAt = at
		if err := record(ctx, tx, c, at, line{step: step{Assign, state}, from: &state, actor: BySystem, note: &note}); err != nil {
			return err
		}
		if err := announce(ctx, tx, c, Assign, access.From(ctx), state, at); err != nil {
			return err
		}
		return update(ctx, tx, c)
	})
}
