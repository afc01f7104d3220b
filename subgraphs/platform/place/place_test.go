package place_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/place"
)

// scatter puts places at random around the middle, denser inside, and gives their positions by ID.
func (w *world) scatter(n int) map[string]position.Position {
	w.t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	w.database.Owner.MustExec(`ALTER TABLE platform.place NO FORCE ROW LEVEL SECURITY`)
	at := map[string]position.Position{}
	for i := range n {
		id := fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
		way, far := random.Float64()*2*math.Pi, math.Pow(random.Float64(), 2)*60_000
		p := position.Position{Longitude: 104.08 + far*math.Cos(way)/95_700, Latitude: 30.65 + far*math.Sin(way)/111_195, Datum: position.CGCS2000}
		if i%10 == 0 && i > 0 { // several at one spot
			p = at[fmt.Sprintf("00000000-0000-7000-8000-%012d", i-1)]
		}
		w.database.Owner.MustExec(`INSERT INTO platform.place (id, name, kind, area_code, address, position, search, created_at, updated_at)
			VALUES ($1, '地点', $2, $3, '某处', point($4, $5), '', now(), now())`, id, place.Kinds()[i%3], here, p.Longitude, p.Latitude)
		at[id] = p
	}
	return at
}

// TestNearestFirst: whatever the page's size, all places within the radius come,
// each once, in the order of their exact distances.
func TestNearestFirst(t *testing.T) {
	w := newWorld(t)
	at := w.scatter(1500)
	centre := position.Position{Longitude: 104.08, Latitude: 30.65, Datum: position.CGCS2000}
	for _, test := range []struct {
		radius, size int
		kinds        []place.PlaceKind
	}{{50_000, 100, nil}, {50_000, 7, nil}, {3_000, 20, nil}, {20, 20, nil}, {50_000, 50, place.Kinds()[1:2]}, {30_000, 100, []place.PlaceKind{place.Bank}}} {
		type found struct {
			distance float64
			id       string
		}
		var want []string
		var sorted []found
		for id, p := range at {
			var number int
			_, _ = fmt.Sscanf(id[24:], "%d", &number)
			if d := position.Distance(centre, p); d <= float64(test.radius) && (test.kinds == nil || test.kinds[0] == place.Kinds()[number%3]) {
				sorted = append(sorted, found{math.Round(d * 1e6), id})
			}
		}
		slices.SortFunc(sorted, func(a, b found) int { return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.id, b.id)) })
		for _, f := range sorted {
			want = append(want, f.id)
		}
		in := around(test.radius)
		in.Kinds = test.kinds
		var got []string
		for _, p := range all(t, test.size, func(page keyset.Page) (place.Page, error) { return w.Nearby(t.Context(), in, page) }) {
			got = append(got, p.ID)
			if d := position.Distance(centre, at[p.ID]); math.Abs(d-*p.DistanceMetres) > 0.001 {
				t.Fatalf("%s is %v m away, and said to be %v", p.ID, d, *p.DistanceMetres)
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%d m by %d (-want +got):\n%.2000s", test.radius, test.size, diff)
		}
	}
	// in a box: exactly those inside, whatever the page's size
	box := place.PlacesInBoxInput{West: 104.0, South: 30.6, East: 104.3, North: 30.7, Datum: position.CGCS2000}
	want := 0
	for _, p := range at {
		if p.Longitude >= box.West && p.Longitude <= box.East && p.Latitude >= box.South && p.Latitude <= box.North {
			want++
		}
	}
	got := all(t, 9, func(page keyset.Page) (place.Page, error) { return w.InBox(t.Context(), box, page) })
	if len(got) != want || !slices.IsSortedFunc(got, func(a, b *place.Place) int { return cmp.Compare(*a.DistanceMetres, *b.DistanceMetres) }) {
		t.Errorf("%d places in the box, want %d in order", len(got), want)
	}
}

