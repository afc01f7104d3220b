// Package citizentag holds what staff keep of citizens to reach them 市民标签:
// "lives alone", "new parents". A tag belongs to an area; who holds it stands
// there with where that is known from and until when it counts. Citizens see
// their own.
//
// Start reading at Service; the SQL is in store.go.
package citizentag

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Tag is one tag.
type Tag struct {
	ID          string    `db:"id"`
	Name        string    `db:"name"`
	Description string    `db:"description"`
	AreaCode    string    `db:"area_code"`
	Enabled     bool      `db:"enabled"`
	HolderCount int       `db:"holder_count"` // whose tag has not expired
	CreatedBy   string    `db:"created_by"`
	CreatedAt   time.Time `db:"created_at"`
}

// Held is a tag as a citizen holds it.
type Held struct {
	TagID     string    `db:"tag_id"`
	Name      string    `db:"name"`
	Source    string    `db:"source"`
	ExpiresAt time.Time `db:"expires_at"`
}

// Service is what people may do with tags.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

const (
	maxPeople = 1000
	mostAhead = 2 * 366 * 24 * time.Hour // 个人信息 is kept no longer than its purpose asks for
)

// List gives a page of the tags of the caller's scope and of the levels above,
// newest first.
func (s *Service) List(ctx context.Context, page keyset.Page) ([]*Tag, *keyset.PageInfo, error) {
	if _, err := access.Require(ctx, access.NoticeSend); err != nil {
		return nil, nil, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return nil, nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*Tag
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, s.Now(), page)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	found, info := keyset.Of(page, rows, func(t *Tag) []string { return []string{t.ID} })
	return found, info, nil
}

// Create makes a tag of the caller's area.
func (s *Service) Create(ctx context.Context, name, description string) (*Tag, error) {
	p, err := access.Require(ctx, access.CitizenTag)
	if err != nil {
		return nil, err
	}
	t := &Tag{AreaCode: p.AreaCode, Enabled: true, CreatedBy: p.ID, CreatedAt: s.Now()}
	if t.Name, err = input.Text("input.name", "标签名称", name, 1, 20); err != nil {
		return nil, err
	}
	if t.Description, err = input.Text("input.description", "标签说明", description, 1, 200); err != nil {
		return nil, err
	}
	if t.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(ctx, tx, t, division.Prefix(t.AreaCode)); err != nil {
			return err
		}
		audit.Change(ctx, t.target(), nil, map[string]any{"name": t.Name, "enabled": true})
		return nil
	})
	if database.Duplicate(err, "citizen_tag_name") {
		return nil, fault.Invalid("input.name", "本区域已有同名标签")
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tag) target() audit.Target {
	return audit.Target{Kind: "CitizenTag", ID: t.ID, Area: t.AreaCode}
}

// Disable ends a tag: nothing is sent by it any more.
func (s *Service) Disable(ctx context.Context, id string) (*Tag, error) {
	return s.change(ctx, id, func(tx *sqlx.Tx, t *Tag) error {
		if !t.Enabled {
			return fault.New(fault.Conflict, "标签已停用")
		}
		t.Enabled = false
		audit.Change(ctx, t.target(), map[string]any{"enabled": true}, map[string]any{"enabled": false})
		return disable(ctx, tx, t.ID)
	})
}

// Give gives the tag to citizens of the caller's scope, from the source, until
// then; who has it gets the new source and end.
func (s *Service) Give(ctx context.Context, id string, citizenIDs []string, source string, until time.Time) (*Tag, error) {
	people, err := peopleOf(citizenIDs)
	if err != nil {
		return nil, err
	}
	if source, err = input.Text("input.source", "来源", source, 1, 50); err != nil {
		return nil, err
	}
	if now := s.Now(); !until.After(now) || until.After(now.Add(mostAhead)) {
		return nil, fault.Invalid("input.expiresAt", "到期时间须在今后两年之内")
	}
	return s.change(ctx, id, func(tx *sqlx.Tx, t *Tag) error {
		if !t.Enabled {
			return fault.New(fault.Conflict, "标签已停用，不能再使用")
		}
		p := access.From(ctx)
		n, err := countCitizens(ctx, tx, p.Scopes(), division.Prefix(t.AreaCode), people)
		if err != nil {
			return err
		}
		if n != len(people) {
			return fault.Invalid("input.citizenIds", "有市民不存在，或不在您的管辖范围与标签所属区域内")
		}
		audit.Change(ctx, t.target(), nil, map[string]any{"tagged": people, "source": source, "until": until})
		return give(ctx, tx, t, people, source, until, p.ID, s.Now())
	})
}

// Take takes the tag from citizens; who does not have it is passed over.
func (s *Service) Take(ctx context.Context, id string, citizenIDs []string) (*Tag, error) {
	people, err := peopleOf(citizenIDs)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(tx *sqlx.Tx, t *Tag) error {
		audit.Change(ctx, t.target(), map[string]any{"tagged": people}, nil)
		return take(ctx, tx, t.ID, people)
	})
}

func peopleOf(citizenIDs []string) ([]string, error) {
	people := input.IDs(citizenIDs)
	if len(people) == 0 || len(people) != len(citizenIDs) || len(people) > maxPeople {
		return nil, fault.Invalid("input.citizenIds", "市民标识有误，一次 1 到 %d 人", maxPeople)
	}
	seen := map[string]bool{}
	for _, id := range people {
		if seen[id] {
			return nil, fault.Invalid("input.citizenIds", "市民标识重复")
		}
		seen[id] = true
	}
	return people, nil
}

// change lets the step work on the locked tag of the caller's own scope, and
// gives the tag with who holds it then.
func (s *Service) change(ctx context.Context, id string, step func(*sqlx.Tx, *Tag) error) (t *Tag, err error) {
	p, err := access.Require(ctx, access.CitizenTag)
	if err != nil {
		return nil, err
	}
	notFound := fault.New(fault.NotFound, "未找到该标签，或不在您的管辖范围内")
	if !input.ID(id) {
		return nil, notFound
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if t, err = byID(ctx, tx, id, s.Now(), true); err != nil {
			return err
		}
		if t == nil || !p.Covers(t.AreaCode) {
			return notFound
		}
		if err := step(tx, t); err != nil {
			return err
		}
		t, err = byID(ctx, tx, id, s.Now(), false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// OfEach gives the tags that each of the citizens holds now, in their order: to
// themselves all, to workers those of tags in their scope; one statement.
func (s *Service) OfEach(ctx context.Context, citizenIDs []string) ([][]*Held, error) {
	each := make([][]*Held, len(citizenIDs))
	p := access.From(ctx)
	var asked []string
	for i, id := range citizenIDs {
		each[i] = []*Held{}
		if p != nil && (p.Kind == access.Citizen && p.ID == id || p.Kind == access.Worker && p.May(access.CitizenTag)) {
			asked = append(asked, id)
		}
	}
	if len(asked) == 0 {
		return each, nil
	}
	return each, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		found, err := ofEach(ctx, tx, asked, s.Now())
		for i, id := range citizenIDs {
			each[i] = append(each[i], found[id]...)
		}
		return err
	})
}
