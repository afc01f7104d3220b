package position

import "math"

// The ellipsoid that the transformation to GCJ-02 is defined on (Krasovsky 1940).
const (
	axis         = 6378245.0
	eccentricity = 0.00669342162296594323 // squared
)

// abroad says whether GCJ-02 leaves the coordinates as they are: outside of the
// rectangle around China.
func abroad(longitude, latitude float64) bool {
	return longitude < 72.004 || longitude > 137.8347 || latitude < 0.8293 || latitude > 55.8271
}

// toGCJ is the public transformation: an offset of slow polynomials and waves
// in degrees from 105° E, 35° N, in metres, put into degrees on the ellipsoid.
func toGCJ(longitude, latitude float64) (float64, float64) {
	if abroad(longitude, latitude) {
		return longitude, latitude
	}
	x, y := longitude-105, latitude-35
	east := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) + ripple(x) +
		(20*wave(x, 1)+40*wave(x, 3)+150*wave(x, 12)+300*wave(x, 30))*2/3
	north := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) + ripple(x) +
		(20*wave(y, 1)+40*wave(y, 3)+160*wave(y, 12)+320*wave(y, 30))*2/3
	sin := math.Sin(radians(latitude))
	flat := 1 - eccentricity*sin*sin
	meridian := axis * (1 - eccentricity) / (flat * math.Sqrt(flat))
	parallel := axis / math.Sqrt(flat) * math.Cos(radians(latitude))
	return longitude + east/radians(parallel), latitude + north/radians(meridian)
}

func ripple(x float64) float64 { return (20*wave(x, 1.0/6) + 20*wave(x, 0.5)) * 2 / 3 }

func wave(degrees, half float64) float64 { return math.Sin(degrees * math.Pi / half) }

// fromGCJ is the inverse, for which there is no formula: a guess is corrected by
// what it misses. The offset changes by less than a percent of a step, so each
// round gains two digits; a handful reaches what a float64 holds.
func fromGCJ(longitude, latitude float64) (float64, float64) {
	if abroad(longitude, latitude) {
		return longitude, latitude
	}
	guessLongitude, guessLatitude := longitude, latitude
	for range 8 {
		x, y := toGCJ(guessLongitude, guessLatitude)
		missLongitude, missLatitude := longitude-x, latitude-y
		guessLongitude, guessLatitude = guessLongitude+missLongitude, guessLatitude+missLatitude
		if math.Abs(missLongitude) < 1e-10 && math.Abs(missLatitude) < 1e-10 {
			break
		}
	}
	return guessLongitude, guessLatitude
}
