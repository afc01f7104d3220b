package demand

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// subjects are the citizen's demands, for the lines about them.
const subjects = `ARRAY(SELECT id FROM supply.demand WHERE citizen_id = $1)`

// erasing withdraws the citizen's demands that nobody was found for yet, takes
// out what the citizen wrote and whose they are. Area, category, window and
// budget stay: they are counted.
var erasing = []string{
	`INSERT INTO supply.history (subject_id, area_code, citizen_id, action, from_state, to_state, note, actor_kind, actor_id)
		SELECT id, area_code, NULL, 'WITHDRAW', state, 'WITHDRAWN', '发布人账户已注销', 'system', 'account'
		FROM supply.demand WHERE citizen_id = $1 AND state IN ('DRAFT', 'IN_REVIEW', 'OPEN')`,
	`SELECT supply.history_ended(` + subjects + `, NULL, true)`,
	`UPDATE supply.demand SET state = CASE WHEN state IN ('DRAFT', 'IN_REVIEW', 'OPEN') THEN 'WITHDRAWN' ELSE state END,
		title = '（已清除）', content = '（发布人已注销账户，内容已清除）', search = '', review_note = NULL, citizen_id = gen_random_uuid(),
		version = version + 1, updated_at = now(), updated_by = 'account' WHERE citizen_id = $1`,
}

// Keeper moves and ends demands and their history when an account ends.
func Keeper() account.Keeper {
	return account.Keeper{Name: "demand", Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
		return account.Each(ctx, tx, []string{`SELECT supply.history_ended(` + subjects + `, $2, false)`, `UPDATE supply.demand SET citizen_id = $2 WHERE citizen_id = $1`}, from, to)
	}, Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
		return account.Each(ctx, tx, erasing, citizenID)
	}}
}