// TestDatum: the same place is found, and given out, in either datum.
func TestDatum(t *testing.T) {
	w := newWorld(t)
	phone := position.Position{Longitude: 104.0825, Latitude: 30.6476, Datum: position.GCJ02}
	d := hall(0)
	d.Longitude, d.Latitude, d.Datum = phone.Longitude, phone.Latitude, phone.Datum
	p := w.make(d)
	stored := phone.In(position.CGCS2000)
	if *p.In(position.GCJ02) != phone.Rounded() || position.Distance(*p.In(position.CGCS2000), stored) > 0.2 {
		t.Errorf("given out %+v and %+v", p.In(position.GCJ02), p.In(position.CGCS2000))
	}
	var kept position.Position
	w.must(w.database.Owner.QueryRow(`SELECT position[0], position[1] FROM platform.place`).Scan(&kept.Longitude, &kept.Latitude))
	if d := position.Distance(kept, stored); d > 0.01 || position.Distance(kept, phone) < 100 {
		t.Errorf("stored %v m from its CGCS2000 position", d)
	}
	for _, asked := range []position.Position{phone, stored} {
		got, err := w.Nearby(t.Context(), place.NearbyPlacesInput{Longitude: asked.Longitude, Latitude: asked.Latitude, Datum: asked.Datum, RadiusMetres: 1}, keyset.Page{Size: 5})
		if err != nil || len(got.Places) != 1 || *got.Places[0].DistanceMetres > 0.5 {
			t.Errorf("asked in %s: %+v %v", asked.Datum, got.Places, err)
		}
	}
}

// open is the plain way to tell whether hours hold a moment: minute by minute.
func open(h place.OpeningHours, at time.Time) bool {
	for back := range 2 {
		day := at.In(workday.Zone).AddDate(0, 0, -back)
		var intervals []place.OpenTime
		for _, one := range h.Weekly {
			if place.Weekdays()[(int(day.Weekday())+6)%7] == one.Weekday {
				intervals = append(intervals, place.OpenTime{Opens: one.Opens, Closes: one.Closes})
			}
		}
		for _, e := range h.Exceptions {
			if date := day.Format(time.DateOnly); e.From <= date && date <= e.To {
				intervals = e.Intervals
			}
		}
		for _, one := range intervals {
			clock := at.In(workday.Zone).Format("15:04")
			overnight := one.Closes <= one.Opens
			switch {
			case back == 0 && one.Opens <= clock && (overnight || clock < one.Closes), back == 1 && overnight && clock < one.Closes:
				return true
			}
		}
	}
	return false
}

