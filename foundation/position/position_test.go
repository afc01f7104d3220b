package position

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// TestKnownPoints compares with what public implementations give.
func TestKnownPoints(t *testing.T) {
	for _, test := range []struct{ lat, lon, gcjLat, gcjLon float64 }{
		{31.1774276, 121.5272106, 31.17530398364597, 121.531541859215},
		{22.543847, 113.912316, 22.540796131694766, 113.9171764808363},
		{39.911954, 116.377817, 39.91334545536069, 116.38404722455657},
	} {
		got := Position{test.lon, test.lat, CGCS2000}.In(GCJ02)
		if math.Abs(got.Longitude-test.gcjLon) > 1e-9 || math.Abs(got.Latitude-test.gcjLat) > 1e-9 || got.Datum != GCJ02 {
			t.Errorf("%v, %v: %+v, want %v, %v", test.lon, test.lat, got, test.gcjLon, test.gcjLat)
		}
	}
}

// TestThereAndBack: whatever point of China is sent in GCJ-02 comes back within
// half a metre, also after the rounding of what is given out.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Position{rapid.Float64Range(72.1, 137.7).Draw(t, "longitude"), rapid.Float64Range(0.9, 55.7).Draw(t, "latitude"), CGCS2000}
		moved := p.In(GCJ02)
		if d := Distance(Position{p.Longitude, p.Latitude, GCJ02}, moved); d < 1 || d > 2000 {
			t.Fatalf("%+v moved by %v m", p, d)
		}
		for _, there := range []Position{moved, moved.Rounded()} {
			if d := Distance(p, there.In(CGCS2000)); d >= 0.5 {
				t.Fatalf("%+v comes back %v m away", p, d)
			}
		}
	})
}

func TestAbroadIsUnchanged(t *testing.T) {
	for _, p := range []Position{{139.69, 35.69, CGCS2000}, {-0.12, 51.5, GCJ02}, {103.8, 0.5, CGCS2000}, {116, 56, GCJ02}, {72, 30, CGCS2000}} {
		for _, datum := range []Datum{GCJ02, CGCS2000} {
			if got := p.In(datum); got.Longitude != p.Longitude || got.Latitude != p.Latitude || got.Datum != datum {
				t.Errorf("%+v in %s: %+v", p, datum, got)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	tianfu, kuanzhai := Position{104.06567, 30.65734, CGCS2000}, Position{104.05316, 30.66932, CGCS2000}
	if d := Distance(tianfu, kuanzhai); math.Abs(d-1791) > 5 || Distance(kuanzhai, tianfu) != d || Distance(tianfu, tianfu) != 0 {
		t.Errorf("%v m", d)
	}
	if d := Distance(Position{0, 0, CGCS2000}, Position{180, 0, CGCS2000}); math.Abs(d-math.Pi*Radius) > 1 {
		t.Errorf("to the other side of the Earth %v m", d)
	}
}

func TestWhatIsNoPosition(t *testing.T) {
	for _, test := range []struct {
		p     Position
		field string
	}{
		{Position{181, 30, GCJ02}, "input.longitude"},
		{Position{104, -90.5, GCJ02}, "input.latitude"},
		{Position{30.6, 104.1, GCJ02}, "input.latitude"},
		{Position{math.NaN(), 30, GCJ02}, "input.longitude"},
		{Position{104, math.Inf(1), GCJ02}, "input.latitude"},
		{Position{104, 30, "BD09"}, "input.datum"},
		{Position{104, 30, ""}, "input.datum"},
		{Position{104, 30, CGCS2000}, ""},
		{Position{-180, 90, GCJ02}, ""},
	} {
		err := Check("input", test.p)
		f, _ := err.(*fault.Fault)
		switch {
		case test.field == "" && err != nil, test.field != "" && (f == nil || f.Field != test.field || f.Code != fault.InvalidInput):
			t.Errorf("%+v: %v, want the field %q", test.p, err, test.field)
		}
	}
}
