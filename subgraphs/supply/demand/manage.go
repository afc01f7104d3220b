package demand

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Publish makes a demand of the signed-in citizen, or of the community that the
// worker may publish for, and hands it in unless it is to stay a draft.
func (ds *Demands) Publish(ctx context.Context, in PublishDemandInput) (*Demand, error) {
	by := access.From(ctx)
	d := &Demand{Title: in.Title, Content: in.Content, Category: in.Category, AreaCode: in.AreaID, BudgetFen: in.BudgetFen,
		WindowFrom: in.WindowFrom, WindowTo: in.WindowTo, State: Draft, Version: 1}
	switch {
	case by == nil:
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	case by.Kind == access.Citizen:
		d.CitizenID = &by.ID
	default:
		if _, err := access.Require(ctx, access.DemandPublish); err != nil {
			return nil, err
		}
		d.WorkerID = &by.ID
	}
	if err := d.check(ds.now()); err != nil {
		return nil, err
	}
	if d.WorkerID != nil && !by.Covers(d.AreaCode) {
		return nil, fault.New(fault.Forbidden, "该区域不在您的管辖范围内")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	d.ID = id.String()
	err = ds.db.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(ctx, tx, d, by.ID); err != nil {
			return err
		}
		if err := finish(ctx, tx, d, Create, "", nil); err != nil || in.AsDraft {
			return err
		}
		d.State, d.Version = InReview, d.Version+1
		if err := update(ctx, tx, d, by.ID); err != nil {
			return err
		}
		return finish(ctx, tx, d, Submit, Draft, nil)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Update changes a draft.
func (ds *Demands) Update(ctx context.Context, in UpdateDemandInput) (*Demand, error) {
	return ds.change(ctx, in.ID, in.ExpectedVersion, Update, nil, func(_ *sqlx.Tx, d *Demand) error {
		in.apply(d)
		return d.check(ds.now())
	})
}

// Submit hands a draft in for review; its window must not be over.
func (ds *Demands) Submit(ctx context.Context, id string, version int) (*Demand, error) {
	return ds.change(ctx, id, version, Submit, nil, func(_ *sqlx.Tx, d *Demand) error { return d.check(ds.now()) })
}

// Review opens a demand, or sends it back to the draft.
func (ds *Demands) Review(ctx context.Context, in ReviewDemandInput) (*Demand, error) {
	note, err := participant.Note(in.Decision, in.Note)
	if err != nil {
		return nil, err
	}
	action := Reject
	if in.Decision == participant.DecisionApprove {
		action = Approve
	}
	return ds.change(ctx, in.ID, in.ExpectedVersion, action, note, func(_ *sqlx.Tx, d *Demand) error {
		d.Verdict = note
		now := ds.now()
		if action == Approve {
			if !d.WindowTo.After(now) {
				return fault.New(fault.Conflict, "需求的服务时间已过，不能公开")
			}
			d.OpenedAt = &now
		}
		return nil
	})
}

// Withdraw takes an open demand back.
func (ds *Demands) Withdraw(ctx context.Context, id string, version int, note *string) (*Demand, error) {
	clean, err := input.Optional("input.note", "原因", note, 500)
	if err != nil {
		return nil, err
	}
	return ds.change(ctx, id, version, Withdraw, clean, nil)
}

// Match chooses the service that meets the demand; it must be on the shelves.
func (ds *Demands) Match(ctx context.Context, id string, version int, serviceID string) (*Demand, error) {
	if !input.ID(serviceID) {
		return nil, fault.Invalid("input.communityServiceId", "未找到该社区服务")
	}
	return ds.change(ctx, id, version, Match, nil, func(tx *sqlx.Tx, d *Demand) error {
		found, err := communityservice.ByIDs(ctx, tx, []string{serviceID})
		if err != nil {
			return err
		}
		if len(found) == 0 || !found[0].OnShelf() {
			return fault.Invalid("input.communityServiceId", "未找到该社区服务，或尚未上架")
		}
		d.ServiceID = &serviceID
		return nil
	})
}

// Fulfil says that the service was done.
func (ds *Demands) Fulfil(ctx context.Context, id string, version int) (*Demand, error) {
	return ds.change(ctx, id, version, Fulfil, nil, nil)
}

// Close ends it.
func (ds *Demands) Close(ctx context.Context, id string, version int) (*Demand, error) {
	return ds.change(ctx, id, version, Close, nil, nil)
}

// change does one action of the state machine: scope and permission, version,
// transition, then the row, its history line and its event in one transaction.
func (ds *Demands) change(ctx context.Context, id string, version int, action DemandAction, note *string, edit func(*sqlx.Tx, *Demand) error) (changed *Demand, err error) {
	by := access.From(ctx)
	if by == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(id) {
		return nil, fault.New(fault.NotFound, "未找到该需求")
	}
	err = ds.db.Write(ctx, func(tx *sqlx.Tx) error {
		d, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		switch {
		case d == nil:
			return fault.New(fault.NotFound, "未找到该需求，或不在您的管辖范围内")
		case !d.private(ctx):
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		case d.Version != version:
			return fault.New(fault.Conflict, "该需求已被他人修改，请刷新后重试")
		}
		t, err := next(action, d.State)
		if err != nil {
			return err
		}
		if !d.may(by, t.by) {
			return fault.New(fault.Forbidden, "您没有执行此操作的权限")
		}
		if edit != nil {
			if err := edit(tx, d); err != nil {
				return err
			}
		}
		changed = d
		return move(ctx, tx, d, t, note)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// move writes a transition that is decided: row, history and event.
func move(ctx context.Context, tx *sqlx.Tx, d *Demand, t transition, note *string) error {
	d.State, d.Version = t.to, d.Version+1
	if err := update(ctx, tx, d, access.From(ctx).ID); err != nil {
		return err
	}
	return finish(ctx, tx, d, t.action, t.from, note)
}

// finish writes history, event and notification of an action that is done.
func finish(ctx context.Context, tx *sqlx.Tx, d *Demand, action DemandAction, from DemandState, note *string) error {
	if err := history.Append(ctx, tx, d.subject(), string(action), string(from), string(d.State), note); err != nil {
		return err
	}
	return notice.Announce(ctx, tx, ChangedSubject, d.AreaCode, Changed{
		DemandID: d.ID, AreaCode: d.AreaCode, Action: action, From: from, State: d.State, Version: d.Version,
	}, d.notice(action, note))
}