func TestOpenNow(t *testing.T) {
	w := newWorld(t)
	h := place.OpeningHours{
		Weekly: []place.OpeningInterval{
			{Weekday: "WEDNESDAY", Opens: "09:00", Closes: "12:00"}, {Weekday: "WEDNESDAY", Opens: "13:30", Closes: "17:00"},
			{Weekday: "FRIDAY", Opens: "20:00", Closes: "02:00"}, {Weekday: "SATURDAY", Opens: "00:00", Closes: "24:00"}, {Weekday: "SUNDAY", Opens: "22:00", Closes: "06:00"},
		},
		Exceptions: []place.OpeningException{
			{From: "2026-03-11", To: "2026-03-13", Reason: "停电检修"}, // Wednesday to Friday
			{From: "2026-03-16", To: "2026-03-16", Reason: "夜市", Intervals: []place.OpenTime{{Opens: "18:00", Closes: "03:00"}}},
		},
	}
	d := hall(0)
	d.OpeningHours = &h
	w.make(d)
	unknown := hall(10)
	unknown.Name = "不知何时开放"
	w.make(unknown)
	yes := true
	for at := time.Date(2026, 3, 3, 0, 0, 0, 0, workday.Zone); at.Day() < 20; at = at.Add(29 * time.Minute) {
		w.at = at
		in, want := around(100), open(h, at)
		in.OpenNow = &yes
		got, err := w.Nearby(t.Context(), in, keyset.Page{Size: 5})
		if err != nil || len(got.Places) > 1 || len(got.Places) == 1 != want {
			t.Fatalf("%s: %d places open, want %v (%v)", at.Format("Mon 2006-01-02 15:04"), len(got.Places), want, err)
		}
		if got, err = w.Nearby(t.Context(), around(100), keyset.Page{Size: 5}); err != nil || *got.Places[0].OpenNow != want || got.Places[1].OpenNow != nil {
			t.Fatalf("%s: %+v %v", at, got.Places[0], err)
		}
	}
	if hours, err := w.make(d).OpeningHours(); err != nil || gocmp.Diff(h.Weekly, hours.Weekly) != "" || len(hours.Exceptions) != 2 {
		t.Errorf("%+v %v", hours, err)
	}
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	w.make(hall(10))
	park := hall(50)
	park.Name, park.Kind, park.Address = "东门大桥小游园", place.Park, "滨江东路"
	w.make(park)
	for search, want := range map[string]int{"水井": 1, "便民服务": 1, "滨江": 1, "大桥": 1, "青羊": 0, "井水": 0} {
		in := around(50_000)
		in.Search = &search
		if got, err := w.Nearby(t.Context(), in, keyset.Page{Size: 5}); err != nil || len(got.Places) != want {
			t.Errorf("%s: %d places, want %d (%v)", search, len(got.Places), want, err)
		}
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	w := newWorld(t)
	page := keyset.Page{Size: 5}
	lone, kinds := "井", []place.PlaceKind{"CASTLE"}
	for _, test := range []struct {
		change func(*place.NearbyPlacesInput)
		field  string
	}{
		{func(in *place.NearbyPlacesInput) { in.Longitude = 200 }, "input.longitude"},
		{func(in *place.NearbyPlacesInput) { in.Longitude, in.Latitude = 30.65, 104.08 }, "input.latitude"},
		{func(in *place.NearbyPlacesInput) { in.Latitude = math.NaN() }, "input.latitude"},
		{func(in *place.NearbyPlacesInput) { in.Datum = "BD09" }, "input.datum"},
		{func(in *place.NearbyPlacesInput) { in.RadiusMetres = 0 }, "input.radiusMetres"},
		{func(in *place.NearbyPlacesInput) { in.RadiusMetres = 50_001 }, "input.radiusMetres"},
		{func(in *place.NearbyPlacesInput) { in.Search = &lone }, "input.search"},
		{func(in *place.NearbyPlacesInput) { in.Kinds = kinds }, "input.kinds"},
	} {
		in := around(1000)
		test.change(&in)
		if _, err := w.Nearby(t.Context(), in, page); refused(err) != "INVALID_INPUT "+test.field {
			t.Errorf("%+v: %v, want the field %s", in, err, test.field)
		}
	}
	for _, key := range [][]string{{"x", "y"}, {"NaN", "00000000-0000-7000-8000-000000000000"}, {"-1", "00000000-0000-7000-8000-000000000000"}, {"1", "1"}} {
		if _, err := w.Nearby(t.Context(), around(1000), keyset.Page{Size: 5, After: key}); refused(err) != "INVALID_INPUT after" {
			t.Errorf("cursor %v: %v", key, err)
		}
	}
	for _, test := range []struct {
		in    place.PlacesInBoxInput
		field string
	}{
		{place.PlacesInBoxInput{West: 104.2, South: 30.6, East: 104.1, North: 30.7, Datum: position.GCJ02}, "input.east"},
		{place.PlacesInBoxInput{West: 104.1, South: 30.8, East: 104.2, North: 30.7, Datum: position.GCJ02}, "input.north"},
		{place.PlacesInBoxInput{West: -500, South: 30.6, East: 104.2, North: 30.7, Datum: position.GCJ02}, "input.west"},
		{place.PlacesInBoxInput{West: 104.1, South: 30.6, East: 104.2, North: 95, Datum: position.GCJ02}, "input.north"},
		{place.PlacesInBoxInput{West: 100, South: 28, East: 110, North: 34, Datum: position.GCJ02}, "input"},
	} {
		if _, err := w.InBox(t.Context(), test.in, page); refused(err) != "INVALID_INPUT "+test.field {
			t.Errorf("%+v: %v, want the field %s", test.in, err, test.field)
		}
	}
}

// TestWhoMayNotChange: outside of the scope there is nothing to change, and
// without the action nothing at all; row-level security says the same.
func TestWhoMayNotChange(t *testing.T) {
	w := newWorld(t)
	p := w.make(hall(0))
	citizen := access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: "00000000-0000-7000-8000-000000000009", AreaCode: here})
	elsewhere := hall(0)
	elsewhere.AreaID = next
	for name, test := range map[string]struct {
		do   func() error
		want string
	}{
		"nobody creates":      {func() error { _, err := w.Create(t.Context(), hall(1)); return err }, "UNAUTHENTICATED "},
		"a citizen creates":   {func() error { _, err := w.Create(citizen, hall(1)); return err }, "FORBIDDEN "},
		"a leader creates":    {func() error { _, err := w.Create(w.as(here, access.Leader), hall(1)); return err }, "FORBIDDEN "},
		"a neighbour creates": {func() error { _, err := w.Create(w.as(next, access.CommunityWorker), hall(1)); return err }, "INVALID_INPUT input.areaId"},
		"a neighbour updates": {func() error { _, err := w.Update(w.as(next, access.CommunityWorker), p.ID, 1, hall(1)); return err }, "NOT_FOUND "},
		"a neighbour closes":  {func() error { _, err := w.Close(w.as(next, access.CommunityWorker), p.ID, 1, "搬迁"); return err }, "NOT_FOUND "},
		"it is given away":    {func() error { _, err := w.Update(w.as(here, access.CommunityWorker), p.ID, 1, elsewhere); return err }, "INVALID_INPUT input.areaId"},
		"a citizen closes":    {func() error { _, err := w.Close(citizen, p.ID, 1, "搬迁"); return err }, "FORBIDDEN "},
		"an administrator closes": {func() error {
			_, err := w.Close(w.as("510100000000", access.SystemAdmin), p.ID, 1, "搬迁")
			return err
		}, "FORBIDDEN "},
		"a place that is not there": {func() error { _, err := w.Close(w.as(here, access.CommunityWorker), "x", 1, "搬迁"); return err }, "NOT_FOUND "},
	} {
		if got := refused(test.do()); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	for _, scope := range []string{`'worker', '510104017002', 'place.manage'`, `'worker', '510104017001', 'board.view'`, `'citizen', '510104017001', 'place.manage'`} {
		tx := w.database.App.MustBegin()
		var values [3]string
		_, _ = fmt.Sscanf(strings.ReplaceAll(scope, "'", ""), "%s %s %s", &values[0], &values[1], &values[2])
		tx.MustExec(`SELECT set_config('app.kind', $1, true), set_config('app.area', $2, true), set_config('app.actions', $3, true)`,
			strings.Trim(values[0], ","), strings.Trim(values[1], ","), values[2])
		result, err := tx.Exec(`UPDATE platform.place SET name = '改名'`)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := result.RowsAffected(); n != 0 {
			t.Errorf("%s changed %d places", scope, n)
		}
		_ = tx.Rollback()
	}
}

