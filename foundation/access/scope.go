package access

import (
	"strings"

	"github.com/citizencloud/citizencloud/foundation/division"
)

// nothing is a prefix that no area code begins with.
const nothing = "-"

// Covers says whether the area lies in the worker's data scope.
func (p *Principal) Covers(areaCode string) bool {
	if p == nil {
		return false
	}
	switch p.Kind {
	case System:
		return true
	case Worker:
		if p.Prefixes == nil {
			return division.Covers(p.AreaCode, areaCode)
		}
		for _, prefix := range p.Prefixes {
			if prefix != "" && strings.HasPrefix(areaCode, prefix) {
				return true
			}
		}
	}
	return false
}

// Prefix is the scope as the setting app.area tells it to row-level security:
// leading digits of area codes, several with commas between. It is "-", which
// no code begins with, for whoever has no scope, and "" for the system, whom
// policies let through by its kind.
func (p *Principal) Prefix() string {
	switch {
	case p == nil:
		return nothing
	case p.Kind == System:
		return ""
	case p.Kind != Worker:
		return nothing
	case len(p.Prefixes) > 0:
		return strings.Join(p.Prefixes, ",")
	case p.Prefixes == nil && division.Valid(p.AreaCode):
		return division.Prefix(p.AreaCode)
	default:
		return nothing
	}
}

// Scopes is Prefix as a list, for conditions of the form
// area_code ^@ ANY(prefixes); [""] (all) for the system.
func (p *Principal) Scopes() []string {
	if p != nil && p.Kind == Worker && len(p.Prefixes) > 0 {
		return p.Prefixes
	}
	return []string{p.Prefix()}
}

// ValidPrefix says whether the text can be a prefix of a scope: the digits of a
// city, district, street or a whole code.
func ValidPrefix(text string) bool {
	switch len(text) {
	case 4, 6, 9, 12:
		return division.Valid(text + "000000000000"[len(text):])
	default:
		return false
	}
}
