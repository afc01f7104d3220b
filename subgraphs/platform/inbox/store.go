package inbox

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// columns are those of an item i with the caller's mark r.
const columns = `i.id, i.list, i.instance_id, i.task_id, i.module, i.title, i.label, i.link, i.area_code, i.at, nullif(i.due_at, 'infinity') AS due_at, r.at AS read_at`

// Filter chooses items of one list.
type Filter struct {
	List    List
	Module  definition.Module // "" for all
	Overdue bool
	Unread  bool
	Order   Order
}

// Order is the order of a list.
type Order string

// The orders.
const (
	Newest   Order = "NEWEST" // the latest first
	DueFirst Order = "DUE"    // the most urgent first; what has no time limit last
)

// list gives a page for the addressees. Each addressee's part comes from an
// index in the list's order, so that a page costs the same however much lies
// in the inbox; the parts are few, and merged.
func list(ctx context.Context, tx sqlx.ExtContext, workerID string, addressees []string, f Filter, now time.Time, page keyset.Page) ([]*InboxItem, error) {
	args := []any{pq.Array(addressees), workerID, string(f.List), now}
	bind := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	conditions := []string{"x.addressee = a.addressee", "x.list = $3", "x.expires_at > $4"}
	order := "at DESC, id DESC"
	if f.Order == DueFirst {
		order = "due_at, id"
	}
	if f.Module != "" {
		conditions = append(conditions, "x.module = "+bind(string(f.Module)))
	}
	if f.Overdue {
		conditions = append(conditions, "x.due_at < $4")
	}
	if f.Unread {
		conditions = append(conditions, "NOT EXISTS (SELECT FROM platform.inbox_read y WHERE y.item_id = x.id AND y.worker_id = $2)")
	}
	if page.After != nil {
		if f.Order == DueFirst {
			conditions = append(conditions, "(x.due_at, x.id) > ("+bind(page.After[0])+"::timestamptz, "+bind(page.After[1])+"::uuid)")
		} else {
			conditions = append(conditions, "(x.at, x.id) < ("+bind(page.After[0])+"::timestamptz, "+bind(page.After[1])+"::uuid)")
		}
	}
	limit := strconv.Itoa(page.Limit())
	var items []*InboxItem
	err := sqlx.SelectContext(ctx, tx, &items, `
		SELECT `+columns+`
		FROM unnest($1::text[]) AS a (addressee)
		CROSS JOIN LATERAL (
			SELECT x.id, x.list, x.instance_id, x.task_id, x.module, x.title, x.label, x.link, x.area_code, x.at, x.due_at
			FROM platform.inbox_item x WHERE `+strings.Join(conditions, " AND ")+`
			ORDER BY x.`+strings.Replace(order, ", ", ", x.", 1)+` LIMIT `+limit+`
		) AS i
		LEFT JOIN platform.inbox_read r ON r.item_id = i.id AND r.worker_id = $2
		ORDER BY i.`+strings.Replace(order, ", ", ", i.", 1)+` LIMIT `+limit, args...)
	if err != nil {
		return nil, fmt.Errorf("inbox: list: %w", err)
	}
	return items, nil
}

// byIDs gives those of the items that are the addressees'.
func byIDs(ctx context.Context, tx sqlx.ExtContext, workerID string, addressees, ids []string, now time.Time) ([]*InboxItem, error) {
	var items []*InboxItem
	err := sqlx.SelectContext(ctx, tx, &items, `
		SELECT `+columns+` FROM platform.inbox_item i LEFT JOIN platform.inbox_read r ON r.item_id = i.id AND r.worker_id = $2
		WHERE i.id = ANY($3::uuid[]) AND i.addressee = ANY($1::text[]) AND i.expires_at > $4`, pq.Array(addressees), workerID, pq.Array(ids), now)
	if err != nil {
		return nil, fmt.Errorf("inbox: by IDs: %w", err)
	}
	return items, nil
}

// maxCounted bounds what is counted of one addressee's list.
const maxCounted = 2000

func counts(ctx context.Context, tx sqlx.ExtContext, workerID string, addressees []string, now time.Time) (InboxCounts, error) {
	var rows []struct {
		List    List              `db:"list"`
		Module  definition.Module `db:"module"`
		All     int               `db:"all"`
		Overdue int               `db:"overdue"`
		Unread  int               `db:"unread"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT l.list, i.module, count(*) AS all, count(*) FILTER (WHERE i.due_at < $3) AS overdue, count(*) FILTER (WHERE r.item_id IS NULL) AS unread
		FROM unnest($1::text[]) AS a (addressee)
		CROSS JOIN (VALUES ('TODO'), ('CC')) AS l (list)
		CROSS JOIN LATERAL (
			SELECT x.id, x.module, x.due_at FROM platform.inbox_item x
			WHERE x.addressee = a.addressee AND x.list = l.list AND x.expires_at > $3 ORDER BY x.at DESC, x.id DESC LIMIT $4
		) AS i
		LEFT JOIN platform.inbox_read r ON r.item_id = i.id AND r.worker_id = $2
		GROUP BY l.list, i.module ORDER BY l.list, i.module`, pq.Array(addressees), workerID, now, maxCounted)
	if err != nil {
		return InboxCounts{}, fmt.Errorf("inbox: counting: %w", err)
	}
	var c InboxCounts
	for _, row := range rows {
		if row.List == Cc {
			c.CcUnread += row.Unread
			continue
		}
		c.Todo, c.Unread, c.Overdue = c.Todo+row.All, c.Unread+row.Unread, c.Overdue+row.Overdue
		c.Modules = append(c.Modules, ModuleCount{Module: row.Module, Todo: row.All, Unread: row.Unread})
	}
	return c, nil
}

// markRead marks the items that are the addressees' as read by the worker, and
// gives how many became so.
func markRead(ctx context.Context, tx sqlx.ExtContext, workerID string, addressees, ids []string, now time.Time) (int, error) {
	marked, err := tx.ExecContext(ctx, `
		INSERT INTO platform.inbox_read (worker_id, item_id, at)
		SELECT $2, i.id, $4 FROM platform.inbox_item i WHERE i.id = ANY($3::uuid[]) AND i.addressee = ANY($1::text[]) AND i.expires_at > $4
		ON CONFLICT DO NOTHING`, pq.Array(addressees), workerID, pq.Array(ids), now)
	if err != nil {
		return 0, fmt.Errorf("inbox: marking: %w", err)
	}
	n, err := marked.RowsAffected()
	return int(n), err
}
