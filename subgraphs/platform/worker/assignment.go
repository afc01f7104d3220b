package worker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// AssignmentChanges are what changes in a worker's posts, together.
type AssignmentChanges struct {
	Add []NewAssignment
	// End are assignments and their last days.
	End []EndOfAssignment
	// PrimaryID is the present assignment that becomes the primary one; "" leaves it.
	PrimaryID string
}

// NewAssignment is one more post of a worker.
type NewAssignment struct {
	PostID    string
	ValidFrom string  // YYYY-MM-DD, today or later
	ValidTo   *string // the last day; nil without limit
	Primary   bool    // it takes the place of the primary one; it must begin today
}

// EndOfAssignment is the last day of one, today or later.
type EndOfAssignment struct {
	ID      string
	LastDay string
}

// maxChanges bounds what changes at once, maxHeld what a worker holds.
const (
	maxChanges = 10
	maxHeld    = 20
)

// ChangeAssignments changes a worker's posts. New ones carry no roles until a
// security administrator grants them. It needs worker.manage in the areas of
// the worker and of all the posts.
func (s *Service) ChangeAssignments(ctx context.Context, id string, version int, changes AssignmentChanges) (*Worker, error) {
	p, err := access.Require(ctx, access.WorkerManage)
	if err != nil {
		return nil, err
	}
	now := s.now()
	today := Day(now)
	if err := changes.check(today); err != nil {
		return nil, err
	}
	return s.change(ctx, access.WorkerManage, id, &version, func(ctx context.Context, d *deed, w *Worker) (string, string, error) {
		if w.State == Left {
			return "", "", fault.New(fault.Conflict, "该工作人员已离职，不能变更任职")
		}
		held, err := assignmentsFrom(ctx, d.tx, w.ID, today)
		if err != nil {
			return "", "", err
		}
		var told []string
		for i, e := range changes.End {
			a := find(held, e.ID)
			field := fmt.Sprintf("input.end.%d.assignmentId", i)
			switch {
			case a == nil:
				return "", "", fault.Invalid(field, "没有这项任职")
			case a.Primary && changes.PrimaryID == "" && !changes.newPrimary():
				return "", "", fault.Invalid(field, "主要任职不能单独结束，请同时指定新的主要任职，或办理离职")
			case changes.PrimaryID == a.ID:
				return "", "", fault.Invalid(field, "将结束的任职不能成为主要任职")
			case access.Decide(p, access.WorkerManage, a.AreaCode) != access.Allowed:
				return "", "", fault.Invalid(field, "这项任职的机构不在您的管辖范围内")
			case e.LastDay < a.ValidFrom:
				return "", "", fault.Invalid(fmt.Sprintf("input.end.%d.lastDay", i), "不能早于开始日期 %s", a.ValidFrom)
			}
			if err := endAssignment(ctx, d.tx, a.ID, e.LastDay); err != nil {
				return "", "", err
			}
			told = append(told, fmt.Sprintf("“%s”任至 %s", a.Post, e.LastDay))
		}
		if n := len(held) + len(changes.Add); n > maxHeld {
			return "", "", fault.Invalid("input.add", "一人最多同时任 %d 个岗位", maxHeld)
		}
		for i, add := range changes.Add {
			field := fmt.Sprintf("input.add.%d.postId", i)
			at, err := vacancy(ctx, d.tx, p, field, add.PostID)
			if err != nil {
				return "", "", err
			}
			for _, a := range held {
				if a.PostID == add.PostID && ending(changes.End, a.ID) == nil && (a.ValidTo == nil || *a.ValidTo >= add.ValidFrom) {
					return "", "", fault.Invalid(field, "该工作人员已任此岗位")
				}
			}
			if add.Primary {
				if err := notPrimary(ctx, d.tx, w.ID); err != nil {
					return "", "", err
				}
				w.AreaCode, w.UnitID, w.Post = at.AreaCode, at.UnitID, at.Name
			}
			if err := insertAssignment(ctx, d.tx, w.ID, at, add.ValidFrom, add.ValidTo, add.Primary); err != nil {
				return "", "", err
			}
			told = append(told, fmt.Sprintf("自 %s 任“%s”", add.ValidFrom, at.Name))
		}
		if changes.PrimaryID != "" {
			a := find(held, changes.PrimaryID)
			if a == nil || a.ValidFrom > today {
				return "", "", fault.Invalid("input.primaryId", "没有这项现任的任职")
			}
			if access.Decide(p, access.WorkerManage, a.AreaCode) != access.Allowed {
				return "", "", fault.Invalid("input.primaryId", "这项任职的机构不在您的管辖范围内")
			}
			if err := makePrimary(ctx, d.tx, w.ID, a.ID); err != nil {
				return "", "", err
			}
			w.AreaCode, w.UnitID, w.Post = a.AreaCode, a.UnitID, a.Post
			told = append(told, fmt.Sprintf("主要任职改为“%s”", a.Post))
		}
		d.signOut = true
		return "CHANGE_ASSIGNMENTS", strings.Join(told, "；"), nil
	})
}

func (c AssignmentChanges) newPrimary() bool {
	for _, add := range c.Add {
		if add.Primary {
			return true
		}
	}
	return false
}

