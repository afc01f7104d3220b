package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

var errNotFound = fault.New(fault.NotFound, "未找到该流程，或您无权查看")

// Act takes one action on an instance that the worker may see. Of two who act
// at once on the same version one wins, and the other gets CONFLICT.
func (s *Service) Act(ctx context.Context, in ActOnWorkflowInput) (*WorkflowInstance, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	act, err := in.act()
	if err != nil {
		return nil, err
	}
	act.Actor = actorOf(p)
	if _, err := s.Instance(ctx, in.InstanceID); err != nil { // through the caller's own row-level security
		return nil, err
	}
	return s.step(ctx, act, in.ExpectedVersion, "i.id = $1", in.InstanceID)
}

// step locks the instance, takes the act on the version (negative: on any) and
// writes what followed.
func (s *Service) step(ctx context.Context, act engine.Act, version int, condition string, args ...any) (i *WorkflowInstance, err error) {
	ctx = access.AsSystem(ctx, "workflow")
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if i, err = lock(ctx, tx, condition, false, args...); err != nil {
			return err
		}
		if i == nil {
			return errNotFound
		}
		if version >= 0 && i.Version != version {
			return fault.New(fault.Conflict, "该流程刚被他人办理，请刷新后重试")
		}
		if err := s.bind(ctx, tx, i); err != nil {
			return err
		}
		run, err := s.load(ctx, tx, i)
		if err != nil {
			return err
		}
		w := newWorld(ctx, tx, s.Now())
		if act.Action == engine.Urge {
			if err := urge(ctx, tx, i, run, act, w.now); err != nil {
				return err
			}
		}
		after, effects, err := engine.Step(i.definition, run, act, w.engine())
		if err := errors.Join(w.err, err); err != nil {
			return err
		}
		return saving{s: s, tx: tx, w: w, i: i, before: run.Tasks, after: after, effects: effects}.write(ctx)
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

// load reads the tasks of the instance's round.
func (s *Service) load(ctx context.Context, tx sqlx.QueryerContext, i *WorkflowInstance) (engine.Instance, error) {
	present, err := tasks(ctx, tx, []string{i.ID}, false)
	if err != nil {
		return engine.Instance{}, err
	}
	return i.running(present)
}

// urgePause is how long after one urging the next is refused.
const urgePause = 4 * time.Hour

// urge checks that the instance waits for somebody and was not urged just now,
// and makes its to-dos unread again.
func urge(ctx context.Context, tx *sqlx.Tx, i *WorkflowInstance, run engine.Instance, act engine.Act, now time.Time) error {
	if i.UrgedAt != nil && now.Before(i.UrgedAt.Add(urgePause)) {
		refused := fault.New(fault.RateLimited, "刚催办过，请稍后再试")
		refused.RetryAfter = int(i.UrgedAt.Add(urgePause).Sub(now).Seconds()) + 1
		return refused
	}
	waits := false
	for n := range run.Tasks {
		t := &run.Tasks[n]
		waits = waits || t.Status == engine.Open && t.Standing(act.Actor, now) == engine.Stranger
	}
	if !waits {
		return fault.New(fault.Conflict, "当前没有等待他人办理的环节，无需催办")
	}
	i.UrgedAt = &now
	return inbox.Unread(ctx, tx, i.ID)
}

// Urge 催办 reminds those who have to act: by who began the instance, citizens
// too, and by who watches over its area. It gives when it may be done again.
func (s *Service) Urge(ctx context.Context, in UrgeWorkflowInput) (again time.Duration, err error) {
	p := access.From(ctx)
	if p == nil {
		return 0, fault.New(fault.Unauthenticated, "请先登录")
	}
	condition, args := "i.id = $1", []any{}
	switch {
	case in.InstanceID != nil && in.DefinitionKey == nil && in.SubjectID == nil && input.ID(*in.InstanceID):
		args = append(args, *in.InstanceID)
	case in.InstanceID == nil && in.DefinitionKey != nil && in.SubjectID != nil && *in.SubjectID != "":
		condition, args = "i.definition_key = $1 AND i.subject_id = $2", append(args, *in.DefinitionKey, *in.SubjectID)
	default:
		return 0, fault.Invalid("input", "请填写流程标识，或流程与事项，两者选一")
	}
	var seen []*WorkflowInstance
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &seen, `SELECT `+instanceColumns+` FROM platform.workflow_instance i WHERE `+condition, args...)
	})
	if err != nil {
		return 0, err
	}
	if len(seen) == 0 || !seen[0].BegunBy(p) && !seen[0].SeenBy(p) {
		return 0, errNotFound
	}
	if !seen[0].urgedBy(p) {
		return 0, fault.New(fault.Forbidden, "仅发起人和上级督办人员可以催办")
	}
	_, err = s.step(ctx, engine.Act{Action: engine.Urge, Actor: actorOf(p)}, -1, "i.id = $1", seen[0].ID)
	return urgePause, err
}

func (i *WorkflowInstance) urgedBy(p *access.Principal) bool {
	return i.BegunBy(p) || p.Kind == access.Worker && p.May(access.WorkflowView) && p.Covers(i.AreaCode)
}
