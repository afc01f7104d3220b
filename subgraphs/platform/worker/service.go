package worker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service answers questions about workers and changes them, within the
// caller's data scope.
type Service struct {
	DB        *database.DB
	Now       func() time.Time
	Passwords *Passwords
	Sessions  Sessions // nil ends none
}

// visible says whether the caller may see the worker: oneself, and with
// worker.view whoever works in the data scope.
func visible(p *access.Principal, w *Worker) bool {
	if p == nil {
		return false
	}
	return p.Kind == access.Worker && p.ID == w.ID || p.May(access.WorkerView) && p.Covers(w.AreaCode)
}

// ByIDs gives the workers of the IDs that the caller may see, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*Worker, error) {
	known, p := input.IDs(ids), access.From(ctx)
	found := make(map[string]*Worker, len(known))
	if len(known) == 0 || p == nil || p.Kind == access.Citizen {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, known)
		for _, w := range list {
			if visible(p, w) {
				found[w.ID] = w
			}
		}
		return err
	})
}

// Page is a page of workers.
type Page struct {
	Workers []*Worker
	Info    *keyset.PageInfo
}

// List gives a page of the chosen workers of the caller's data scope, ordered
// by area and ID. It needs worker.view; an area outside of the scope is NotFound.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) (Page, error) {
	p, err := access.Require(ctx, access.WorkerView)
	if err != nil {
		return Page{}, err
	}
	if f, err = f.Check(); err != nil {
		return Page{}, err
	}
	if page.After != nil && !input.ID(page.After[1]) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	prefix, scopes := "", p.Scopes()
	if len(scopes) == 1 {
		prefix = scopes[0]
	}
	if f.AreaCode != "" {
		if _, err := access.RequireArea(ctx, access.WorkerView, f.AreaCode); err != nil {
			return Page{}, err
		}
		prefix = division.Prefix(f.AreaCode)
	}
	var rows []*Worker
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, prefix, scopes, f, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, func(w *Worker) []string { return []string{w.AreaCode, w.ID} })
	return Page{Workers: found, Info: info}, nil
}

// Assignments gives the present assignments of the workers, by worker: those
// that the caller may see. One statement.
func (s *Service) Assignments(ctx context.Context, workerIDs []string) (map[string][]*Assignment, error) {
	known := input.IDs(workerIDs)
	found := make(map[string][]*Assignment, len(known))
	if len(known) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := assignments(ctx, tx, known, s.Now())
		for _, a := range list {
			found[a.WorkerID] = append(found[a.WorkerID], a)
		}
		return err
	})
}

// Login gives the worker's login name to the worker and to who manages
// workers; nil to others.
func (s *Service) Login(ctx context.Context, w *Worker) *string {
	p := access.From(ctx)
	if w.Viewer != nil {
		p = w.Viewer
	}
	if p == nil {
		return nil
	}
	if self := p.Kind == access.Worker && p.ID == w.ID; self || p.May(access.WorkerManage) && p.Covers(w.AreaCode) {
		return &w.LoginName
	}
	return nil
}

// Credentials gives the stored password hash of who has the login name, and
// whether such an active worker exists; for package session, as the system.
func (s *Service) Credentials(ctx context.Context, login string) (id, hash string, err error) {
	err = s.DB.Read(access.AsSystem(ctx, "worker"), func(tx *sqlx.Tx) error {
		found, err := byLogin(ctx, tx, CanonicalLogin(login))
		if err == nil && found.State == Active {
			id, hash = found.ID, found.Hash
		}
		return err
	})
	return id, hash, err
}

// CanonicalLogin is the login name as it is stored.
func CanonicalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// WhoMay gives the IDs of the active workers of units of exactly the area whose
// roles grant the action. For package notification, as the system.
func (s *Service) WhoMay(ctx context.Context, tx sqlx.ExtContext, areaCode string, action access.Action) ([]string, error) {
	found, err := holders(ctx, tx, areaCode, s.Now())
	if err != nil {
		return nil, err
	}
	var ids []string
	for id, roles := range found {
		if (&access.Principal{Kind: access.Worker, Roles: roles}).May(action) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
