package inbox

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service reads inboxes. Everything that it answers is the calling worker's own.
type Service struct {
	DB  *database.DB
	Hub *event.Hub[Moved]
	Now func() time.Time
}

// KeyColumns is the number of Key's columns.
const KeyColumns = 2

// Key is an item's key in the order, for keyset.
func Key(order Order) func(*InboxItem) []string {
	return func(i *InboxItem) []string {
		if order == DueFirst {
			return []string{moment(i.DueAt), i.ID}
		}
		return []string{moment(&i.At), i.ID}
	}
}

// List gives a page of the caller's list; with none named the to-dos.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) ([]*InboxItem, *keyset.PageInfo, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, nil, err
	}
	if f.List == "" {
		f.List = Todo
	}
	if f.Overdue && f.List != Todo {
		return nil, nil, fault.Invalid("filter.overdue", "仅待办可按超期筛选")
	}
	if page.After != nil && !cursor(page.After) {
		return nil, nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var items []*InboxItem
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		items, err = list(ctx, tx, p.ID, Addressees(p), f, s.Now(), page)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	items, info := keyset.Of(page, items, Key(f.Order))
	return together(items), info, nil
}

func cursor(key []string) bool {
	if key[0] != "infinity" {
		if _, err := time.Parse(time.RFC3339Nano, key[0]); err != nil {
			return false
		}
	}
	return input.ID(key[1])
}

// Counts says how much waits for the caller.
func (s *Service) Counts(ctx context.Context) (*InboxCounts, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	var c InboxCounts
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		c, err = counts(ctx, tx, p.ID, Addressees(p), s.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// byIDs gives the caller's items of the IDs, by ID.
func (s *Service) byIDs(ctx context.Context, p *access.Principal, ids []string) (map[string]*InboxItem, error) {
	found := map[string]*InboxItem{}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		items, err := byIDs(ctx, tx, p.ID, Addressees(p), ids, s.Now())
		for _, item := range together(items) {
			found[item.ID] = item
		}
		return err
	})
}

// maxMarked bounds the items of one MarkRead.
const maxMarked = 100

// MarkRead marks the caller's items of the IDs as read, and gives the counts
// after it. Others' items among them are left alone.
func (s *Service) MarkRead(ctx context.Context, ids []string) (marked int, c *InboxCounts, err error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return 0, nil, err
	}
	if len(ids) == 0 || len(ids) > maxMarked || len(input.IDs(ids)) != len(ids) {
		return 0, nil, fault.Invalid("input.ids", "请填写 1 到 %d 个待办标识", maxMarked)
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) (err error) {
		marked, err = markRead(ctx, tx, p.ID, Addressees(p), ids, s.Now())
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	c, err = s.Counts(ctx)
	return marked, c, err
}
