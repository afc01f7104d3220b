package communityservice

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Update changes a draft.
func (ss *Services) Update(ctx context.Context, in UpdateCommunityServiceInput) (*CommunityService, error) {
	return ss.change(ctx, in.ID, in.ExpectedVersion, Update, nil, nil, func(_ *sqlx.Tx, s *CommunityService) error {
		in.apply(s)
		return s.check()
	})
}

// Submit hands a draft in for review; its participant must take part.
func (ss *Services) Submit(ctx context.Context, id string, version int) (*CommunityService, error) {
	return ss.change(ctx, id, version, Submit, nil, nil, func(_ *sqlx.Tx, s *CommunityService) error {
		if !s.Offered {
			return fault.New(fault.Conflict, "参与者已暂停或退出，不能提交服务")
		}
		return nil
	})
}

// Review lists a service, or sends it back to the draft.
func (ss *Services) Review(ctx context.Context, in ReviewCommunityServiceInput) (*CommunityService, error) {
	note, err := participant.Note(in.Decision, in.Note)
	if err != nil {
		return nil, err
	}
	action := Reject
	if in.Decision == participant.DecisionApprove {
		action = Approve
	}
	return ss.change(ctx, in.ID, in.ExpectedVersion, action, note, nil, func(_ *sqlx.Tx, s *CommunityService) error {
		s.Verdict = note
		if action == Approve {
			ss.list(s)
		}
		return nil
	})
}

func (ss *Services) list(s *CommunityService) {
	now := ss.now()
	s.ListedAt, s.DelistedBy = &now, nil
}

// Delist takes a service off the shelves.
func (ss *Services) Delist(ctx context.Context, id string, version int, note string) (*CommunityService, error) {
	note, err := input.Text("input.note", "原因", note, 1, 500)
	if err != nil {
		return nil, err
	}
	return ss.change(ctx, id, version, Delist, &note, nil, func(_ *sqlx.Tx, s *CommunityService) error {
		kind := string(access.From(ctx).Kind)
		s.DelistedBy = &kind
		return nil
	})
}

// Relist puts a service back; its owner may not when a reviewer took it off.
func (ss *Services) Relist(ctx context.Context, id string, version int) (*CommunityService, error) {
	return ss.change(ctx, id, version, List, nil, nil, func(_ *sqlx.Tx, s *CommunityService) error {
		ss.list(s)
		return nil
	})
}

// Distribute shows a service in areas of the caller's data scope.
func (ss *Services) Distribute(ctx context.Context, id string, version int, areas []string) (*CommunityService, error) {
	return ss.inAreas(ctx, id, version, Distribute, areas, func(tx *sqlx.Tx, s *CommunityService) error {
		return distribute(ctx, tx, s.ID, areas, access.From(ctx).ID)
	})
}

// Withdraw no longer shows it there.
func (ss *Services) Withdraw(ctx context.Context, id string, version int, areas []string) (*CommunityService, error) {
	return ss.inAreas(ctx, id, version, WithdrawDistribution, areas, func(tx *sqlx.Tx, s *CommunityService) error {
		return withdraw(ctx, tx, s.ID, areas)
	})
}

func (ss *Services) inAreas(ctx context.Context, id string, version int, action CommunityServiceAction, areas []string,
	edit func(*sqlx.Tx, *CommunityService) error) (*CommunityService, error) {
	by, err := access.Require(ctx, access.OfferingReview)
	if err != nil {
		return nil, err
	}
	if err := checkAreas(areas); err != nil {
		return nil, err
	}
	for _, area := range areas {
		if !by.Covers(area) {
			return nil, fault.New(fault.Forbidden, "区域 %s 不在您的管辖范围内", area)
		}
	}
	return ss.change(ctx, id, version, action, nil, areas, edit)
}

// change does one action of the state machine: scope and permission, version,
// transition, then the row, its history line and its event in one transaction.
func (ss *Services) change(ctx context.Context, id string, version int, action CommunityServiceAction, note *string, areas []string,
	edit func(*sqlx.Tx, *CommunityService) error) (changed *CommunityService, err error) {
	by := access.From(ctx)
	if by == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(id) {
		return nil, fault.New(fault.NotFound, "未找到该社区服务")
	}
	err = ss.db.Write(ctx, func(tx *sqlx.Tx) error {
		s, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		switch {
		case s == nil:
			return fault.New(fault.NotFound, "未找到该社区服务，或不在您的管辖范围内")
		case !s.owned(by) && !s.reviewable(by):
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		case s.Version != version:
			return fault.New(fault.Conflict, "该社区服务已被他人修改，请刷新后重试")
		}
		t, err := next(action, s.State)
		if err != nil {
			return err
		}
		if !s.may(by, t) {
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		}
		if err := edit(tx, s); err != nil {
			return err
		}
		s.State, s.Version = t.to, s.Version+1
		if err := update(ctx, tx, s, by.ID); err != nil {
			return err
		}
		changed = s
		return finish(ctx, tx, s, action, t.from, note, areas)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// finish writes history, event and notification of an action that is done.
func finish(ctx context.Context, tx *sqlx.Tx, s *CommunityService, action CommunityServiceAction, from CommunityServiceState, note *string, areas []string) error {
	if err := history.Append(ctx, tx, s.subject(), string(action), string(from), string(s.State), note); err != nil {
		return err
	}
	return notice.Announce(ctx, tx, ChangedSubject, s.AreaCode, Changed{
		ServiceID: s.ID, ParticipantID: s.ParticipantID, AreaCode: s.AreaCode, Action: action, From: from, State: s.State, Areas: areas, Version: s.Version,
	}, s.notice(action, note, access.From(ctx).Kind))
}
