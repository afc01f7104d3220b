package catalogue

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// newOrder places new services after the city's list.
const newOrder = 1000

// Create makes a draft in the caller's data scope.
func (c *Catalogue) Create(ctx context.Context, in CreateServiceInput) (*Service, error) {
	p, err := access.Require(ctx, access.ServiceManage)
	if err != nil {
		return nil, err
	}
	area := p.AreaCode
	if in.AreaID != nil {
		area = *in.AreaID
	}
	if err := input.AreaCode("input.areaId", area); err != nil {
		return nil, err
	}
	if !p.Covers(area) {
		return nil, fault.New(fault.Forbidden, "该区域不在您的管辖范围内")
	}
	s := &Service{Code: in.Code, Name: in.Name, Summary: in.Summary, Department: &Department{ID: in.DepartmentID},
		Category: &ServiceCategory{ID: in.CategoryID}, Kind: in.Kind, Channels: in.Channels, AssuranceLevel: in.AssuranceLevel,
		Eligibility: in.Eligibility, Materials: in.Materials, FeeFen: in.FeeFen, Contact: in.Contact, AreaCode: area,
		State: Draft, Publication: Unpublished, Version: 1, SortOrder: newOrder}
	if s.Materials == nil {
		s.Materials = []string{}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	entry, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	s.ID = id.String()
	err = c.db.Write(ctx, func(tx *sqlx.Tx) error {
		if err := name(ctx, tx, s); err != nil {
			return err
		}
		if err := insert(ctx, tx, s, entry.String(), p.ID); err != nil {
			if database.Duplicate(err, "service_code") {
				return fault.Invalid("input.code", "服务代码 %s 已被使用", s.Code)
			}
			return err
		}
		audit.Change(ctx, s.target(), nil, s.audited())
		s, err = finish(ctx, tx, s, Create, nil, p)
		return err
	})
	return s, err // a draft: nothing for Renew
}

// Update changes a draft.
func (c *Catalogue) Update(ctx context.Context, in UpdateServiceInput) (*Service, error) {
	return c.change(ctx, in.ID, in.ExpectedVersion, Update, nil, func(s *Service) error {
		in.apply(s)
		return s.check()
	})
}

// Submit hands a draft in for approval.
func (c *Catalogue) Submit(ctx context.Context, id string, version int) (*Service, error) {
	return c.change(ctx, id, version, Submit, nil, nil)
}

// Review approves or refuses what was handed in.
func (c *Catalogue) Review(ctx context.Context, in ReviewServiceInput) (*Service, error) {
	note, err := input.Optional("input.note", "意见", in.Note, 500)
	if err != nil {
		return nil, err
	}
	if in.Decision == DecisionApprove {
		return c.change(ctx, in.ID, in.ExpectedVersion, Approve, note, nil)
	}
	if note == nil {
		return nil, fault.Invalid("input.note", "审批不通过时请填写意见")
	}
	return c.change(ctx, in.ID, in.ExpectedVersion, Reject, note, nil)
}

// Revise takes a refused service, or an approved one that is not published,
// back to the draft.
func (c *Catalogue) Revise(ctx context.Context, id string, version int) (*Service, error) {
	return c.change(ctx, id, version, Revise, nil, nil)
}

// Publish shows an approved service to citizens.
func (c *Catalogue) Publish(ctx context.Context, id string, version int) (*Service, error) {
	return c.change(ctx, id, version, Publish, nil, healthy)
}

// Unpublish hides it again; the note says why.
func (c *Catalogue) Unpublish(ctx context.Context, id string, version int, note string) (*Service, error) {
	note, err := input.Text("input.note", "原因", note, 1, 500)
	if err != nil {
		return nil, err
	}
	return c.change(ctx, id, version, Unpublish, &note, healthy)
}

func healthy(s *Service) error {
	s.Health, s.HealthNote = OK, nil
	return nil
}

// SetHealth says how a published service works.
func (c *Catalogue) SetHealth(ctx context.Context, in SetServiceHealthInput) (*Service, error) {
	note, err := input.Optional("input.note", "说明", in.Note, 200)
	if err != nil {
		return nil, err
	}
	if in.Health != OK && note == nil {
		return nil, fault.Invalid("input.note", "服务异常或暂停时请填写给市民看的说明")
	}
	if in.Health == OK {
		note = nil
	}
	return c.change(ctx, in.ID, in.ExpectedVersion, SetHealth, note, func(s *Service) error {
		s.Health, s.HealthNote = in.Health, note
		return nil
	})
}

// change does one action of the state machine: permission, scope, version,
// transition, then the row, its history line and its event in one transaction.
func (c *Catalogue) change(ctx context.Context, id string, version int, action ServiceAction, note *string, edit func(*Service) error) (changed *Service, err error) {
	p, err := access.Require(ctx, access.ServiceManage)
	if err != nil {
		return nil, err
	}
	err = c.db.Write(ctx, func(tx *sqlx.Tx) error {
		s, err := Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Version != version {
			return fault.New(fault.Conflict, "该服务已被他人修改，请刷新后重试")
		}
		to, err := s.next(action)
		if err != nil {
			return err
		}
		before := s.audited()
		if edit != nil {
			if err := edit(s); err != nil {
				return err
			}
			if err := name(ctx, tx, s); err != nil {
				return err
			}
		}
		s.State, s.Publication, s.Version = to.state, to.publication, s.Version+1
		if err := update(ctx, tx, s, action == Update, p.ID); err != nil {
			return err
		}
		audit.Change(ctx, s.target(), before, s.audited())
		changed, err = finish(ctx, tx, s, action, note, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.Renew(ctx)
	return changed, nil
}

// target is the service in the audit log.
func (s *Service) target() audit.Target { return audit.Target{Kind: "Service", ID: s.ID} }

// audited is what the audit log says of the service as it stands.
func (s *Service) audited() map[string]any {
	return map[string]any{"code": s.Code, "name": s.Name, "state": s.State, "publication": s.Publication, "version": s.Version}
}

// Hold locks a service for a change by the caller, who must manage it; the
// transaction of the change calls it first.
func Hold(ctx context.Context, tx sqlx.QueryerContext, id string) (*Service, error) {
	if _, err := access.Require(ctx, access.ServiceManage); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, fault.New(fault.NotFound, "未找到该服务")
	}
	s, err := lock(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if s == nil || !Manages(access.From(ctx), s) {
		return nil, fault.New(fault.NotFound, "未找到该服务，或不在您的管理范围内")
	}
	return s, nil
}

// name checks that department and category exist, and fills in their names.
func name(ctx context.Context, tx sqlx.QueryerContext, s *Service) error {
	var names []struct {
		Sort string `db:"sort"`
		Name string `db:"name"`
	}
	err := sqlx.SelectContext(ctx, tx, &names, `SELECT 'department' AS sort, name FROM citizen.department WHERE id = $1
		UNION ALL SELECT 'category', name FROM citizen.service_category WHERE id = $2`, s.Department.ID, s.Category.ID)
	if err != nil {
		return err
	}
	s.Department.Name, s.Category.Name = "", ""
	for _, n := range names {
		if n.Sort == "department" {
			s.Department.Name = n.Name
		} else {
			s.Category.Name = n.Name
		}
	}
	switch {
	case s.Department.Name == "":
		return fault.Invalid("input.departmentId", "没有编号为 %s 的部门", s.Department.ID)
	case s.Category.Name == "":
		return fault.Invalid("input.categoryId", "没有编号为 %s 的分类", s.Category.ID)
	}
	return nil
}

// finish writes history and event, and reads the service as it now is.
func finish(ctx context.Context, tx *sqlx.Tx, s *Service, action ServiceAction, note *string, by *access.Principal) (*Service, error) {
	if err := remember(ctx, tx, s, action, note, by); err != nil {
		return nil, err
	}
	if err := Announce(ctx, tx, s, string(action)); err != nil {
		return nil, err
	}
	found, err := ByIDs(ctx, tx, []string{s.ID})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.New("catalogue: the changed service cannot be read")
	}
	return found[0], nil
}
