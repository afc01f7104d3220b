package citizen

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// MergedSubject is the event of an account that another one took over: who
// keeps rows of the former makes them the latter's.
const MergedSubject = "platform.citizen.merged"

// Merge merges the account, which has no number of its own, into the successor:
// the ways to sign in and the notifications become the successor's, the history
// stays with both. Both must be active, and their holder must have proven both.
// In the transaction, as the system; the caller ends the sessions of the former.
func (s *Service) Merge(ctx context.Context, tx sqlx.ExtContext, id, successorID string) error {
	if id == successorID {
		return fault.New(fault.Conflict, "不能与本账户合并")
	}
	found, err := lock(ctx, tx, id, successorID)
	if err != nil {
		return err
	}
	from, to := found[id], found[successorID]
	if from == nil || to == nil || from.State != Active || to.State != Active {
		return fault.New(fault.Conflict, "账户当前状态不允许合并")
	}
	if from.Mobile != nil {
		return fault.New(fault.Conflict, "两个账户都已绑定手机号，不能自动合并，请先注销其中一个")
	}
	_, err = tx.ExecContext(ctx, `UPDATE platform.citizen_identity SET citizen_id = $2 WHERE citizen_id = $1`, id, successorID)
	if database.Duplicate(err, "citizen_identity_citizen") {
		return fault.New(fault.Conflict, "两个账户绑定了同一平台的不同账户，请先解除其中一个绑定")
	}
	if err != nil {
		return fmt.Errorf("citizen: merging the links: %w", err)
	}
	now := s.now()
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.notification AS n SET recipient_id = $2 WHERE recipient_kind = 'citizen' AND recipient_id = $1
			AND NOT EXISTS (SELECT FROM platform.notification o WHERE o.request_id = n.request_id AND o.recipient_id = $2)`, id, successorID)
	if err != nil {
		return fmt.Errorf("citizen: merging the notifications: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.citizen SET area_code = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND area_code = ''`, successorID, from.AreaCode, now)
	if err != nil {
		return fmt.Errorf("citizen: merging the profiles: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.citizen SET state = 'MERGED', successor_id = $2, password_hash = NULL, ended_at = $3, version = version + 1, updated_at = $3
		WHERE id = $1`, id, successorID, now)
	if err != nil {
		return fmt.Errorf("citizen: merging: %w", err)
	}
	if err := s.record(ctx, tx, id, MergedInto, successorID, now, map[string]any{"state": Merged, "successorId": successorID}); err != nil {
		return err
	}
	if err := s.record(ctx, tx, successorID, TookOver, id, now, map[string]any{"tookOver": id}); err != nil {
		return err
	}
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: MergedSubject, AreaCode: to.AreaCode,
		Payload: map[string]string{"citizenId": id, "successorId": successorID}})
}
