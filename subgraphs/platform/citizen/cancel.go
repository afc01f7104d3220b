package citizen

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// CoolingTime is how long a cancelled account waits, and may be had back by
// signing in, before its personal data is erased.
const CoolingTime = 7 * 24 * time.Hour

// CancelledSubject is the event of an account whose personal data was erased:
// who keeps such data of the citizen erases it too.
const CancelledSubject = "platform.citizen.cancelled"

// RequestCancel begins the cooling time of the active account and gives its
// end; refused while something is open for the citizen. In the transaction, as
// the system; the caller ends the sessions.
func (s *Service) RequestCancel(ctx context.Context, tx sqlx.ExtContext, id string) (due time.Time, err error) {
	if _, err := lockActive(ctx, tx, id); err != nil {
		return time.Time{}, err
	}
	var open int
	err = sqlx.GetContext(ctx, tx, &open, `SELECT count(*) FROM platform.citizen_obligation WHERE citizen_id = $1 AND open`, id)
	if err != nil {
		return time.Time{}, fmt.Errorf("citizen: what is open: %w", err)
	}
	if open > 0 {
		return time.Time{}, fault.New(fault.Conflict, "您还有 %d 件未办结的事项，办结或撤回后才能注销", open)
	}
	now := s.now()
	due = now.Add(CoolingTime)
	_, err = tx.ExecContext(ctx, `
		UPDATE platform.citizen SET state = 'CANCELLING', cancel_requested_at = $2, cancel_due_at = $3, version = version + 1, updated_at = $2
		WHERE id = $1`, id, now, due)
	if err != nil {
		return time.Time{}, fmt.Errorf("citizen: cancelling: %w", err)
	}
	return due, s.record(ctx, tx, id, CancelRequested, "", now, map[string]any{"state": Cancelling, "due": due})
}

// withdraw gives the account back to whoever has just signed in to it. It tells
// false when the account was erased meanwhile.
func (s *Service) withdraw(ctx context.Context, tx sqlx.ExtContext, id string) (bool, error) {
	now := s.now()
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.citizen SET state = 'ACTIVE', cancel_requested_at = NULL, cancel_due_at = NULL, version = version + 1, updated_at = $2
		WHERE id = $1 AND state = 'CANCELLING'`, id, now)
	if err != nil {
		return false, fmt.Errorf("citizen: withdrawing: %w", err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return false, nil
	}
	return true, s.record(ctx, tx, id, CancelWithdrawn, "", now, map[string]any{"state": Active})
}

const eraseBatch = 100

// EraseDue erases the personal data of accounts whose cooling time is over, up
// to a hundred, and gives their number.
func (s *Service) EraseDue(ctx context.Context) (int, error) {
	var ids []string
	err := s.db.Write(access.AsSystem(ctx, "citizen"), func(tx *sqlx.Tx) error {
		now := s.now()
		err := tx.SelectContext(ctx, &ids, `
			SELECT id FROM platform.citizen WHERE state = 'CANCELLING' AND cancel_due_at <= $1
			ORDER BY cancel_due_at LIMIT $2 FOR UPDATE SKIP LOCKED`, now, eraseBatch)
		if err != nil {
			return fmt.Errorf("citizen: finding those to erase: %w", err)
		}
		for _, id := range ids {
			if err := s.erase(ctx, tx, id, now); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ids), err
}

// erasing are the statements that take a citizen's personal data out of this
// subgraph; $1 is the account.
var erasing = []string{
	`DELETE FROM platform.citizen_identity WHERE citizen_id = $1`,
	`DELETE FROM platform.citizen_obligation WHERE citizen_id = $1`,
	`DELETE FROM platform.citizen_tag_holder WHERE citizen_id = $1`,
	`DELETE FROM platform.push_device WHERE recipient_kind = 'citizen' AND recipient_id = $1`,
	`UPDATE platform.message_delivery SET state = 'CANCELLED', reason = 'NO_ADDRESS', next_at = NULL WHERE recipient_kind = 'citizen' AND recipient_id = $1
		AND state IN ('CREATED', 'TEMPORARY_FAILURE')`,
	`UPDATE platform.notification SET title = '（已清除）', body = '', link = '' WHERE recipient_kind = 'citizen' AND recipient_id = $1`,
	`UPDATE platform.session SET address = '', device_key = '', device_name = '' WHERE kind = 'citizen' AND principal_id = $1`,
}

func (s *Service) erase(ctx context.Context, tx sqlx.ExtContext, id string, at time.Time) error {
	for _, statement := range erasing {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return fmt.Errorf("citizen: erasing: %w", err)
		}
	}
	if err := eraseRealName(ctx, tx, id, at); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.citizen SET state = 'CANCELLED', nickname = '已注销用户', mobile = NULL, mobile_index = NULL, password_hash = NULL, password_changed_at = NULL,
			area_code = '', assurance_level = 'L0', cancel_due_at = NULL, ended_at = $2, version = version + 1, updated_at = $2
		WHERE id = $1`, id, at)
	if err != nil {
		return fmt.Errorf("citizen: erasing: %w", err)
	}
	if err := s.record(ctx, tx, id, CancelDone, "", at, map[string]any{"state": Cancelled}); err != nil {
		return err
	}
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: CancelledSubject, Payload: map[string]string{"citizenId": id}})
}

// Consumer is where events come from; *event.Bus is the real one.
type Consumer interface {
	ConsumeStored(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error
}

// Follow keeps what is open for citizens, from the events of feedback cases,
// until the context ends.
func (s *Service) Follow(ctx context.Context, from Consumer) error {
	return from.ConsumeStored(ctx, "platform-citizen-obligations", "community.feedback.changed", s.Note)
}

// settled are the states in which a feedback case keeps nobody.
var settled = []string{"REPLIED", "REJECTED", "DUPLICATE", "CLOSED", "WITHDRAWN"}

// Note notes a change of a feedback case; an older event changes nothing.
func (s *Service) Note(ctx context.Context, e event.Event) error {
	var changed struct {
		CaseID    string    `json:"caseId"`
		CitizenID string    `json:"citizenId"`
		State     string    `json:"state"`
		At        time.Time `json:"at"`
	}
	if json.Unmarshal(e.Payload, &changed) != nil || !input.ID(changed.CaseID) || !input.ID(changed.CitizenID) {
		return nil // about nobody
	}
	err := s.db.Write(access.AsSystem(ctx, "citizen"), func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.citizen_obligation AS o (subject, citizen_id, open, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET open = $3, citizen_id = $2, at = $4 WHERE o.at < $4`,
			"feedback/"+changed.CaseID, changed.CitizenID, !slices.Contains(settled, changed.State), changed.At)
		return err
	})
	if err != nil {
		return fmt.Errorf("citizen: noting what is open: %w", err)
	}
	return nil
}

const eraseEvery = 10 * time.Minute

// Run erases what is due until the context ends.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(eraseEvery)
	defer ticker.Stop()
	for {
		for {
			n, err := s.EraseDue(ctx)
			if err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "cancelled accounts not erased, will try again", "error", err)
			}
			if n < eraseBatch || err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