// TestLife: what is closed is in no list any more, and cannot be changed again.
func TestLife(t *testing.T) {
	w := newWorld(t)
	mine := w.as("510104017000", access.CommunityWorker) // of the street
	p := w.make(hall(0))
	changed := hall(30)
	changed.Name, changed.Kind = "水井坊银行", place.Bank
	if _, err := w.Update(mine, p.ID, 2, changed); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a version that is not there: %v", err)
	}
	p2, err := w.Update(mine, p.ID, 1, changed)
	if err != nil || p2.Name != changed.Name || p2.Version != 2 || p2.Kind != place.Bank {
		t.Fatalf("%+v %v", p2, err)
	}
	closed, err := w.Close(mine, p.ID, 2, "搬迁至新址")
	if err != nil || closed.State != place.Closed || *closed.ClosedReason != "搬迁至新址" || closed.OpenNow != nil {
		t.Fatalf("%+v %v", closed, err)
	}
	for name, err := range map[string]error{
		"updating": func() error { _, err := w.Update(mine, p.ID, 3, changed); return err }(),
		"closing":  func() error { _, err := w.Close(mine, p.ID, 3, "再次关闭"); return err }(),
	} {
		if fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s what is closed: %v", name, err)
		}
	}
	if got, err := w.Nearby(t.Context(), around(1000), keyset.Page{Size: 5}); err != nil || len(got.Places) != 0 {
		t.Errorf("a closed place is nearby: %v %v", got.Places, err)
	}
	asking, err := place.Asking(here, nil, keyset.Page{Size: 5})
	w.must(err)
	if got, err := w.OfAreas(t.Context(), []place.OfArea{asking}); err != nil || len(got[asking].Places) != 0 {
		t.Errorf("a closed place is in its area: %v %v", got, err)
	}
	if got, err := w.ByIDs(t.Context(), []string{p.ID, "x"}); err != nil || got[p.ID] == nil || got[p.ID].State != place.Closed {
		t.Errorf("by its ID: %v %v", got, err)
	}
	var events int
	w.must(w.database.Owner.Get(&events, `SELECT count(*) FROM platform.outbox WHERE subject = $1`, place.Changed))
	if events != 3 {
		t.Errorf("%d events, want 3", events)
	}
}

