// Package demonstration names the invented people of the demonstration data,
// the same in every subgraph and at every loading: each is a pure function of
// its number. The divisions are true, the people are not.
//
// Start reading at Cast. Each subgraph fills its own tables in
// subgraphs/<name>/demonstration.
package demonstration

import (
	"fmt"
	"time"

	"github.com/citizencloud/citizencloud/foundation/division"
)

// Scale is how much is loaded.
type Scale string

// The scales.
const (
	None Scale = "none" // true divisions, the catalogue and one administrator only
	Demo Scale = "demo" // three districts, 60 communities, 5,000 citizens
	City Scale = "city" // all communities, 1,000,000 citizens, 300,000 cases
)

// Password is every demonstration worker's password.
const Password = "Shimin-Cloud-2026"

// Cast is the people and places of one scale.
type Cast struct {
	Scale Scale
	// Anchor is the moment at which the story ends: the start of the loading's day.
	Anchor      time.Time
	communities []string
}

// New chooses the communities of the scale. anchor is cut to its day.
func New(scale Scale, anchor time.Time) *Cast {
	c := &Cast{Scale: scale, Anchor: anchor.Truncate(24 * time.Hour)}
	switch scale {
	case City:
		c.communities = division.Communities()
	case Demo:
		taken := map[string]int{"510104": 20, "510105": 20, "510107": 20}
		for _, code := range division.Communities() {
			if taken[code[:6]] > 0 && Number(code, "spread")%3 == 0 {
				taken[code[:6]]--
				c.communities = append(c.communities, code)
			}
		}
	}
	return c
}

// Communities are the codes of the communities that the story plays in. Shared: do not change.
func (c *Cast) Communities() []string { return c.communities }

// Citizens is the number of citizens.
func (c *Cast) Citizens() int {
	switch c.Scale {
	case City:
		return 1_000_000
	case Demo:
		return 5_000
	default:
		return 0
	}
}

// Cases is the number of feedback cases.
func (c *Cast) Cases() int {
	switch c.Scale {
	case City:
		return 300_000
	case Demo:
		return 3_000
	default:
		return 0
	}
}

// Citizen is one invented citizen.
type Citizen struct {
	ID            string
	Name          string
	Mobile        string // E.164
	CommunityCode string
	RegisteredAt  time.Time
}

// Citizen gives citizen number i, from 0.
func (c *Cast) Citizen(i int) Citizen {
	n := Number("citizen", i)
	return Citizen{
		ID:            ID("citizen", i),
		Name:          name(n),
		Mobile:        fmt.Sprintf("+86138%08d", i),
		CommunityCode: c.communities[int(Number("home", i)%uint64(len(c.communities)))],
		RegisteredAt:  c.Anchor.Add(-time.Duration(1+n%700) * 24 * time.Hour),
	}
}

// Worker is one invented worker, with a login name and Password.
type Worker struct {
	ID       string
	Login    string // "sq" + code of a community, "jd" a street, "qx" a district, "cs" the city
	Name     string
	UnitID   string
	AreaCode string
	Post     string
	Roles    []string
}

// UnitID is the organisation unit that works for the area: its community
// committee, street office, district or city department.
func UnitID(areaCode string) string { return ID("unit:"+areaCode, 0) }

// CommunityWorker is who handles the community's cases.
func (c *Cast) CommunityWorker(code string) Worker {
	return Worker{ID: ID("worker:"+code, 0), Login: "sq" + code, Name: name(Number("worker:"+code, 0)),
		UnitID: UnitID(code), AreaCode: code, Post: "社区工作者", Roles: []string{"COMMUNITY_WORKER"}}
}

// Chief is who watches over a street (supervisor), a district or the city (leader).
func (c *Cast) Chief(code string) Worker {
	w := Worker{ID: ID("chief:"+code, 0), Name: name(Number("chief:"+code, 0)), UnitID: UnitID(code), AreaCode: code}
	switch division.LevelOf(code) {
	case division.Street:
		w.Login, w.Post, w.Roles = "jd"+code, "街道督办员", []string{"SUPERVISOR"}
	case division.District:
		w.Login, w.Post, w.Roles = "qx"+code, "区级领导", []string{"LEADER", "SUPERVISOR"}
	default:
		w.Login, w.Post, w.Roles = "cs"+code, "市级领导", []string{"LEADER", "SUPERVISOR", "CATALOGUE_EDITOR", "SUPPLY_REVIEWER", "PAYMENT_OFFICER"}
	}
	return w
}
