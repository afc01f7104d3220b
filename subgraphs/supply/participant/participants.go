package participant

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
)

// Participants reads and changes participants, each caller what they may.
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
	f.Scope = by.AreaCode
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

// Apply makes an application of the signed-in citizen.
func (ps *Participants) Apply(ctx context.Context, in ApplyParticipantInput) (*Participant, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := in.participant()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	p.ID, p.ApplicantID = id.String(), citizen.ID
	err = ps.db.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(ctx, tx, p); err != nil {
			if database.Duplicate(err, "participant_uscc_live") {
				return fault.New(fault.Conflict, "该统一社会信用代码已申请入驻或已入驻")
			}
			return err
		}
		return finish(ctx, tx, p, Apply, "", nil)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Take begins the review of an application.
func (ps *Participants) Take(ctx context.Context, id string, version int) (*Participant, error) {
	return ps.change(ctx, id, version, Take, nil, nil)
}

// Review decides an application or a change.
func (ps *Participants) Review(ctx context.Context, in ReviewParticipantInput) (*Participant, error) {
	note, err := Note(in.Decision, in.Note)
	if err != nil {
		return nil, err
	}
	action := Reject
	if in.Decision == DecisionApprove {
		action = Approve
	}
	return ps.change(ctx, in.ID, in.ExpectedVersion, action, note, func(p *Participant) error {
		p.Verdict = note
		if p.Pending != nil && action == Approve {
			p.Pending.apply(p)
		}
		p.Pending = nil
		return nil
	})
}

// Note checks a review's note, which a refusal needs.
func Note(decision ReviewDecision, note *string) (*string, error) {
	clean, err := input.Optional("input.note", "意见", note, 500)
	if err == nil && clean == nil && decision == DecisionReject {
		err = fault.Invalid("input.note", "审核不通过时请填写意见")
	}
	return clean, err
}

// Change asks for a change of an approved participant; until it is reviewed all stays.
func (ps *Participants) Change(ctx context.Context, in ChangeParticipantInput) (*Participant, error) {
	pending, err := in.change()
	if err != nil {
		return nil, err
	}
	return ps.change(ctx, in.ID, in.ExpectedVersion, Change, nil, func(p *Participant) error {
		p.Pending = pending
		return nil
	})
}

// Suspend hides a participant and its services.
func (ps *Participants) Suspend(ctx context.Context, id string, version int, note string) (*Participant, error) {
	return ps.reasoned(ctx, id, version, Suspend, note)
}

// Resume shows them again.
func (ps *Participants) Resume(ctx context.Context, id string, version int, note *string) (*Participant, error) {
	clean, err := input.Optional("input.note", "说明", note, 500)
	if err != nil {
		return nil, err
	}
	return ps.change(ctx, id, version, Resume, clean, nil)
}

// Exit ends a suspended participation for good.
func (ps *Participants) Exit(ctx context.Context, id string, version int, note string) (*Participant, error) {
	return ps.reasoned(ctx, id, version, Exit, note)
}

func (ps *Participants) reasoned(ctx context.Context, id string, version int, action ParticipantAction, note string) (*Participant, error) {
	note, err := input.Text("input.note", "原因", note, 1, 500)
	if err != nil {
		return nil, err
	}
	return ps.change(ctx, id, version, action, &note, func(p *Participant) error {
		p.Verdict = &note
		return nil
	})
}

// change does one action of the state machine: scope and permission, version,
// transition, then the row, its history line and its event in one transaction.
func (ps *Participants) change(ctx context.Context, id string, version int, action ParticipantAction, note *string, edit func(*Participant) error) (changed *Participant, err error) {
	by := access.From(ctx)
	if by == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(id) {
		return nil, fault.New(fault.NotFound, "未找到该参与者")
	}
	err = ps.db.Write(ctx, func(tx *sqlx.Tx) error {
		p, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if p == nil || !p.visible(by) {
			return fault.New(fault.NotFound, "未找到该参与者，或不在您的管辖范围内")
		}
		if !p.owned(by) && !p.reviewable(by) {
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		}
		if p.Version != version {
			return fault.New(fault.Conflict, "该参与者已被他人修改，请刷新后重试")
		}
		t, err := next(action, p.State)
		if err != nil {
			return err
		}
		if !p.may(by, t.by) {
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		}
		if edit != nil {
			if err := edit(p); err != nil {
				return err
			}
		}
		p.State, p.Version = t.to, p.Version+1
		if err := update(ctx, tx, p, by.ID); err != nil {
			return err
		}
		if err := offer(ctx, tx, p); err != nil {
			return err
		}
		changed = p
		return finish(ctx, tx, p, action, t.from, note)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// finish writes history, event and notification of an action that is done.
func finish(ctx context.Context, tx *sqlx.Tx, p *Participant, action ParticipantAction, from ParticipantState, note *string) error {
	if err := history.Append(ctx, tx, p.subject(), string(action), string(from), string(p.State), note); err != nil {
		return err
	}
	return notice.Announce(ctx, tx, ChangedSubject, p.AreaCode, Changed{
		ParticipantID: p.ID, AreaCode: p.AreaCode, Action: action, From: from, State: p.State, Version: p.Version,
	}, p.notice(action))
}
