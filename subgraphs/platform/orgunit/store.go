package orgunit

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const columns = `id, name, kind, state, area_code, coalesce(parent_id::text, '') AS parent_id, coalesce(successor_id::text, '') AS successor_id, version`

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*OrgUnit, error) {
	var units []*OrgUnit
	err := sqlx.SelectContext(ctx, tx, &units, `SELECT `+columns+` FROM platform.org_unit WHERE id = ANY($1)`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("orgunit: by IDs: %w", err)
	}
	return units, nil
}

// list gives a page of the chosen units, ordered by area and ID. A prefix of
// area codes is a range of the index: ':' sorts after '9'.
func list(ctx context.Context, tx sqlx.ExtContext, f Filter, page keyset.Page) ([]*OrgUnit, error) {
	from := f.AreaCode
	if f.Below {
		from = division.Prefix(f.AreaCode)
	}
	afterArea, afterID := after(page)
	states := f.States
	if len(states) == 0 {
		states = []State{Active, Suspended}
	}
	var units []*OrgUnit
	err := sqlx.SelectContext(ctx, tx, &units, `
		SELECT `+columns+` FROM platform.org_unit
		WHERE area_code >= $1 AND area_code < $1 || ':' AND ($2 = '' OR strpos(name, $2) > 0)
		  AND state = ANY($6) AND (coalesce(cardinality($7::text[]), 0) = 0 OR kind = ANY($7))
		  AND (area_code, id) > ($3, $4::uuid)
		ORDER BY area_code, id LIMIT $5`,
		from, f.Search, afterArea, afterID, page.Limit(), pq.Array(states), pq.Array(f.Kinds))
	if err != nil {
		return nil, fmt.Errorf("orgunit: list: %w", err)
	}
	return units, nil
}

// Below asks for one page of the units right below a unit.
type Below struct {
	ID                 string
	AfterArea, AfterID string // the key of the last one seen; "" for the first page
	Size               int
}

// children gives the pages of all the askings in one statement, each with up
// to Size+1 units ordered by area and ID.
func children(ctx context.Context, tx sqlx.ExtContext, askings []Below) ([][]*OrgUnit, error) {
	n := len(askings)
	ids, areas, afters, limits := make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, a := range askings {
		ids[i], areas[i], afters[i], limits[i] = a.ID, a.AfterArea, a.AfterID, int64(a.Size+1)
		if a.AfterID == "" {
			afters[i] = identifier.First
		}
	}
	var rows []struct {
		Asking int `db:"asking"`
		OrgUnit
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT asked.n - 1 AS asking, below.*
		FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS asked (parent, area, after, size, n)
		CROSS JOIN LATERAL (
			SELECT `+columns+` FROM platform.org_unit
			WHERE parent_id = asked.parent AND state <> 'DISSOLVED' AND (area_code, id) > (asked.area, asked.after)
			ORDER BY area_code, id LIMIT asked.size
		) AS below
		ORDER BY asked.n, below.area_code, below.id`,
		pq.Array(ids), pq.Array(areas), pq.Array(afters), pq.Array(limits))
	if err != nil {
		return nil, fmt.Errorf("orgunit: children: %w", err)
	}
	pages := make([][]*OrgUnit, n)
	for i := range rows {
		pages[rows[i].Asking] = append(pages[rows[i].Asking], &rows[i].OrgUnit)
	}
	return pages, nil
}

func after(page keyset.Page) (area, id string) {
	if page.After == nil {
		return "", identifier.First
	}
	return page.After[0], page.After[1]
}
