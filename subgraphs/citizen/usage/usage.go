// Package usage records that services are used, and tells from it what is
// popular, what a citizen used last, and what to recommend.
//
// Start reading at Usage. Counting is done by the roll-up (rollup.go), so that
// a use writes no row that another use writes too.
package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/entry"
)

// UseServiceInput says which service is opened, and on what.
type UseServiceInput struct {
	ServiceID     string
	Client        catalogue.Client
	ClientVersion *string
}

// Usage records uses and lists services by them.
type Usage struct {
	db        *database.DB
	catalogue *catalogue.Catalogue
	now       func() time.Time
}

// New makes the usage over the database.
func New(db *database.DB, c *catalogue.Catalogue, now func() time.Time) *Usage {
	return &Usage{db: db, catalogue: c, now: now}
}

// Use opens a published service for the caller, signed in or not: it gives the
// entry in force, and records the use. The need for a real name is asked by the
// service itself, not here: who only looks at a form needs none.
func (u *Usage) Use(ctx context.Context, in UseServiceInput) (*catalogue.Service, *entry.ServiceEntry, error) {
	found, err := u.catalogue.Find(ctx, []string{in.ServiceID})
	if err != nil {
		return nil, nil, err
	}
	service := found[in.ServiceID]
	if service == nil || service.Publication != catalogue.Published {
		return nil, nil, fault.New(fault.NotFound, "未找到该服务，或服务尚未发布")
	}
	if service.Health == catalogue.Paused {
		reason := "请稍后再试"
		if service.HealthNote != nil {
			reason = *service.HealthNote
		}
		return nil, nil, fault.New(fault.Unavailable, "服务已暂停：%s", reason)
	}
	set, err := entry.Of(service)
	if err != nil {
		return nil, nil, err
	}
	way := set.For(in.Client)
	viewer, area := "", division.CityCode
	p := access.From(ctx)
	if p != nil {
		viewer = p.ID
		if division.Valid(p.AreaCode) {
			area = p.AreaCode
		}
	}
	switch {
	case way == nil, !service.Offered(in.Client), !way.Open(viewer):
		return nil, nil, fault.New(fault.NotFound, "该服务尚未对此客户端开放")
	case !way.Supports(in.ClientVersion):
		return nil, nil, fault.New(fault.Conflict, "请将客户端升级到 %s 或更高版本后使用", *way.MinVersion)
	}
	return service, way, u.record(ctx, p, service.ID, in.Client, area)
}

func (u *Usage) record(ctx context.Context, p *access.Principal, serviceID string, client catalogue.Client, area string) error {
	at := u.now()
	return u.db.Write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO citizen.uncounted_use (service_id, client, area_code, at) VALUES ($1, $2, $3, $4)`,
			serviceID, string(client), area, at)
		if err != nil {
			return fmt.Errorf("usage: recording a use: %w", err)
		}
		if p == nil || p.Kind != access.Citizen {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO citizen.recent_use (citizen_id, service_id, used_at) VALUES ($1, $2, $3)
			ON CONFLICT (citizen_id, service_id) DO UPDATE SET used_at = GREATEST(recent_use.used_at, excluded.used_at)`, p.ID, serviceID, at)
		if err != nil {
			return fmt.Errorf("usage: recording a citizen's use: %w", err)
		}
		return nil
	})
}

// Recent gives the services that the signed-in citizen used last.
func (u *Usage) Recent(ctx context.Context, first int) ([]*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	return u.ordered(ctx, `SELECT r.service_id, row_number() OVER (ORDER BY r.used_at DESC, r.service_id)
		FROM citizen.recent_use r JOIN citizen.service v ON v.id = r.service_id AND v.publication = 'PUBLISHED'
		WHERE r.citizen_id = $1 ORDER BY r.used_at DESC, r.service_id LIMIT $2`, citizen.ID, first)
}

// Popular gives the services used most in the last thirty days, in the area's
// district or in the whole city. What was never used follows in the list's order.
func (u *Usage) Popular(ctx context.Context, first int, areaCode *string) ([]*catalogue.Service, error) {
	area := division.CityCode
	if areaCode != nil {
		if err := input.AreaCode("areaId", *areaCode); err != nil {
			return nil, err
		}
		area = District(*areaCode)
	}
	return u.ordered(ctx, `SELECT v.id, row_number() OVER (ORDER BY COALESCE(o.recent, 0) DESC, COALESCE(o.total, 0) DESC, v.seq_no, v.code)
		FROM citizen.service v LEFT JOIN citizen.popularity o ON o.service_id = v.id AND o.area_code = $1
		WHERE v.publication = 'PUBLISHED' ORDER BY 2 LIMIT $2`, area, first)
}

// Recommended gives services for the signed-in citizen: those that people of
// the same district use most, with half the weight of the city's use, and that
// are neither favourites nor paused.
func (u *Usage) Recommended(ctx context.Context, first int) ([]*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	district := division.CityCode
	if division.Valid(citizen.AreaCode) {
		district = District(citizen.AreaCode)
	}
	// shares, not counts: a district is small beside the city
	return u.ordered(ctx, `SELECT v.id, row_number() OVER (ORDER BY
			COALESCE(near.recent, 0)::float8 / GREATEST(1, (SELECT max(recent) FROM citizen.popularity WHERE area_code = $2)) +
			COALESCE(city.recent, 0)::float8 / GREATEST(1, (SELECT max(recent) FROM citizen.popularity WHERE area_code = $3)) / 2 DESC,
			v.seq_no, v.code)
		FROM citizen.service v
		LEFT JOIN citizen.popularity near ON near.service_id = v.id AND near.area_code = $2
		LEFT JOIN citizen.popularity city ON city.service_id = v.id AND city.area_code = $3
		WHERE v.publication = 'PUBLISHED' AND v.health <> 'PAUSED'
			AND NOT EXISTS (SELECT FROM citizen.favourite f WHERE f.citizen_id = $1 AND f.service_id = v.id)
		ORDER BY 2 LIMIT $4`, citizen.ID, district, division.CityCode, first)
}

func (u *Usage) ordered(ctx context.Context, query string, args ...any) (found []*catalogue.Service, err error) {
	err = u.db.Read(ctx, func(tx *sqlx.Tx) error {
		found, err = catalogue.Ordered(ctx, tx, query, args...)
		return err
	})
	return found, err
}

// District gives the district that the area lies in; the city for the city.
func District(areaCode string) string { return areaCode[:6] + "000000" }
