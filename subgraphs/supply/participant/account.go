package participant

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// subjects are the citizen's participants and services, for the lines about them.
const subjects = `ARRAY(SELECT id FROM supply.participant WHERE citizen_id = $1 UNION ALL SELECT id FROM supply.community_service WHERE citizen_id = $1)`

var merging = []string{
	`SELECT supply.history_ended(` + subjects + `, $2, false)`,
	`UPDATE supply.participant SET citizen_id = $2 WHERE citizen_id = $1`,
	`UPDATE supply.community_service SET citizen_id = $2 WHERE citizen_id = $1`,
}

// erasing ends what the citizen applied for: a participant without an applicant
// cannot answer for its services. What was taking part is suspended, so that
// reviewers see it; the company's own data stays, and with it the figures.
var erasing = []string{
	`INSERT INTO supply.history (subject_id, area_code, citizen_id, action, from_state, to_state, note, actor_kind, actor_id)
		SELECT id, area_code, NULL, CASE WHEN state IN ('APPLIED', 'IN_REVIEW') THEN 'REJECT' ELSE 'SUSPEND' END, state,
			CASE WHEN state IN ('APPLIED', 'IN_REVIEW') THEN 'REJECTED' ELSE 'SUSPENDED' END, '申请人账户已注销', 'system', 'account'
		FROM supply.participant WHERE citizen_id = $1 AND state IN ('APPLIED', 'IN_REVIEW', 'APPROVED', 'CHANGE_REVIEW')`,
	`SELECT supply.history_ended(` + subjects + `, NULL, false)`,
	`UPDATE supply.community_service SET offered = false, phone = NULL, citizen_id = gen_random_uuid(), version = version + 1, updated_at = now(), updated_by = 'account'
		WHERE citizen_id = $1`,
	`UPDATE supply.participant SET review_note = CASE WHEN state IN ('APPLIED', 'IN_REVIEW', 'APPROVED', 'CHANGE_REVIEW') THEN '申请人账户已注销' ELSE review_note END,
		state = CASE WHEN state IN ('APPLIED', 'IN_REVIEW') THEN 'REJECTED' WHEN state IN ('APPROVED', 'CHANGE_REVIEW') THEN 'SUSPENDED' ELSE state END,
		pending = NULL, phone = NULL, citizen_id = gen_random_uuid(), version = version + 1, updated_at = now(), updated_by = 'account'
		WHERE citizen_id = $1`,
}

// Keeper moves and ends participants, their services and the history of both
// when an account ends.
func Keeper() account.Keeper {
	return account.Keeper{Name: "participant", Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
		return account.Each(ctx, tx, merging, from, to)
	}, Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
		return account.Each(ctx, tx, erasing, citizenID)
	}}
}
