// Package division knows the administrative divisions 行政区划: how a twelve
// digit code is built (GB/T 2260 for digits 1–6, GB/T 10114 for 7–9, the
// statistical bureau's village code for 10–12), and Chengdu's true divisions
// from the city down to its communities.
//
// Start reading at Level and Prefix; the data is read by Chengdu.
package division

import "strings"

// Level is the administrative level of an area. The order is from large to small.
type Level string

// The levels, largest first.
const (
	City      Level = "CITY"
	District  Level = "DISTRICT"
	Street    Level = "STREET"
	Community Level = "COMMUNITY"
	Grid      Level = "GRID"
)

// CityCode is Chengdu's own code.
const CityCode = "510100000000"

// codeLength is the number of digits of an area code.
const codeLength = 12

// Valid says whether the code has the form of an area code: twelve digits that
// do not begin with zero. It does not say that the area exists.
func Valid(code string) bool {
	if len(code) != codeLength || code[0] == '0' {
		return false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return true
}

// LevelOf reads the level from the code's trailing zeros. The code must be Valid.
func LevelOf(code string) Level {
	switch {
	case code[4:] == "00000000":
		return City
	case code[6:] == "000000":
		return District
	case code[9:] == "000":
		return Street
	default:
		return Community
	}
}

// Prefix gives the leading digits that every code inside of the area shares:
// four for the city, six for a district, nine for a street, twelve for a
// community. It is the data scope of who works there, in Go and in SQL alike.
func Prefix(code string) string {
	switch LevelOf(code) {
	case City:
		return code[:4]
	case District:
		return code[:6]
	case Street:
		return code[:9]
	default:
		return code
	}
}

// Covers says whether the area holds the other one, or is the same.
func Covers(area, other string) bool {
	return Valid(area) && strings.HasPrefix(other, Prefix(area))
}

// Parent gives the code one level up, and "" for the city.
func Parent(code string) string {
	switch LevelOf(code) {
	case City:
		return ""
	case District:
		return code[:4] + "00000000"
	case Street:
		return code[:6] + "000000"
	default:
		return code[:9] + "000"
	}
}
