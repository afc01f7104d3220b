package access

import (
	"slices"
	"strings"
)

// Decision is the answer to whether somebody may do something somewhere.
type Decision uint8

// The decisions.
const (
	Allowed    Decision = iota
	Nobody              // nobody is signed in
	NotGranted          // no role grants the action
	OutOfScope          // the area lies outside of the data scope
)

// Decide says whether the principal may do the action in the area; "" asks for
// no area. It is the one decision: the directive @can and row-level security
// answer the same. It costs no statement and no allocation.
func Decide(p *Principal, action Action, areaCode string) Decision {
	switch {
	case p == nil || p.Confined != "":
		return Nobody
	case !p.May(action):
		return NotGranted
	case areaCode != "" && !p.Covers(areaCode):
		return OutOfScope
	default:
		return Allowed
	}
}

// May says whether a role of the principal grants the action. The system may all.
func (p *Principal) May(action Action) bool {
	if p == nil {
		return false
	}
	if p.Kind == System {
		return true
	}
	place, known := places[action]
	if !known {
		return false
	}
	for _, role := range p.Roles {
		if granted[role].has(place) {
			return true
		}
	}
	return false
}

// set is a set of actions, by their places.
type set [4]uint64

func (s set) has(place uint8) bool { return s[place/64]&(1<<(place%64)) != 0 }

// places numbers the actions that some role grants; granted is grants as sets,
// listed as texts.
var places, granted, listed = compile()

func compile() (map[Action]uint8, map[Role]set, map[Role]string) {
	places, granted, listed := map[Action]uint8{}, map[Role]set{}, map[Role]string{}
	for role, actions := range grants {
		var s set
		names := make([]string, len(actions))
		for i, action := range actions {
			names[i] = string(action)
			place, known := places[action]
			if !known {
				place = uint8(len(places)) // 256 actions are room enough
				places[action] = place
			}
			s[place/64] |= 1 << (place % 64)
		}
		granted[role], listed[role] = s, strings.Join(names, ",")
	}
	return places, granted, listed
}

// Actions are the actions that the principal's roles grant, with commas between
// and perhaps repeated: the setting app.actions of row-level security. "" for
// the system, whom policies let through by its kind.
func (p *Principal) Actions() string {
	if p == nil || p.Kind != Worker || len(p.Roles) == 0 {
		return ""
	}
	text := listed[p.Roles[0]]
	for _, role := range p.Roles[1:] {
		if more := listed[role]; more != "" {
			text += "," + more
		}
	}
	return text
}

// Roles are all roles, in the order of the alphabet.
func Roles() []Role {
	roles := make([]Role, 0, len(grants))
	for role := range grants {
		roles = append(roles, role)
	}
	slices.Sort(roles)
	return roles
}

// Actions are all actions that some role grants, in the order of the alphabet.
func Actions() []Action {
	actions := make([]Action, 0, len(places))
	for action := range places {
		actions = append(actions, action)
	}
	slices.Sort(actions)
	return actions
}

// Known says whether the role exists.
func (r Role) Known() bool {
	_, known := grants[r]
	return known
}

// Grants says whether the role grants the action.
func (r Role) Grants(action Action) bool {
	place, known := places[action]
	return known && granted[r].has(place)
}

// Administrator says whether the role is one of the three administrators 三员,
// of which nobody may hold two (等保 2.0, level three: separated duties).
func (r Role) Administrator() bool {
	return r == SystemAdmin || r == SecurityAdmin || r == AuditAdmin
}

// Administrators gives the administrator's roles among the roles, each once.
func Administrators(roles []Role) []Role {
	var found []Role
	for _, role := range roles {
		if role.Administrator() && !slices.Contains(found, role) {
			found = append(found, role)
		}
	}
	return found
}
