package worker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
)

// Sessions ends what workers signed in to; package session does.
type Sessions interface {
	End(ctx context.Context, tx sqlx.ExtContext, workerIDs ...string) ([]string, error)
	Forget(ctx context.Context, ids ...string)
}

// names are the states in sentences.
var names = map[State]string{Active: "在职", Suspended: "停用", Left: "已离职"}

// transitions is the state machine: to which states from which.
var transitions = map[State][]State{
	Suspended: {Active},
	Active:    {Suspended},
	Left:      {Active, Suspended},
}

var (
	notFound  = fault.New(fault.NotFound, "未找到该工作人员，或不在您的管辖范围内")
	loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{3,31}$`)
)

// now is the moment, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

// CreateInput is a new worker with a primary post.
type CreateInput struct {
	Login, Name string
	PostID      string
}

// Create makes an active worker in the post, without its roles until they are
// granted, and gives the first password, which is shown once and has to be
// changed. It needs worker.manage in the post's area.
func (s *Service) Create(ctx context.Context, in CreateInput) (*Worker, string, error) {
	p, err := access.Require(ctx, access.WorkerManage)
	if err != nil {
		return nil, "", err
	}
	login := CanonicalLogin(in.Login)
	if !loginForm.MatchString(login) {
		return nil, "", fault.Invalid("input.login", "登录名须为 4 到 32 位小写字母、数字、点、横线或下划线，且以字母或数字开头")
	}
	name, err := input.Text("input.name", "姓名", in.Name, 2, 30)
	if err != nil {
		return nil, "", err
	}
	if !input.ID(in.PostID) {
		return nil, "", fault.Invalid("input.postId", "请选择岗位")
	}
	first := Temporary()
	hash, err := s.Passwords.Hash(ctx, first)
	if err != nil {
		return nil, "", err
	}
	id, err := identifier.New()
	if err != nil {
		return nil, "", err
	}
	now := s.now()
	w := &Worker{ID: id, LoginName: login, Name: name, State: Active, PasswordDue: true, Roles: []access.Role{}, Version: 1}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		at, err := vacancy(ctx, tx, p, "input.postId", in.PostID)
		if err != nil {
			return err
		}
		w.AreaCode, w.UnitID, w.Post = at.AreaCode, at.UnitID, at.Name
		if err := insertWorker(ctx, tx, w, hash, now); err != nil {
			if database.Duplicate(err, "worker_login") {
				return fault.Invalid("input.login", "该登录名已被使用")
			}
			return err
		}
		if err := insertAssignment(ctx, tx, w.ID, at, Day(now), nil, true); err != nil {
			return err
		}
		return s.record(ctx, tx, w, "CREATE", "新建工作人员，岗位“"+at.Name+"”", nil)
	})
	if err != nil {
		return nil, "", err
	}
	return w, first, nil
}

// Suspend stops a worker, who is signed out at once. It needs worker.manage,
// as all that follows.
func (s *Service) Suspend(ctx context.Context, id string, version int, reason string) (*Worker, error) {
	return s.turn(ctx, id, version, Suspended, "SUSPEND", reason)
}

// Resume lets a suspended worker act again.
func (s *Service) Resume(ctx context.Context, id string, version int, reason string) (*Worker, error) {
	return s.turn(ctx, id, version, Active, "RESUME", reason)
}

func (s *Service) turn(ctx context.Context, id string, version int, to State, action, reason string) (*Worker, error) {
	reason, err := input.Text("input.reason", "理由", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, access.WorkerManage, id, &version, func(ctx context.Context, d *deed, w *Worker) (string, string, error) {
		if err := w.turn(to, reason); err != nil {
			return "", "", err
		}
		d.signOut = to != Active
		return action, fmt.Sprintf("%s：%s", names[to], reason), nil
	})
}

// LeftSubject asks every subgraph to hand the open work of who left to the
// successor, or where there is none back to where it came from.
const LeftSubject = "platform.worker.left"

// LeftEvent is the payload of LeftSubject.
type LeftEvent struct {
	WorkerID    string    `json:"workerId"`
	SuccessorID string    `json:"successorId"` // "" for none
	AreaCode    string    `json:"areaCode"`
	At          time.Time `json:"at"`
}

// End ends a worker's service: assignments and delegations end, the sessions at
// once, and the open work goes to the successor, who must be active and in the
// caller's scope; "" gives it back.
func (s *Service) End(ctx context.Context, id string, version int, successorID, reason string) (*Worker, error) {
	reason, err := input.Text("input.reason", "离职原因", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	if successorID != "" && !input.ID(successorID) || successorID == id {
		return nil, fault.Invalid("input.successorId", "请选择另一名在职的工作人员承接工作")
	}
	return s.change(ctx, access.WorkerManage, id, &version, func(ctx context.Context, d *deed, w *Worker) (string, string, error) {
		if err := w.turn(Left, reason); err != nil {
			return "", "", err
		}
		detail := "离职：" + reason
		if successorID != "" {
			found, err := byIDs(ctx, d.tx, []string{successorID})
			if err != nil {
				return "", "", err
			}
			if len(found) == 0 || found[0].State != Active || !visible(access.From(ctx), found[0]) {
				return "", "", fault.Invalid("input.successorId", "承接人不存在、不在职，或不在您的管辖范围内")
			}
			detail += "，工作由" + found[0].Name + "承接"
		}
		d.signOut = true
		if err := end(ctx, d.tx, w.ID, successorID, s.now()); err != nil {
			return "", "", err
		}
		return "END", detail, outbox.Append(ctx, d.tx, "platform", outbox.Message{Subject: LeftSubject, AreaCode: w.AreaCode,
			Payload: LeftEvent{WorkerID: w.ID, SuccessorID: successorID, AreaCode: w.AreaCode, At: s.now()}})
	})
}

// ResetPassword gives a worker a new first password, shown once, which has to
// be changed, and ends all sessions. Who has an administrator's role keeps the
// second factor, which is why the account stays theirs; without one their
// password is not reset.
func (s *Service) ResetPassword(ctx context.Context, id string, version int, hasFactor func(context.Context, string) (bool, error)) (*Worker, string, error) {
	if _, err := access.Require(ctx, access.WorkerManage); err != nil {
		return nil, "", err
	}
	factor := false
	if input.ID(id) {
		var err error
		if factor, err = hasFactor(ctx, id); err != nil {
			return nil, "", err
		}
	}
	first := Temporary()
	hash, err := s.Passwords.Hash(ctx, first)
	if err != nil {
		return nil, "", err
	}
	w, err := s.change(ctx, access.WorkerManage, id, &version, func(ctx context.Context, d *deed, w *Worker) (string, string, error) {
		if w.State == Left {
			return "", "", fault.New(fault.Conflict, "该工作人员已离职，不能执行此操作")
		}
		administrator, err := isAdministrator(ctx, d.tx, w.ID)
		if err != nil {
			return "", "", err
		}
		if administrator && !factor {
			return "", "", fault.New(fault.Conflict, "该管理员尚未启用双因素验证，不能由他人重置密码")
		}
		w.PasswordDue, d.signOut = true, true
		return "RESET_PASSWORD", "重置密码", setPassword(ctx, d.tx, w.ID, hash, true, s.now())
	})
	if err != nil {
		return nil, "", err
	}
	return w, first, nil
}

func (w *Worker) turn(to State, reason string) error {
	if !slices.Contains(transitions[to], w.State) {
		return fault.New(fault.Conflict, "该工作人员当前为“%s”，不能变更为“%s”", names[w.State], names[to])
	}
	w.State, w.StateReason = to, reason
	return nil
}

// deed is one change in the making.
type deed struct {
	tx      *sqlx.Tx
	signOut bool // the worker, in this transaction
}

// change locks the worker, who is not the caller, lets apply change what it
// will, and keeps it with its history. version may be nil.
func (s *Service) change(ctx context.Context, need access.Action, id string, version *int,
	apply func(context.Context, *deed, *Worker) (action, detail string, err error)) (*Worker, error) {
	p, err := access.Require(ctx, need)
	if err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound
	}
	if id == p.ID {
		return nil, fault.New(fault.Forbidden, "不能对本人执行此操作")
	}
	var changed *Worker
	var ended []string
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		ended = nil
		w, err := lockWorker(ctx, tx, id)
		if err != nil {
			return err
		}
		if w == nil || access.Decide(p, need, w.AreaCode) != access.Allowed {
			return notFound
		}
		if version != nil && w.Version != *version {
			return fault.New(fault.Conflict, "该工作人员的信息已被他人修改，请刷新后重试")
		}
		before, d := w.audited(), deed{tx: tx}
		action, detail, err := apply(ctx, &d, w)
		if err != nil {
			return apart(err)
		}
		w.Version++
		if need == access.WorkerManage { // others do not change the worker, but posts
			if err := updateWorker(ctx, tx, w, s.now()); err != nil {
				return err
			}
		}
		if d.signOut && s.Sessions != nil {
			if ended, err = s.Sessions.End(ctx, tx, w.ID); err != nil {
				return err
			}
		}
		changed = w
		return s.record(ctx, tx, w, action, detail, before)
	})
	if err != nil {
		return nil, err
	}
	if s.Sessions != nil {
		s.Sessions.Forget(ctx, ended...)
	}
	return s.again(ctx, changed)
}

// again reads the worker as the change left it.
func (s *Service) again(ctx context.Context, w *Worker) (*Worker, error) {
	found, err := s.ByIDs(ctx, []string{w.ID})
	if err != nil || found[w.ID] == nil {
		return w, err // out of sight now, as after a move elsewhere
	}
	return found[w.ID], nil
}

func (s *Service) record(ctx context.Context, tx *sqlx.Tx, w *Worker, action, detail string, before any) error {
	return institution.Record(ctx, tx, s.now(), institution.Subject{Kind: institution.OfWorker, ID: w.ID, Name: w.Name, AreaCode: w.AreaCode},
		action, detail, before, w.audited())
}

// audited is what the audit log says of the worker as it stands.
func (w *Worker) audited() map[string]any {
	return map[string]any{"login": w.LoginName, "state": w.State, "reason": w.StateReason, "area": w.AreaCode, "unit": w.UnitID, "post": w.Post, "roles": w.Roles, "passwordDue": w.PasswordDue}
}

// apart explains the refusal of a second administrator's role.
func apart(err error) error {
	switch {
	case database.Violates(err, "one_administrator"):
		return fault.New(fault.Conflict, "三员分离：同一人不得兼任系统管理员、安全保密管理员、安全审计员").Because(err)
	case database.Violates(err, "roles_are_granted"):
		return fault.New(fault.Forbidden, "角色只能由安全保密管理员授予，且不能授予本人").Because(err)
	default:
		return err
	}
}
