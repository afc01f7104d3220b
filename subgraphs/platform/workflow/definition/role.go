package definition

import (
	"slices"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// places says at which levels somebody may hold the role at all. A seat whose
// role nobody there can hold would wait for ever.
var places = map[access.Role][]division.Level{
	access.CommunityWorker: {division.Community},
	access.Supervisor:      {division.Street, division.District, division.City},
	access.Leader:          {division.District, division.City},
	access.CatalogueEditor: {division.City},
	access.SupplyReviewer:  {division.City},
	access.SystemAdmin:     {division.City},
	access.SecurityAdmin:   {division.City},
	access.AuditAdmin:      {division.City},
	access.Developer:       {division.Community, division.Street, division.District, division.City},
}

// Known says whether the role is one of the platform's.
func Known(role access.Role) bool { return len(places[role]) > 0 }

// held says whether the role can be held at the level, or where it is not said
// ("") at any.
func held(role access.Role, level division.Level) bool {
	return level == "" && Known(role) || slices.Contains(places[role], level)
}

// AreaAt gives the area of the level that holds the area; the area itself when
// it is of that level, or above it, or no level is said.
func AreaAt(areaCode string, level division.Level) string {
	if level == "" {
		return areaCode
	}
	for code := areaCode; code != ""; code = division.Parent(code) {
		if division.LevelOf(code) == level {
			return code
		}
	}
	return areaCode
}
