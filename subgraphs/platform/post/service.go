package post

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
)

// Sessions ends what workers signed in to; package session does.
type Sessions interface {
	End(ctx context.Context, tx sqlx.ExtContext, workerIDs ...string) ([]string, error)
	Forget(ctx context.Context, ids ...string)
}

// Service answers questions about posts and changes them, within the caller's
// data scope.
type Service struct {
	DB       *database.DB
	Now      func() time.Time
	Sessions Sessions // nil ends none
}

// now is the moment, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

var notFound = fault.New(fault.NotFound, "未找到该岗位，或不在您的管辖范围内")

// maxPosts bounds the posts of a unit.
const maxPosts = 200

// visible says whether the caller may see posts of the area at all.
func visible(p *access.Principal, area string) bool {
	return access.Decide(p, access.WorkerView, area) == access.Allowed
}

// OfUnits gives the active posts of the units, by unit, that the caller may
// see: at most maxPosts each. One statement.
func (s *Service) OfUnits(ctx context.Context, unitIDs []string) (map[string][]*Post, error) {
	known, p := input.IDs(unitIDs), access.From(ctx)
	found := make(map[string][]*Post, len(known))
	if len(known) == 0 || !p.May(access.WorkerView) {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		posts, err := ofUnits(ctx, tx, known)
		for _, one := range posts {
			if visible(p, one.AreaCode) {
				found[one.UnitID] = append(found[one.UnitID], one)
			}
		}
		return err
	})
}

// ByIDs gives the posts of the IDs that the caller may see, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*Post, error) {
	known, p := input.IDs(ids), access.From(ctx)
	found := make(map[string]*Post, len(known))
	if len(known) == 0 || !p.May(access.WorkerView) {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		posts, err := byIDs(ctx, tx, known)
		for _, one := range posts {
			if visible(p, one.AreaCode) {
				found[one.ID] = one
			}
		}
		return err
	})
}

// Create makes a post without roles in an active unit. It needs unit.manage.
func (s *Service) Create(ctx context.Context, unitID, name string) (*Post, error) {
	if _, err := access.Require(ctx, access.UnitManage); err != nil {
		return nil, err
	}
	name, err := input.Text("input.name", "岗位名称", name, 2, 30)
	if err != nil {
		return nil, err
	}
	if !input.ID(unitID) {
		return nil, fault.Invalid("input.unitId", "请选择机构")
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	one := &Post{ID: id, UnitID: unitID, Name: name, Roles: []access.Role{}, DataScope: UnitAndBelow, ScopeAreas: []string{}, State: Active, Version: 1}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		area, active, err := unit(ctx, tx, unitID)
		if err != nil {
			return err
		}
		if area == "" {
			return fault.Invalid("input.unitId", "机构不存在")
		}
		if _, err := access.RequireArea(ctx, access.UnitManage, area); err != nil {
			return err
		}
		if !active {
			return fault.New(fault.Conflict, "机构已停用或撤销，不能新设岗位")
		}
		one.AreaCode = area
		if err := insert(ctx, tx, one, s.now()); err != nil {
			return taken(err)
		}
		return s.record(ctx, tx, one, "CREATE", "新设岗位“"+name+"”", nil)
	})
	if err != nil {
		return nil, err
	}
	return one, nil
}

// Rename gives an active post another name. It needs unit.manage.
func (s *Service) Rename(ctx context.Context, id string, version int, name string) (*Post, error) {
	name, err := input.Text("input.name", "岗位名称", name, 2, 30)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, access.UnitManage, id, version, func(ctx context.Context, d *deed, one *Post) (string, string, error) {
		before := one.Name
		one.Name = name
		if err := rename(ctx, d.tx, one); err != nil {
			return "", "", err
		}
		return "RENAME", "岗位“" + before + "”更名为“" + name + "”", nil
	})
}

// Abolish ends a post that nobody holds. It needs unit.manage.
func (s *Service) Abolish(ctx context.Context, id string, version int) (*Post, error) {
	return s.change(ctx, access.UnitManage, id, version, func(ctx context.Context, d *deed, one *Post) (string, string, error) {
		holders, err := holders(ctx, d.tx, one.ID)
		if err != nil {
			return "", "", err
		}
		if len(holders) > 0 {
			return "", "", fault.New(fault.Conflict, "该岗位还有 %d 名在任人员，不能撤销", len(holders))
		}
		one.State = Abolished
		return "ABOLISH", "撤销岗位“" + one.Name + "”", nil
	})
}

