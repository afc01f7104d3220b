package area

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `code, name, full_name, level, coalesce(parent_code, '') AS parent_code, coalesce(zone_code, '') AS zone_code,
	internal, to_char(valid_from, 'YYYY-MM-DD') AS valid_from, to_char(valid_to, 'YYYY-MM-DD') AS valid_to`

// byCodes gives the areas of the codes that exist, in no order.
func byCodes(ctx context.Context, tx sqlx.ExtContext, codes []string) ([]*Area, error) {
	var areas []*Area
	err := sqlx.SelectContext(ctx, tx, &areas, `SELECT `+columns+` FROM platform.area WHERE code = ANY($1)`, pq.Array(codes))
	if err != nil {
		return nil, fmt.Errorf("area: by codes: %w", err)
	}
	return areas, nil
}

// list gives a page of the chosen areas that are valid today, ordered by code.
func list(ctx context.Context, tx sqlx.ExtContext, f Filter, page keyset.Page) ([]*Area, error) {
	var areas []*Area
	err := sqlx.SelectContext(ctx, tx, &areas, `
		SELECT `+columns+` FROM platform.area
		WHERE ($1 = '' OR parent_code = $1) AND ($2 = '' OR level = $2) AND ($3 = '' OR strpos(name, $3) > 0)
		  AND code > $4 AND (valid_to IS NULL OR valid_to > current_date)
		ORDER BY code LIMIT $5`,
		f.ParentCode, string(f.Level), f.Search, after(page), page.Limit())
	if err != nil {
		return nil, fmt.Errorf("area: list: %w", err)
	}
	return areas, nil
}

// Below asks for one page of the areas right below an area; for a functional
// zone these are the streets that it runs.
type Below struct {
	Code  string
	After string
	Size  int
}

// children gives the pages of all the askings in one statement, each with up
// to Size+1 areas ordered by code.
func children(ctx context.Context, tx sqlx.ExtContext, askings []Below) ([][]*Area, error) {
	codes, afters, limits := make([]string, len(askings)), make([]string, len(askings)), make([]int64, len(askings))
	for i, a := range askings {
		codes[i], afters[i], limits[i] = a.Code, a.After, int64(a.Size+1)
	}
	var rows []struct {
		Asking int `db:"asking"`
		Area
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT asked.n - 1 AS asking, below.*
		FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS asked (parent, after, size, n)
		CROSS JOIN LATERAL (
			SELECT `+columns+` FROM platform.area
			WHERE (parent_code = asked.parent OR zone_code = asked.parent AND level = 'STREET')
			  AND code > asked.after AND (valid_to IS NULL OR valid_to > current_date)
			ORDER BY code LIMIT asked.size
		) AS below
		ORDER BY asked.n, below.code`,
		pq.Array(codes), pq.Array(afters), pq.Array(limits))
	if err != nil {
		return nil, fmt.Errorf("area: children: %w", err)
	}
	pages := make([][]*Area, len(askings))
	for i := range rows {
		pages[rows[i].Asking] = append(pages[rows[i].Asking], &rows[i].Area)
	}
	return pages, nil
}

func after(page keyset.Page) string {
	if page.After == nil {
		return ""
	}
	return page.After[0]
}
