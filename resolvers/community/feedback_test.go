package community_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// The main job: submit with a picture, take, reply, rate.
func TestACaseFromSubmissionToRating(t *testing.T) {
	s := open(t)
	file := uuid.NewString()
	receipt, err := s.signer.Receipt(token.Receipt{FileID: file, Owner: access.From(s.citizen).ID, Media: "image/png", Bytes: 10, Name: "a.png"})
	if err != nil {
		t.Fatal(err)
	}
	a := s.must(s.citizen, submit, map[string]any{"input": map[string]any{"areaId": here, "class": "FACILITY", "title": "路灯不亮", "content": "小区门口的路灯不亮", "pictures": []any{receipt}}})
	id := a.at("submitFeedback", "feedbackCase", "id")

	const read = `query($id: ID!) { feedbackCase(id: $id) { area { id } pictures { id } state submitter { id } assignee { id } overdue allowedActions version rating
		history { action from to actor worker { id } } } }`
	seen := s.must(s.worker, read, map[string]any{"id": id})
	if seen.at("feedbackCase", "pictures", 0, "id") != file || seen.at("feedbackCase", "area", "id") != here ||
		seen.at("feedbackCase", "submitter", "id") != access.From(s.citizen).ID || seen.at("feedbackCase", "overdue") != false {
		t.Errorf("the worker reads %v", seen.data)
	}
	input := func(version int, more ...string) map[string]any {
		in := map[string]any{"id": id, "expectedVersion": version}
		for i := 0; i < len(more); i += 2 {
			in[more[i]] = more[i+1]
		}
		return map[string]any{"input": in}
	}
	s.must(s.worker, `mutation($input: TakeFeedbackInput!) { takeFeedback(input: $input) { feedbackCase { state } } }`, input(1))
	s.must(s.worker, `mutation($input: ReplyFeedbackInput!) { replyFeedback(input: $input) { feedbackCase { state } } }`, input(2, "content", "已修好"))
	rate := input(3, "comment", "很快")
	rate["input"].(map[string]any)["rating"] = 5
	rated := s.must(s.citizen, `mutation($input: RateFeedbackInput!) { rateFeedback(input: $input) { feedbackCase { state rating allowedActions history { action } } } }`, rate)
	if rated.at("rateFeedback", "feedbackCase", "rating") != 5.0 || rated.at("rateFeedback", "feedbackCase", "history", 4, "action") != "RATE" {
		t.Errorf("rated: %v", rated.data)
	}
	mine := s.must(s.citizen, read, map[string]any{"id": id})
	if mine.at("feedbackCase", "assignee") != nil || mine.at("feedbackCase", "history", 2, "worker") != nil || mine.at("feedbackCase", "history", 2, "actor") != "WORKER" {
		t.Errorf("the citizen sees who dealt with it: %v", mine.data)
	}
	// another community's worker: as if it did not exist, and nothing changes
	if got := s.ask(s.nextDoorWorker, read, map[string]any{"id": id}); got.code != "NOT_FOUND" || got.at("feedbackCase") != nil {
		t.Errorf("the worker next door reads %v, %s", got.data, got.code)
	}
	if got := s.ask(s.nextDoorWorker, `mutation($input: ReplyFeedbackInput!) { replyFeedback(input: $input) { feedbackCase { id } } }`, input(4, "content", "越权答复")); got.code != "NOT_FOUND" {
		t.Errorf("the worker next door replies: %s", got.code)
	}
	if got := s.ask(s.neighbour, read, map[string]any{"id": id}); got.code != "NOT_FOUND" {
		t.Errorf("a neighbour reads: %s", got.code)
	}
}

