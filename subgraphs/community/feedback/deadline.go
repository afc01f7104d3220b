package feedback

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// deadlineBatch bounds one look after deadlines.
const deadlineBatch = 200

// KeepDeadlines closes replied cases whose owner let the window pass, each in a
// transaction of its own. Time limits of the others the workflow keeps.
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
	return nil
}

func (s *Desk) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error { return tx.SelectContext(ctx, &ids, query, args...) })
	if err != nil {
		return nil, fmt.Errorf("feedback: looking for deadlines: %w", err)
	}
	return ids, nil
}
