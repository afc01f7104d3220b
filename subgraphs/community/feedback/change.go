package feedback

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// change is one action on one case.
type change struct {
	id              string
	expectedVersion int // negative: whatever version there is (the system's own steps)
	action          FeedbackAction
	note            *string
	// apply sets the fields that the action brings, beside the state; nil for none.
	apply func(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, at time.Time) error
}

// change checks permission, scope, version and state, in this order, and makes
// the change, its history lines and its events in one transaction. Whoever may
// not see the case learns only NOT_FOUND.
func (s *Desk) change(ctx context.Context, ch change) (changed *FeedbackCase, err error) {
	p := access.From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(ch.id) {
		return nil, errNotFound
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		c, err := lock(ctx, tx, ch.id)
		if err != nil {
			return err
		}
		// The system sees every case, but through the steps that are its own only.
		if c == nil || !c.SeenBy(p) && p.Kind != access.System {
			return errNotFound
		}
		if !c.mayBe(ch.action, p) {
			return fault.New(fault.Forbidden, "您没有%s该意见反馈的权限", ch.action.Name())
		}
		if ch.expectedVersion >= 0 && c.Version != ch.expectedVersion {
			return fault.New(fault.Conflict, "该意见反馈刚被他人变更，请刷新后重试")
		}
		at := s.now()
		steps := c.path(ch.action, at)
		if steps == nil {
			return c.refusal(ch.action)
		}
		if err := s.walk(ctx, tx, c, ch, p, steps, at); err != nil {
			return err
		}
		changed = c
		return nil
	})
	return changed, err
}

// walk takes the steps and writes all that they bring.
func (s *Desk) walk(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, ch change, p *access.Principal, steps []step, at time.Time) error {
	first, before := c.State, c.audited()
	lines := make([]line, len(steps))
	for i, st := range steps {
		from := c.State
		lines[i] = line{step: st, from: &from, actor: actorOf(p), workerID: workerOf(p)}
		c.enter(st.to, at)
	}
	c.UpdatedAt = at
	lines[len(lines)-1].note = ch.note
	if ch.apply != nil {
		if err := ch.apply(ctx, tx, c, at); err != nil {
			return err
		}
	}
	if err := record(ctx, tx, c, at, lines...); err != nil {
		return err
	}
	audit.Change(ctx, c.target(), before, c.audited())
	if err := announce(ctx, tx, c, ch.action, p, first, at); err != nil {
		return err
	}
	return update(ctx, tx, c) // last: it takes the district's lock of the roll-up
}

// target is the case in the audit log.
func (c *FeedbackCase) target() audit.Target {
	return audit.Target{Kind: "FeedbackCase", ID: c.ID, Area: c.AreaCode}
}

// audited is what the audit log says of the case's state: nothing that anybody wrote.
func (c *FeedbackCase) audited() map[string]any {
	return map[string]any{"state": c.State, "assigneeId": c.AssigneeID, "dueAt": c.DueAt, "rating": c.Rating, "duplicateOf": c.DuplicateOf}
}

// enter sets what follows from the state alone.
func (c *FeedbackCase) enter(to FeedbackState, at time.Time) {
	if c.State.Open() != to.Open() {
		c.ClosedAt = nil
		if !to.Open() {
			c.ClosedAt = &at
		}
	}
	if to == WaitingInfo {
		c.WaitingSince = &at
	}
	c.State = to
}

// refusal says why the action is not allowed now.
func (c *FeedbackCase) refusal(action FeedbackAction) error {
	switch {
	case action == Rate && c.Rating != nil:
		return fault.New(fault.Conflict, "您已评价过本次办理结果")
	case action == Reopen && transitions[Reopen][c.State] != nil:
		return fault.New(fault.Conflict, "已超过十日，不能重新打开，请提交新的意见反馈")
	default:
		return fault.New(fault.Conflict, "当前状态为“%s”，不能%s", c.State.Name(), action.Name())
	}
}

func actorOf(p *access.Principal) FeedbackActor {
	switch p.Kind {
	case access.Citizen:
		return ByCitizen
	case access.Worker:
		return ByWorker
	default:
		return BySystem
	}
}

func workerOf(p *access.Principal) *string {
	if p.Kind != access.Worker {
		return nil
	}
	return &p.ID
}

// resume lets the clock run on: the work days that were waited are added to the time limit.
func resume(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, at time.Time) error {
	calendar, err := workday.Between(ctx, tx, *c.WaitingSince, later(at, c.DueAt).AddDate(0, 3, 0))
	if err != nil {
		return err
	}
	if waited := calendar.Count(*c.WaitingSince, at); waited > 0 {
		c.DueAt = calendar.Add(c.DueAt, waited)
	}
	c.WaitingSince = nil
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
