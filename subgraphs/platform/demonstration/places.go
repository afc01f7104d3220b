package demonstration

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/place"
)

// seats are roughly where the districts' middles are (CGCS2000), and how far
// their streets lie around, in metres. The divisions' data has no positions.
var seats = map[string]struct{ longitude, latitude, reach float64 }{
	"510104": {104.10, 30.62, 4500}, "510105": {104.03, 30.67, 4500}, "510106": {104.05, 30.71, 5500}, "510107": {104.04, 30.62, 5500},
	"510108": {104.13, 30.68, 5500}, "510112": {104.27, 30.56, 11000}, "510113": {104.30, 30.85, 12000}, "510114": {104.15, 30.82, 11000},
	"510115": {103.84, 30.70, 9000}, "510116": {103.99, 30.54, 13000}, "510117": {103.88, 30.82, 11000}, "510118": {103.82, 30.42, 9000},
	"510121": {104.49, 30.75, 18000}, "510129": {103.45, 30.60, 20000}, "510131": {103.48, 30.23, 14000}, "510181": {103.63, 30.97, 17000},
	"510182": {103.92, 31.03, 19000}, "510183": {103.43, 30.40, 19000}, "510184": {103.62, 30.66, 17000}, "510185": {104.53, 30.40, 20000},
}

// places a community has, by kind: how many in a hundred communities, what they are called, and when they are open.
var places100 = []struct {
	kind   place.PlaceKind
	many   int
	name   string // %s is the community
	hours  *place.OpeningHours
	number bool // has a telephone
}{
	{place.ServiceHall, 100, "%s便民服务中心", office, true},
	{place.CommunityCentre, 100, "%s党群服务中心", daily("09:00", "20:30"), true},
	{place.Hospital, 60, "%s卫生服务站", daily("08:00", "18:00"), true},
	{place.Pharmacy, 330, "%s药房", daily("08:30", "22:00"), true},
	{place.School, 60, "%s小学", nil, true},
	{place.Kindergarten, 120, "%s幼儿园", nil, true},
	{place.ElderlyCare, 60, "%s养老服务综合体", daily("08:00", "18:00"), true},
	{place.Park, 100, "%s小游园", always, false},
	{place.Culture, 70, "%s文化活动室", daily("09:00", "21:00"), false},
	{place.Sports, 130, "%s健身点", daily("06:00", "22:00"), false},
	{place.Police, 40, "%s警务室", always, true},
	{place.BusStop, 800, "%s公交站", daily("06:00", "22:30"), false},
	{place.MetroStation, 12, "%s地铁站", daily("06:10", "23:30"), false},
	{place.Toilet, 400, "%s公共厕所", always, false},
	{place.Charging, 450, "%s充电站", always, false},
	{place.Parking, 400, "%s停车场", always, false},
	{place.Market, 110, "%s农贸市场", daily("06:00", "20:00"), false},
	{place.Bank, 160, "%s银行网点", office, true},
}

var (
	always = daily("00:00", "24:00")
	office = &place.OpeningHours{Weekly: working("09:00", "12:00", "13:00", "17:00"), Exceptions: []place.OpeningException{
		{From: "2026-02-15", To: "2026-02-23", Reason: "春节放假"},
		{From: "2026-10-01", To: "2026-10-07", Reason: "国庆节放假"},
		{From: "2027-01-01", To: "2027-01-01", Reason: "元旦放假"},
	}}
)

func daily(opens, closes string) *place.OpeningHours {
	h := &place.OpeningHours{}
	for _, day := range place.Weekdays() {
		h.Weekly = append(h.Weekly, place.OpeningInterval{Weekday: day, Opens: opens, Closes: closes})
	}
	return h
}

// working is Monday to Friday, with a break at noon.
func working(opens, noon, again, closes string) []place.OpeningInterval {
	var list []place.OpeningInterval
	for _, day := range place.Weekdays()[:5] {
		list = append(list, place.OpeningInterval{Weekday: day, Opens: opens, Closes: noon}, place.OpeningInterval{Weekday: day, Opens: again, Closes: closes})
	}
	return list
}