// 50 representations are one store call, whatever is asked of them.
func TestEntitiesAreReadTogether(t *testing.T) {
	s := open(t)
	var representations []any
	for i := range 50 {
		ctx := s.citizen
		if i >= 18 {
			ctx = person(t, access.Citizen, here)
		}
		representations = append(representations, map[string]any{"__typename": "FeedbackCase", "id": s.submitted(ctx, here)})
	}
	elsewhere := map[string]any{"__typename": "FeedbackCase", "id": s.submitted(s.neighbour, nextDoor)}
	const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on FeedbackCase { id number state history { action } pictures { id } submitter { id } allowedActions } } }`
	for _, n := range []int{1, 50} {
		ctx, counter := database.WithCounter(s.worker)
		a := s.must(ctx, query, map[string]any{"r": append(representations[:n:n], elsewhere)})
		if got := counter.Statements(); got != 2 { // cases and histories
			t.Errorf("%d representations took %d statements", n, got)
		}
		for i := range n {
			if a.at("_entities", i, "id") != representations[i].(map[string]any)["id"] || a.at("_entities", i, "history", 0, "action") != "SUBMIT" {
				t.Fatalf("representation %d is %v", i, a.at("_entities", i))
			}
		}
		if got := a.at("_entities", n); got != nil {
			t.Errorf("another community's case is shown: %v", got)
		}
	}
}

func TestListsTakeAFixedNumberOfStatements(t *testing.T) {
	s := open(t)
	for range 12 {
		s.submitted(s.citizen, here)
	}
	const query = `query($first: Int) { feedbackCases(first: $first) { edges { node { id history { action worker { id } } allowedActions overdue } } pageInfo { hasNextPage } } }`
	for _, first := range []int{1, 12} {
		ctx, counter := database.WithCounter(s.worker)
		a := s.must(ctx, query, map[string]any{"first": first})
		if rows, _ := a.at("feedbackCases", "edges").([]any); len(rows) != first {
			t.Errorf("%d rows, want %d", len(rows), first)
		}
		if got := counter.Statements(); got != 2 {
			t.Errorf("%d rows took %d statements", first, got)
		}
	}
	if got := s.ask(s.citizen, query, nil); got.code != "FORBIDDEN" {
		t.Errorf("a citizen lists cases: %s", got.code)
	}
	own := s.must(s.citizen, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { feedbackCases(first: 5) { edges { node { id } } pageInfo { hasNextPage endCursor } } } } }`,
		map[string]any{"r": []any{map[string]any{"__typename": "Citizen", "id": access.From(s.citizen).ID}}})
	if rows, _ := own.at("_entities", 0, "feedbackCases", "edges").([]any); len(rows) != 5 || own.at("_entities", 0, "feedbackCases", "pageInfo", "hasNextPage") != true {
		t.Errorf("own cases: %v", own.data)
	}
	others := s.ask(s.neighbour, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { feedbackCases { edges { node { id } } } } } }`,
		map[string]any{"r": []any{map[string]any{"__typename": "Citizen", "id": access.From(s.citizen).ID}}})
	if others.code != "FORBIDDEN" || others.at("_entities", 0, "feedbackCases") != nil {
		t.Errorf("another's cases: %v, %s", others.data, others.code)
	}
}

func TestPagesOfCasesMeet(t *testing.T) {
	s := open(t)
	want := map[any]bool{}
	for range 7 {
		want[s.submitted(s.citizen, here)] = true
	}
	const query = `query($after: String) { feedbackCases(first: 3, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }`
	var after any
	for pages := 0; ; pages++ {
		a := s.must(s.worker, query, map[string]any{"after": after})
		rows, _ := a.at("feedbackCases", "edges").([]any)
		for i := range rows {
			id := a.at("feedbackCases", "edges", i, "node", "id")
			if !want[id] {
				t.Errorf("%v is strange, or came twice", id)
			}
			delete(want, id)
		}
		after = a.at("feedbackCases", "pageInfo", "endCursor")
		if a.at("feedbackCases", "pageInfo", "hasNextPage") == false {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	for _, cursor := range []string{"rubbish", "WyJhIiwiYiJd"} { // the second is ["a","b"]
		if got := s.ask(s.worker, query, map[string]any{"after": cursor}); got.code != "INVALID_INPUT" {
			t.Errorf("cursor %s: %s", cursor, got.code)
		}
	}
}

func TestChangedCasesArePushed(t *testing.T) {
	s := open(t)
	const query = `subscription($areaId: ID!) { feedbackCaseChanged(areaId: $areaId) { id state area { id } } }`
	for _, area := range []string{street, nextDoor, "nonsense"} {
		if got := s.read(s.start(s.worker, query, map[string]any{"areaId": area})); got.code != "NOT_FOUND" {
			t.Errorf("a worker of one community watches %s: %s", area, got.code)
		}
	}
	if got := s.read(s.start(s.citizen, query, map[string]any{"areaId": here})); got.code != "FORBIDDEN" {
		t.Errorf("a citizen watches: %s", got.code)
	}
	all, own := s.start(s.leader, query, map[string]any{"areaId": district}), s.start(s.worker, query, map[string]any{"areaId": here})
	away, near := s.submitted(s.neighbour, nextDoor), s.submitted(s.citizen, here)
	for _, want := range []string{away, near} {
		if got := s.read(all); got.at("feedbackCaseChanged", "id") != want || got.at("feedbackCaseChanged", "state") != "SUBMITTED" {
			t.Errorf("the district is pushed %v, want %s", got.data, want)
		}
	}
	if got := s.read(own); got.at("feedbackCaseChanged", "id") != near || got.at("feedbackCaseChanged", "area", "id") != here {
		t.Errorf("the community is pushed %v, want %s", got.data, near)
	}
}
