package orgunit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
)

// names are the states in sentences.
var names = map[State]string{Active: "正常", Suspended: "停用", Dissolved: "已撤销"}

// transitions is the state machine: to which states from which. Renaming and
// moving leave the state, and need it to be ACTIVE.
var transitions = map[State][]State{
	Suspended: {Active},
	Active:    {Suspended},
	Dissolved: {Active, Suspended},
}

// CreateInput is a new unit.
type CreateInput struct {
	Name     string
	Kind     Kind
	AreaCode string
	ParentID string
}

// Create makes an active unit below the parent. It needs unit.manage in the area.
func (s *Service) Create(ctx context.Context, in CreateInput) (*OrgUnit, error) {
	name, err := input.Text("input.name", "机构名称", in.Name, 2, 60)
	if err != nil {
		return nil, err
	}
	if err := input.AreaCode("input.areaId", in.AreaCode); err != nil {
		return nil, err
	}
	if !input.ID(in.ParentID) {
		return nil, fault.Invalid("input.parentId", "请选择上级机构")
	}
	if _, err := access.RequireArea(ctx, access.UnitManage, in.AreaCode); err != nil {
		return nil, err
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	u := &OrgUnit{ID: id, Name: name, Kind: in.Kind, State: Active, AreaCode: in.AreaCode, ParentID: in.ParentID, Version: 1}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := lockTree(ctx, tx); err != nil {
			return err
		}
		if err := fits(ctx, tx, u); err != nil {
			return err
		}
		if err := insert(ctx, tx, u, s.now()); err != nil {
			return taken(err)
		}
		return s.record(ctx, tx, u, "CREATE", "新建机构“"+u.Name+"”", nil)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Rename gives an active unit another name.
func (s *Service) Rename(ctx context.Context, id string, version int, name string) (*OrgUnit, error) {
	name, err := input.Text("input.name", "机构名称", name, 2, 60)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, version, func(ctx context.Context, d *deed, u *OrgUnit) (string, string, error) {
		if err := u.mustBe(Active); err != nil {
			return "", "", err
		}
		before := u.Name
		u.Name = name
		return "RENAME", fmt.Sprintf("机构“%s”更名为“%s”", before, name), nil
	})
}

// Move puts an active unit below another one, and perhaps into another area:
// then what was granted in it is withdrawn, as it would reach other rows.
func (s *Service) Move(ctx context.Context, id string, version int, parentID, areaCode string) (*OrgUnit, error) {
	if !input.ID(parentID) {
		return nil, fault.Invalid("input.parentId", "请选择上级机构")
	}
	if areaCode != "" {
		if err := input.AreaCode("input.areaId", areaCode); err != nil {
			return nil, err
		}
		if _, err := access.RequireArea(ctx, access.UnitManage, areaCode); err != nil {
			return nil, err
		}
	}
	return s.change(ctx, id, version, func(ctx context.Context, d *deed, u *OrgUnit) (string, string, error) {
		if err := u.mustBe(Active); err != nil {
			return "", "", err
		}
		u.ParentID = parentID
		moved := areaCode != "" && areaCode != u.AreaCode
		if moved {
			u.AreaCode = areaCode
		}
		if err := fits(ctx, d.tx, u); err != nil {
			return "", "", err
		}
		if moved {
			if err := s.rehome(ctx, d, u.ID, u.ID, u.AreaCode); err != nil {
				return "", "", err
			}
		}
		return "MOVE", "机构“" + u.Name + "”调整隶属关系", nil
	})
}

// Suspend stops a unit: its workers cannot act until it is resumed, and are
// signed out at once.
func (s *Service) Suspend(ctx context.Context, id string, version int, reason string) (*OrgUnit, error) {
	return s.turn(ctx, id, version, Suspended, "SUSPEND", reason)
}

// Resume lets a suspended unit act again.
func (s *Service) Resume(ctx context.Context, id string, version int, reason string) (*OrgUnit, error) {
	return s.turn(ctx, id, version, Active, "RESUME", reason)
}

func (s *Service) turn(ctx context.Context, id string, version int, to State, action, reason string) (*OrgUnit, error) {
	reason, err := input.Text("input.reason", "理由", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, version, func(ctx context.Context, d *deed, u *OrgUnit) (string, string, error) {
		if err := u.turn(to); err != nil {
			return "", "", err
		}
		if to == Suspended {
			if err := s.signOut(ctx, d, u.ID); err != nil {
				return "", "", err
			}
		}
		return action, fmt.Sprintf("机构“%s”%s：%s", u.Name, names[to], reason), nil
	})
}

// Dissolve ends a unit for ever. The units right below it, its posts and its
// workers go to the successor; without one it must have none. What was granted
// is withdrawn where the successor works for another area.
func (s *Service) Dissolve(ctx context.Context, id string, version int, successorID, reason string) (*OrgUnit, error) {
	reason, err := input.Text("input.reason", "理由", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	if successorID != "" && !input.ID(successorID) || successorID == id {
		return nil, fault.Invalid("input.successorId", "请选择另一个承接机构")
	}
	return s.change(ctx, id, version, func(ctx context.Context, d *deed, u *OrgUnit) (string, string, error) {
		if err := u.turn(Dissolved); err != nil {
			return "", "", err
		}
		if successorID == "" {
			below, posts, err := holds(ctx, d.tx, u.ID)
			if err != nil {
				return "", "", err
			}
			if below > 0 || posts > 0 {
				return "", "", fault.Invalid("input.successorId", "该机构还有 %d 个下级机构、%d 名在任人员，请选择承接机构", below, posts)
			}
			return "DISSOLVE", fmt.Sprintf("撤销机构“%s”：%s", u.Name, reason), nil
		}
		to, err := locked(ctx, d.tx, successorID)
		if err != nil {
			return "", "", err
		}
		if to == nil || to.State != Active {
			return "", "", fault.Invalid("input.successorId", "承接机构不存在或未处于正常状态")
		}
		if _, err := access.RequireArea(ctx, access.UnitManage, to.AreaCode); err != nil {
			return "", "", err
		}
		if under, err := isUnder(ctx, d.tx, to.ID, u.ID); err != nil || under {
			if err == nil {
				err = fault.Invalid("input.successorId", "承接机构不能是该机构的下级")
			}
			return "", "", err
		}
		u.SuccessorID = to.ID
		if err := adopt(ctx, d.tx, u.ID, to.ID); err != nil {
			return "", "", err
		}
		if err := s.rehome(ctx, d, u.ID, to.ID, to.AreaCode); err != nil {
			return "", "", err
		}
		return "DISSOLVE", fmt.Sprintf("撤销机构“%s”，由“%s”承接：%s", u.Name, to.Name, reason), nil
	})
}

// rehome takes the posts and present assignments of a unit to another one, or
// into its own new area, and signs their workers out.
func (s *Service) rehome(ctx context.Context, d *deed, from, to, areaCode string) error {
	if err := s.signOut(ctx, d, from); err != nil {
		return err
	}
	return rehome(ctx, d.tx, from, to, areaCode, s.now())
}

func (u *OrgUnit) mustBe(state State) error {
	if u.State != state {
		return fault.New(fault.Conflict, "机构当前为“%s”，不能执行此操作", names[u.State])
	}
	return nil
}

func (u *OrgUnit) turn(to State) error {
	if !slices.Contains(transitions[to], u.State) {
		return fault.New(fault.Conflict, "机构当前为“%s”，不能变更为“%s”", names[u.State], names[to])
	}
	u.State = to
	return nil
}

// change locks the unit, lets apply change it, and keeps it with its history.
func (s *Service) change(ctx context.Context, id string, version int, apply func(context.Context, *deed, *OrgUnit) (action, detail string, err error)) (*OrgUnit, error) {
	if _, err := access.Require(ctx, access.UnitManage); err != nil {
		return nil, err
	}
	notFound := fault.New(fault.NotFound, "未找到该机构，或不在您的管辖范围内")
	if !input.ID(id) {
		return nil, notFound
	}
	var changed *OrgUnit
	var d deed
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		d = deed{tx: tx}
		if err := lockTree(ctx, tx); err != nil {
			return err
		}
		u, err := locked(ctx, tx, id)
		if err != nil {
			return err
		}
		if u == nil {
			return notFound
		}
		if _, err := access.RequireArea(ctx, access.UnitManage, u.AreaCode); err != nil {
			return err
		}
		if u.Version != version {
			return fault.New(fault.Conflict, "该机构已被他人修改，请刷新后重试")
		}
		before := u.audited()
		action, detail, err := apply(ctx, &d, u)
		if err != nil {
			return err
		}
		u.Version++
		if err := update(ctx, tx, u, s.now()); err != nil {
			return taken(err)
		}
		changed = u
		return s.record(ctx, tx, u, action, detail, before)
	})
	if err != nil {
		return nil, err
	}
	if s.Sessions != nil {
		s.Sessions.Forget(ctx, d.ended...)
	}
	return changed, nil
}

