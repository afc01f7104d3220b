// Package place holds the places around people 周边: service halls, hospitals,
// stops and whatever else is public and lies somewhere, with the hours at which
// they are open. They are stored in CGCS2000, and found by distance: around a
// position, or in the part of a map that somebody looks at.
//
// Start reading at Place. Opening hours are in hours.go, how the nearest are
// found without reading all in ring.go, what is asked in ask.go, changing in
// change.go. The SQL is in store.go.
package place

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/position"
)

// PlaceKind is what sort of place it is.
type PlaceKind string

// The kinds.
const (
	ServiceHall     PlaceKind = "SERVICE_HALL"
	CommunityCentre PlaceKind = "COMMUNITY_CENTRE"
	Hospital        PlaceKind = "HOSPITAL"
	Pharmacy        PlaceKind = "PHARMACY"
	School          PlaceKind = "SCHOOL"
	Kindergarten    PlaceKind = "KINDERGARTEN"
	ElderlyCare     PlaceKind = "ELDERLY_CARE"
	Park            PlaceKind = "PARK"
	Culture         PlaceKind = "CULTURE"
	Sports          PlaceKind = "SPORTS"
	Police          PlaceKind = "POLICE"
	BusStop         PlaceKind = "BUS_STOP"
	MetroStation    PlaceKind = "METRO_STATION"
	Toilet          PlaceKind = "TOILET"
	Charging        PlaceKind = "CHARGING"
	Parking         PlaceKind = "PARKING"
	Market          PlaceKind = "MARKET"
	Bank            PlaceKind = "BANK"
)

// Kinds are all the kinds.
func Kinds() []PlaceKind {
	return []PlaceKind{ServiceHall, CommunityCentre, Hospital, Pharmacy, School, Kindergarten, ElderlyCare, Park, Culture, Sports, Police,
		BusStop, MetroStation, Toilet, Charging, Parking, Market, Bank}
}

// PlaceState is whether the place is still there.
type PlaceState string

// The states: OPERATING→CLOSED, for good.
const (
	Operating PlaceState = "OPERATING"
	Closed    PlaceState = "CLOSED"
)

// Place is one public place.
type Place struct {
	ID        string     `db:"id"`
	Name      string     `db:"name"`
	Kind      PlaceKind  `db:"kind"`
	AreaCode  string     `db:"area_code"`
	Address   string     `db:"address"`
	Telephone *string    `db:"telephone"` // a public one
	Longitude float64    `db:"longitude"` // CGCS2000, degrees
	Latitude  float64    `db:"latitude"`
	State     PlaceState `db:"state"`
	// ClosedReason is why it is closed; nil while it operates.
	ClosedReason *string   `db:"closed_reason"`
	Hours        []byte    `db:"hours"`    // JSON of OpeningHours; nil where nobody knows
	OpenNow      *bool     `db:"open_now"` // when it was read; nil where nobody knows, or it is closed for good
	Version      int       `db:"version"`
	UpdatedAt    time.Time `db:"updated_at"`
	// DistanceMetres is that from where somebody asked; nil when asked without one.
	DistanceMetres *float64 `db:"distance"`
}

// IsEntity makes Place a federation entity.
func (*Place) IsEntity() {}

// In is where the place is, in the datum, as it is given out.
func (p *Place) In(datum position.Datum) *position.Position {
	at := p.at().In(datum).Rounded()
	return &at
}

func (p *Place) at() position.Position {
	return position.Position{Longitude: p.Longitude, Latitude: p.Latitude, Datum: position.CGCS2000}
}

// OpeningHours are the place's; nil where nobody knows.
func (p *Place) OpeningHours() (*OpeningHours, error) {
	if p.Hours == nil {
		return nil, nil
	}
	var h OpeningHours
	if err := json.Unmarshal(p.Hours, &h); err != nil {
		return nil, fmt.Errorf("place: the hours of %s: %w", p.ID, err)
	}
	return &h, nil
}

// audited is what the audit log says of the place as it stands.
func (p *Place) audited() map[string]any {
	return map[string]any{"name": p.Name, "kind": p.Kind, "area": p.AreaCode, "address": p.Address, "longitude": p.Longitude,
		"latitude": p.Latitude, "hours": json.RawMessage(p.Hours), "state": p.State}
}

// around is a rectangle that Chengdu lies in, with some room: a place
// elsewhere is a slip of the hand.
var around = struct{ west, south, east, north float64 }{102.8, 29.9, 105.1, 31.6}

// checkWhere refuses positions outside of the city, and areas that cannot hold a place.
func checkWhere(p position.Position, areaCode string) error {
	if err := position.Check("input", p); err != nil {
		return err
	}
	at := p.In(position.CGCS2000)
	if at.Longitude < around.west || at.Longitude > around.east {
		return fault.Invalid("input.longitude", "位置须在成都市范围内")
	}
	if at.Latitude < around.south || at.Latitude > around.north {
		return fault.Invalid("input.latitude", "位置须在成都市范围内")
	}
	if !division.Valid(areaCode) {
		return fault.Invalid("input.areaId", "区划代码须为十二位数字")
	}
	return nil
}

func checkKinds(kinds []PlaceKind) error {
	if len(kinds) > len(Kinds()) {
		return fault.Invalid("input.kinds", "类别重复")
	}
	for _, k := range kinds {
		if !slices.Contains(Kinds(), k) {
			return fault.Invalid("input.kinds", "没有这一类别")
		}
	}
	return nil
}
