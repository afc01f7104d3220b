package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// Entry is one item to be in somebody's inbox.
type Entry struct {
	Addressee string     `db:"addressee"`
	List      List       `db:"list"`
	TaskID    string     `db:"task_id"` // of a to-do, else ""
	At        time.Time  `db:"at"`
	DueAt     *time.Time `db:"due_at"`
	ExpiresAt *time.Time `db:"expires_at"` // the end of a delegation
}

// Matter is what the entries are about: the same for all of one instance.
type Matter struct {
	InstanceID, Module, Title, Label, Link, AreaCode string
}

// Change is the payload of SubjectChanged: what changed in inboxes, by addressee.
type Change struct {
	InstanceID string  `json:"instanceId"`
	Items      []Moved `json:"items"`
}

// Moved is one item that came, changed or went.
type Moved struct {
	Addressee string `json:"addressee"`
	ItemID    string `json:"itemId"`
	List      List   `json:"list"`
	Removed   bool   `json:"removed,omitempty"`
}

// SubjectChanged is told when items come, change or go.
const SubjectChanged = "platform.inbox.changed"

type kept struct {
	ID string `db:"id"`
	Entry
}

func (e Entry) key() string { return string(e.List) + "|" + e.Addressee + "|" + e.TaskID }

// Settle makes the to-dos of the matter exactly those wanted; entries of the
// other lists are added, or brought up to date when they are there. It tells
// whom it concerns. The transaction is the system's.
func Settle(ctx context.Context, tx sqlx.ExtContext, m Matter, wanted []Entry) error {
	var there []kept
	err := sqlx.SelectContext(ctx, tx, &there, `
		SELECT id, addressee, list, coalesce(task_id::text, '') AS task_id, at, nullif(due_at, 'infinity') AS due_at, nullif(expires_at, 'infinity') AS expires_at
		FROM platform.inbox_item WHERE instance_id = $1`, m.InstanceID)
	if err != nil {
		return fmt.Errorf("inbox: reading what is there: %w", err)
	}
	old := make(map[string]kept, len(there))
	for _, k := range there {
		old[k.key()] = k
	}
	change := Change{InstanceID: m.InstanceID}
	var fresh []kept
	seen := map[string]bool{}
	for _, e := range wanted {
		if seen[e.key()] {
			continue
		}
		seen[e.key()] = true
		k, known := old[e.key()]
		if !known {
			k = kept{ID: uuid.Must(uuid.NewV7()).String()}
		} else if e.List == Todo {
			e.At = k.At // it came then, whatever has changed since
		}
		k.Entry = e
		fresh = append(fresh, k)
		change.Items = append(change.Items, Moved{Addressee: e.Addressee, ItemID: k.ID, List: e.List})
	}
	var gone []string
	for _, k := range there {
		if k.List == Todo && !seen[k.key()] {
			gone = append(gone, k.ID)
			change.Items = append(change.Items, Moved{Addressee: k.Addressee, ItemID: k.ID, List: k.List, Removed: true})
		}
	}
	if len(gone) > 0 {
		if _, err := tx.ExecContext(ctx, `DELETE FROM platform.inbox_item WHERE id = ANY($1::uuid[])`, pq.Array(gone)); err != nil {
			return fmt.Errorf("inbox: removing: %w", err)
		}
	}
	if err := put(ctx, tx, m, fresh); err != nil {
		return err
	}
	if len(change.Items) == 0 {
		return nil
	}
	slices.SortStableFunc(change.Items, func(a, b Moved) int { return strings.Compare(a.Addressee, b.Addressee) })
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: SubjectChanged, AreaCode: m.AreaCode, Payload: change})
}

// put writes the entries; those that are there get the new content.
func put(ctx context.Context, tx sqlx.ExtContext, m Matter, entries []kept) error {
	if len(entries) == 0 {
		return nil
	}
	n := len(entries)
	ids, addressees, lists, tasks, areas := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	at, due, expires := make([]string, n), make([]string, n), make([]string, n)
	for i, e := range entries {
		ids[i], addressees[i], lists[i], tasks[i], areas[i] = e.ID, e.Addressee, string(e.List), e.TaskID, scopeArea(e.Addressee)
		at[i], due[i], expires[i] = moment(&e.At), moment(e.DueAt), moment(e.ExpiresAt)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.inbox_item (id, addressee, list, task_id, scope_area, at, due_at, expires_at, instance_id, module, title, label, link, area_code)
		SELECT e.id::uuid, e.addressee, e.list, nullif(e.task, '')::uuid, e.scope, e.at::timestamptz, e.due::timestamptz, e.expires::timestamptz, $9, $10, $11, $12, $13, $14
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) AS e (id, addressee, list, task, scope, at, due, expires)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at, due_at = excluded.due_at, expires_at = excluded.expires_at, title = excluded.title, label = excluded.label, link = excluded.link`,
		pq.Array(ids), pq.Array(addressees), pq.Array(lists), pq.Array(tasks), pq.Array(areas), pq.Array(at), pq.Array(due), pq.Array(expires),
		m.InstanceID, m.Module, m.Title, m.Label, m.Link, m.AreaCode)
	if err != nil {
		return fmt.Errorf("inbox: putting %d items: %w", n, err)
	}
	return nil
}

func moment(at *time.Time) string {
	if at == nil {
		return "infinity"
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// Unread makes the matter's to-dos unread again: somebody was urged.
func Unread(ctx context.Context, tx sqlx.ExtContext, instanceID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM platform.inbox_read r USING platform.inbox_item i
		WHERE i.instance_id = $1 AND i.list = 'TODO' AND r.item_id = i.id`, instanceID)
	if err != nil {
		return fmt.Errorf("inbox: making unread: %w", err)
	}
	return nil
}
