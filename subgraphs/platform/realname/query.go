package realname

import (
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// ByID gives a verification that the caller may see; nil for none: the own, and
// with realname.view those at the counters of the scope and of the citizens who
// live in it.
func (s *Service) ByID(ctx context.Context, id string) (*IdentityVerification, error) {
	p := access.From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(id) {
		return nil, nil
	}
	var v *IdentityVerification
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		found, err := byIDs(ctx, tx, []string{id})
		if err != nil || len(found) == 0 {
			return err
		}
		seen, err := s.visible(ctx, tx, found[0], p)
		if seen {
			v = found[0]
		}
		return err
	})
	if err != nil || v == nil {
		return nil, err
	}
	return s.opened(v)
}

func (s *Service) visible(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, p *access.Principal) (bool, error) {
	switch {
	case p.Kind == access.Citizen:
		return v.CitizenID == p.ID, nil
	case !p.May(access.RealNameView):
		return false, nil
	case v.AreaCode != "":
		return p.Covers(v.AreaCode), nil
	}
	return s.Citizens.InScope(ctx, tx, v.CitizenID, p)
}

// opened fills in what is claimed; the schema masks it.
func (s *Service) opened(v *IdentityVerification) (*IdentityVerification, error) {
	if v == nil || v.ClaimedName == nil {
		return v, nil
	}
	d, err := s.claim(v)
	if err != nil {
		return nil, err
	}
	v.PlainName, v.PlainNumber = &d.Name, &d.Number
	return v, nil
}

// Page is a page of verifications.
type Page struct {
	Verifications []*IdentityVerification
	Info          *keyset.PageInfo
}

func (s *Service) pageOf(page keyset.Page, rows []*IdentityVerification, key func(*IdentityVerification) []string) (Page, error) {
	for _, v := range rows {
		if _, err := s.opened(v); err != nil {
			return Page{}, err
		}
	}
	found, info := keyset.Of(page, rows, key)
	siblings := batch.NewSiblings(found)
	for _, v := range found {
		v.siblings = siblings
	}
	return Page{found, info}, nil
}

// OfArea gives a page of the cases at the counters of the area and all below
// it, by area, the oldest first. It needs realname.view. One statement.
func (s *Service) OfArea(ctx context.Context, areaID *string, states []VerificationState, page keyset.Page) (Page, error) {
	p, err := access.Require(ctx, access.RealNameView)
	if err != nil {
		return Page{}, err
	}
	area := p.AreaCode
	if areaID != nil {
		area = *areaID
	}
	if !division.Valid(area) || !p.Covers(area) {
		return Page{}, fault.Invalid("areaId", "请选择管辖范围内的区划")
	}
	if page.After != nil && !input.ID(page.After[1]) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*IdentityVerification
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = casesOf(ctx, tx, area, states, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	return s.pageOf(page, rows, (*IdentityVerification).AreaKey)
}

// AreaKey is the key of a verification in lists of an area.
func (v *IdentityVerification) AreaKey() []string { return []string{v.AreaCode, v.ID} }

// CitizenKey is the key of a verification in lists of a citizen.
func (v *IdentityVerification) CitizenKey() []string { return []string{v.ID} }

// OfCitizen gives a page of all that the account went through, newest first, to
// the citizen and to who may see it.
func (s *Service) OfCitizen(ctx context.Context, citizenID string, page keyset.Page) (Page, error) {
	if err := s.mayLook(ctx, citizenID); err != nil {
		return Page{}, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*IdentityVerification
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = ofCitizen(ctx, tx, citizenID, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	return s.pageOf(page, rows, (*IdentityVerification).CitizenKey)
}

// mayLook refuses who may not look at the account's real name. That the account
// is in a worker's scope was asked when the account was given to them.
func (s *Service) mayLook(ctx context.Context, citizenID string) error {
	p := access.From(ctx)
	if p != nil && p.Kind == access.Citizen && p.ID == citizenID || p != nil && p.Kind == access.Worker && p.May(access.RealNameView) {
		return nil
	}
	return fault.New(fault.Forbidden, "实名信息仅限本人和有权的工作人员查看")
}

// Of gives what the account has proven; nil for nothing.
func (s *Service) Of(ctx context.Context, citizenID string) (*RealName, error) {
	if err := s.mayLook(ctx, citizenID); err != nil {
		return nil, err
	}
	r, err := s.identityFor(ctx, citizenID)
	if err != nil {
		return nil, err
	}
	return s.told(r)
}

// CountersPage is a page of counters.
type CountersPage struct {
	Counters []*RealNameCounter
	Info     *keyset.PageInfo
}

// Counters gives a page of the open counters of the area and all below it. Public.
func (s *Service) Counters(ctx context.Context, areaID string, page keyset.Page) (CountersPage, error) {
	if err := input.AreaCode("areaId", areaID); err != nil {
		return CountersPage{}, err
	}
	if page.After != nil && !input.ID(page.After[1]) {
		return CountersPage{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*RealNameCounter
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = countersOf(ctx, tx, areaID, page)
		return err
	})
	if err != nil {
		return CountersPage{}, err
	}
	found, info := keyset.Of(page, rows, func(c *RealNameCounter) []string { return []string{c.AreaCode, c.ID} })
	siblings := batch.NewSiblings(found)
	for _, c := range found {
		c.siblings = siblings
	}
	return CountersPage{found, info}, nil
}

// Histories gives the histories of the verifications, which the caller sees, in
// order. Who looked at it is for workers alone. At most two statements.
func (s *Service) Histories(ctx context.Context, ids []string) (map[string][]*VerificationEvent, error) {
	found := make(map[string][]*VerificationEvent, len(ids))
	asked, p := input.IDs(ids), access.From(ctx)
	if len(asked) == 0 || p == nil {
		return found, nil
	}
	var workers []string
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := histories(ctx, tx, asked)
		for _, e := range list {
			found[e.VerificationID] = append(found[e.VerificationID], e)
			if e.ActorKind == string(access.Worker) {
				workers = append(workers, e.ActorID)
			}
		}
		return err
	})
	if err != nil || len(workers) == 0 || p.Kind != access.Worker {
		return found, err
	}
	var called map[string]string
	err = s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		called, err = names(ctx, tx, workers)
		return err
	})
	for _, list := range found {
		for _, e := range list {
			if name, ok := called[e.ActorID]; ok && e.ActorKind == string(access.Worker) {
				e.ActorName = &name
			}
		}
	}
	return found, err
}

// MayNow lists what the caller may do with the verification now.
func (s *Service) MayNow(ctx context.Context, v *IdentityVerification) []VerificationAction {
	list, p := []VerificationAction{}, access.From(ctx)
	if p == nil {
		return list
	}
	fresh := func(before ...*string) bool {
		return !slices.ContainsFunc(before, func(id *string) bool { return id != nil && strings.EqualFold(*id, p.ID) })
	}
	if p.Kind == access.Citizen && p.ID == v.CitizenID {
		if v.Method == Offline && v.State == Created {
			list = append(list, Submit)
		}
		if v.Method.May(v.State, Withdrawn) {
			list = append(list, Withdraw)
		}
	}
	if p.Kind == access.Worker && v.Method == Offline && p.Covers(v.AreaCode) && fresh(v.FiledBy, v.ExaminedBy) {
		if v.State == Submitted && p.May(access.RealNameExamine) {
			list = append(list, Examine)
		}
		if v.State == InReview && p.May(access.RealNameDecide) {
			list = append(list, Decide)
		}
	}
	return list
}