// SetPermission sets the roles and the data scope of a post; those to whom it
// was granted get them, and sign in anew. It needs role.grant, reaches no further than the
// caller, and no post that the caller holds.
func (s *Service) SetPermission(ctx context.Context, id string, version int, permission Permission) (*Post, error) {
	p, err := access.Require(ctx, access.RoleGrant)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, access.RoleGrant, id, version, func(ctx context.Context, d *deed, one *Post) (string, string, error) {
		permission, err := permission.check(p, one.AreaCode)
		if err != nil {
			return "", "", err
		}
		holders, err := holders(ctx, d.tx, one.ID)
		if err != nil {
			return "", "", err
		}
		for _, holder := range holders {
			if holder == p.ID {
				return "", "", fault.New(fault.Forbidden, "不能修改本人所任岗位的权限")
			}
		}
		one.Roles, one.DataScope, one.ScopeAreas = permission.Roles, permission.DataScope, permission.AreaCodes
		if err := regrant(ctx, d.tx, one, p.ID, s.now()); err != nil {
			return "", "", apart(err)
		}
		if s.Sessions != nil && len(holders) > 0 {
			if d.ended, err = s.Sessions.End(ctx, d.tx, holders...); err != nil {
				return "", "", err
			}
		}
		names := make([]string, len(one.Roles))
		for i, role := range one.Roles {
			names[i] = string(role)
		}
		return "SET_PERMISSION", "岗位“" + one.Name + "”的权限设为：" + strings.Join(names, "、") + "（" + one.DataScope.Name() + "）", nil
	})
}

// deed is one change in the making.
type deed struct {
	tx    *sqlx.Tx
	ended []string // sessions
}

func (s *Service) change(ctx context.Context, action access.Action, id string, version int,
	apply func(context.Context, *deed, *Post) (action, detail string, err error)) (*Post, error) {
	if _, err := access.Require(ctx, action); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound
	}
	var changed *Post
	var d deed
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		d = deed{tx: tx}
		one, err := locked(ctx, tx, id)
		if err != nil {
			return err
		}
		if one == nil || access.Decide(access.From(ctx), action, one.AreaCode) != access.Allowed {
			return notFound
		}
		if one.Version != version {
			return fault.New(fault.Conflict, "该岗位已被他人修改，请刷新后重试")
		}
		if one.State != Active {
			return fault.New(fault.Conflict, "该岗位已撤销，不能执行此操作")
		}
		before := one.audited()
		what, detail, err := apply(ctx, &d, one)
		if err != nil {
			return err
		}
		one.Version++
		if err := update(ctx, tx, one, s.now()); err != nil {
			return taken(apart(err))
		}
		changed = one
		return s.record(ctx, tx, one, what, detail, before)
	})
	if err != nil {
		return nil, err
	}
	if s.Sessions != nil {
		s.Sessions.Forget(ctx, d.ended...)
	}
	return changed, nil
}

func (s *Service) record(ctx context.Context, tx *sqlx.Tx, one *Post, action, detail string, before any) error {
	return institution.Record(ctx, tx, s.now(), institution.Subject{Kind: institution.OfPost, ID: one.ID, Name: one.Name, AreaCode: one.AreaCode},
		action, detail, before, one.audited())
}

// audited is what the audit log says of the post as it stands.
func (p *Post) audited() map[string]any {
	return map[string]any{"name": p.Name, "unit": p.UnitID, "roles": p.Roles, "dataScope": p.DataScope, "areas": p.ScopeAreas, "state": p.State}
}

func taken(err error) error {
	if database.Duplicate(err, "post_name") {
		return fault.Invalid("input.name", "该机构已有同名岗位")
	}
	return err
}

// apart explains the refusal of a second administrator's role.
func apart(err error) error {
	if database.Violates(err, "one_administrator") {
		return fault.New(fault.Conflict, "三员分离：同一人不得兼任系统管理员、安全保密管理员、安全审计员").Because(err)
	}
	return err
}
