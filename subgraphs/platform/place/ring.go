package place

import (
	"fmt"
	"math"

	"github.com/citizencloud/citizencloud/foundation/position"
)

// The nearest places are found ring by ring: the places of a small disc are
// read by the index, and when they are too few those of the ring around it.
// A ring is asked for as boxes that cover it, which an index on PostgreSQL's own
// points answers; the exact distances are then computed for what lies in them.
// So a page costs what lies near it, whatever lies further out, and a later
// page does not read the earlier ones. A thin ring far out takes many boxes,
// since few would cover more beside it than in it.

const (
	firstReach = 300.0 // metres, where nothing is known of how dense places lie
	maxGrowth  = 8.0   // of a ring's area by the next one
	bands      = 12    // that a ring is cut into, from south to north, at least
	maxBands   = 96    // and at most: each costs two looks into the index
)

// growth gives the next ring's outer radius, when the disc or ring between
// inner and outer held so many rows and more are wanted: the area that would
// hold them, were places as dense there.
func growth(inner, outer float64, held, wanted int) float64 {
	area := outer*outer - inner*inner
	factor := min(maxGrowth, max(1.5, 1.5*float64(wanted)/float64(max(held, 1))))
	return math.Sqrt(outer*outer + area*factor)
}

// reach gives the first ring's outer radius from where a page begins. Far out
// the boxes hold as much beside a ring as slack says, however thin it is, so
// that it may as well hold a third of that itself. one in so many places is
// what is asked for, about: where that are few the ring is larger.
func reach(inner, one float64) float64 {
	return math.Sqrt(inner*inner + max(one*firstReach*firstReach, slack(inner)/maxBands/math.Pi/3))
}

// oneIn is about how many places there are for each that is asked for; what a
// search finds nobody can guess.
func (a asked) oneIn() float64 {
	one := 1.0
	if n := len(a.kinds); n > 0 {
		one = float64(len(Kinds())) / float64(n)
	}
	if a.openNow {
		one *= 2
	}
	return one
}

// slack is the area that one band would cover beside a ring of the radius; so
// many bands cover so many times less. In each band the boxes reach as far as
// its circle at its widest: all the steps from side to side are four radii, and
// each is as high as a band, twice the radius over their number.
func slack(radius float64) float64 { return 8 * radius * radius }

// cuts gives the number of bands: that whose slack is about the ring itself.
func cuts(inner, outer float64) int {
	if inner < outer/4 {
		return 1
	}
	return int(min(maxBands, max(bands, math.Ceil(slack(outer)/math.Pi/max(1, outer*outer-inner*inner)))))
}

// boxes cover all points whose distance from the centre is between inner and
// outer (metres), as texts of PostgreSQL's box, and not much besides. They share
// nothing but northern and southern edges. The centre is CGCS2000.
func boxes(centre position.Position, inner, outer float64) []string {
	inner = max(0, inner*(1-1e-6)-0.01) // what is left out is surely nearer
	outer = outer*(1+1e-6) + 0.01
	count := cuts(inner, outer)
	list := make([]string, 0, 2*count)
	for i := range count {
		south, north := -outer+2*outer*float64(i)/float64(count), -outer+2*outer*float64(i+1)/float64(count)
		near, far := max(0, max(south, -north)), max(-south, north) // from the centre's parallel
		out := width(centre.Latitude, outer, near, south, north)
		in := inside(centre.Latitude, inner, far, south, north)
		if in <= 0 {
			list = append(list, box(centre, -out, south, out, north))
		} else {
			list = append(list, box(centre, -out, south, -in, north), box(centre, in, south, out, north))
		}
	}
	return list
}

// width is how many degrees to the east the disc's part between two
// parallels reaches at most; south and north are metres from the centre.
// On a sphere of these few kilometres the plane's circle is right but for the
// narrowing of the parallels: between the centre's and the place's own, so the
// narrowest counts here, and the widest in inside.
func width(latitude, radius, near, south, north float64) float64 {
	across := math.Sqrt(max(0, radius*radius-near*near))
	return min(360, degrees(across)/narrowest(latitude, south, north)*1.0001)
}

// inside is how many degrees to the east all of the part lies in the disc.
func inside(latitude, radius, far, south, north float64) float64 {
	if far >= radius {
		return 0
	}
	across := math.Sqrt(radius*radius - far*far)
	return degrees(across) / widest(latitude, south, north) * 0.9999
}

func narrowest(latitude, south, north float64) float64 {
	return max(1e-6, min(cosine(latitude), cosine(latitude+degrees(south)), cosine(latitude+degrees(north))))
}

func widest(latitude, south, north float64) float64 {
	if a, b := latitude+degrees(south), latitude+degrees(north); a < 0 && b > 0 {
		return 1
	}
	return max(1e-6, cosine(latitude), cosine(latitude+degrees(south)), cosine(latitude+degrees(north)))
}

func cosine(latitude float64) float64 { return math.Cos(max(-90, min(90, latitude)) * math.Pi / 180) }

// degrees of a great circle that so many metres are.
func degrees(metres float64) float64 { return metres / position.Radius * 180 / math.Pi }

// box is in degrees to the east and metres to the north of the centre.
func box(centre position.Position, west, south, east, north float64) string {
	return boxText(centre.Longitude+west, centre.Latitude+degrees(south), centre.Longitude+east, centre.Latitude+degrees(north))
}

func boxText(west, south, east, north float64) string {
	return fmt.Sprintf("(%.9f,%.9f),(%.9f,%.9f)", east, north, west, south)
}
