// Package usage records that services are used, and tells from it what is
// popular, what a citizen used last, and what to recommend.
//
// Start reading at Usage. Counting is done by the roll-up (rollup.go), so that
// a use writes no row that another use writes too.
package usage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/entry"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/snapshot"
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
	ranking   *snapshot.Snapshot[ranking]
}

// New makes the usage over the database.
func New(db *database.DB, c *catalogue.Catalogue, now func() time.Time) *Usage {
	return &Usage{db: db, catalogue: c, now: now, ranking: snapshot.New(ranks(db))}
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
	way := entry.Of(service).For(in.Client)
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

// spare is how many hidden services a list of recent uses may meet before it
// takes another look.
const spare = 16

// Recent gives the services that the signed-in citizen used last. Hidden ones
// take no place of others.
func (u *Usage) Recent(ctx context.Context, first int) ([]*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	published, err := u.catalogue.Published(ctx)
	if err != nil {
		return nil, err
	}
	var found []*catalogue.Service
	err = u.db.Read(ctx, func(tx *sqlx.Tx) error {
		for size := first + spare; ; size *= 2 {
			var ids []string
			err := tx.SelectContext(ctx, &ids, `SELECT service_id FROM citizen.recent_use WHERE citizen_id = $1
				ORDER BY used_at DESC, service_id LIMIT $2`, citizen.ID, size)
			if err != nil {
				return fmt.Errorf("usage: listing recent uses: %w", err)
			}
			found = published.Ordered(ids, first)
			if len(found) == first || len(ids) < size {
				return nil
			}
		}
	})
	return found, err
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
	order, err := u.ranking.Get(ctx)
	if err != nil {
		return nil, err
	}
	return u.foremost(ctx, order.popular[area], first, func(*catalogue.Service) bool { return true })
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
	var favourites []string
	err = u.db.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &favourites, `SELECT service_id FROM citizen.favourite WHERE citizen_id = $1`, citizen.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("usage: what not to recommend: %w", err)
	}
	order, err := u.ranking.Get(ctx)
	if err != nil {
		return nil, err
	}
	return u.foremost(ctx, order.recommendedIn(district), first, func(s *catalogue.Service) bool {
		return s.Health != catalogue.Paused && !slices.Contains(favourites, s.ID)
	})
}

// foremost gives the first published services that are wanted: those of the
// order, then all others as the list has them.
func (u *Usage) foremost(ctx context.Context, order []string, first int, wanted func(*catalogue.Service) bool) ([]*catalogue.Service, error) {
	published, err := u.catalogue.Published(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]*catalogue.Service, 0, min(first, len(published.Services)))
	for _, id := range order {
		if len(found) == first {
			return found, nil
		}
		if s := published.Service(id); s != nil && wanted(s) {
			found = append(found, s)
		}
	}
	placed := make(map[string]bool, len(order))
	for _, id := range order {
		placed[id] = true
	}
	for _, s := range published.Services {
		if len(found) == first {
			break
		}
		if !placed[s.ID] && wanted(s) {
			found = append(found, s)
		}
	}
	return found, nil
}

// District gives the district that the area lies in; the city for the city.
func District(areaCode string) string { return areaCode[:6] + "000000" }
