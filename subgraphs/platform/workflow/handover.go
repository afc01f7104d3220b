package workflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// leftDurable is the consumer of the events of workers who left.
const leftDurable = "platform-workflow-left"

// HandOver gives the open tasks of the worker who left to the successor, or
// back to their queues; each instance in a transaction of its own, with a line
// of its history. An event that comes twice, or again after some instances
// could not be handed over, finds those that are left.
func (s *Service) HandOver(ctx context.Context, e event.Event) error {
	var left worker.LeftEvent
	if err := e.Read(&left); err != nil || !input.ID(left.WorkerID) || left.SuccessorID != "" && !input.ID(left.SuccessorID) {
		s.Log.ErrorContext(ctx, "the event of a worker who left cannot be read", "event", e.ID, "error", err)
		return nil // it will not be readable next time either
	}
	ctx = access.AsSystem(ctx, "workflow")
	var failed error
	after := ""
	for {
		var ids []string
		err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
			return tx.SelectContext(ctx, &ids, `
				SELECT DISTINCT instance_id::text FROM platform.workflow_task
				WHERE status IN ('OPEN', 'WAITING') AND (worker_id = $1 OR delegate_id = $1) AND instance_id::text > $2
				ORDER BY instance_id::text LIMIT $3`, left.WorkerID, after, scanBatch)
		})
		if err != nil {
			return fmt.Errorf("workflow: looking for the tasks of who left: %w", err)
		}
		for _, id := range ids {
			if err := s.handOver(ctx, id, left.WorkerID, left.SuccessorID); err != nil {
				s.Log.ErrorContext(ctx, "workflow not handed over, will try again", "instance", id, "event", e.ID, "error", err)
				failed = errors.Join(failed, err)
			}
			after = id
		}
		if len(ids) < scanBatch {
			return failed
		}
	}
}

func (s *Service) handOver(ctx context.Context, id, from, successor string) error {
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		i, err := lock(ctx, tx, "i.id = $1", false, id)
		if err != nil || i == nil {
			return err
		}
		if err := s.bind(ctx, tx, i); err != nil {
			return err
		}
		run, err := s.load(ctx, tx, i)
		if err != nil {
			return err
		}
		w := newWorld(ctx, tx, s.Now())
		after, effects, moved, err := engine.HandOver(i.definition, run, from, successor, w.engine())
		if err := errors.Join(w.err, err); err != nil || !moved {
			return err
		}
		return saving{s: s, tx: tx, w: w, i: i, before: run.Tasks, after: after, effects: effects}.write(ctx)
	})
}
