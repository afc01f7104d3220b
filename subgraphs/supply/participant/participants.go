package participant

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
)

// Participants reads participants, each caller what they may see. Changes are in manage.go.
type Participants struct{ db *database.DB }

// New makes the participants over the database.
func New(db *database.DB) *Participants { return &Participants{db: db} }

// List gives a page of the participants in the worker's data scope.
func (ps *Participants) List(ctx context.Context, f Filter, first *int, after *string) (*ParticipantConnection, error) {
	by, err := access.Require(ctx, access.ParticipantView)
	if err != nil {
		return nil, err
	}
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return nil, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	f.Scope, f.Prefixes = by.AreaCode, by.Prefixes
	if f.AreaID != nil {
		if err := input.AreaCode("areaId", *f.AreaID); err != nil {
			return nil, err
		}
		if !by.Covers(*f.AreaID) {
			return nil, fault.New(fault.Forbidden, "该区域不在您的管辖范围内")
		}
	}
	if f.Search, err = Search(f.Search); err != nil {
		return nil, err
	}
	var found []*Participant
	err = ps.db.Read(ctx, func(tx *sqlx.Tx) error {
		found, err = list(ctx, tx, f, page)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect(page, found), nil
}

// Search checks a search of two characters or more; "" is no search.
func Search(text string) (string, error) {
	text, err := input.Text("search", "关键词", text, 0, 50)
	if err != nil || text == "" {
		return "", err
	}
	if _, ok := bigram.Query(text); !ok {
		return "", fault.Invalid("search", "请输入至少两个字的关键词")
	}
	return text, nil
}

// Own gives the participants that the signed-in citizen applied for, newest first.
func (ps *Participants) Own(ctx context.Context) (found []*Participant, err error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	err = ps.db.Read(ctx, func(tx *sqlx.Tx) error {
		found, err = ofCitizen(ctx, tx, citizen.ID)
		return err
	})
	return append([]*Participant{}, found...), err // none is an empty list, not null
}

// Find gives the participants of the IDs that the caller may see, by ID.
func (ps *Participants) Find(ctx context.Context, ids []string) (map[string]*Participant, error) {
	found := make(map[string]*Participant, len(ids))
	if ids = input.IDs(ids); len(ids) == 0 {
		return found, nil
	}
	by := access.From(ctx)
	err := ps.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err := ByIDs(ctx, tx, ids)
		for _, p := range all {
			if p.visible(by) {
				found[p.ID] = p
			}
		}
		return err
	})
	return found, err
}

// History gives each participant's newest lines. The caller has asked
// Private for each.
func (ps *Participants) History(ctx context.Context, ids []string) (map[string][]*ParticipantEvent, error) {
	events := make(map[string][]*ParticipantEvent, len(ids))
	err := ps.db.Read(ctx, func(tx *sqlx.Tx) error {
		lines, err := history.Newest(ctx, tx, ids)
		for id, own := range lines {
			for _, line := range own {
				events[id] = append(events[id], &ParticipantEvent{line})
			}
		}
		return err
	})
	return events, err
}

// Private says whether the caller may see history and verdicts of the participant.
func Private(ctx context.Context, p *Participant) bool { return p.private(ctx) }

// AllowedActions are what the caller may do to the participant now.
func (p *Participant) AllowedActions(ctx context.Context) []ParticipantAction {
	by, actions := access.From(ctx), []ParticipantAction{}
	for _, t := range transitions {
		if t.from == p.State && p.may(by, t.by) {
			actions = append(actions, t.action)
		}
	}
	return actions
}

// may says whether the principal is on the side that an action belongs to.
func (p *Participant) may(by *access.Principal, s side) bool {
	return s != applicant && p.reviewable(by) || s != reviewers && p.owned(by)
}
