package messagetemplate

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Service is what workers may do with templates.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

// see lets pass whoever sends messages or reviews templates.
func see(ctx context.Context) (*access.Principal, error) {
	p, err := access.Require(ctx, access.NoticeSend)
	if fault.CodeOf(err) == fault.Forbidden {
		return access.Require(ctx, access.MessageReview)
	}
	return p, err
}

// ByID gives a template that the caller may see: of the caller's scope or of a
// level above.
func (s *Service) ByID(ctx context.Context, id string) (t *MessageTemplate, err error) {
	if _, err := see(ctx); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		t, err = byID(ctx, tx, id, false)
		return err
	})
	return t, err
}

// ByIDs gives those of the templates that the caller may see, by ID.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*MessageTemplate, error) {
	found := map[string]*MessageTemplate{}
	if _, err := see(ctx); err != nil {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, input.IDs(ids))
		for _, t := range list {
			found[t.ID] = t
		}
		return err
	})
}

// List gives a page of the templates that the caller may see, newest first;
// "" for state and class is any.
func (s *Service) List(ctx context.Context, state State, class Class, page keyset.Page) ([]*MessageTemplate, *keyset.PageInfo, error) {
	if _, err := see(ctx); err != nil {
		return nil, nil, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return nil, nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*MessageTemplate
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, state, class, page)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	found, info := keyset.Of(page, rows, func(t *MessageTemplate) []string { return []string{t.ID} })
	return found, info, nil
}

// Create drafts a template of the caller's area, or the next version of one.
func (s *Service) Create(ctx context.Context, in Input) (*MessageTemplate, error) {
	p, err := access.Require(ctx, access.NoticeSend)
	if err != nil {
		return nil, err
	}
	t, err := in.template()
	if err != nil {
		return nil, err
	}
	if t.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	t.AreaCode, t.CreatedBy, t.CreatedAt, t.RowVersion = p.AreaCode, p.ID, s.Now(), 1
	before, err := s.before(ctx, t.Key)
	if err != nil {
		return nil, err
	}
	t.Version = 1
	if before != nil {
		if before.AreaCode != t.AreaCode {
			return nil, fault.Invalid("input.key", "该模板编号已被使用")
		}
		if before.State == Draft || before.State == Submitted {
			return nil, fault.New(fault.Conflict, "该模板已有未完成审核的版本")
		}
		t.Version = before.Version + 1
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(ctx, tx, t); err != nil {
			return err
		}
		s.record(ctx, t, nil)
		return nil
	})
	if database.Duplicate(err, "") {
		return nil, fault.New(fault.Conflict, "该模板刚被他人修改，请刷新后重试")
	}
	return t, err
}

func (s *Service) before(ctx context.Context, key string) (t *MessageTemplate, err error) {
	ctx = access.AsSystem(ctx, "messagetemplate")
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		t, err = latest(ctx, tx, key)
		return err
	})
	return t, err
}

// Submit hands a draft over for review: by its author.
func (s *Service) Submit(ctx context.Context, id string) (*MessageTemplate, error) {
	return s.change(ctx, id, access.NoticeSend, func(_ *sqlx.Tx, p *access.Principal, t *MessageTemplate) error {
		if t.CreatedBy != p.ID {
			return fault.New(fault.Forbidden, "只能提交本人起草的模板")
		}
		now := s.Now()
		if err := t.State.may(Submitted); err != nil {
			return err
		}
		t.State, t.SubmittedAt, t.ReviewComment = Submitted, &now, nil
		return nil
	})
}

// Review approves what was submitted, or sends it back to its author, with a
// reason; never by the author.
func (s *Service) Review(ctx context.Context, id string, approve bool, comment *string) (*MessageTemplate, error) {
	reason, err := input.Optional("input.comment", "审核意见", comment, maxComment)
	if err != nil {
		return nil, err
	}
	if !approve && reason == nil {
		return nil, fault.Invalid("input.comment", "退回时请填写审核意见")
	}
	return s.change(ctx, id, access.MessageReview, func(tx *sqlx.Tx, p *access.Principal, t *MessageTemplate) error {
		to := Draft
		if approve {
			to = Approved
		}
		if t.State != Submitted {
			return Retired.may(to) // refused: only what is submitted can be reviewed
		}
		if t.CreatedBy == p.ID {
			return fault.New(fault.Forbidden, "不能审核本人起草的模板")
		}
		now := s.Now()
		t.State, t.ReviewedBy, t.ReviewedAt, t.ReviewComment = to, &p.ID, &now, reason
		if !approve {
			return nil
		}
		return retireOthers(ctx, tx, t, now)
	})
}

// Retire ends an approved version; messages under way are sent all the same.
func (s *Service) Retire(ctx context.Context, id string) (*MessageTemplate, error) {
	return s.change(ctx, id, access.MessageReview, func(_ *sqlx.Tx, _ *access.Principal, t *MessageTemplate) error {
		if err := t.State.may(Retired); err != nil {
			return err
		}
		now := s.Now()
		t.State, t.RetiredAt = Retired, &now
		return nil
	})
}

// change lets the step work on the locked template of the caller's own scope.
func (s *Service) change(ctx context.Context, id string, action access.Action, step func(*sqlx.Tx, *access.Principal, *MessageTemplate) error) (t *MessageTemplate, err error) {
	p, err := access.Require(ctx, action)
	if err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if t, err = byID(ctx, tx, id, true); err != nil {
			return err
		}
		if !p.Covers(t.AreaCode) {
			return notFound()
		}
		before := t.State
		if err := step(tx, p, t); err != nil {
			return err
		}
		if err := save(ctx, tx, t); err != nil {
			return err
		}
		s.record(ctx, t, map[string]any{"state": before})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (s *Service) record(ctx context.Context, t *MessageTemplate, before any) {
	audit.Change(ctx, audit.Target{Kind: "MessageTemplate", ID: t.ID, Area: t.AreaCode}, before,
		map[string]any{"state": t.State, "key": t.Key, "version": t.Version})
}
