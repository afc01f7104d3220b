package participant

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
)

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
