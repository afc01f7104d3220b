package orgunit

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service answers questions about organisation units, to anybody, and changes
// them for those who manage units.
type Service struct {
	DB       *database.DB
	Now      func() time.Time
	Sessions Sessions // nil ends none
}

// ByIDs gives the units of the IDs, by ID; unknown ones are left out. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*OrgUnit, error) {
	known := input.IDs(ids)
	found := make(map[string]*OrgUnit, len(known))
	if len(known) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		units, err := byIDs(ctx, tx, known)
		for _, u := range units {
			found[u.ID] = u
		}
		return err
	})
}

// Page is a page of units.
type Page struct {
	Units []*OrgUnit
	Info  *keyset.PageInfo
}

// List gives a page of the chosen units, ordered by area and ID.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) (Page, error) {
	f, err := f.Check()
	if err != nil {
		return Page{}, err
	}
	if err := checkCursor(page); err != nil {
		return Page{}, err
	}
	var units []*OrgUnit
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		units, err = list(ctx, tx, f, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	units, info := keyset.Of(page, units, key)
	return Page{Units: units, Info: info}, nil
}

// BelowOf makes the asking for a page of the units right below the unit.
func BelowOf(id string, page keyset.Page) (Below, error) {
	if err := checkCursor(page); err != nil {
		return Below{}, err
	}
	asking := Below{ID: id, Size: page.Size}
	if page.After != nil {
		asking.AfterArea, asking.AfterID = page.After[0], page.After[1]
	}
	return asking, nil
}

// Children gives the pages of all the askings. One statement.
func (s *Service) Children(ctx context.Context, askings []Below) ([]Page, error) {
	var found [][]*OrgUnit
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		found, err = children(ctx, tx, askings)
		return err
	})
	if err != nil {
		return nil, err
	}
	pages := make([]Page, len(askings))
	for i, a := range askings {
		page := keyset.Page{Size: a.Size}
		if a.AfterID != "" {
			page.After = []string{a.AfterArea, a.AfterID}
		}
		pages[i].Units, pages[i].Info = keyset.Of(page, found[i], key)
	}
	return pages, nil
}

func key(u *OrgUnit) []string { return []string{u.AreaCode, u.ID} }

// checkCursor refuses a cursor whose last column is no ID.
func checkCursor(page keyset.Page) error {
	if page.After != nil && !input.ID(page.After[len(page.After)-1]) {
		return fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return nil
}
