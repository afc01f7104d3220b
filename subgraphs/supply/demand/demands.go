package demand

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Demands reads demands, each caller what they may see. Changes are in manage.go.
type Demands struct {
	db  *database.DB
	now func() time.Time
}

// New makes the demands over the database.
func New(db *database.DB, now func() time.Time) *Demands { return &Demands{db: db, now: now} }

// List gives a page of the open demands, to everybody; with states, workers who
// publish or review get those in their data scope.
func (ds *Demands) List(ctx context.Context, f Filter, first *int, after *string) (*DemandConnection, error) {
	page, err := parse(first, after)
	if err != nil {
		return nil, err
	}
	if f.AreaID != nil {
		if err := input.AreaCode("areaId", *f.AreaID); err != nil {
			return nil, err
		}
	}
	if f.Search, err = participant.Search(f.Search); err != nil {
		return nil, err
	}
	if open := len(f.States) == 0 || len(f.States) == 1 && f.States[0] == Open; !open {
		by, err := access.RequireWorker(ctx)
		if err != nil {
			return nil, err
		}
		if !by.May(access.DemandReview) && !by.May(access.DemandPublish) {
			return nil, fault.New(fault.Forbidden, "您没有执行此操作的权限")
		}
		f.Scope, f.Prefixes = by.AreaCode, by.Prefixes
	}
	return ds.page(ctx, f.where(), page, f.Scope == "")
}

// OwnPage asks for a page of the caller's own demands. It is comparable, so
// that loaders batch by it.
type OwnPage struct {
	Size  int
	After [2]string
}

// NewOwnPage checks the arguments.
func NewOwnPage(first *int, after *string) (OwnPage, error) {
	page, err := parse(first, after)
	if err != nil {
		return OwnPage{}, err
	}
	own := OwnPage{Size: page.Size}
	if page.After != nil {
		own.After = [2]string(page.After)
	}
	return own, nil
}

// Own gives a page of the demands that the signed-in citizen published, newest first.
func (ds *Demands) Own(ctx context.Context, own OwnPage) (*DemandConnection, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	page := keyset.Page{Size: own.Size}
	if own.After != [2]string{} {
		page.After = own.After[:]
	}
	w := new(condition.Where)
	w.Add("s.citizen_id = ?", citizen.ID)
	return ds.page(ctx, w, page, false)
}

func (ds *Demands) page(ctx context.Context, w *condition.Where, page keyset.Page, byOpening bool) (*DemandConnection, error) {
	var found []*Demand
	err := ds.db.Read(ctx, func(tx *sqlx.Tx) (err error) {
		found, err = list(ctx, tx, w, page, byOpening)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect(page, found, place), nil
}

// Find gives the demands of the IDs that the caller may see, by ID.
func (ds *Demands) Find(ctx context.Context, ids []string) (map[string]*Demand, error) {
	found := make(map[string]*Demand, len(ids))
	if ids = input.IDs(ids); len(ids) == 0 {
		return found, nil
	}
	err := ds.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err := byIDs(ctx, tx, ids)
		for _, d := range all {
			if d.visible(ctx) {
				found[d.ID] = d
			}
		}
		return err
	})
	return found, err
}

// History gives each demand's newest lines. The caller has asked Private for each.
func (ds *Demands) History(ctx context.Context, ids []string) (map[string][]*DemandEvent, error) {
	events := make(map[string][]*DemandEvent, len(ids))
	err := ds.db.Read(ctx, func(tx *sqlx.Tx) error {
		lines, err := history.Newest(ctx, tx, ids)
		for id, own := range lines {
			for _, line := range own {
				events[id] = append(events[id], &DemandEvent{line})
			}
		}
		return err
	})
	return events, err
}

// Private says whether the caller may see history and verdicts of the demand.
func Private(ctx context.Context, d *Demand) bool { return d.private(ctx) }

// AllowedActions are what the caller may do to the demand now.
func (d *Demand) AllowedActions(ctx context.Context) []DemandAction {
	by, actions := access.From(ctx), []DemandAction{}
	for _, t := range transitions {
		if t.from == d.State && d.may(by, t.by) {
			actions = append(actions, t.action)
		}
	}
	return actions
}

// may says whether the principal is on the side that an action belongs to.
// Nobody reviews what they published themselves.
func (d *Demand) may(by *access.Principal, s side) bool {
	switch s {
	case publisher:
		return d.published(by)
	case reviewers:
		return d.reviewable(by) && !(d.WorkerID != nil && by.ID == *d.WorkerID)
	default:
		return by != nil && by.Kind == access.System
	}
}
