package demonstration

import (
	"fmt"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// story tells each row as a function of its number, so that no row is kept but
// the lines of history, which come last.
type story struct {
	cast     *demonstration.Cast
	amounts  amounts
	reviewer string // who reviewed all of it, at the city
	lines    []line
}

// line is one line of history to come.
type line struct {
	id, area, citizen, action, from, to, kind, actor string
	at                                               time.Time
}

func newStory(cast *demonstration.Cast) *story {
	return &story{cast: cast, amounts: amountsOf(cast), reviewer: cast.Chief(division.CityCode).ID}
}

func (s *story) remember(id, area, citizen, action, from, to, kind, actor string, at time.Time) {
	s.lines = append(s.lines, line{id, area, citizen, action, from, to, kind, actor, at})
}

// company is participant number i.
type company struct {
	id, uscc, name, kind, area, citizen, state string
	at                                         time.Time
}

func (s *story) company(i int) company {
	n := demonstration.Number("participant", i)
	community := demonstration.Pick(s.cast.Communities(), "participant at", i)
	kind := kinds[n%uint64(len(kinds))]
	state := "APPROVED"
	switch i % 20 { // number 0 takes part, so that small scales have somebody
	case 7:
		state = "APPLIED"
	case 12:
		state = "IN_REVIEW"
	case 15:
		state = "REJECTED"
	case 18:
		state = "SUSPENDED"
	}
	return company{
		id: demonstration.ID("participant", i), uscc: uscc(community, i), kind: kind, state: state,
		name:    "成都" + brands[n/8%uint64(len(brands))] + fmt.Sprintf("%d号", i+1) + endings[kind],
		area:    division.Parent(community), // the street
		citizen: demonstration.ID("citizen", i*7%s.cast.Citizens()),
		at:      s.cast.Anchor.Add(-time.Duration(s.amounts.participants-i) * 400 * 24 * time.Hour / time.Duration(s.amounts.participants)),
	}
}

// uscc is a valid code of its own for each number: 91 for a company, the
// district, nine characters of the number, the check character.
func uscc(community string, i int) string {
	var body [9]byte
	n := uint64(i) + 1<<40
	for place := len(body) - 1; place >= 0; place-- {
		body[place] = alphabet[n%31]
		n /= 31
	}
	first := "91" + community[:6] + string(body[:])
	check, _ := participant.CheckCharacter(first)
	return first + string(check)
}

func (s *story) participants(row func(...any) error) error {
	for i := range s.amounts.participants {
		c := s.company(i)
		introduction := c.name + "为周边社区居民提供便民服务，收费公开，服务可评价。"
		var note any
		version := 1
		s.remember(c.id, c.area, c.citizen, "APPLY", "", "APPLIED", "citizen", c.citizen, c.at)
		if c.state != "APPLIED" {
			s.remember(c.id, c.area, c.citizen, "TAKE", "APPLIED", "IN_REVIEW", "worker", s.reviewer, c.at.Add(time.Hour))
			version++
		}
		switch c.state {
		case "APPROVED", "SUSPENDED":
			s.remember(c.id, c.area, c.citizen, "APPROVE", "IN_REVIEW", "APPROVED", "worker", s.reviewer, c.at.Add(20*time.Hour))
			version++
		case "REJECTED":
			s.remember(c.id, c.area, c.citizen, "REJECT", "IN_REVIEW", "REJECTED", "worker", s.reviewer, c.at.Add(20*time.Hour))
			note, version = "营业执照照片不清晰，请重新提交", version+1
		}
		if c.state == "SUSPENDED" {
			s.remember(c.id, c.area, c.citizen, "SUSPEND", "APPROVED", "SUSPENDED", "worker", s.reviewer, c.at.Add(40*time.Hour))
			note, version = "服务投诉较多，暂停整改", version+1
		}
		err := row(c.id, c.uscc, c.name, c.kind, introduction, fmt.Sprintf("028-8%07d", i), c.area, "[]", c.state, note, c.citizen,
			bigram.Vector(c.name, introduction, c.uscc), version, c.at, c.at, "demonstration")
		if err != nil {
			return err
		}
	}
	return nil
}

// supplier is the number of the participant of service i: one that takes part,
// or for few services the suspended one.
func (s *story) supplier(i int) int {
	n := int(demonstration.Number("supplier", i) % uint64(s.amounts.participants))
	for state := s.company(n).state; state != "APPROVED" && state != "SUSPENDED"; state = s.company(n).state {
		n = (n + 1) % s.amounts.participants
	}
	return n
}

func stateOfService(i int) string {
	switch i % 16 {
	case 5:
		return "DRAFT"
	case 9:
		return "IN_REVIEW"
	case 13:
		return "DELISTED"
	default:
		return "LISTED"
	}
}

// listing is when service i was listed: later ones later.
func (s *story) listing(i int) time.Time {
	return s.cast.Anchor.Add(-time.Duration(s.amounts.services-i) * 200 * 24 * time.Hour / time.Duration(s.amounts.services))
}

func (s *story) services(row func(...any) error) error {
	for i := range s.amounts.services {
		c, o, state := s.company(s.supplier(i)), demonstration.Pick(offers, "offer", i), stateOfService(i)
		id, listed := demonstration.ID("communityservice", i), s.listing(i)
		created := listed.Add(-30 * time.Hour)
		description := o.summary + "。由" + c.name + "提供，" + o.hours + "可预约，服务后可在平台评价。"
		var listedAt any
		version := 1
		s.remember(id, c.area, c.citizen, "CREATE", "", "DRAFT", "citizen", c.citizen, created)
		if state != "DRAFT" {
			s.remember(id, c.area, c.citizen, "SUBMIT", "DRAFT", "IN_REVIEW", "citizen", c.citizen, created.Add(time.Hour))
			version++
		}
		if state == "LISTED" || state == "DELISTED" {
			s.remember(id, c.area, c.citizen, "APPROVE", "IN_REVIEW", "LISTED", "worker", s.reviewer, listed)
			listedAt, version = listed, version+1
		}
		if state == "DELISTED" {
			s.remember(id, c.area, c.citizen, "DELIST", "LISTED", "DELISTED", "citizen", c.citizen, listed.Add(24*time.Hour))
			version++
		}
		category := communityservice.SupplyCategory(o.category)
		err := row(id, c.id, c.area, c.citizen, o.name, o.summary, description, o.category, o.yuan*100, o.unit, o.hours, nil, state,
			c.state == "APPROVED", listedAt, bigram.Vector(o.name, o.summary, category.Name(), description), version, created, created, "demonstration")
		if err != nil {
			return err
		}
	}
	return nil
}

// distributions shows each service in some communities near by, some in a whole
// street or district, few in the whole city.
func (s *story) distributions(row func(...any) error) error {
	communities := s.cast.Communities()
	for i := range s.amounts.services {
		if state := stateOfService(i); state != "LISTED" && state != "DELISTED" {
			continue
		}
		id, at := demonstration.ID("communityservice", i), s.listing(i)
		home := demonstration.Pick(communities, "participant at", s.supplier(i))
		areas := map[string]bool{}
		switch n := demonstration.Number("reach", i) % 100; {
		case n < 2 && s.cast.Scale == demonstration.City || n < 5 && s.cast.Scale != demonstration.City:
			areas[division.CityCode] = true
		case n < 12:
			areas[home[:6]+"000000"] = true
		case n < 30:
			areas[division.Parent(home)] = true
		default:
			start := demonstration.Number("near", i) % uint64(len(communities))
			for k := range 3 + demonstration.Number("many", i)%13 {
				areas[communities[(start+k)%uint64(len(communities))]] = true
			}
		}
		for area := range areas {
			if err := row(id, area, at, s.reviewer); err != nil {
				return err
			}
		}
	}
	return nil
}

// demands are citizens' and some communities', newest last, open ones with a
// window that is still to come.
func (s *story) demands(row func(...any) error) error {
	for i := range s.amounts.demands {
		n := demonstration.Number("demand", i)
		a := demonstration.Pick(asks, "ask", i)
		who := s.cast.Citizen(int(demonstration.Number("publisher", i) % uint64(s.cast.Citizens())))
		created := s.cast.Anchor.Add(-time.Duration(s.amounts.demands-i) * 120 * 24 * time.Hour / time.Duration(s.amounts.demands))
		id, area, citizen, version := demonstration.ID("demand", i), who.CommunityCode, who.ID, 2
		from, to := created.Add(48*time.Hour), s.cast.Anchor.Add(time.Duration(10+n%50)*24*time.Hour)
		state := []string{"OPEN", "OPEN", "OPEN", "OPEN", "OPEN", "OPEN", "IN_REVIEW", "FULFILLED", "EXPIRED", "CLOSED"}[n%10]
		var publisher, worker, opened, service any = citizen, nil, nil, nil
		kind, actor := "citizen", citizen
		if n/16%12 == 0 {
			actor = s.cast.CommunityWorker(area).ID
			publisher, worker, citizen, kind = nil, actor, "", "worker"
		}
		s.remember(id, area, citizen, "CREATE", "", "DRAFT", kind, actor, created)
		s.remember(id, area, citizen, "SUBMIT", "DRAFT", "IN_REVIEW", kind, actor, created)
		if state != "IN_REVIEW" {
			opening := created.Add(24 * time.Hour)
			s.remember(id, area, citizen, "APPROVE", "IN_REVIEW", "OPEN", "worker", s.reviewer, opening)
			opened, version = opening, version+1
		}
		switch state {
		case "EXPIRED":
			to = created.Add(72 * time.Hour)
			s.remember(id, area, citizen, "EXPIRE", "OPEN", "EXPIRED", "system", "demand", to)
			version++
		case "FULFILLED", "CLOSED":
			service = demonstration.ID("communityservice", s.listed(i))
			s.remember(id, area, citizen, "MATCH", "OPEN", "MATCHED", kind, actor, created.Add(50*time.Hour))
			s.remember(id, area, citizen, "FULFIL", "MATCHED", "FULFILLED", kind, actor, created.Add(70*time.Hour))
			version += 2
			if state == "CLOSED" {
				s.remember(id, area, citizen, "CLOSE", "FULFILLED", "CLOSED", kind, actor, created.Add(90*time.Hour))
				version++
			}
		}
		var budget any
		if a.yuan > 0 {
			budget = a.yuan * 100
		}
		category := communityservice.SupplyCategory(a.category)
		err := row(id, a.title, a.content, a.category, area, budget, from, to, state, publisher, worker, service, opened,
			bigram.Vector(a.title, a.content, category.Name()), version, created, created, "demonstration")
		if err != nil {
			return err
		}
	}
	return nil
}

// listed is the number of a listed service for demand i.
func (s *story) listed(i int) int {
	n := int(demonstration.Number("match", i) % uint64(s.amounts.services))
	for stateOfService(n) != "LISTED" {
		n = (n + 1) % s.amounts.services
	}
	return n
}

func (s *story) histories(row func(...any) error) error {
	none := func(text string) any {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		return text
	}
	for _, l := range s.lines {
		if err := row(l.id, l.area, none(l.citizen), l.action, none(l.from), l.to, nil, l.kind, l.actor, l.at); err != nil {
			return err
		}
	}
	return nil
}
