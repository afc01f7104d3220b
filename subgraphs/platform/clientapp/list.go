package clientapp

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Filter chooses applications.
type Filter struct {
	States []State
	Search string // part of the name
}

// Page is a page of applications.
type Page struct {
	Apps []*ClientApp
	Info *keyset.PageInfo
}

// Event is one line of an application's history.
type Event struct {
	ID          string    `db:"id"`
	ClientAppID string    `db:"client_app_id"`
	At          time.Time `db:"at"`
	WorkerID    string    `db:"worker_id"`
	Action      Action    `db:"action"`
	FromState   State     `db:"from_state"` // "" for the first
	To          State     `db:"to_state"`
	Reason      string    `db:"reason"`
}

// From is the state before; nil for the first line.
func (e *Event) From() *State {
	if e.FromState == "" {
		return nil
	}
	return &e.FromState
}

// Day is what an application called on a day in Beijing.
type Day struct {
	ClientAppID string `db:"client_app_id"`
	Day         string `db:"day"` // YYYY-MM-DD
	Calls       int    `db:"calls"`
	Errors      int    `db:"errors"`   // of the calls
	Refusals    int    `db:"refusals"` // which did not run
}

// sees gives who asks and the unit that bounds what they see: reviewers see all
// of their scope, others what is their own unit's.
func sees(ctx context.Context) (*access.Principal, string, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, "", err
	}
	if p.May(access.ClientReview) {
		return p, "", nil
	}
	if p, err = access.Require(ctx, access.ClientManage); err != nil {
		return nil, "", err
	}
	return p, p.UnitID, nil
}

// ByIDs gives those of the applications that the caller may see.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*ClientApp, error) {
	p, unit, err := sees(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*ClientApp, len(ids))
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, input.IDs(ids))
		for _, a := range list {
			if p.Covers(a.AreaCode) && (unit == "" || a.UnitID == unit) {
				found[a.ID] = a
			}
		}
		return err
	})
	return found, err
}

// List gives a page of the applications that the caller may see, the newest first.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) (Page, error) {
	p, unit, err := sees(ctx)
	if err != nil {
		return Page{}, err
	}
	if f.Search, err = input.Text("search", "名称", f.Search, 0, 40); err != nil {
		return Page{}, err
	}
	before := identifier.Last
	if page.After != nil {
		if before = page.After[0]; !input.ID(before) {
			return Page{}, fault.Invalid("after", "游标无效")
		}
	}
	var apps []*ClientApp
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		apps, err = list(ctx, tx, p.Scopes(), unit, f, before, page.Limit())
		return err
	})
	if err != nil {
		return Page{}, err
	}
	shown, info := keyset.Of(page, apps, func(a *ClientApp) []string { return []string{a.ID} })
	return Page{shown, info}, nil
}

// Histories gives the newest lines of the applications' histories. Who sees an
// application sees its history: row-level security follows it.
func (s *Service) Histories(ctx context.Context, ids []string) (map[string][]*Event, error) {
	found := make(map[string][]*Event, len(ids))
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		lines, err := histories(ctx, tx, input.IDs(ids))
		for _, e := range lines {
			found[e.ClientAppID] = append(found[e.ClientAppID], e)
		}
		return err
	})
	return found, err
}

// Secrets gives the applications' keys, without what they are.
func (s *Service) Secrets(ctx context.Context, ids []string) (map[string][]*Secret, error) {
	found := make(map[string][]*Secret, len(ids))
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := secrets(ctx, tx, input.IDs(ids))
		for _, one := range list {
			found[one.ClientAppID] = append(found[one.ClientAppID], one)
		}
		return err
	})
	return found, err
}

// maxDays bounds the days of one look at the statistics.
const maxDays = 92

// Statistics gives what the applications called on each day from the first to
// the last, the newest first; days without calls are left out.
func (s *Service) Statistics(ctx context.Context, ids []string, from, to time.Time) (map[string][]*Day, error) {
	if days := int(to.Sub(from).Hours() / 24); days < 0 || days >= maxDays {
		return nil, fault.Invalid("from", "统计的日期范围须在 1 到 %d 天之间", maxDays)
	}
	found := make(map[string][]*Day, len(ids))
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := days(ctx, tx, input.IDs(ids), from.Format(time.DateOnly), to.Format(time.DateOnly))
		for _, one := range list {
			found[one.ClientAppID] = append(found[one.ClientAppID], one)
		}
		return err
	})
	return found, err
}
