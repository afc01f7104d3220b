package feedback

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// merging moves the cases and their lines to $2; where each is counted, and how
// it was rated, stays.
var merging = []string{
	`SELECT community.feedback_event_ended($1, $2)`,
	`UPDATE community.feedback_case SET citizen_id = $2 WHERE citizen_id = $1`,
}

// erasing takes what a citizen wrote out of the cases, what was answered to
// them, and whose they are: each gets an owner of its own that is nobody, so
// that not even two of them can be put together. Area, class, state, times and
// rating stay, and with them every figure.
var erasing = []string{
	`SELECT community.feedback_event_ended($1, NULL)`,
	`UPDATE community.feedback_case SET title = '（已清除）', content = '（提交人已注销账户，内容已清除）', pictures = '{}', anonymous = true,
		reply = CASE WHEN reply IS NOT NULL THEN '（已清除）' END, question = NULL, rating_comment = NULL, citizen_id = gen_random_uuid(), version = version + 1
		WHERE citizen_id = $1`,
}

// Keeper moves and erases cases when an account ends.
func (s *Desk) Keeper() account.Keeper {
	return account.Keeper{Name: "feedback", Merge: func(ctx context.Context, tx *sqlx.Tx, from, to string) error {
		return account.Each(ctx, tx, merging, from, to)
	}, Erase: func(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
		return account.Each(ctx, tx, erasing, citizenID)
	}}
}