func (c AssignmentChanges) check(today string) error {
	if n := len(c.Add) + len(c.End); n > maxChanges || n == 0 && c.PrimaryID == "" {
		return fault.Invalid("input.add", "请填写 1 到 %d 项变更", maxChanges)
	}
	primaries := 0
	for i, add := range c.Add {
		field := fmt.Sprintf("input.add.%d.", i)
		if !input.ID(add.PostID) {
			return fault.Invalid(field+"postId", "请选择岗位")
		}
		if !isDay(add.ValidFrom) || add.ValidFrom < today {
			return fault.Invalid(field+"validFrom", "开始日期须为今天或以后，格式 YYYY-MM-DD")
		}
		if add.ValidTo != nil && (!isDay(*add.ValidTo) || *add.ValidTo < add.ValidFrom) {
			return fault.Invalid(field+"validTo", "结束日期不能早于开始日期，格式 YYYY-MM-DD")
		}
		if add.Primary {
			primaries++
			if add.ValidFrom != today || add.ValidTo != nil {
				return fault.Invalid(field+"primary", "主要任职须自今天起，且不设结束日期")
			}
		}
	}
	if c.PrimaryID != "" {
		primaries++
		if !input.ID(c.PrimaryID) {
			return fault.Invalid("input.primaryId", "没有这项任职")
		}
	}
	if primaries > 1 {
		return fault.Invalid("input.primaryId", "只能有一项主要任职")
	}
	for i, e := range c.End {
		if !isDay(e.LastDay) || e.LastDay < today {
			return fault.Invalid(fmt.Sprintf("input.end.%d.lastDay", i), "最后一天须为今天或以后，格式 YYYY-MM-DD")
		}
	}
	return nil
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

func find(list []*Assignment, id string) *Assignment {
	for _, a := range list {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func ending(list []EndOfAssignment, id string) *EndOfAssignment {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// place is a post that can be held.
type place struct {
	ID       string `db:"id"`
	UnitID   string `db:"unit_id"`
	AreaCode string `db:"area_code"`
	Name     string `db:"name"`
}

// vacancy gives the active post of an active unit in the caller's scope.
func vacancy(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, field, postID string) (place, error) {
	at, err := placeOf(ctx, tx, postID)
	if err != nil {
		return place{}, err
	}
	if at == nil || access.Decide(p, access.WorkerManage, at.AreaCode) != access.Allowed {
		return place{}, fault.Invalid(field, "岗位不存在、已撤销，或不在您的管辖范围内")
	}
	return *at, nil
}

// Grant gives the roles and data scope of the post to who was assigned to it.
// It needs role.grant, reaches no further than the caller, and is never for
// oneself. An administrator's role goes only to an account that is in its
// owner's hands: the first password was changed.
func (s *Service) Grant(ctx context.Context, assignmentID string) (*Worker, error) {
	p, err := access.Require(ctx, access.RoleGrant)
	if err != nil {
		return nil, err
	}
	workerID, err := s.holder(ctx, assignmentID)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, access.RoleGrant, workerID, nil, func(ctx context.Context, d *deed, w *Worker) (string, string, error) {
		g, err := grantOf(ctx, d.tx, assignmentID)
		if err != nil {
			return "", "", err
		}
		if g == nil || access.Decide(p, access.RoleGrant, g.AreaCode) != access.Allowed {
			return "", "", fault.Invalid("input.assignmentId", "没有这项任职，或岗位已撤销")
		}
		held := roles(g.Names)
		if len(held) == 0 {
			return "", "", fault.New(fault.Conflict, "岗位“%s”还没有设置角色", g.Name)
		}
		if w.State != Active {
			return "", "", fault.New(fault.Conflict, "该工作人员当前为“%s”，不能授予角色", names[w.State])
		}
		for _, prefix := range g.DataScope.Prefixes(g.AreaCode, g.Areas, nil) {
			if !p.Covers(prefix + "000000000000"[len(prefix):]) {
				return "", "", fault.New(fault.Forbidden, "不能授予超出您自己管辖范围的数据范围")
			}
		}
		if len(access.Administrators(held)) > 0 && w.PasswordDue {
			return "", "", fault.New(fault.Conflict, "该账号尚未修改初始密码，不能授予管理员角色")
		}
		if err := grant(ctx, d.tx, assignmentID, g, p.ID, s.now()); err != nil {
			if database.Violates(err, "one_administrator") {
				err = apart(err)
			}
			return "", "", err
		}
		d.signOut = true
		return "GRANT", "授予岗位“" + g.Name + "”的角色：" + strings.Join(g.Names, "、"), nil
	})
}

// Withdraw takes the roles of an assignment away. It needs role.grant.
func (s *Service) Withdraw(ctx context.Context, assignmentID, reason string) (*Worker, error) {
	reason, err := input.Text("input.reason", "理由", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	p, err := access.Require(ctx, access.RoleGrant)
	if err != nil {
		return nil, err
	}
	workerID, err := s.holder(ctx, assignmentID)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, access.RoleGrant, workerID, nil, func(ctx context.Context, d *deed, _ *Worker) (string, string, error) {
		n, err := withdraw(ctx, d.tx, assignmentID, p.ID, s.now())
		if err != nil {
			return "", "", err
		}
		if n == 0 {
			return "", "", fault.New(fault.Conflict, "这项任职没有角色")
		}
		d.signOut = true
		return "WITHDRAW", "收回角色：" + reason, nil
	})
}

// holder gives whose assignment it is.
func (s *Service) holder(ctx context.Context, assignmentID string) (string, error) {
	refused := fault.New(fault.NotFound, "未找到这项任职，或不在您的管辖范围内")
	if !input.ID(assignmentID) {
		return "", refused
	}
	var id string
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		id, err = holderOf(ctx, tx, assignmentID)
		return err
	})
	if err == nil && id == "" {
		err = refused
	}
	return id, err
}
