package catalogue

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/snapshot"
)

// Catalogue answers what the catalogue holds, each caller what they may see.
// Changes are in manage.go, what is kept in memory in snapshot.go.
type Catalogue struct {
	db        *database.DB
	published *snapshot.Snapshot[Edition]
}

// New makes the catalogue over the database.
func New(db *database.DB) *Catalogue {
	c := &Catalogue{db: db}
	c.published = snapshot.New(c.edition)
	return c
}

// visible says whether the caller may see the service: a published one is
// everybody's, any other only its managers'.
func visible(p *access.Principal, s *Service) bool {
	return s.Publication == Published || Manages(p, s)
}

// Manages says whether the principal may manage the service.
func Manages(p *access.Principal, s *Service) bool {
	return p.May(access.ServiceManage) && p.Covers(s.AreaCode)
}

// Services gives one page of the filter. The search needs two characters.
func (c *Catalogue) Services(ctx context.Context, f Filter, first *int, after *string) (*ServiceConnection, error) {
	page, err := keyset.Parse(first, after, 3)
	if err != nil {
		return nil, err
	}
	if f, err = f.checked(ctx); err != nil {
		return nil, err
	}
	var found []*Service
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		found, err = list(ctx, tx, f, page)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, info := keyset.Of(page, found, key)
	connection := &ServiceConnection{Edges: make([]*ServiceEdge, len(found)), Nodes: found, PageInfo: info, Filter: f}
	for i, s := range found {
		connection.Edges[i] = &ServiceEdge{Cursor: keyset.Cursor(key(s)...), Node: s}
	}
	return connection, nil
}

// Managed is Services for those who manage, in their data scope.
func (c *Catalogue) Managed(ctx context.Context, f Filter, first *int, after *string) (*ServiceConnection, error) {
	p, err := access.Require(ctx, access.ServiceManage)
	if err != nil {
		return nil, err
	}
	f.Managed, f.Prefixes = true, p.Scopes()
	return c.Services(ctx, f, first, after)
}

// Count gives the number of services of a filter that Services has checked.
func (c *Catalogue) Count(ctx context.Context, f Filter) (n int, err error) {
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		n, err = count(ctx, tx, f)
		return err
	})
	return n, err
}

func (f Filter) checked(ctx context.Context) (Filter, error) {
	var err error
	if f.Search, err = input.Text("search", "关键词", f.Search, 0, 50); err != nil {
		return f, err
	}
	if f.Search != "" {
		if _, ok := bigram.Query(f.Search); !ok {
			return f, fault.Invalid("search", "请输入至少两个字的关键词")
		}
	}
	if p := access.From(ctx); p != nil {
		f.Viewer = p.ID
	}
	return f, nil
}

// Find gives the services of the IDs that the caller may see, by ID.
func (c *Catalogue) Find(ctx context.Context, ids []string) (map[string]*Service, error) {
	found := make(map[string]*Service, len(ids))
	if ids = input.IDs(ids); len(ids) == 0 {
		return found, nil
	}
	if e, err := c.shared(ctx); err != nil {
		return nil, err
	} else if e != nil {
		for _, s := range e.Ordered(ids, len(ids)) {
			found[s.ID] = s
		}
		return found, nil
	}
	p := access.From(ctx)
	err := c.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err := ByIDs(ctx, tx, ids)
		for _, s := range all {
			if visible(p, s) {
				found[s.ID] = s
			}
		}
		return err
	})
	return found, err
}

// FindBy gives the service of the code or of the number in the city's list; nil if none.
func (c *Catalogue) FindBy(ctx context.Context, code *string, seqNo *int) (*Service, error) {
	if e, err := c.shared(ctx); err != nil {
		return nil, err
	} else if e != nil {
		return e.by(code, seqNo), nil
	}
	var found []*Service
	err := c.db.Read(ctx, func(tx *sqlx.Tx) (err error) {
		if code != nil {
			found, err = read(ctx, tx, `s.code = $1`, *code)
		} else {
			found, err = read(ctx, tx, `s.seq_no = $1`, *seqNo)
		}
		return err
	})
	if err != nil || len(found) == 0 || !visible(access.From(ctx), found[0]) {
		return nil, err
	}
	return found[0], nil
}

// Categories gives all categories in their order.
func (c *Catalogue) Categories(ctx context.Context) (all []*ServiceCategory, err error) {
	if e, err := c.shared(ctx); err != nil {
		return nil, err
	} else if e != nil {
		return e.categories, nil
	}
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err = categories(ctx, tx)
		return err
	})
	return all, err
}

// Departments gives all departments in their order.
func (c *Catalogue) Departments(ctx context.Context) (all []*Department, err error) {
	if e, err := c.shared(ctx); err != nil {
		return nil, err
	} else if e != nil {
		return e.departments, nil
	}
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		all, err = departments(ctx, tx)
		return err
	})
	return all, err
}

// CountByCategory and CountByDepartment give the numbers of published services.
func (c *Catalogue) CountByCategory(ctx context.Context) (map[string]int, error) {
	return c.counts(ctx, "category_id", func(s *Service) string { return s.Category.ID })
}

// CountByDepartment gives the number of published services of each department.
func (c *Catalogue) CountByDepartment(ctx context.Context) (map[string]int, error) {
	return c.counts(ctx, "department_id", func(s *Service) string { return s.Department.ID })
}

func (c *Catalogue) counts(ctx context.Context, column string, of func(*Service) string) (counts map[string]int, err error) {
	if e, err := c.shared(ctx); err != nil {
		return nil, err
	} else if e != nil {
		return e.counts(of), nil
	}
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		counts, err = published(ctx, tx, column)
		return err
	})
	return counts, err
}

// History gives the newest changes of each service that the caller manages.
func (c *Catalogue) History(ctx context.Context, ids []string) (by map[string][]*ServiceChange, err error) {
	if _, err := access.Require(ctx, access.ServiceManage); err != nil {
		return nil, err
	}
	err = c.db.Read(ctx, func(tx *sqlx.Tx) error {
		by, err = histories(ctx, tx, ids)
		return err
	})
	return by, err
}
