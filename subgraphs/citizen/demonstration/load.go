// Package demonstration fills the citizen subgraph with the demonstration's
// story: which services the invented citizens marked, used last, and how often
// each service was used in each district, and what was paid.
//
// Start reading at Load.
package demonstration

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
)

// listed is the number of services in the city's list.
const listed = 230

// days is how far the counted uses go back.
const days = 60

// Load brings in the catalogue, and with a scale other than None the story. It
// may run again: a marker says what is loaded. owner is the schema's owner.
func Load(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast) error {
	ctx = access.AsSystem(ctx, "demonstration")
	tx, err := owner.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("demonstration: citizen: begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := database.Scope(ctx, tx); err != nil {
		return err
	}
	if err := catalogue.LoadInto(ctx, tx); err != nil {
		return err
	}
	var loaded bool
	if err := tx.GetContext(ctx, &loaded, `SELECT EXISTS (SELECT FROM citizen.demonstration)`); err != nil {
		return fmt.Errorf("demonstration: citizen: looking for the marker: %w", err)
	}
	if !loaded && cast.Citizens() > 0 {
		if err := story(ctx, tx, cast); err != nil {
			return fmt.Errorf("demonstration: citizen: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.demonstration (scale) VALUES ($1)`, string(cast.Scale)); err != nil {
			return fmt.Errorf("demonstration: citizen: setting the marker: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("demonstration: citizen: commit: %w", err)
	}
	return nil
}

func story(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast) error {
	services := make([]string, listed)
	for i := range services {
		services[i] = catalogue.ListedID(i + 1)
	}
	for _, step := range []func(context.Context, *sqlx.Tx, *demonstration.Cast, []string) error{favourites, recent, uses, payments} {
		if err := step(ctx, tx, cast, services); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO citizen.popularity (area_code, service_id, total, recent)
		SELECT areas.area_code, service_id, sum(uses), COALESCE(sum(uses) FILTER (WHERE day > $1::date - 30), 0)
		FROM citizen.daily_use CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[daily_use.area_code, $2]) AS area_code) areas
		GROUP BY areas.area_code, service_id`, cast.Anchor, division.CityCode)
	if err != nil {
		return fmt.Errorf("popularity: %w", err)
	}
	_, err = tx.ExecContext(ctx, `ANALYZE citizen.service, citizen.service_entry, citizen.favourite, citizen.recent_use, citizen.daily_use, citizen.popularity`)
	return err
}

// favoured chooses service n of a citizen: low numbers of a skewed order come
// often, so that some services are everybody's and most are a few people's.
func favoured(services []string, topic string, citizen, n int) string {
	u := float64(demonstration.Number(topic, [2]int{citizen, n})>>11) / (1 << 53)
	rank := int(math.Pow(u, 3) * float64(len(services)))
	return services[(rank*97+13)%len(services)]
}

// copyIn fills a table by COPY.
func copyIn(ctx context.Context, tx *sqlx.Tx, table string, columns []string, fill func(row func(...any) error) error) error {
	statement, err := tx.PrepareContext(ctx, pq.CopyInSchema("citizen", table, columns...))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	defer func() { _ = statement.Close() }()
	err = fill(func(values ...any) error {
		_, err := statement.ExecContext(ctx, values...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if _, err := statement.ExecContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// some is how many of the citizens, at most so many, leave traces: in the city
// scale not all million do.
func some(cast *demonstration.Cast) int { return min(cast.Citizens(), 200_000) }

// favourites gives each citizen none to six.
func favourites(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, services []string) error {
	return copyIn(ctx, tx, "favourite", []string{"citizen_id", "service_id", "created_at"}, func(row func(...any) error) error {
		for i := range some(cast) {
			id, marked := demonstration.ID("citizen", i), map[string]bool{}
			for n := range int(demonstration.Number("favourites", i) % 7) {
				service := favoured(services, "favourite", i, n)
				if marked[service] {
					continue
				}
				marked[service] = true
				if err := row(id, service, cast.Anchor.Add(-time.Duration(demonstration.Number("favourite at", [2]int{i, n})%(90*24*60))*time.Minute)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// recent gives each citizen one to eight services used in the last month.
func recent(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, services []string) error {
	return copyIn(ctx, tx, "recent_use", []string{"citizen_id", "service_id", "used_at"}, func(row func(...any) error) error {
		for i := range some(cast) {
			id, used := demonstration.ID("citizen", i), map[string]bool{}
			for n := range int(1 + demonstration.Number("recents", i)%8) {
				service := favoured(services, "recent", i, n)
				if used[service] {
					continue
				}
				used[service] = true
				if err := row(id, service, cast.Anchor.Add(-time.Duration(demonstration.Number("recent at", [2]int{i, n})%(30*24*60))*time.Minute)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// uses counts each service by day in each district of the story: popular ones
// more, weekdays more than weekends, each district with its own taste.
func uses(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, services []string) error {
	weight := map[string]int{}
	for _, community := range cast.Communities() {
		weight[community[:6]+"000000"]++
	}
	clients := []struct {
		name  string
		share float64
	}{{"APP", 0.7}, {"MINIPROGRAM", 0.3}}
	return copyIn(ctx, tx, "daily_use", []string{"area_code", "day", "service_id", "client", "uses"}, func(row func(...any) error) error {
		for _, district := range sorted(weight) {
			for rank := range services {
				service := services[(rank*97+13)%len(services)]
				taste := 0.5 + float64(demonstration.Number("taste", district+service)%1000)/1000
				daily := float64(weight[district]) * 40 * taste / math.Pow(float64(rank+1), 0.8)
				for day := range days {
					date := cast.Anchor.AddDate(0, 0, -day)
					amount := daily * (0.8 + float64(demonstration.Number("day", district+service+date.Format(time.DateOnly))%400)/1000)
					if weekday := date.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
						amount *= 0.6
					}
					for _, client := range clients {
						if n := int(amount * client.share); n > 0 {
							if err := row(district, date.Format(time.DateOnly), service, client.name, n); err != nil {
								return err
							}
						}
					}
				}
			}
		}
		return nil
	})
}

func sorted(weight map[string]int) []string {
	return slices.Sorted(maps.Keys(weight))
}
