package community_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
)

func (s *stage) activity(area string) string {
	s.t.Helper()
	ctx := person(s.t, access.Worker, area, access.CommunityWorker)
	start := time.Now().Add(48 * time.Hour)
	a := s.must(ctx, `mutation($input: CreateActivityInput!) { createActivity(input: $input) { activity { id version } } }`, map[string]any{"input": map[string]any{
		"areaId": area, "title": "社区义诊", "summary": "量血压测血糖", "place": "社区卫生服务站", "startsAt": start.Format(time.RFC3339), "endsAt": start.Add(time.Hour).Format(time.RFC3339), "capacity": 3}})
	id := a.at("createActivity", "activity", "id").(string)
	s.must(ctx, `mutation($input: PublishActivityInput!) { publishActivity(input: $input) { activity { state } } }`,
		map[string]any{"input": map[string]any{"id": id, "expectedVersion": 1}})
	return id
}

// Activities of many areas, with the viewer's registration of each: a fixed
// number of statements.
func TestActivitiesOfManyAreasAreReadTogether(t *testing.T) {
	s := open(t)
	var representations []any
	for _, area := range []string{here, nextDoor, "510104018001"} {
		for range 2 {
			s.activity(area)
		}
		representations = append(representations, map[string]any{"__typename": "Area", "id": area})
	}
	const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Area { id activities(first: 5) { edges { node { id title remaining viewerRegistration { state waitlistPosition } registrations { edges { node { id } } } } } } } } }`
	const public = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Area { id activities(first: 5) { edges { node { id title remaining viewerRegistration { state waitlistPosition } } } } } } }`
	for _, n := range []int{1, 3} {
		ctx, counter := database.WithCounter(s.citizen)
		a := s.must(ctx, public, map[string]any{"r": representations[:n]})
		for i := range n {
			if rows, _ := a.at("_entities", i, "activities", "edges").([]any); len(rows) != 2 {
				t.Errorf("area %d has %d activities", i, len(rows))
			}
		}
		if got := counter.Statements(); got != 2 {
			t.Errorf("%d areas took %d statements", n, got)
		}
	}
	if got := s.ask(s.citizen, query, map[string]any{"r": representations[:1]}); got.code != "FORBIDDEN" || got.at("_entities", 0, "activities", "edges", 0, "node", "registrations") != nil {
		t.Errorf("a citizen reads who registered: %v, %s", got.data, got.code)
	}
}

func TestRegisteringAndCheckingIn(t *testing.T) {
	s := open(t)
	id := s.activity(here)
	const register = `mutation($input: RegisterForActivityInput!) { registerForActivity(input: $input) { registration { id state waitlistPosition citizen { id } activity { remaining } } } }`
	input := map[string]any{"input": map[string]any{"activityId": id}}
	first := s.must(s.citizen, register, input)
	if first.at("registerForActivity", "registration", "state") != "CONFIRMED" || first.at("registerForActivity", "registration", "activity", "remaining") != 2.0 {
		t.Errorf("registered: %v", first.data)
	}
	if got := s.ask(s.citizen, register, input); got.code != "CONFLICT" {
		t.Errorf("twice: %s", got.code)
	}
	const read = `query($id: ID!) { activity(id: $id) { state viewerRegistration { id state } registrations { edges { node { state citizen { id } } } } } }`
	seen := s.must(s.worker, read, map[string]any{"id": id})
	if seen.at("activity", "registrations", "edges", 0, "node", "citizen", "id") != access.From(s.citizen).ID || seen.at("activity", "viewerRegistration") != nil {
		t.Errorf("the worker reads %v", seen.data)
	}
	registration := first.at("registerForActivity", "registration", "id")
	const checkIn = `mutation($input: CheckInInput!) { checkIn(input: $input) { registration { state } } }`
	if got := s.ask(s.nextDoorWorker, checkIn, map[string]any{"input": map[string]any{"registrationId": registration}}); got.code != "NOT_FOUND" {
		t.Errorf("the worker next door checks in: %s", got.code)
	}
	done := s.must(s.worker, checkIn, map[string]any{"input": map[string]any{"registrationId": registration}})
	if done.at("checkIn", "registration", "state") != "ATTENDED" {
		t.Errorf("checked in: %v", done.data)
	}
	mine := s.must(s.citizen, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { registrations { edges { node { state activity { id title } } } } } } }`,
		map[string]any{"r": []any{map[string]any{"__typename": "Citizen", "id": access.From(s.citizen).ID}}})
	if mine.at("_entities", 0, "registrations", "edges", 0, "node", "activity", "id") != id {
		t.Errorf("my registrations: %v", mine.data)
	}
}

func TestBoardOverTheSchema(t *testing.T) {
	s := open(t)
	s.submitted(s.citizen, here)
	const fields = `{ area { id } generatedAt totals { total open submittedToday closedRate satisfaction activities } trend { date submitted closed } byClass { class count }
		byState { state count } ranking { rank area { id } total open closedRate satisfaction } feed { id at kind caseNumber area { id } class state title } }`
	a := s.must(s.leader, `query($areaId: ID!) { board(areaId: $areaId) `+fields+` }`, map[string]any{"areaId": district})
	if a.at("board", "totals", "total") != 1.0 || a.at("board", "ranking", 0, "area", "id") != street || a.at("board", "feed", 0, "area", "id") != here ||
		a.at("board", "totals", "satisfaction") != nil || a.at("board", "trend", 29, "submitted") != 1.0 {
		t.Errorf("board: %v", a.data)
	}
	if got := s.ask(s.citizen, `query($areaId: ID!) { board(areaId: $areaId) { generatedAt } }`, map[string]any{"areaId": here}); got.code != "FORBIDDEN" || got.at("board") != nil {
		t.Errorf("a citizen reads the board: %v, %s", got.data, got.code)
	}
	next := s.start(s.leader, `subscription($areaId: ID!) { boardChanged(areaId: $areaId) `+fields+` }`, map[string]any{"areaId": district})
	if first := s.read(next); first.at("boardChanged", "totals", "total") != 1.0 {
		t.Errorf("the present state: %v", first.data)
	}
	s.submitted(s.citizen, here)
	for {
		if pushed := s.read(next); pushed.at("boardChanged", "totals", "total") == 2.0 {
			break
		}
	}
	if got := s.read(s.start(s.worker, `subscription($areaId: ID!) { boardChanged(areaId: $areaId) { generatedAt } }`, map[string]any{"areaId": district})); got.code != "NOT_FOUND" {
		t.Errorf("a community's worker subscribes to the district: %s", got.code)
	}
}
