package place

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Service answers questions about places, to anybody, and changes them.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

// NearbyPlacesInput asks for places around a position.
type NearbyPlacesInput struct {
	Longitude    float64
	Latitude     float64
	Datum        position.Datum
	RadiusMetres int
	Kinds        []PlaceKind
	OpenNow      *bool
	Search       *string
}

// PlacesInBoxInput asks for places in a part of the map.
type PlacesInBoxInput struct {
	West, South, East, North float64
	Datum                    position.Datum
	Kinds                    []PlaceKind
	OpenNow                  *bool
	Search                   *string
}

const (
	maxRadius = 50_000 // metres
	maxSearch = 30     // characters
	// KeyColumns are those of a page's cursor: distance and ID.
	KeyColumns = 2
)

// asked is what a list of places by distance is asked for.
type asked struct {
	centre  position.Position // CGCS2000
	reach   float64           // metres
	within  string            // a box; "" for none
	kinds   []PlaceKind
	openNow bool
	search  string // a tsquery; "" for none
	now     time.Time
}

// Nearby gives a page of the places around a position, the nearest first.
func (s *Service) Nearby(ctx context.Context, in NearbyPlacesInput, page keyset.Page) (Page, error) {
	centre := position.Position{Longitude: in.Longitude, Latitude: in.Latitude, Datum: in.Datum}
	if err := position.Check("input", centre); err != nil {
		return Page{}, err
	}
	if in.RadiusMetres < 1 || in.RadiusMetres > maxRadius {
		return Page{}, fault.Invalid("input.radiusMetres", "半径须在 1 到 %d 米之间", maxRadius)
	}
	return s.nearest(ctx, asked{centre: centre.In(position.CGCS2000), reach: float64(in.RadiusMetres)}, in.Kinds, in.OpenNow, in.Search, page)
}

// InBox gives a page of the places in a part of the map, those nearest to its
// middle first. A box of GCJ-02 is not quite a box of CGCS2000: at the edges
// places of up to some metres outside are given too.
func (s *Service) InBox(ctx context.Context, in PlacesInBoxInput, page keyset.Page) (Page, error) {
	names := [2][2]string{{"west", "south"}, {"east", "north"}}
	for i, corner := range []position.Position{{Longitude: in.West, Latitude: in.South, Datum: in.Datum}, {Longitude: in.East, Latitude: in.North, Datum: in.Datum}} {
		if err := position.Check("input", corner); err != nil {
			return Page{}, renamed(err, names[i][0], names[i][1])
		}
	}
	if in.West >= in.East {
		return Page{}, fault.Invalid("input.east", "东边的经度须大于西边的经度")
	}
	if in.South >= in.North {
		return Page{}, fault.Invalid("input.north", "北边的纬度须大于南边的纬度")
	}
	west, south, east, north := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, x := range []float64{in.West, (in.West + in.East) / 2, in.East} {
		for _, y := range []float64{in.South, (in.South + in.North) / 2, in.North} {
			at := position.Position{Longitude: x, Latitude: y, Datum: in.Datum}.In(position.CGCS2000)
			west, south, east, north = min(west, at.Longitude), min(south, at.Latitude), max(east, at.Longitude), max(north, at.Latitude)
		}
	}
	a := asked{within: boxText(west, south, east, north),
		centre: position.Position{Longitude: (west + east) / 2, Latitude: (south + north) / 2, Datum: position.CGCS2000}}
	for _, corner := range []position.Position{{Longitude: west, Latitude: south}, {Longitude: west, Latitude: north}} {
		a.reach = max(a.reach, position.Distance(a.centre, corner)+1)
	}
	if a.reach > 2*maxRadius {
		return Page{}, fault.Invalid("input", "地图范围过大，对角线不能超过 %d 千米", 4*maxRadius/1000)
	}
	return s.nearest(ctx, a, in.Kinds, in.OpenNow, in.Search, page)
}

// renamed puts a box's names in place of a position's.
func renamed(err error, longitude, latitude string) error {
	if f, ok := err.(*fault.Fault); ok {
		switch f.Field {
		case "input.longitude":
			f.Field = "input." + longitude
		case "input.latitude":
			f.Field = "input." + latitude
		}
	}
	return err
}

// Page is a page of places.
type Page struct {
	Places []*Place
	Info   *keyset.PageInfo
}

// Key is the place's key in a list by distance.
func (p *Place) Key() []string {
	return []string{strconv.FormatFloat(*p.DistanceMetres, 'g', -1, 64), p.ID}
}

