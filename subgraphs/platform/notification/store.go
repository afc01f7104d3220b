package notification

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const columns = `id, topic, title, body, nullif(link, '') AS link, created_at, read_at`

// maxUnread is how far unread notifications are counted.
const maxUnread = 1000

func byIDs(ctx context.Context, tx sqlx.ExtContext, to Recipient, ids []string) ([]*Notification, error) {
	var found []*Notification
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT `+columns+` FROM platform.notification
		WHERE id = ANY($1) AND recipient_kind = $2 AND recipient_id = $3`, pq.Array(ids), to.Kind, to.ID)
	if err != nil {
		return nil, fmt.Errorf("notification: by IDs: %w", err)
	}
	return found, nil
}

// list gives a page of the recipient's notifications, newest first.
func list(ctx context.Context, tx sqlx.ExtContext, to Recipient, unreadOnly bool, page keyset.Page) ([]*Notification, error) {
	before := identifier.Last
	if page.After != nil {
		before = page.After[0]
	}
	where := `recipient_kind = $1 AND recipient_id = $2 AND id < $3`
	if unreadOnly {
		where += ` AND read_at IS NULL`
	}
	var found []*Notification
	err := sqlx.SelectContext(ctx, tx, &found,
		`SELECT `+columns+` FROM platform.notification WHERE `+where+` ORDER BY id DESC LIMIT $4`, to.Kind, to.ID, before, page.Limit())
	if err != nil {
		return nil, fmt.Errorf("notification: list: %w", err)
	}
	return found, nil
}

// unread counts the recipients' unread notifications, each up to maxUnread, in
// the order of the recipients.
func unread(ctx context.Context, tx sqlx.ExtContext, to []Recipient) ([]int, error) {
	kinds, ids := make([]string, len(to)), make([]string, len(to))
	for i, r := range to {
		kinds[i], ids[i] = string(r.Kind), r.ID
	}
	var counts []int
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &counts, `
		SELECT (SELECT count(*) FROM (
			SELECT FROM platform.notification
			WHERE recipient_kind = asked.kind AND recipient_id = asked.id AND read_at IS NULL LIMIT $3) AS bounded)
		FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS asked (kind, id, n) ORDER BY asked.n`,
		pq.Array(kinds), pq.Array(ids), maxUnread)
	if err != nil {
		return nil, fmt.Errorf("notification: unread: %w", err)
	}
	return counts, nil
}

// markRead marks the recipient's unread notifications of the IDs, or all when
// ids is nil, and gives how many there were.
func markRead(ctx context.Context, tx sqlx.ExtContext, to Recipient, ids []string, at time.Time) (int, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.notification SET read_at = $3
		WHERE recipient_kind = $1 AND recipient_id = $2 AND read_at IS NULL AND ($4::uuid[] IS NULL OR id = ANY($4))`,
		to.Kind, to.ID, at, pq.Array(ids))
	if err != nil {
		return 0, fmt.Errorf("notification: marking read: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// insert makes one notification for each recipient who has none of the request
// yet, and gives their IDs by recipient.
func insert(ctx context.Context, tx sqlx.ExtContext, r Request, topic Topic, to []Recipient, at time.Time) (map[Recipient]string, error) {
	ids, kinds, recipients := make([]string, len(to)), make([]string, len(to)), make([]string, len(to))
	for i, recipient := range to {
		id, err := identifier.New()
		if err != nil {
			return nil, err
		}
		ids[i], kinds[i], recipients[i] = id, string(recipient.Kind), recipient.ID
	}
	var rows []struct {
		ID string `db:"id"`
		Recipient
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		INSERT INTO platform.notification (id, request_id, recipient_kind, recipient_id, topic, title, body, link, created_at)
		SELECT n.id, $4, n.kind, n.recipient, $5, $6, $7, $8, $9
		FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS n (id, kind, recipient)
		ON CONFLICT (request_id, recipient_id) DO NOTHING
		RETURNING id, recipient_kind, recipient_id`,
		pq.Array(ids), pq.Array(kinds), pq.Array(recipients), r.RequestID, topic, r.Title, r.Body, r.Link, at)
	if err != nil {
		return nil, fmt.Errorf("notification: making: %w", err)
	}
	made := make(map[Recipient]string, len(rows))
	for _, row := range rows {
		made[row.Recipient] = row.ID
	}
	return made, nil
}
