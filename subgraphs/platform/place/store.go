package place

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const columns = `id, name, kind, area_code, address, telephone, position[0] AS longitude, position[1] AS latitude, state, closed_reason, hours, version, updated_at`

// openNow is the column open_now; day and minute are placeholders.
func openNow(day, minute string) string {
	return `CASE WHEN state = 'OPERATING' THEN platform.place_open(weekly, exception_days, exception_open, ` + day + `::integer, ` + minute + `::integer) END AS open_now`
}

// ring gives the operating places that are further than inner (or as far, with
// a greater ID) and at most outer metres from the centre, the nearest first.
func ring(ctx context.Context, tx sqlx.ExtContext, a asked, inner float64, afterID string, outer float64, limit int) ([]*Place, error) {
	statement, args := ringStatement(a, inner, afterID, outer, limit)
	var places []*Place
	if err := sqlx.SelectContext(ctx, tx, &places, statement, args...); err != nil {
		return nil, fmt.Errorf("place: around: %w", err)
	}
	return places, nil
}

func ringStatement(a asked, inner float64, afterID string, outer float64, limit int) (string, []any) {
	var where condition.Where
	longitude, latitude := where.Arg(a.centre.Longitude)+"::float8", where.Arg(a.centre.Latitude)+"::float8"
	atDay, atMinute := moment(a.now)
	day, minute := where.Arg(atDay), where.Arg(atMinute)
	where.Add(`state = 'OPERATING'`)
	covers, from := boxes(a.centre, inner, outer), `platform.place`
	if len(covers) <= 2*bands {
		args, terms := make([]any, len(covers)), make([]string, len(covers))
		for i, cover := range covers {
			args[i], terms[i] = cover, `position <@ ?::box`
		}
		where.Add(`(`+strings.Join(terms, " OR ")+`)`, args...)
	} else {
		// One look into the index for each: so many alternatives would take longer
		// to plan than to read. What lies on an edge is the northern box's.
		from = `(SELECT text::box AS cover FROM unnest(` + where.Arg(pq.Array(covers)) + `::text[]) AS text OFFSET 0) AS covers CROSS JOIN platform.place`
		where.Add(`position <@ cover AND position[1] < (cover[0])[1]`)
	}
	if a.within != "" {
		where.Add(`position <@ ?::box`, a.within)
	}
	if len(a.kinds) > 0 {
		where.Add(`kind = ANY(?::text[])`, pq.Array(a.kinds))
	}
	if a.search != "" {
		where.Add(`search @@ ?::tsquery`, a.search)
	}
	if a.openNow {
		where.Add(`platform.place_open(weekly, exception_days, exception_open, ` + day + `::integer, ` + minute + `::integer)`)
	}
	inside := where.String()
	innerArg, idArg, outerArg, limitArg := where.Arg(inner), where.Arg(afterID), where.Arg(outer), where.Arg(limit)
	return `SELECT ` + columns + `, distance, ` + openNow(day, minute) + `
		FROM (SELECT *, platform.distance_metres(position, ` + longitude + `, ` + latitude + `) AS distance FROM ` + from + ` WHERE ` + inside + ` OFFSET 0) AS around
		WHERE (distance, id) > (` + innerArg + `::float8, ` + idArg + `::uuid) AND distance <= ` + outerArg + `::float8
		ORDER BY distance, id LIMIT ` + limitArg, where.Args()
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string, now time.Time) ([]*Place, error) {
	day, minute := moment(now)
	var places []*Place
	err := sqlx.SelectContext(ctx, tx, &places, `SELECT `+columns+`, `+openNow("$2", "$3")+` FROM platform.place WHERE id = ANY($1)`, pq.Array(ids), day, minute)
	if err != nil {
		return nil, fmt.Errorf("place: by IDs: %w", err)
	}
	return places, nil
}

// OfArea asks for one page of the places of an area and all below it.
type OfArea struct {
	AreaCode           string
	Kinds              string // with commas between; "" for all
	AfterArea, AfterID string // the key of the last one seen; "" for the first page
	Size               int
}

