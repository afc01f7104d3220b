package communityservice

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Shelf asks for one page of what everybody may see: of an area's supermarket,
// or of a participant. It is comparable, so that loaders batch by it.
type Shelf struct {
	AreaID        string // either this
	ParticipantID string // or this
	Category      SupplyCategory
	Search        string
	Size          int
	After         [2]string // listed_at, id; empty for the first page
}

// OfArea is the shelf of an area.
func (s Shelf) OfArea(id string) Shelf {
	s.AreaID = id
	return s
}

// OfParticipant is the shelf of a participant.
func (s Shelf) OfParticipant(id string) Shelf {
	s.ParticipantID = id
	return s
}

// NewShelf checks a list's arguments; OfArea or OfParticipant says where.
func NewShelf(category *SupplyCategory, search *string, first *int, after *string) (Shelf, error) {
	page, err := keyset.Parse(first, after, 2)
	if err != nil {
		return Shelf{}, err
	}
	s := Shelf{Size: page.Size}
	if page.After != nil {
		if _, err := time.Parse(time.RFC3339Nano, page.After[0]); err != nil || !input.ID(page.After[1]) {
			return Shelf{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
		s.After = [2]string(page.After)
	}
	if category != nil {
		s.Category = *category
	}
	if search != nil {
		s.Search, err = participant.Search(*search)
	}
	return s, err
}

func (s Shelf) page() keyset.Page {
	page := keyset.Page{Size: s.Size}
	if s.After != [2]string{} {
		page.After = s.After[:]
	}
	return page
}

// place and rest split a shelf into where it is and what is asked of it.
func (s Shelf) place() string { return s.AreaID + s.ParticipantID }

func (s Shelf) rest() Shelf {
	switch {
	case s.AreaID == "":
	case division.LevelOf(s.AreaID) == division.City:
		s.AreaID = "city"
	default:
		s.AreaID = "area"
	}
	if s.ParticipantID != "" {
		s.ParticipantID = "participant"
	}
	return s
}

func shelfKey(s *CommunityService) []string {
	return []string{s.ListedAt.UTC().Format(time.RFC3339Nano), s.ID}
}

// Shelves gives a page of each shelf. Shelves that differ in the place alone
// are one statement.
func (ss *Services) Shelves(ctx context.Context, wanted []Shelf) (map[Shelf]*CommunityServiceConnection, error) {
	groups := map[Shelf][]Shelf{}
	var order []Shelf
	for _, shelf := range wanted {
		rest := shelf.rest()
		if groups[rest] == nil {
			order = append(order, rest)
		}
		groups[rest] = append(groups[rest], shelf)
	}
	pages := make(map[Shelf]*CommunityServiceConnection, len(wanted))
	err := ss.db.Read(ctx, func(tx *sqlx.Tx) error {
		for _, rest := range order {
			places := make([]string, len(groups[rest]))
			for i, shelf := range groups[rest] {
				places[i] = shelf.place()
			}
			page := rest.page()
			found, err := shelves(ctx, tx, places, rest, page.Limit())
			if err != nil {
				return err
			}
			for _, shelf := range groups[rest] {
				pages[shelf] = connect(page, found[shelf.place()], shelfKey)
			}
		}
		return nil
	})
	return pages, err
}
