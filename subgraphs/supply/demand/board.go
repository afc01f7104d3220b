package demand

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
)

// Board asks for one page of the open demands of an area. It is comparable, so
// that loaders batch by it.
type Board struct {
	AreaID   string
	Category communityservice.SupplyCategory
	Size     int
	After    [2]string // opened_at, id; empty for the first page
}

// Of is the board of an area.
func (b Board) Of(areaID string) Board {
	b.AreaID = areaID
	return b
}

// NewBoard checks a list's arguments.
func NewBoard(category *communityservice.SupplyCategory, first *int, after *string) (Board, error) {
	page, err := parse(first, after)
	if err != nil {
		return Board{}, err
	}
	b := Board{Size: page.Size}
	if page.After != nil {
		b.After = [2]string(page.After)
	}
	if category != nil {
		b.Category = *category
	}
	return b, nil
}

// parse checks the cursor of every list of demands: opened_at (or nothing) and ID.
func parse(first *int, after *string) (keyset.Page, error) {
	page, err := keyset.Parse(first, after, 2)
	if err != nil || page.After == nil {
		return page, err
	}
	if _, err := time.Parse(time.RFC3339Nano, page.After[0]); err != nil || !input.ID(page.After[1]) {
		return page, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return page, nil
}

// place is a row's key: the opening for open ones, else the making, and the ID.
func place(d *Demand) []string {
	at := d.CreatedAt
	if d.OpenedAt != nil {
		at = *d.OpenedAt
	}
	return []string{at.UTC().Format(time.RFC3339Nano), d.ID}
}

// Boards gives a page of each board. Boards that differ in the area alone are
// one statement.
func (ds *Demands) Boards(ctx context.Context, wanted []Board) (map[Board]*DemandConnection, error) {
	groups := map[Board][]string{}
	var order []Board
	for _, board := range wanted {
		rest := board
		rest.AreaID = ""
		if groups[rest] == nil {
			order = append(order, rest)
		}
		groups[rest] = append(groups[rest], board.AreaID)
	}
	pages := make(map[Board]*DemandConnection, len(wanted))
	err := ds.db.Read(ctx, func(tx *sqlx.Tx) error {
		for _, rest := range order {
			w := new(condition.Where)
			if rest.Category != "" {
				w.Add("s.category = ?", string(rest.Category))
			}
			page := keyset.Page{Size: rest.Size}
			if rest.After != [2]string{} {
				page.After = rest.After[:]
				w.Add("(s.opened_at, s.id) < (?::timestamptz, ?::uuid)", rest.After[0], rest.After[1])
			}
			found, err := boards(ctx, tx, groups[rest], w, page.Limit())
			if err != nil {
				return err
			}
			for _, area := range groups[rest] {
				key := rest
				key.AreaID = area
				pages[key] = connect(page, found[area], place)
			}
		}
		return nil
	})
	return pages, err
}
