package division_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/division"
)

func TestLevelPrefixParent(t *testing.T) {
	for _, c := range []struct {
		code   string
		level  division.Level
		prefix string
		parent string
	}{
		{"510100000000", division.City, "5101", ""},
		{"510104000000", division.District, "510104", "510100000000"},
		{"510104017000", division.Street, "510104017", "510104000000"},
		{"510104017001", division.Community, "510104017001", "510104017000"},
	} {
		if got := division.LevelOf(c.code); got != c.level {
			t.Errorf("LevelOf(%s) = %s, want %s", c.code, got, c.level)
		}
		if got := division.Prefix(c.code); got != c.prefix {
			t.Errorf("Prefix(%s) = %s, want %s", c.code, got, c.prefix)
		}
		if got := division.Parent(c.code); got != c.parent {
			t.Errorf("Parent(%s) = %q, want %q", c.code, got, c.parent)
		}
	}
}

func TestCoversRefusesNeighboursAndRubbish(t *testing.T) {
	for _, c := range []struct {
		area, other string
		want        bool
	}{
		{"510104000000", "510104017001", true},
		{"510104017001", "510104017001", true},
		{"510104017001", "510104017000", false},
		{"510104000000", "510105017001", false},
		{"", "510104017001", false},
		{"5101", "510104017001", false},
	} {
		if got := division.Covers(c.area, c.other); got != c.want {
			t.Errorf("Covers(%q, %q) = %v, want %v", c.area, c.other, got, c.want)
		}
	}
}

func TestChengduIsATree(t *testing.T) {
	known := map[string]bool{"": true}
	for _, area := range division.Chengdu() {
		if !division.Valid(area.Code) || area.Name == "" {
			t.Fatalf("bad row %+v", area)
		}
		if !known[division.Parent(area.Code)] {
			t.Errorf("%s %s: no parent before it", area.Code, area.Name)
		}
		if known[area.Code] {
			t.Errorf("%s twice", area.Code)
		}
		known[area.Code] = true
	}
	if n := len(division.Communities()); n < 3000 {
		t.Errorf("%d communities, want the city's 3,000", n)
	}
}
