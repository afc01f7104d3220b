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

// merging are the statements that make the rows of $1 those of $2: choices of
// both count where they are no, and a message reaches whoever takes over.
var merging = []string{
	`UPDATE platform.notification AS n SET recipient_id = $2 WHERE recipient_kind = 'citizen' AND recipient_id = $1
		AND NOT EXISTS (SELECT FROM platform.notification o WHERE o.request_id = n.request_id AND o.recipient_id = $2)`,
	`UPDATE platform.citizen_obligation SET citizen_id = $2 WHERE citizen_id = $1`,
	`INSERT INTO platform.message_preference AS p (citizen_id, class, allowed, updated_at) SELECT $2, class, allowed, updated_at FROM platform.message_preference WHERE citizen_id = $1
		ON CONFLICT (citizen_id, class) DO UPDATE SET allowed = p.allowed AND excluded.allowed, updated_at = greatest(p.updated_at, excluded.updated_at)`,
	`INSERT INTO platform.citizen_tag_holder AS h (tag_id, citizen_id, area_code, source, expires_at, tagged_by, tagged_at)
		SELECT tag_id, $2, area_code, source, expires_at, tagged_by, tagged_at FROM platform.citizen_tag_holder WHERE citizen_id = $1
		ON CONFLICT (tag_id, citizen_id) DO UPDATE SET expires_at = greatest(h.expires_at, excluded.expires_at)`,
	`DELETE FROM platform.citizen_tag_holder WHERE citizen_id = $1 AND $2::uuid IS NOT NULL`,
	`UPDATE platform.push_device SET recipient_id = $2 WHERE recipient_kind = 'citizen' AND recipient_id = $1`,
	`UPDATE platform.message_delivery AS d SET recipient_id = $2 WHERE recipient_kind = 'citizen' AND recipient_id = $1
		AND NOT EXISTS (SELECT FROM platform.message_delivery o WHERE o.message_id = d.message_id AND o.recipient_id = $2 AND o.channel = d.channel)`,
}

// Merge merges the account, which has no number of its own, into the successor:
// the ways to sign in, the notifications and what is on its way become the
// successor's, the history stays with both. Both must be active, and their holder must have proven both.
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
	for _, statement := range merging {
		if _, err := tx.ExecContext(ctx, statement, id, successorID); err != nil {
			return fmt.Errorf("citizen: merging the rows: %w", err)
		}
	}
	level, err := mergeRealName(ctx, tx, from, to, now)
	if err != nil {
		return err
	}
	if err := s.SetLevel(ctx, tx, successorID, level, "MERGE"); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.citizen SET area_code = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND area_code = ''`, successorID, from.AreaCode, now)
	if err != nil {
		return fmt.Errorf("citizen: merging the profiles: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.citizen SET state = 'MERGED', successor_id = $2, assurance_level = 'L0', password_hash = NULL, ended_at = $3, version = version + 1, updated_at = $3
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