func (s *Service) record(ctx context.Context, tx *sqlx.Tx, u *OrgUnit, action, detail string, before any) error {
	return institution.Record(ctx, tx, s.now(), institution.Subject{Kind: institution.OfUnit, ID: u.ID, Name: u.Name, AreaCode: u.AreaCode},
		action, detail, before, u.audited())
}

// audited is what the audit log says of the unit as it stands.
func (u *OrgUnit) audited() map[string]any {
	return map[string]any{"name": u.Name, "kind": u.Kind, "state": u.State, "area": u.AreaCode, "parent": u.ParentID, "successor": u.SuccessorID}
}

func taken(err error) error {
	if database.Duplicate(err, "org_unit_name") {
		return fault.Invalid("input.name", "该上级机构下、该区划已有同名机构")
	}
	return err
}

// now is the moment, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

// Sessions ends what workers signed in to; package session does.
type Sessions interface {
	// End ends all sessions of the workers in the transaction and gives their
	// IDs; after the commit call Forget with them.
	End(ctx context.Context, tx sqlx.ExtContext, workerIDs ...string) ([]string, error)
	Forget(ctx context.Context, ids ...string)
}

// deed is one change in the making.
type deed struct {
	tx    *sqlx.Tx
	ended []string // sessions
}

// signOut ends the sessions of all who hold a post in the unit.
func (s *Service) signOut(ctx context.Context, d *deed, unitID string) error {
	if s.Sessions == nil {
		return nil
	}
	ids, err := members(ctx, d.tx, unitID)
	if err != nil || len(ids) == 0 {
		return err
	}
	ended, err := s.Sessions.End(ctx, d.tx, ids...)
	d.ended = append(d.ended, ended...)
	return err
}
