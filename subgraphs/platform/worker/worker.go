// Package worker holds the workers 工作者 of the four levels and their
// assignments: which post they hold in which unit, from when to when, with
// which roles. A worker acts in one post at a time; its unit's area, or what was
// granted instead, is the data scope.
//
// Start reading at Worker, then Service; what a worker may do now is in
// acting.go, what changes workers in manage.go, assignment.go and grant.go,
// passwords are in password.go and policy.go, the SQL is in store.go and
// write.go. Signing in is package session's.
package worker

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
)

// State is where a worker stands in the service.
type State string

// The states: ACTIVE↔SUSPENDED→LEFT. Only an active worker signs in.
const (
	Active    State = "ACTIVE"
	Suspended State = "SUSPENDED"
	Left      State = "LEFT"
)

// Worker is one worker with the present primary assignment.
type Worker struct {
	ID       string `db:"id"`
	Name     string `db:"name"`
	State    State  `db:"state"`
	AreaCode string `db:"area_code"` // the data scope
	UnitID   string `db:"unit_id"`
	Post     string `db:"post"`
	Roles    []access.Role
	// StateReason is why the worker was suspended, resumed, or left.
	StateReason string `db:"state_reason"`
	PasswordDue bool   `db:"password_due"` // the first password was not changed yet
	Version     int    `db:"version"`
	// LoginName is for the worker and administrators only; see Service.Login.
	LoginName string `db:"login"`
	// Viewer is set where the worker has just signed in, and the request itself
	// carries no token yet: what is asked of the worker is asked by Viewer.
	Viewer *access.Principal
}

// IsEntity makes Worker a federation entity.
func (*Worker) IsEntity() {}

// Concerns says whether the worker is the principal, or has just signed in.
func (w *Worker) Concerns(p *access.Principal) bool {
	return w.Viewer != nil || p != nil && p.Kind == access.Worker && p.ID == w.ID
}

// Assignment is one post of a worker in a unit.
type Assignment struct {
	ID       string `db:"id"`
	WorkerID string `db:"worker_id"`
	UnitID   string `db:"unit_id"`
	AreaCode string `db:"area_code"` // of the unit
	PostID   string `db:"post_id"`   // "" for one from before there were posts
	Post     string `db:"post"`
	// Roles and data scope are empty until a security administrator grants them.
	Roles      []access.Role
	DataScope  post.DataScope `db:"data_scope"`
	ScopeAreas []string       `db:"-"`
	ValidFrom  string         `db:"valid_from"` // YYYY-MM-DD
	ValidTo    *string        `db:"valid_to"`   // the last day; nil without limit
	Primary    bool           `db:"is_primary"`
	GrantedAt  *time.Time     `db:"granted_at"`
}

// Filter chooses workers within the caller's data scope.
type Filter struct {
	AreaCode string // "" is the whole scope
	UnitID   string
	Search   string // part of the name
	State    State  // "" is all who have not left
	Role     access.Role
}

// maxSearch bounds a search word, in characters.
const maxSearch = 20

// Check tidies the filter, and refuses what cannot be.
func (f Filter) Check() (Filter, error) {
	if f.AreaCode != "" && !division.Valid(f.AreaCode) {
		return f, fault.Invalid("areaId", "区划代码须为十二位数字")
	}
	if f.UnitID != "" && !input.ID(f.UnitID) {
		return f, fault.Invalid("unitId", "组织机构标识无效")
	}
	f.Search = strings.TrimSpace(f.Search)
	if utf8.RuneCountInString(f.Search) > maxSearch {
		return f, fault.Invalid("search", "搜索关键字不能超过 %d 个字", maxSearch)
	}
	return f, nil
}
