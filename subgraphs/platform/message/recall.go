package message

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Recall calls a message of the caller's scope back: from now on nothing of it
// is handed over, and what was delivered within the platform disappears, batch
// by batch. What providers have they keep.
func (s *Service) Recall(ctx context.Context, id, reason string, version int) (m *Message, err error) {
	p, err := access.Require(ctx, access.NoticeSend)
	if err != nil {
		return nil, err
	}
	if reason, err = input.Text("input.reason", "撤回原因", reason, 1, 200); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if m, err = byID(ctx, tx, id, "FOR UPDATE"); err != nil {
			return err
		}
		if !coversAll(p, m.AreaCode) {
			return notFound()
		}
		if err := m.State.may(Recalled); err != nil {
			return err
		}
		// Sending changes the version all the time: only a state that the caller
		// has not seen is in the way, and the table above judges that.
		if version > m.Version {
			return fault.Invalid("input.expectedVersion", "版本号有误")
		}
		before, now := m.State, s.Now()
		m.State, m.RecalledAt, m.RecallReason = Recalled, &now, &reason
		m.Version++
		_, err := tx.ExecContext(ctx, `
			UPDATE platform.message SET state = 'RECALLED', recalled_at = $2, recalled_by = $3, recall_reason = $4, stepped_at = $2, version = version + 1 WHERE id = $1`,
			m.ID, now, p.ID, reason)
		if err != nil {
			return fmt.Errorf("message: calling back: %w", err)
		}
		audit.Change(ctx, target(m), map[string]any{"state": before}, map[string]any{"state": m.State})
		return announceStep(ctx, tx, m.ID, m.Step)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// clear takes back the next batch of a recalled message. It skips what another
// transaction holds, and so never waits for one that waits for the message.
func (s *Service) clear(ctx context.Context, tx *sqlx.Tx, m *Message) error {
	now := s.Now()
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message_delivery SET state = 'CANCELLED', reason = $3, next_at = NULL, finished_at = $4
		WHERE id IN (SELECT id FROM platform.message_delivery WHERE message_id = $1 AND state = ANY($2) LIMIT $5 FOR UPDATE SKIP LOCKED)`,
		m.ID, pq.Array(before(Cancelled)), reasonRecalled, now, 5*batch)
	if err != nil {
		return fmt.Errorf("message: stopping deliveries: %w", err)
	}
	// Those without a receipt may have arrived: they stay unknown, and go out no more.
	_, err = tx.ExecContext(ctx, `UPDATE platform.message_delivery SET next_at = NULL, finished_at = $2 WHERE message_id = $1 AND state = 'UNKNOWN' AND next_at IS NOT NULL`,
		m.ID, now)
	if err != nil {
		return fmt.Errorf("message: stopping what is unknown: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		WITH placed AS (
			UPDATE platform.message_delivery SET reason = $2
			WHERE id IN (SELECT id FROM platform.message_delivery WHERE message_id = $1 AND channel = 'IN_APP' AND state = 'DELIVERED' AND reason = '' LIMIT $3 FOR UPDATE SKIP LOCKED)
			RETURNING id)
		DELETE FROM platform.notification WHERE id IN (SELECT id FROM placed)`, m.ID, reasonRecalled, 5*batch)
	if err != nil {
		return fmt.Errorf("message: removing notifications: %w", err)
	}
	var left bool
	err = tx.GetContext(ctx, &left, `
		SELECT EXISTS (SELECT FROM platform.message_delivery WHERE message_id = $1
			AND (state = ANY($2) OR channel = 'IN_APP' AND state = 'DELIVERED' AND reason = ''))`, m.ID, pq.Array(before(Cancelled)))
	if err != nil {
		return fmt.Errorf("message: looking for what is left: %w", err)
	}
	m.Step++
	if left {
		if err := announceStep(ctx, tx, m.ID, m.Step); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, `UPDATE platform.message SET cleared_at = $2 WHERE id = $1`, m.ID, now); err != nil {
		return fmt.Errorf("message: clearing: %w", err)
	}
	return advance(ctx, tx, m, now)
}
