package area

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service answers questions about areas, to anybody.
type Service struct{ DB *database.DB }

// ByCodes gives the areas of the codes, by code; unknown ones are left out. One statement.
func (s *Service) ByCodes(ctx context.Context, codes []string) (map[string]*Area, error) {
	known := make([]string, 0, len(codes))
	for _, code := range codes {
		if division.Valid(code) {
			known = append(known, code)
		}
	}
	found := make(map[string]*Area, len(known))
	if len(known) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		areas, err := byCodes(ctx, tx, known)
		for _, a := range areas {
			found[a.Code] = a
		}
		return err
	})
}

// List gives a page of the chosen areas, ordered by code.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) ([]*Area, *keyset.PageInfo, error) {
	f, err := f.Check()
	if err != nil {
		return nil, nil, err
	}
	var areas []*Area
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		areas, err = list(ctx, tx, f, page)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	areas, info := keyset.Of(page, areas, key)
	return areas, info, nil
}

// Page is a page of areas.
type Page struct {
	Areas []*Area
	Info  *keyset.PageInfo
}

// Children gives the pages of all the askings. One statement.
func (s *Service) Children(ctx context.Context, askings []Below) ([]Page, error) {
	var found [][]*Area
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
		if a.After != "" {
			page.After = []string{a.After}
		}
		pages[i].Areas, pages[i].Info = keyset.Of(page, found[i], key)
	}
	return pages, nil
}

func key(a *Area) []string { return []string{a.Code} }

// BelowOf makes the asking for a page of the areas right below the area.
func BelowOf(code string, page keyset.Page) Below {
	return Below{Code: code, After: after(page), Size: page.Size}
}
