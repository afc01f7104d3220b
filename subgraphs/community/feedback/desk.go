package feedback

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
)

// Receipts checks that a principal uploaded a file; *token.Verifier does.
type Receipts interface {
	Receipt(text, owner string) (token.Receipt, error)
}

// Desk is all that can be done with cases; it asks for the principal's
// permission and scope before every step.
type Desk struct {
	DB       *database.DB
	Receipts Receipts
	Clock    func() time.Time
}

// now is the moment, as precise as the database keeps it.
func (s *Desk) now() time.Time { return s.Clock().Truncate(time.Microsecond) }

// Now is the moment that overdue and allowed actions are judged at.
func (s *Desk) Now() time.Time { return s.now() }

var errNotFound = fault.New(fault.NotFound, "未找到该意见反馈，或您无权查看")

// Case gives one case that the principal may see.
func (s *Desk) Case(ctx context.Context, id string) (*FeedbackCase, error) {
	cases, err := s.Cases(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if cases[0] == nil {
		return nil, errNotFound
	}
	return cases[0], nil
}

// Cases gives the cases of the IDs in their order, nil where there is none that
// the principal may see; one store call.
func (s *Desk) Cases(ctx context.Context, ids []string) ([]*FeedbackCase, error) {
	p := access.From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	valid := make([]string, 0, len(ids))
	for _, id := range ids {
		if input.ID(id) {
			valid = append(valid, id)
		}
	}
	found := map[string]*FeedbackCase{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		cases, err := many(ctx, tx, valid)
		for _, c := range cases {
			if c.SeenBy(p) {
				found[c.ID] = c
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	ordered := make([]*FeedbackCase, len(ids))
	for i, id := range ids {
		ordered[i] = found[strings.ToLower(id)]
	}
	return ordered, nil
}

// List gives a page of the cases in the worker's scope, newest first.
func (s *Desk) List(ctx context.Context, f Filter, page keyset.Page) ([]*FeedbackCase, error) {
	p, err := access.Require(ctx, access.FeedbackView)
	if err != nil {
		return nil, err
	}
	if f.AreaCode == "" && p.Prefixes != nil {
		f.Prefixes = p.Scopes()
	} else {
		if f.AreaCode == "" {
			f.AreaCode = p.AreaCode
		}
		if err := Scope(ctx, access.FeedbackView, f.AreaCode); err != nil {
			return nil, err
		}
	}
	if f.Mine {
		f.AssigneeID = p.ID
	}
	if f.Search != "" {
		if f.Search, err = input.Text("search", "搜索词", f.Search, 2, 60); err != nil {
			return nil, err
		}
	}
	return s.list(ctx, f, page)
}

// Scope asks that the principal may do the action in the area, which exists.
func Scope(ctx context.Context, action access.Action, code string) error {
	if _, err := access.Require(ctx, action); err != nil {
		return err
	}
	if !area.Exists(code) {
		return fault.New(fault.NotFound, "未找到该区域，或不在您的管辖范围内")
	}
	_, err := access.RequireArea(ctx, action, code)
	return err
}

// OfCitizen gives a page of the citizen's own cases, newest first; nobody else
// may ask.
func (s *Desk) OfCitizen(ctx context.Context, citizenID string, page keyset.Page) ([]*FeedbackCase, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if p.ID != citizenID {
		return nil, fault.New(fault.Forbidden, "仅本人可查看")
	}
	return s.list(ctx, Filter{CitizenID: citizenID}, page)
}

func (s *Desk) list(ctx context.Context, f Filter, page keyset.Page) (cases []*FeedbackCase, err error) {
	if page.After != nil {
		if _, err := time.Parse(time.RFC3339Nano, page.After[0]); err != nil || !input.ID(page.After[1]) {
			return nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		cases, err = list(ctx, tx, f, page, s.now())
		return err
	})
	return cases, err
}

// Key is a case's key in lists, for keyset.
func Key(c *FeedbackCase) []string {
	return []string{c.CreatedAt.UTC().Format(time.RFC3339Nano), c.ID}
}

// KeyColumns is the number of Key's columns.
const KeyColumns = 2

// Histories gives the histories of the cases, in the order of the IDs; one
// store call. Whoever may see a case may see its history.
func (s *Desk) Histories(ctx context.Context, caseIDs []string) ([][]*FeedbackEvent, error) {
	byCase := map[string][]*FeedbackEvent{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		events, err := histories(ctx, tx, caseIDs)
		for _, e := range events {
			byCase[e.CaseID] = append(byCase[e.CaseID], e)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	ordered := make([][]*FeedbackEvent, len(caseIDs))
	for i, id := range caseIDs {
		ordered[i] = byCase[id]
	}
	return ordered, nil
}