// ofAreas gives the pages of all the askings in one statement, each with up to
// Size+1 operating places, ordered by area and ID. A prefix of area codes is a
// range of the index: ':' sorts after '9'.
func ofAreas(ctx context.Context, tx sqlx.ExtContext, askings []OfArea, now time.Time) ([][]*Place, error) {
	n := len(askings)
	prefixes, kinds, areas, ids, limits := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, a := range askings {
		prefixes[i], kinds[i], areas[i], ids[i], limits[i] = division.Prefix(a.AreaCode), a.Kinds, a.AfterArea, a.AfterID, int64(a.Size+1)
		if a.AfterID == "" {
			ids[i] = identifier.First
		}
	}
	var rows []struct {
		Asking int `db:"asking"`
		Place
	}
	day, minute := moment(now)
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT asked.n - 1 AS asking, of.*
		FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[]) WITH ORDINALITY AS asked (prefix, kinds, area, after, size, n)
		CROSS JOIN LATERAL (
			SELECT `+columns+`, `+openNow("$6", "$7")+` FROM platform.place
			WHERE state = 'OPERATING' AND area_code >= asked.prefix AND area_code < asked.prefix || ':'
			  AND (asked.kinds = '' OR kind = ANY(string_to_array(asked.kinds, ','))) AND (area_code, id) > (asked.area, asked.after)
			ORDER BY area_code, id LIMIT asked.size
		) AS of
		ORDER BY asked.n, of.area_code, of.id`,
		pq.Array(prefixes), pq.Array(kinds), pq.Array(areas), pq.Array(ids), pq.Array(limits), day, minute)
	if err != nil {
		return nil, fmt.Errorf("place: of areas: %w", err)
	}
	pages := make([][]*Place, n)
	for i := range rows {
		pages[rows[i].Asking] = append(pages[rows[i].Asking], &rows[i].Place)
	}
	return pages, nil
}

// locked gives the place for a change; nil when there is none.
func locked(ctx context.Context, tx sqlx.ExtContext, id string) (*Place, error) {
	var p Place
	err := sqlx.GetContext(ctx, tx, &p, `SELECT `+columns+` FROM platform.place WHERE id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("place: for a change: %w", err)
	}
	return &p, nil
}

func areaExists(ctx context.Context, tx sqlx.ExtContext, code string) (exists bool, err error) {
	if err = sqlx.GetContext(ctx, tx, &exists, `SELECT EXISTS (SELECT FROM platform.area WHERE code = $1)`, code); err != nil {
		return false, fmt.Errorf("place: looking for the area: %w", err)
	}
	return exists, nil
}

// Vector is what a place is searched by.
func (p *Place) Vector() string { return bigram.Vector(p.Name, p.Address) }

// put writes the place, new at version 1.
func put(ctx context.Context, tx sqlx.ExtContext, p *Place, r Ranges, now time.Time) error {
	hours, weekly := p.hoursAnd(r)
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.place (id, name, kind, area_code, address, telephone, position, state, closed_reason, hours, weekly, exception_days, exception_open,
			search, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, point($7, $8), $9, $10, $11::jsonb, $12::int4multirange, $13::int4multirange, $14::int4multirange, $15::tsvector, $16, $17, $17)`,
		p.ID, p.Name, p.Kind, p.AreaCode, p.Address, p.Telephone, p.Longitude, p.Latitude, p.State, p.ClosedReason, hours, weekly, r.Days, r.Open,
		p.Vector(), p.Version, now)
	if err != nil {
		return fmt.Errorf("place: making: %w", err)
	}
	return nil
}

// update writes what can change of the place.
func update(ctx context.Context, tx sqlx.ExtContext, p *Place, r Ranges, now time.Time) error {
	hours, weekly := p.hoursAnd(r)
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.place SET name = $2, kind = $3, area_code = $4, address = $5, telephone = $6, position = point($7, $8), state = $9, closed_reason = $10,
			hours = $11::jsonb, weekly = $12::int4multirange, exception_days = $13::int4multirange, exception_open = $14::int4multirange, search = $15::tsvector,
			version = $16, updated_at = $17
		WHERE id = $1`,
		p.ID, p.Name, p.Kind, p.AreaCode, p.Address, p.Telephone, p.Longitude, p.Latitude, p.State, p.ClosedReason, hours, weekly, r.Days, r.Open,
		p.Vector(), p.Version, now)
	if err != nil {
		return fmt.Errorf("place: changing: %w", err)
	}
	return nil
}

// hoursAnd are the columns hours and weekly: NULL where nobody knows.
func (p *Place) hoursAnd(r Ranges) (hours, weekly *string) {
	if p.Hours == nil {
		return nil, nil
	}
	text := string(p.Hours)
	return &text, &r.Weekly
}