// nearest reads rings around the centre until the page is full.
func (s *Service) nearest(ctx context.Context, a asked, kinds []PlaceKind, openNow *bool, search *string, page keyset.Page) (Page, error) {
	if err := checkKinds(kinds); err != nil {
		return Page{}, err
	}
	query, err := searchOf(search)
	if err != nil {
		return Page{}, err
	}
	a.kinds, a.openNow, a.search, a.now = kinds, openNow != nil && *openNow, query, s.Now()
	inner, afterID, err := after(page)
	if err != nil {
		return Page{}, err
	}
	var rows []*Place
	ctx = database.PlannedEachTime(ctx) // how many places a ring holds differs a thousandfold
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		for outer := reach(inner, a.oneIn()); ; {
			outer = min(outer, a.reach)
			if outer < inner {
				return nil // the cursor lies beyond
			}
			found, err := ring(ctx, tx, a, inner, afterID, outer, page.Limit()-len(rows))
			if err != nil {
				return err
			}
			rows = append(rows, found...)
			if len(rows) >= page.Limit() || outer >= a.reach {
				return nil
			}
			next := growth(inner, outer, len(found), page.Limit()-len(rows))
			inner, afterID, outer = outer, identifier.Last, next // after all places of that distance
		}
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, (*Place).Key)
	return Page{Places: found, Info: info}, nil
}

// after reads the page's cursor: the distance and ID of the last place seen.
func after(page keyset.Page) (float64, string, error) {
	if page.After == nil {
		return 0, identifier.First, nil
	}
	distance, err := strconv.ParseFloat(page.After[0], 64)
	if err != nil || math.IsNaN(distance) || distance < 0 || distance > 1e8 || !input.ID(page.After[1]) {
		return 0, "", fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return distance, page.After[1], nil
}

func searchOf(search *string) (string, error) {
	clean, err := input.Optional("input.search", "关键字", search, maxSearch)
	if err != nil || clean == nil {
		return "", err
	}
	query, ok := bigram.Query(*clean)
	if !ok {
		return "", fault.Invalid("input.search", "关键字至少两个汉字，或一个数字、字母")
	}
	return query, nil
}

// ByIDs gives the places of the IDs, closed ones too, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*Place, error) {
	known := input.IDs(ids)
	found := make(map[string]*Place, len(known))
	if len(known) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		places, err := byIDs(ctx, tx, known, s.Now())
		for _, p := range places {
			found[p.ID] = p
		}
		return err
	})
}

// OfAreas gives a page of the places in each asking's area, ordered by area
// and ID. One statement.
func (s *Service) OfAreas(ctx context.Context, askings []OfArea) (map[OfArea]Page, error) {
	pages := make(map[OfArea]Page, len(askings))
	return pages, s.DB.Read(database.PlannedEachTime(ctx), func(tx *sqlx.Tx) error {
		lists, err := ofAreas(ctx, tx, askings, s.Now())
		for i, rows := range lists {
			page := keyset.Page{Size: askings[i].Size}
			if askings[i].AfterID != "" {
				page.After = []string{askings[i].AfterArea, askings[i].AfterID}
			}
			found, info := keyset.Of(page, rows, (*Place).AreaKey)
			pages[askings[i]] = Page{Places: found, Info: info}
		}
		return err
	})
}

// OfEach is OfAreas in the order of the askings.
func (s *Service) OfEach(ctx context.Context, askings []OfArea) ([]Page, error) {
	found, err := s.OfAreas(ctx, askings)
	if err != nil {
		return nil, err
	}
	pages := make([]Page, len(askings))
	for i, a := range askings {
		pages[i] = found[a]
	}
	return pages, nil
}

// AreaKey is the place's key in a list by area.
func (p *Place) AreaKey() []string { return []string{p.AreaCode, p.ID} }

// Asking is the key of a page of the area's places: kinds sorted and joined.
func Asking(areaCode string, kinds []PlaceKind, page keyset.Page) (OfArea, error) {
	if err := checkKinds(kinds); err != nil {
		return OfArea{}, err
	}
	a := OfArea{AreaCode: areaCode, Size: page.Size}
	kinds = slices.Clone(kinds)
	slices.Sort(kinds)
	for i, k := range slices.Compact(kinds) {
		if i > 0 {
			a.Kinds += ","
		}
		a.Kinds += string(k)
	}
	if page.After != nil {
		if a.AfterArea, a.AfterID = page.After[0], page.After[1]; !input.ID(a.AfterID) {
			return OfArea{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	return a, nil
}

// manages says whether the caller may change places of the area.
func manages(ctx context.Context, areaCode string) bool {
	return access.Decide(access.From(ctx), access.PlaceManage, areaCode) == access.Allowed
}
