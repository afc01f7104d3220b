package communityservice

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Services reads services, each caller what they may see. Changes are in manage.go.
type Services struct {
	db  *database.DB
	now func() time.Time
}

// New makes the services over the database.
func New(db *database.DB, now func() time.Time) *Services { return &Services{db: db, now: now} }

// List gives a page of the caller's own services, or for reviewers of those in
// their data scope.
func (ss *Services) List(ctx context.Context, f Filter, first *int, after *string) (*CommunityServiceConnection, error) {
	by := access.From(ctx)
	switch {
	case by == nil:
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	case by.Kind == access.Citizen:
		f.OwnerID = by.ID
	default:
		if _, err := access.Require(ctx, access.ParticipantView); err != nil {
			return nil, err
		}
		f.Scope, f.Prefixes = by.AreaCode, by.Prefixes
		f.OnShelf = !by.May(access.OfferingReview)
	}
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return nil, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	if f.AreaID != nil {
		if err := input.AreaCode("areaId", *f.AreaID); err != nil {
			return nil, err
		}
		if by.Kind == access.Worker && !by.Covers(*f.AreaID) {
			return nil, fault.New(fault.Forbidden, "该区域不在您的管辖范围内")
		}
	}
	if f.ParticipantID != nil && !input.ID(*f.ParticipantID) {
		return nil, fault.Invalid("participantId", "参与者编号无效")
	}
	if f.Search, err = participant.Search(f.Search); err != nil {
		return nil, err
	}
	var found []*CommunityService
	err = ss.db.Read(ctx, func(tx *sqlx.Tx) error {
		found, err = list(ctx, tx, f, page)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect(page, found, func(s *CommunityService) []string { return []string{s.ID} }), nil
}

// Find gives the services of the IDs that the caller may see, by ID.
func (ss *Services) Find(ctx context.Context, ids []string) (map[string]*CommunityService, error) {
	found := make(map[string]*CommunityService, len(ids))
	if ids = input.IDs(ids); len(ids) == 0 {
		return found, nil
	}
	err := ss.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err := ByIDs(ctx, tx, ids)
		for _, s := range all {
			if s.visible(ctx) {
				found[s.ID] = s
			}
		}
		return err
	})
	return found, err
}

// History gives each service's newest lines. The caller has asked Private for each.
func (ss *Services) History(ctx context.Context, ids []string) (map[string][]*CommunityServiceEvent, error) {
	events := make(map[string][]*CommunityServiceEvent, len(ids))
	err := ss.db.Read(ctx, func(tx *sqlx.Tx) error {
		lines, err := history.Newest(ctx, tx, ids)
		for id, own := range lines {
			for _, line := range own {
				events[id] = append(events[id], &CommunityServiceEvent{line})
			}
		}
		return err
	})
	return events, err
}

// Private says whether the caller may see history and verdicts of the service.
func Private(ctx context.Context, s *CommunityService) bool { return s.private(ctx) }

// AllowedActions are what the caller may do to the service now.
func (s *CommunityService) AllowedActions(ctx context.Context) []CommunityServiceAction {
	by, actions := access.From(ctx), []CommunityServiceAction{}
	for _, t := range transitions {
		if t.from == s.State && s.may(by, t) {
			actions = append(actions, t.action)
		}
	}
	return actions
}

// DistributionPage asks for a page of one service's areas. It is comparable, so
// that loaders batch by it.
type DistributionPage struct {
	ServiceID string
	Size      int
	After     string
}

// Of is the page of a service.
func (d DistributionPage) Of(serviceID string) DistributionPage {
	d.ServiceID = serviceID
	return d
}

// NewDistributionPage checks the arguments.
func NewDistributionPage(first *int, after *string) (DistributionPage, error) {
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return DistributionPage{}, err
	}
	d := DistributionPage{Size: page.Size}
	if page.After != nil {
		d.After = page.After[0]
	}
	return d, nil
}

// Distributions gives the pages; those that differ in the service alone are one statement.
func (ss *Services) Distributions(ctx context.Context, wanted []DistributionPage) (map[DistributionPage]*DistributionConnection, error) {
	groups := map[DistributionPage][]string{}
	for _, page := range wanted {
		rest := page
		rest.ServiceID = ""
		groups[rest] = append(groups[rest], page.ServiceID)
	}
	pages := make(map[DistributionPage]*DistributionConnection, len(wanted))
	err := ss.db.Read(ctx, func(tx *sqlx.Tx) error {
		for rest, ids := range groups {
			page := keyset.Page{Size: rest.Size}
			if rest.After != "" {
				page.After = []string{rest.After}
			}
			found, err := distributions(ctx, tx, ids, rest.After, page.Limit())
			if err != nil {
				return err
			}
			for _, id := range ids {
				key := rest
				key.ServiceID = id
				pages[key] = connectDistributions(page, found[id])
			}
		}
		return nil
	})
	return pages, err
}

func connectDistributions(page keyset.Page, found []*Distribution) *DistributionConnection {
	key := func(d *Distribution) []string { return []string{d.AreaCode} }
	found, info := keyset.Of(page, found, key)
	c := &DistributionConnection{Edges: make([]*DistributionEdge, len(found)), Nodes: append([]*Distribution{}, found...), PageInfo: info}
	for i, d := range found {
		c.Edges[i] = &DistributionEdge{Cursor: keyset.Cursor(key(d)...), Node: d}
	}
	return c
}

// Create makes a draft for a participant of the signed-in citizen that takes part.
func (ss *Services) Create(ctx context.Context, in CreateCommunityServiceInput) (*CommunityService, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.ParticipantID) {
		return nil, fault.Invalid("input.participantId", "未找到该参与者")
	}
	s := &CommunityService{ParticipantID: in.ParticipantID, OwnerID: citizen.ID, Name: in.Name, Summary: in.Summary, Description: in.Description,
		Category: in.Category, PriceFen: in.PriceFen, PriceUnit: in.PriceUnit, Hours: in.Hours, Phone: in.Phone, State: Draft, Version: 1}
	if err := s.check(); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	s.ID = id.String()
	err = ss.db.Write(ctx, func(tx *sqlx.Tx) error {
		found, err := participant.ByIDs(ctx, tx, []string{in.ParticipantID})
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].ApplicantID != citizen.ID {
			return fault.Invalid("input.participantId", "未找到该参与者，或不是您申请的")
		}
		if !found[0].Live() {
			return fault.New(fault.Conflict, "参与者尚未入驻或已暂停，不能新建服务")
		}
		s.AreaCode, s.Offered = found[0].AreaCode, true
		if err := insert(ctx, tx, s); err != nil {
			return err
		}
		return finish(ctx, tx, s, Create, "", nil, nil)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