func publicPlaces(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	names := map[string]string{}
	for _, a := range division.Chengdu() {
		names[a.Code] = a.Name
	}
	type known struct {
		json   []byte
		ranges place.Ranges
	}
	hours := make([]known, len(places100))
	for i, of := range places100 {
		if of.hours == nil {
			hours[i].ranges = place.Ranges{Days: "{}", Open: "{}"}
			continue
		}
		checked, ranges, err := of.hours.Check("openingHours")
		if err != nil {
			return err
		}
		text, err := json.Marshal(checked)
		if err != nil {
			return err
		}
		hours[i] = known{text, ranges}
	}
	columns := []string{"id", "name", "kind", "area_code", "address", "telephone", "position", "hours", "weekly", "exception_days", "exception_open", "search", "created_at", "updated_at"}
	return bulk(ctx, tx, "place", columns, func(add func(...any) error) error {
		number := 0
		for i, code := range cast.Communities() {
			community := []rune(names[code])
			short := string(community)
			if n := len(community); n > 4 && string(community[n-2:]) == "社区" {
				short = string(community[:n-2])
			}
			for kind, of := range places100 {
				for nth := range count(of.many, i, kind) {
					p := place.Place{ID: demonstration.ID("place", number), Kind: of.kind, AreaCode: code, Name: fmt.Sprintf(of.name, short)}
					if nth > 0 {
						p.Name += fmt.Sprintf("（%d）", nth+1)
					}
					p.Address = fmt.Sprintf("%s%s%d号", names[code[:9]+"000"], short, 1+demonstration.Number("house", number)%400)
					at := Somewhere(code, number)
					var telephone, text, weekly any
					if of.number {
						telephone = fmt.Sprintf("028-8%07d", demonstration.Number("telephone", number)%10_000_000)
					}
					if hours[kind].json != nil {
						text, weekly = string(hours[kind].json), hours[kind].ranges.Weekly
					}
					since := cast.Anchor.Add(-time.Duration(demonstration.Number("place since", number)%900) * 24 * time.Hour)
					err := add(p.ID, p.Name, string(p.Kind), p.AreaCode, p.Address, telephone, fmt.Sprintf("(%.6f,%.6f)", at.Longitude, at.Latitude), text, weekly,
						hours[kind].ranges.Days, hours[kind].ranges.Open, p.Vector(), since, since)
					if err != nil {
						return err
					}
					number++
				}
			}
		}
		return nil
	})
}

// count is how many places of the kind community i has, so that a hundred
// communities have so many.
func count(many, i, kind int) int {
	n := many / 100
	if demonstration.Number(fmt.Sprint("kind ", kind), i)%100 < uint64(many%100) {
		n++
	}
	return n
}

// Somewhere is an invented place's position: near its community's middle, which
// lies near its street's, which lies in its district.
func Somewhere(code string, number int) position.Position {
	seat, known := seats[code[:6]]
	if !known { // the functional zones have no communities of their own
		seat.longitude, seat.latitude, seat.reach = 104.06, 30.57, 6000
	}
	at := position.Position{Longitude: seat.longitude, Latitude: seat.latitude, Datum: position.CGCS2000}
	at = moved(at, "street", code[:9], seat.reach)
	at = moved(at, "community", code, seat.reach/4)
	return moved(at, "place", number, 500+seat.reach/20)
}

// moved goes from the position in a direction and as far as the key says, evenly over the disc.
func moved(at position.Position, topic string, key any, reach float64) position.Position {
	const steps = 1 << 20
	way := float64(demonstration.Number(topic+" way", key)%steps) / steps * 2 * math.Pi
	far := math.Sqrt(float64(demonstration.Number(topic+" far", key)%steps)/steps) * reach
	metre := 180 / (math.Pi * position.Radius)
	at.Latitude += far * math.Sin(way) * metre
	at.Longitude += far * math.Cos(way) * metre / math.Cos(at.Latitude*math.Pi/180)
	return at
}
