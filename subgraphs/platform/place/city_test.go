package place

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
)

// city is a database with 100,000 places, three quarters of them within 15 km.
func city(t testing.TB) *Service {
	t.Helper()
	if os.Getenv("CITIZENCLOUD_TEST_CITY") == "" {
		t.Skip("set CITIZENCLOUD_TEST_CITY to load the city's places")
	}
	d := embeddedtest.Open(t, migrations.FS)
	d.Owner.MustExec(`ALTER TABLE platform.place NO FORCE ROW LEVEL SECURITY`)
	d.Owner.MustExec(`INSERT INTO platform.place (id, name, kind, area_code, address, position, hours, weekly, search, created_at, updated_at)
		SELECT gen_random_uuid(), '地点' || n, ($1::text[])[1 + n % 18], '510104017001', '某路' || n, point(104.07 + far * cos(way) / 95700, 30.66 + far * sin(way) / 111195), '{}',
			CASE n % 3 WHEN 0 THEN '{[0,20160)}' ELSE '{[480,1200),[3360,4080),[6240,6960),[9120,9840),[12000,12720)}' END::int4multirange,
			CASE WHEN n % 1000 = 0 THEN '''水井'':1' ELSE '''某路'':1' END::tsvector, now(), now()
		FROM (SELECT n, 60000 * (hashint4(n)::float8 / 4294967296 + 0.5) ^ 2 AS far, (hashint4(n + 1000000)::float8 / 4294967296 + 0.5) * 2 * pi() AS way FROM generate_series(1, 100000) n) AS random`,
		kindArray())
	d.Owner.MustExec(`ALTER TABLE platform.place FORCE ROW LEVEL SECURITY`)
	d.Owner.MustExec(`VACUUM ANALYZE platform.place`)
	db, err := database.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &Service{DB: db, Now: func() time.Time { return time.Date(2026, 3, 4, 4, 0, 0, 0, time.UTC) }}
}

func kindArray() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return "{" + strings.Join(names, ",") + "}"
}

// askings are what people ask for, by name; nth varies the position.
var askings = map[string]func(nth int) (NearbyPlacesInput, keyset.Page){
	"all within 1 km":       func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 1000), keyset.Page{Size: 20} },
	"all within 50 km":      func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 50_000), keyset.Page{Size: 20} },
	"100 within 50 km":      func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 50_000), keyset.Page{Size: 100} },
	"one kind within 50 km": func(n int) (NearbyPlacesInput, keyset.Page) { return kind(spot(n, 50_000)), keyset.Page{Size: 20} },
	"a kind, open, 5 km": func(n int) (NearbyPlacesInput, keyset.Page) {
		return opened(kind(spot(n, 5000))), keyset.Page{Size: 20}
	},
	"a rare word, 50 km": func(n int) (NearbyPlacesInput, keyset.Page) {
		return named(spot(n, 50_000), "水井"), keyset.Page{Size: 20}
	},
	"a word of nothing": func(n int) (NearbyPlacesInput, keyset.Page) {
		return named(spot(n, 50_000), "青羊"), keyset.Page{Size: 20}
	},
	"a page 5 km from here":   func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 50_000), later(5000) },
	"a page 15 km from here":  func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 50_000), later(15_000) },
	"the last, 50 km outside": func(n int) (NearbyPlacesInput, keyset.Page) { return spot(n, 50_000), later(49_990) },
}

func spot(n, radius int) NearbyPlacesInput {
	random := rand.New(rand.NewPCG(7, uint64(n)))
	return NearbyPlacesInput{Longitude: 104.07 + random.NormFloat64()*0.06, Latitude: 30.66 + random.NormFloat64()*0.05, Datum: position.CGCS2000, RadiusMetres: radius}
}

func kind(in NearbyPlacesInput) NearbyPlacesInput { in.Kinds = []PlaceKind{Pharmacy}; return in }

func opened(in NearbyPlacesInput) NearbyPlacesInput { yes := true; in.OpenNow = &yes; return in }

