package demonstration

import (
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/secondfactor"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// since is the first day of all demonstration posts.
const since = "2025-01-01"

// places are the areas of the story: its communities and all above them, the
// larger ones first. The city is always one.
func places(cast *demonstration.Cast) []string {
	seen := map[string]bool{division.CityCode: true}
	for _, code := range cast.Communities() {
		for ; code != "" && !seen[code]; code = division.Parent(code) {
			seen[code] = true
		}
	}
	codes := make([]string, 0, len(seen))
	for code := range seen {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int {
		if byLevel := rank(a) - rank(b); byLevel != 0 {
			return byLevel
		}
		return strings.Compare(a, b)
	})
	return codes
}

func rank(code string) int { return len(division.Prefix(code)) }

// unit names the unit that works for the area.
func unit(a division.Area) (string, orgunit.Kind) {
	switch division.LevelOf(a.Code) {
	case division.City, division.District:
		return a.Name + "委城乡社区发展治理委员会", orgunit.PartyGovernment
	case division.Street:
		if strings.HasSuffix(a.Name, "街道") {
			return a.Name + "办事处", orgunit.PartyGovernment
		}
		return a.Name + "人民政府", orgunit.PartyGovernment
	default:
		if strings.HasSuffix(a.Name, "村") {
			return a.Name + "村民委员会", orgunit.Community
		}
		return a.Name + "居民委员会", orgunit.Community
	}
}

func units(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	areas := map[string]division.Area{}
	for _, a := range division.Chengdu() {
		areas[a.Code] = a
	}
	columns := []string{"id", "name", "kind", "area_code", "parent_id"}
	return bulk(ctx, tx, "org_unit", columns, func(add func(...any) error) error {
		for _, code := range places(cast) {
			var parent any
			if above := division.Parent(code); above != "" {
				parent = demonstration.UnitID(above)
			}
			name, kind := unit(areas[code])
			if err := add(demonstration.UnitID(code), name, string(kind), code, parent); err != nil {
				return err
			}
		}
		return nil
	})
}

// staff are the workers of the story; with no story the three administrators alone.
func staff(cast *demonstration.Cast) []demonstration.Worker {
	var list []demonstration.Worker
	for i, a := range administrators {
		list = append(list, demonstration.Worker{
			ID: demonstration.ID("administrator", i), Login: a.login, Name: a.name, UnitID: demonstration.UnitID(division.CityCode),
			AreaCode: division.CityCode, Post: a.name, Roles: []string{string(a.role)},
		})
	}
	if cast.Scale == demonstration.None {
		return list
	}
	for _, code := range places(cast) {
		if division.LevelOf(code) == division.Community {
			list = append(list, cast.CommunityWorker(code))
		} else {
			list = append(list, cast.Chief(code))
		}
	}
	return list
}

func workers(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	// One hash for all: the password is public anyway, and a hash each costs minutes.
	passwords := worker.NewPasswords()
	hash, err := passwords.Hash(ctx, demonstration.Password)
	if err != nil {
		return err
	}
	hashes, bare := map[string]string{}, cast.Scale == demonstration.None
	for _, login := range AdministratorLogins() {
		if hashes[login] = hash; bare {
			if hashes[login], err = passwords.Hash(ctx, AdministratorPassword(cast.Scale, keys, login)); err != nil {
				return err
			}
		}
	}
	list := staff(cast)
	err = bulk(ctx, tx, "worker", []string{"id", "login", "name", "password_hash", "password_due", "area_code"}, func(add func(...any) error) error {
		for _, w := range list {
			mine, administrator := hashes[w.Login]
			if !administrator {
				mine = hash
			}
			if err := add(w.ID, worker.CanonicalLogin(w.Login), w.Name, mine, administrator && bare, w.AreaCode); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := posts(ctx, tx, list); err != nil {
		return err
	}
	columns := []string{"id", "worker_id", "unit_id", "area_code", "post_id", "post", "roles", "is_primary", "valid_from", "granted_at"}
	err = bulk(ctx, tx, "assignment", columns, func(add func(...any) error) error {
		for i, w := range list {
			id := demonstration.ID("assignment:"+w.ID, i)
			if err := add(id, w.ID, w.UnitID, w.AreaCode, postID(w), w.Post, pq.Array(w.Roles), true, since, since); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || bare {
		return err
	}
	for i := range administrators {
		id := demonstration.ID("administrator", i)
		if err := secondfactor.Demonstrate(ctx, tx, id, keys.Seal(secondfactor.Place(id), AdministratorFactor), cast.Anchor); err != nil {
			return err
		}
	}
	return nil
}

// postID is the post that the worker holds: one of a name in a unit.
func postID(w demonstration.Worker) string { return demonstration.ID("post:"+w.UnitID+w.Post, 0) }

func posts(ctx context.Context, tx *sqlx.Tx, list []demonstration.Worker) error {
	columns := []string{"id", "unit_id", "area_code", "name", "roles", "created_at", "updated_at"}
	return bulk(ctx, tx, "post", columns, func(add func(...any) error) error {
		made := map[string]bool{}
		for _, w := range list {
			id := postID(w)
			if made[id] {
				continue
			}
			made[id] = true
			if err := add(id, w.UnitID, w.AreaCode, w.Post, pq.Array(w.Roles), since, since); err != nil {
				return err
			}
		}
		return nil
	})
}
