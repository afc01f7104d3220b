package feedback

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// deadlineBatch bounds one look after deadlines.
const deadlineBatch = 200

// KeepDeadlines closes replied cases whose owner let the window pass, and tells
// once of each case that became overdue. Each case is a transaction of its own.
func (s *Desk) KeepDeadlines(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "deadline")
	now := s.now()
	passed, err := s.ids(ctx, `SELECT id FROM community.feedback_case WHERE state = 'REPLIED' AND closed_at < $1 ORDER BY closed_at LIMIT $2`,
		now.Add(-Window), deadlineBatch)
	if err != nil {
		return err
	}
	for _, id := range passed {
		_, err := s.change(ctx, change{id: id, expectedVersion: -1, action: Close})
		if err != nil && fault.CodeOf(err) != fault.Conflict { // somebody was faster
			return err
		}
	}
	late, err := s.ids(ctx, `SELECT id FROM community.feedback_case
		WHERE closed_at IS NULL AND waiting_since IS NULL AND due_at < $1 AND overdue_told_at IS NULL ORDER BY due_at LIMIT $2`, now, deadlineBatch)
	if err != nil {
		return err
	}
	for _, id := range late {
		if err := s.tellOverdue(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Desk) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error { return tx.SelectContext(ctx, &ids, query, args...) })
	if err != nil {
		return nil, fmt.Errorf("feedback: looking for deadlines: %w", err)
	}
	return ids, nil
}

// tellOverdue tells who deals with the case, unless that was done meanwhile.
func (s *Desk) tellOverdue(ctx context.Context, id string) error {
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		c, err := lock(ctx, tx, id)
		if err != nil || c == nil || !c.OverdueAt(s.now()) {
			return err
		}
		told, err := tx.ExecContext(ctx,
			`UPDATE community.feedback_case SET overdue_told_at = $2 WHERE id = $1 AND overdue_told_at IS NULL`, id, s.now())
		if err != nil {
			return fmt.Errorf("feedback: telling that %s is overdue: %w", id, err)
		}
		if n, err := told.RowsAffected(); err != nil || n == 0 {
			return err
		}
		to := recipient{AreaCode: c.AreaCode, Action: access.FeedbackHandle}
		if c.AssigneeID != nil {
			to = recipient{WorkerID: *c.AssigneeID}
		}
		return outbox.Append(ctx, tx, "community", notify(c, to, "意见反馈已超期", c.Number+"《"+c.Title+"》，请尽快办理。"))
	})
}
