// Package position holds positions on the ground: the datum that they are given
// in, the change between datums, and distances. What is stored is CGCS2000, as
// the law wants it; maps that people look at are in GCJ-02, so clients send and
// get that one unless they say otherwise.
//
// Start reading at Position; the change between the datums is in gcj.go.
package position

import (
	"math"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Datum is what coordinates refer to.
type Datum string

// The datums.
const (
	// CGCS2000 is China's geodetic datum (GB/T 28584). It differs from WGS 84,
	// which satellite receivers give, by centimetres; both count as one here.
	CGCS2000 Datum = "CGCS2000"
	// GCJ02 is the datum of the public maps in China: CGCS2000 moved by some
	// hundred metres.
	GCJ02 Datum = "GCJ02"
)

// Position is a point on the ground, in degrees.
type Position struct {
	Longitude float64
	Latitude  float64
	Datum     Datum
}

// Check refuses what is no position. field is the path of the input object
// that holds longitude, latitude and datum.
func Check(field string, p Position) error {
	for _, c := range []struct {
		name, label string
		value, most float64
	}{{"longitude", "经度", p.Longitude, 180}, {"latitude", "纬度", p.Latitude, 90}} {
		switch {
		case math.IsNaN(c.value) || math.IsInf(c.value, 0):
			return fault.Invalid(field+"."+c.name, "%s须为数值", c.label)
		case c.name == "latitude" && math.Abs(c.value) > 90 && math.Abs(p.Longitude) <= 90:
			return fault.Invalid(field+"."+c.name, "纬度须在 -90 到 90 之间，经度与纬度可能填反了")
		case math.Abs(c.value) > c.most:
			return fault.Invalid(field+"."+c.name, "%s须在 -%g 到 %g 之间", c.label, c.most, c.most)
		}
	}
	if p.Datum != CGCS2000 && p.Datum != GCJ02 {
		return fault.Invalid(field+".datum", "请注明坐标系：GCJ02 或 CGCS2000")
	}
	return nil
}

// In gives the same place in the other datum, and unchanged in its own.
func (p Position) In(datum Datum) Position {
	switch {
	case p.Datum == datum:
		return p
	case datum == GCJ02:
		p.Longitude, p.Latitude = toGCJ(p.Longitude, p.Latitude)
	default:
		p.Longitude, p.Latitude = fromGCJ(p.Longitude, p.Latitude)
	}
	p.Datum = datum
	return p
}

// Rounded keeps six decimals of the degrees, a tenth of a metre: what is
// beyond says more than anybody measured.
func (p Position) Rounded() Position {
	p.Longitude, p.Latitude = math.Round(p.Longitude*1e6)/1e6, math.Round(p.Latitude*1e6)/1e6
	return p
}

// Radius is the Earth's mean radius in metres (GRS 80, of which CGCS2000's
// ellipsoid is a hair's breadth): distances on the sphere are within 0.6 % of
// those on the ellipsoid.
const Radius = 6371008.8

// Distance is the great circle's length between two positions of one datum, in metres.
func Distance(a, b Position) float64 {
	lat, lon := radians(b.Latitude-a.Latitude)/2, radians(b.Longitude-a.Longitude)/2
	h := math.Sin(lat)*math.Sin(lat) + math.Cos(radians(a.Latitude))*math.Cos(radians(b.Latitude))*math.Sin(lon)*math.Sin(lon)
	return 2 * Radius * math.Asin(math.Min(1, math.Sqrt(h)))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
