package citizen

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// What becomes of an account's real name (package realname) when the account
// ends: $1 is the account, $2 the moment, $3 what is written into the history.

// endOpen ends the verifications that are open; their evidence goes at once.
var endOpen = []string{
	`UPDATE platform.realname_evidence SET erase_at = $2 WHERE erased_at IS NULL AND verification_id IN (SELECT id FROM platform.realname_verification WHERE citizen_id = $1)
		AND $3 <> ''`,
	`INSERT INTO platform.realname_history (id, verification_id, at, action, from_state, to_state, actor_kind, actor_id)
		SELECT gen_random_uuid(), id, $2, $3, state, 'WITHDRAWN', 'system', 'citizen' FROM platform.realname_verification
		WHERE citizen_id = $1 AND state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW')`,
	`UPDATE platform.realname_verification SET state = 'WITHDRAWN', claimed_name = NULL, claimed_number = NULL, decided_at = $2, ended_at = $2, updated_at = $2, version = version + 1
		WHERE citizen_id = $1 AND state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW') AND $3 <> ''`,
}

// forget takes the identity from the account; it is free for another one.
var forget = []string{
	`DELETE FROM platform.realname_identity WHERE citizen_id = $1 AND $2::timestamptz IS NOT NULL AND $3 <> ''`,
	`INSERT INTO platform.realname_history (id, verification_id, at, action, from_state, to_state, actor_kind, actor_id)
		SELECT gen_random_uuid(), id, $2, $3, state, 'REVOKED', 'system', 'citizen' FROM platform.realname_verification WHERE citizen_id = $1 AND state = 'VERIFIED'`,
	`UPDATE platform.realname_verification SET state = 'REVOKED', ended_at = $2, updated_at = $2, version = version + 1
		WHERE citizen_id = $1 AND state = 'VERIFIED' AND $3 <> ''`,
}

func eachOf(ctx context.Context, tx sqlx.ExecerContext, statements []string, id string, at time.Time, action string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, id, at, action); err != nil {
			return fmt.Errorf("citizen: the real name of an account that ends: %w", err)
		}
	}
	return nil
}

// eraseRealName forgets who the holder of a cancelled account was.
func eraseRealName(ctx context.Context, tx sqlx.ExecerContext, id string, at time.Time) error {
	return eachOf(ctx, tx, append(append([]string{}, endOpen...), forget...), id, at, "WITHDRAW")
}

// mergeRealName makes what the former account has proven the successor's, where
// that has proven nothing. Two who have proven different identities are two
// persons: they do not merge. It gives the successor's level.
func mergeRealName(ctx context.Context, tx sqlx.ExtContext, from, to *row, at time.Time) (AssuranceLevel, error) {
	if err := eachOf(ctx, tx, endOpen, from.ID, at, "MERGE"); err != nil {
		return "", err
	}
	result, err := tx.ExecContext(ctx, `UPDATE platform.realname_identity SET citizen_id = $2, version = version + 1 WHERE citizen_id = $1`, from.ID, to.ID)
	if database.Duplicate(err, "realname_identity_citizen") {
		return "", fault.New(fault.Conflict, "两个账户的实名信息不是同一人，不能合并")
	}
	if err != nil {
		return "", fmt.Errorf("citizen: merging the real names: %w", err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return to.AssuranceLevel, nil
	}
	for _, statement := range []string{
		`UPDATE platform.realname_consent SET citizen_id = $2 WHERE citizen_id = $1`,
		`UPDATE platform.realname_verification SET citizen_id = $2, version = version + 1 WHERE citizen_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, statement, from.ID, to.ID); err != nil {
			return "", fmt.Errorf("citizen: merging the real names: %w", err)
		}
	}
	return from.AssuranceLevel, nil
}