func named(in NearbyPlacesInput, word string) NearbyPlacesInput { in.Search = &word; return in }

func later(metres float64) keyset.Page {
	return keyset.Page{Size: 20, After: []string{strconv.FormatFloat(metres, 'g', -1, 64), "00000000-0000-7000-8000-000000000000"}}
}

// BenchmarkNearby measures the questions one by one, with the 95th percentile.
func BenchmarkNearby(b *testing.B) {
	s := city(b)
	for name, asking := range askings {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for n := range b.N {
				in, page := asking(n)
				began := time.Now()
				if _, err := s.Nearby(b.Context(), in, page); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

var (
	buffers  = regexp.MustCompile(`shared hit=(\d+)`)
	repeated = regexp.MustCompile(`rows=(\d+) loops=1`)
)

// TestCityIsNotRead: a page of the nearest reads hundreds of the city's 100,000
// places, not all of them, by an index. Rows and buffers are counted; a clock
// would measure the machine.
func TestCityIsNotRead(t *testing.T) {
	s := city(t)
	for name, most := range map[string]int{
		"all within 1 km": 600, "all within 50 km": 600, "100 within 50 km": 1500, "a rare word, 50 km": 1500, "a word of nothing": 200, "a kind, open, 5 km": 4000,
		"a page 5 km from here": 4000, "a page 15 km from here": 4000, "the last, 50 km outside": 4000,
	} {
		worst, reads := 0, 0
		for n := range 20 {
			in, page := askings[name](n)
			read, rows, plan := s.explained(t, in, page)
			if strings.Contains(plan, "Seq Scan") {
				t.Fatalf("%s reads the whole table:\n%s", name, plan)
			}
			worst, reads = max(worst, read), max(reads, rows)
		}
		t.Logf("%-24s at most %d buffers, %d rows of a ring", name, worst, reads)
		if worst > most {
			t.Errorf("%s: %d buffers, at most %d expected", name, worst, most)
		}
	}
}

// explained is what the rings of a page read: buffers of all, rows of the most, the last plan.
func (s *Service) explained(t *testing.T, in NearbyPlacesInput, page keyset.Page) (read, rows int, plan string) {
	t.Helper()
	query, err := searchOf(in.Search)
	if err != nil {
		t.Fatal(err)
	}
	a := asked{centre: position.Position{Longitude: in.Longitude, Latitude: in.Latitude, Datum: position.CGCS2000}, reach: float64(in.RadiusMetres),
		kinds: in.Kinds, openNow: in.OpenNow != nil, search: query, now: s.Now()}
	inner, id, err := after(page)
	if err != nil {
		t.Fatal(err)
	}
	ctx := database.PlannedEachTime(access.AsSystem(t.Context(), "test"))
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		held := 0
		for outer := reach(inner, a.oneIn()); ; {
			outer = min(outer, a.reach)
			statement, args := ringStatement(a, inner, id, outer, page.Limit()-held)
			var lines []string
			if err := sqlx.SelectContext(ctx, tx, &lines, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) "+statement, args...); err != nil {
				return fmt.Errorf("explaining: %w", err)
			}
			plan = strings.Join(lines, "\n")
			if hit := buffers.FindStringSubmatch(plan); hit != nil { // of the whole statement: the first
				n, _ := strconv.Atoi(hit[1])
				read += n
			}
			for _, match := range repeated.FindAllStringSubmatch(plan, -1) {
				n, _ := strconv.Atoi(match[1])
				rows = max(rows, n)
			}
			found, err := ring(ctx, tx, a, inner, id, outer, page.Limit()-held)
			if err != nil {
				return err
			}
			if held += len(found); held >= page.Limit() || outer >= a.reach {
				return nil
			}
			next := growth(inner, outer, len(found), page.Limit()-held)
			inner, id, outer = outer, "ffffffff-ffff-ffff-ffff-ffffffffffff", next
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return read, rows, plan
}