func TestWhatCannotBeDescribed(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		change func(*place.Description)
		field  string
	}{
		"in Beijing":           {func(d *place.Description) { d.Longitude, d.Latitude = 116.4, 39.9 }, "input.longitude"},
		"no area":              {func(d *place.Description) { d.AreaID = "51" }, "input.areaId"},
		"an area that is not":  {func(d *place.Description) { d.AreaID = "510104017999" }, "input.areaId"},
		"no name":              {func(d *place.Description) { d.Name = " " }, "input.name"},
		"no such kind":         {func(d *place.Description) { d.Kind = "CASTLE" }, "input.kind"},
		"no telephone":         {func(d *place.Description) { x := "找小王"; d.Telephone = &x }, "input.telephone"},
		"hours that overlap":   {week("09:00", "12:00", "11:00", "13:00"), "input.openingHours.weekly"},
		"hours of no length":   {week("09:00", "09:00"), "input.openingHours.weekly"},
		"hours that are none":  {week("9:00", "12:00"), "input.openingHours.weekly"},
		"an hour too late":     {week("09:00", "24:01"), "input.openingHours.weekly"},
		"days the wrong way":   {except("2026-10-07", "2026-10-01"), "input.openingHours.exceptions"},
		"a day that is not":    {except("2026-02-29", "2026-03-01"), "input.openingHours.exceptions"},
		"a year of exceptions": {except("2026-01-01", "2026-12-31"), "input.openingHours.exceptions"},
	} {
		d := hall(0)
		test.change(&d)
		if _, err := w.Create(w.as(here, access.CommunityWorker), d); refused(err) != "INVALID_INPUT "+test.field {
			t.Errorf("%s: %v, want the field %s", name, err, test.field)
		}
	}
}

func week(times ...string) func(*place.Description) {
	return func(d *place.Description) {
		d.OpeningHours = &place.OpeningHours{}
		for i := 0; i < len(times); i += 2 {
			d.OpeningHours.Weekly = append(d.OpeningHours.Weekly, place.OpeningInterval{Weekday: "MONDAY", Opens: times[i], Closes: times[i+1]})
		}
	}
}

func except(from, to string) func(*place.Description) {
	return func(d *place.Description) {
		d.OpeningHours = &place.OpeningHours{Exceptions: []place.OpeningException{{From: from, To: to, Reason: "放假"}}}
	}
}
