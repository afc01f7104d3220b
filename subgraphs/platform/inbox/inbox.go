// Package inbox holds the one inbox 收件箱 of the workers, over all modules: what
// each has to do, has done, has begun, and was told of. Package workflow puts
// the items in and takes them out; who holds a role sees the role's items too.
//
// Start reading at InboxItem and Addressees; reading is in service.go, what
// package workflow writes in entry.go, live changes in hub.go. The SQL is in
// store.go.
package inbox

import (
	"strings"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// List is one of the lists of an inbox.
type List string

// The lists.
const (
	Todo List = "TODO" // 待办
	Done List = "DONE" // 已办
	Mine List = "MINE" // 我发起的
	Cc   List = "CC"   // 抄送
)

// InboxItem is one line of somebody's inbox.
type InboxItem struct {
	ID         string            `db:"id"`
	List       List              `db:"list"`
	InstanceID string            `db:"instance_id"`
	TaskID     *string           `db:"task_id"` // of a to-do
	Module     definition.Module `db:"module"`
	Title      string            `db:"title"`
	StateLabel string            `db:"label"` // Chinese
	Link       string            `db:"link"`
	AreaCode   string            `db:"area_code"`
	At         time.Time         `db:"at"`
	DueAt      *time.Time        `db:"due_at"`
	ReadAt     *time.Time        `db:"read_at"` // nil while the caller has not opened it
	Page       *Page             `db:"-"`       // whom it was read with
}

// Page is the items that were read together.
type Page struct {
	Items []*InboxItem
	parts [2]struct {
		once  sync.Once
		value any
		err   error
	}
}

// Part is something that belongs to each item of a page, and is read for all.
type Part int

// The parts.
const (
	Actions Part = iota
	Instances
)

// Load reads the part for all items of the page, once: the first who asks waits
// for it, and the others have it.
func (p *Page) Load(part Part, load func([]*InboxItem) (any, error)) (any, error) {
	kept := &p.parts[part]
	kept.once.Do(func() { kept.value, kept.err = load(p.Items) })
	return kept.value, kept.err
}

// together makes a page of the items.
func together(items []*InboxItem) []*InboxItem {
	page := &Page{Items: items}
	for _, item := range items {
		item.Page = page
	}
	return items
}

// OverdueAt says whether it is still to be done and past its time limit.
func (i *InboxItem) OverdueAt(now time.Time) bool {
	return i.List == Todo && i.DueAt != nil && now.After(*i.DueAt)
}

// InboxCounts are how many items wait.
type InboxCounts struct {
	Todo, Unread, Overdue int // of the to-dos
	CcUnread              int
	Modules               []ModuleCount
}

// ModuleCount is how many to-dos a module has.
type ModuleCount struct {
	Module definition.Module
	Todo   int
	Unread int
}

// OfWorker is the worker as an addressee.
func OfWorker(id string) string { return "w:" + strings.ToLower(id) }

// OfPost is whoever holds the role in the area, as an addressee.
func OfPost(role access.Role, area string) string { return "r:" + string(role) + ":" + area }

// Addressees are all as whom the worker gets items: the person, and each role
// where the worker acts now.
func Addressees(p *access.Principal) []string {
	if p == nil || p.Kind != access.Worker {
		return nil
	}
	all := []string{OfWorker(p.ID)}
	for _, role := range p.Roles {
		all = append(all, OfPost(role, p.AreaCode))
	}
	return all
}

// scopeArea is the area of a role's addressee; "" of a person's.
func scopeArea(addressee string) string {
	if !strings.HasPrefix(addressee, "r:") {
		return ""
	}
	return addressee[strings.LastIndexByte(addressee, ':')+1:]
}
