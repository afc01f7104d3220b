package usage

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/snapshot"
)

// ranking is the order of the used services of each district and of the city.
// It is the same for everybody, so a process holds it in memory: its size is
// the catalogue's times the districts.
type ranking struct {
	// popular is by recent uses, then by all; equals as the city's list has them.
	popular map[string][]string
	// recommended is by recent uses of the district and of the city; what has none is not here.
	recommended map[string][]string
}

// recommendedIn gives the district's order, the city's where nothing was used yet.
func (r *ranking) recommendedIn(district string) []string {
	if order, ok := r.recommended[district]; ok {
		return order
	}
	return r.recommended[division.CityCode]
}

// count is a service's uses in an area.
type count struct {
	AreaCode  string `db:"area_code"`
	ServiceID string `db:"service_id"`
	Recent    int64  `db:"recent"`
}

// ranks reads the ranking from the counts, in the order of their index. IDs of
// listed services grow with their numbers, so equals come as in the list.
func ranks(db *database.DB) snapshot.Load[ranking] {
	return func(ctx context.Context, known string) (*ranking, string, error) {
		var stamp string
		var counts []count
		err := db.Read(ctx, func(tx *sqlx.Tx) error {
			// xmin is another with each change of a row
			err := tx.GetContext(ctx, &stamp, `SELECT concat_ws('.', count(*), sum(hashtextextended(service_id::text || xmin::text, 0))) FROM citizen.popularity`)
			if err != nil || stamp == known {
				return err
			}
			return tx.SelectContext(ctx, &counts, `SELECT area_code, service_id, recent FROM citizen.popularity
				ORDER BY area_code, recent DESC, total DESC, service_id`)
		})
		if err != nil {
			return nil, "", fmt.Errorf("usage: reading what is popular: %w", err)
		}
		if stamp == known {
			return nil, stamp, nil
		}
		return rank(counts), stamp, nil
	}
}

// rank orders the counts, which come by area and popularity.
func rank(counts []count) *ranking {
	uses := map[string]map[string]int64{}
	r := &ranking{popular: map[string][]string{}, recommended: map[string][]string{}}
	for _, c := range counts {
		if uses[c.AreaCode] == nil {
			uses[c.AreaCode] = map[string]int64{}
		}
		uses[c.AreaCode][c.ServiceID] = c.Recent
		r.popular[c.AreaCode] = append(r.popular[c.AreaCode], c.ServiceID)
	}
	// shares, not counts: a district is small beside the city
	share := func(area, id string) float64 {
		most := uses[area][r.popular[area][0]]
		return float64(uses[area][id]) / float64(max(1, most))
	}
	for area := range r.popular {
		score := map[string]float64{}
		for id := range uses[area] {
			score[id] = share(area, id)
		}
		for id := range uses[division.CityCode] {
			score[id] += share(division.CityCode, id) / 2
		}
		order := make([]string, 0, len(score))
		for id, points := range score {
			if points > 0 {
				order = append(order, id)
			}
		}
		slices.SortFunc(order, func(a, b string) int {
			return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a, b))
		})
		r.recommended[area] = order
	}
	return r
}
