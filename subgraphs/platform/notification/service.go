package notification

import (
	"context"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// Service reads and makes notifications. Everything that it answers is the
// caller's own.
type Service struct {
	DB      *database.DB
	Workers *worker.Service
	Hub     *event.Hub[*Notification]
	Now     func() time.Time
	Log     *slog.Logger
}

// own gives the caller as a recipient.
func own(ctx context.Context) (Recipient, error) {
	p := access.From(ctx)
	if p == nil {
		return Recipient{}, fault.New(fault.Unauthenticated, "请先登录")
	}
	if p.Kind == access.System {
		return Recipient{}, fault.New(fault.Forbidden, "系统没有通知")
	}
	return Recipient{Kind: p.Kind, ID: p.ID}, nil
}

// OwnOnly refuses when the recipient is not the caller.
func OwnOnly(ctx context.Context, to Recipient) error {
	me, err := own(ctx)
	if err != nil {
		return err
	}
	if me != to {
		return fault.New(fault.Forbidden, "通知仅限本人查看")
	}
	return nil
}

// ByIDs gives the caller's notifications of the IDs, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*Notification, error) {
	known := input.IDs(ids)
	found := make(map[string]*Notification, len(known))
	me, refused := own(ctx)
	if refused != nil || len(known) == 0 {
		return found, nil // nothing that this caller may see
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, me, known)
		for _, n := range list {
			found[n.ID] = n
		}
		return err
	})
}

// Page is a page of notifications.
type Page struct {
	Notifications []*Notification
	Info          *keyset.PageInfo
}

// List gives a page of the recipient's notifications, newest first. The
// recipient must be the caller.
func (s *Service) List(ctx context.Context, to Recipient, unreadOnly bool, page keyset.Page) (Page, error) {
	if err := OwnOnly(ctx, to); err != nil {
		return Page{}, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*Notification
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, to, unreadOnly, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, func(n *Notification) []string { return []string{n.ID} })
	return Page{Notifications: found, Info: info}, nil
}

// Unread counts the unread notifications, up to a thousand, of those recipients
// who are the caller, in one statement. Others are left out.
func (s *Service) Unread(ctx context.Context, to []Recipient) (map[Recipient]int, error) {
	counts := map[Recipient]int{}
	var asked []Recipient
	for _, recipient := range to {
		if OwnOnly(ctx, recipient) == nil {
			asked = append(asked, recipient)
		}
	}
	if len(asked) == 0 {
		return counts, nil
	}
	return counts, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		found, err := unread(ctx, tx, asked)
		for i, n := range found {
			counts[asked[i]] = n
		}
		return err
	})
}

// maxMarked bounds the IDs of one MarkRead.
const maxMarked = 100

// MarkRead marks the caller's notifications of the IDs, or all of them. It
// gives how many became read, and how many unread ones are left. Others'
// notifications among the IDs are left alone.
func (s *Service) MarkRead(ctx context.Context, ids []string, all bool) (marked, left int, err error) {
	me, err := own(ctx)
	if err != nil {
		return 0, 0, err
	}
	if all == (len(ids) > 0) {
		return 0, 0, fault.Invalid("input.ids", "请填写通知标识，或选择全部，两者选一")
	}
	if len(ids) > maxMarked {
		return 0, 0, fault.Invalid("input.ids", "一次最多标记 %d 条通知", maxMarked)
	}
	var known []string // nil marks all
	if !all {
		known = input.IDs(ids)
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if marked, err = markRead(ctx, tx, me, known, s.Now()); err != nil {
			return err
		}
		counts, err := unread(ctx, tx, []Recipient{me})
		if err == nil {
			left = counts[0]
		}
		return err
	})
	return marked, left, err
}

// Received gives the caller's new notifications from now on, until the context
// or the caller's session ends. Who lags too far behind is cut off, and reads the
// list again.
func (s *Service) Received(ctx context.Context) (<-chan *Notification, error) {
	me, err := own(ctx)
	if err != nil {
		return nil, err
	}
	return s.Hub.Listen(ctx, access.From(ctx).Session, me.topic())
}
