package communityservice

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// shelves reads one page of each place's shelf in one statement; the places are
// areas or participants, as rest has it. Its plan is the same for all places.
func shelves(ctx context.Context, tx sqlx.QueryerContext, places []string, rest Shelf, limit int) (map[string][]*CommunityService, error) {
	var rows []struct {
		Place string `db:"place"`
		CommunityService
	}
	w, wanted := new(condition.Where), ""
	if rest.AreaID != "" {
		prefixes := make([]string, len(places))
		for i, code := range places {
			prefixes[i] = division.Prefix(code)
		}
		wanted = "unnest(" + w.Arg(pq.Array(places)) + "::text[], " + w.Arg(pq.Array(prefixes)) + "::text[]) AS wanted (id, prefix)"
	} else {
		wanted = "unnest(" + w.Arg(pq.Array(places)) + "::uuid[]) AS wanted (id)"
	}
	var page string
	switch size := strconv.Itoa(limit); rest.AreaID {
	case "area":
		page = ofArea(w, rest, size)
	case "city":
		page = inOrder(w, rest, ofCity, size)
	default:
		page = inOrder(w, rest, "s.participant_id = wanted.id", size)
	}
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &rows, `SELECT wanted.id AS place, `+columns+` FROM `+wanted+` CROSS JOIN LATERAL (`+page+`) s
		ORDER BY wanted.id, s.listed_at DESC, s.id DESC`, w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("communityservice: reading shelves: %w", err)
	}
	by := make(map[string][]*CommunityService, len(places))
	for i := range rows {
		by[rows[i].Place] = append(by[rows[i].Place], &rows[i].CommunityService)
	}
	return by, nil
}

// ofCity says of a service that it is shown in the wanted city: to the whole of
// it or to any area below. Nearly all are, so they are gone through in order. The
// LIMIT keeps the question one of each service: no join is made of it.
const ofCity = `(SELECT true FROM supply.distribution d
	WHERE d.service_id = s.id AND d.area_code >= wanted.prefix AND d.area_code < wanted.prefix || ':' LIMIT 1)`

// inOrder goes through the services in the order of their listing.
func inOrder(w *condition.Where, rest Shelf, in, limit string) string {
	conditions := "s.state = 'LISTED' AND s.offered AND " + in + rest.filters(w)
	if rest.After != [2]string{} {
		conditions += " AND (s.listed_at, s.id) < (" + w.Arg(rest.After[0]) + "::timestamptz, " + w.Arg(rest.After[1]) + "::uuid)"
	}
	return `SELECT ` + strings.ReplaceAll(columns, "s.", "") + ` FROM supply.community_service s WHERE ` + conditions +
		` ORDER BY s.listed_at DESC, s.id DESC LIMIT ` + limit
}

// ofArea takes the newest of what is distributed to each area above the wanted
// one, and what is distributed to it and below, and of these the newest. An
// area's ancestors are its prefixes filled with zeros, the rule of package
// division in SQL.
func ofArea(w *condition.Where, rest Shelf, limit string) string {
	from, conditions := "supply.distribution d", " AND d.listed_at IS NOT NULL"
	if filters := rest.filters(w); filters != "" {
		from += " JOIN supply.community_service s ON s.id = d.service_id" + filters
	}
	if rest.After != [2]string{} {
		conditions += " AND (d.listed_at, d.service_id) < (" + w.Arg(rest.After[0]) + "::timestamptz, " + w.Arg(rest.After[1]) + "::uuid)"
	}
	return `SELECT ` + columns + ` FROM (
		SELECT DISTINCT shown.listed_at, shown.service_id FROM (
			SELECT newest.listed_at, newest.service_id
			FROM (VALUES (left(wanted.id, 4) || '00000000'), (left(wanted.id, 6) || '000000'), (left(wanted.id, 9) || '000')) AS above (code)
			CROSS JOIN LATERAL (SELECT d.listed_at, d.service_id FROM ` + from + ` WHERE d.area_code = above.code` + conditions + `
				ORDER BY d.listed_at DESC, d.service_id DESC LIMIT ` + limit + `) newest
			UNION ALL
			SELECT d.listed_at, d.service_id FROM ` + from + `
			WHERE d.area_code >= wanted.prefix AND d.area_code < wanted.prefix || ':'` + conditions + `) shown
		ORDER BY shown.listed_at DESC, shown.service_id DESC LIMIT ` + limit + `) top
	JOIN supply.community_service s ON s.id = top.service_id AND s.state = 'LISTED' AND s.offered`
}

// filters are what is asked of the services s themselves, each behind AND.
func (s Shelf) filters(w *condition.Where) string {
	filters := ""
	if s.Category != "" {
		filters += " AND s.category = " + w.Arg(string(s.Category))
	}
	if s.Search != "" {
		query, _ := bigram.Query(s.Search)
		filters += " AND s.search @@ " + w.Arg(query) + "::tsquery"
	}
	return filters
}
