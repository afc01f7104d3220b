package activity

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// checkInGrace is how long after its end people of an activity may still be checked in.
const checkInGrace = 24 * time.Hour

// deadlineBatch bounds one look after deadlines.
const deadlineBatch = 200

// KeepDeadlines closes the activities whose end and grace have passed. Each
// activity is a transaction of its own.
func (s *Desk) KeepDeadlines(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "deadline")
	var ids []string
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &ids,
			`SELECT id FROM community.activity WHERE state = 'PUBLISHED' AND ends_at < $1 ORDER BY ends_at LIMIT $2`, s.now().Add(-checkInGrace), deadlineBatch)
	})
	if err != nil {
		return fmt.Errorf("activity: looking for deadlines: %w", err)
	}
	for _, id := range ids {
		if _, err := s.change(ctx, id, -1, Closed, closing); err != nil && fault.CodeOf(err) != fault.Conflict { // somebody was faster
			return err
		}
	}
	return nil
}
