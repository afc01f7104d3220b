package supply

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	supplydemo "github.com/citizencloud/citizencloud/subgraphs/supply/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/supply/migrations"
)

// fixture is the subgraph over the demonstration data.
type fixture struct {
	*Resolver
	executor *executor.Executor
	cast     *demonstration.Cast
}

func open(t *testing.T) fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	cast := demonstration.New(demonstration.Demo, now)
	if err := supplydemo.Load(t.Context(), at.Owner, cast); err != nil {
		t.Fatal(err)
	}
	r := New(Deps{DB: db, Now: func() time.Time { return now }})
	e := executor.New(r.Executable())
	e.SetErrorPresenter(fault.Present)
	e.SetRecoverFunc(fault.Recover)
	return fixture{r, e, cast}
}

var reviewer = &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8001", AreaCode: "510100000000", Roles: []access.Role{access.SupplyReviewer}}

// citizen is a citizen of the cast.
func (f fixture) citizen(i int) *access.Principal {
	c := f.cast.Citizen(i)
	return &access.Principal{Kind: access.Citizen, ID: c.ID, AreaCode: c.CommunityCode}
}

// ask runs an operation as the principal, and gives the answer as JSON (data,
// or the errors' codes), and the number of statements that it took.
func (f fixture) ask(t *testing.T, p *access.Principal, query string, variables map[string]any) (string, int64) {
	t.Helper()
	ctx, counter := database.WithCounter(f.Context(access.With(t.Context(), p)))
	ctx = graphql.StartOperationTrace(ctx)
	operation, faults := f.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if faults != nil {
		t.Fatal(faults)
	}
	next, ctx := f.executor.DispatchOperation(ctx, operation)
	answer := next(ctx)
	if len(answer.Errors) > 0 {
		codes := []string{}
		for _, e := range answer.Errors {
			codes = append(codes, fmt.Sprint(e.Extensions["code"]))
		}
		return strings.Join(codes, ","), counter.Statements()
	}
	return string(answer.Data), counter.Statements()
}

func TestStatementsDoNotGrowWithRows(t *testing.T) {
	f := open(t)
	for query, want := range map[string]int64{
		`query ($n: Int) { participants(first: $n) { nodes { id name uscc area { id } qualifications { name } state applicant { id } allowedActions
			history { action from to worker { id } } communityServices(first: 3) { nodes { id } } } pageInfo { endCursor } } }`: 3,
		`query ($n: Int) { communityServices(first: $n) { nodes { id name participant { name } distributions(first: 3) { nodes { area { id } at } }
			history { action } allowedActions } } }`: 4,
		`query ($n: Int) { demands(first: $n, states: [OPEN, CLOSED, FULFILLED]) { nodes { id title communityService { name } history { note } publisher { id } } } }`: 3,
	} {
		_, few := f.ask(t, reviewer, query, map[string]any{"n": 12})
		answer, many := f.ask(t, reviewer, query, map[string]any{"n": 100})
		if few != many || many != want {
			t.Errorf("%d statements for few, %d for many, want %d: %s", few, many, want, query)
		}
		if strings.Count(answer, `{"id":`) < 50 {
			t.Errorf("too little to show it: %.200s", answer)
		}
	}
}

func TestFiftyAreasAreOneCall(t *testing.T) {
	f := open(t)
	representations := []map[string]any{}
	for _, code := range f.cast.Communities()[:50] {
		representations = append(representations, map[string]any{"__typename": "Area", "id": code})
	}
	representations[9]["id"] = "no area"
	answer, statements := f.ask(t, nil, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Area { id
		supermarket(first: 4) { nodes { id name } } demands(first: 3) { nodes { id } } } } }`, map[string]any{"r": representations})
	if statements != 2 {
		t.Errorf("%d statements, want 1 for the shelves and 1 for the boards", statements)
	}
	var read struct {
		Entities []struct {
			ID                   string
			Supermarket, Demands *struct{ Nodes []struct{ ID string } }
		} `json:"_entities"`
	}
	if err := json.Unmarshal([]byte(answer), &read); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	full := 0
	for n, area := range read.Entities {
		if n == 9 {
			if area.Supermarket != nil || area.Demands != nil {
				t.Errorf("no area has %+v", area)
			}
			continue
		}
		if len(area.Supermarket.Nodes) == 4 {
			full++
		}
	}
	if full < 30 {
		t.Errorf("only %d of 49 supermarkets have four services", full)
	}
}

func TestEntitiesByFifty(t *testing.T) {
	f := open(t)
	for name, topic := range map[string]string{"Participant": "participant", "CommunityService": "communityservice", "Demand": "demand"} {
		representations := []map[string]any{}
		for n := range 50 {
			representations = append(representations, map[string]any{"__typename": name, "id": demonstration.ID(topic, n)})
		}
		representations[3]["id"] = "x"
		answer, statements := f.ask(t, reviewer, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on `+name+` { id version } } }`, map[string]any{"r": representations})
		if statements != 1 {
			t.Errorf("%s: %d statements, want 1", name, statements)
		}
		var read struct {
			Entities []*struct{ ID string } `json:"_entities"`
		}
		if err := json.Unmarshal([]byte(answer), &read); err != nil {
			t.Fatalf("%s: %v: %s", name, err, answer)
		}
		for n, e := range read.Entities {
			if n == 3 && e != nil || n != 3 && (e == nil || e.ID != representations[n]["id"]) {
				t.Errorf("%s %d: %v", name, n, e)
			}
		}
	}
}

// TestOwnListsAreTheirOwners asks for the lists of two citizens.
func TestOwnListsAreTheirOwners(t *testing.T) {
	f := open(t)
	applicant, stranger := f.citizen(0), f.citizen(3)
	query := fmt.Sprintf(`{ _entities(representations: [{__typename: "Citizen", id: %q}, {__typename: "Citizen", id: %q}]) {
		... on Citizen { participants { id } demands(first: 2) { nodes { id } } } } }`, applicant.ID, stranger.ID)
	var read struct {
		Entities []struct {
			Participants []struct{ ID string }
			Demands      *struct{ Nodes []struct{ ID string } }
		} `json:"_entities"`
	}
	for who, p := range map[string]*access.Principal{"nobody": nil, "a reviewer": reviewer} {
		answer, statements := f.ask(t, p, query, nil)
		if want := `{"_entities":[{"participants":null,"demands":null},{"participants":null,"demands":null}]}`; answer != want || statements != 0 {
			t.Errorf("%s gets %s in %d statements", who, answer, statements)
		}
	}
	answer, _ := f.ask(t, applicant, query, nil)
	if err := json.Unmarshal([]byte(answer), &read); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if len(read.Entities[0].Participants) == 0 || read.Entities[0].Demands == nil || read.Entities[1].Participants != nil || read.Entities[1].Demands != nil {
		t.Errorf("the applicant gets %s", answer)
	}
}

func TestMutationsThroughTheSchema(t *testing.T) {
	f := open(t)
	citizen := f.citizen(4000)
	apply := `mutation ($uscc: String!, $area: ID!) { applyParticipant(input: {uscc: $uscc, name: "成都某某服务社", kind: SOCIAL_ORGANISATION,
		introduction: "为老服务", areaId: $area, qualifications: [{name: "登记证书", number: "川A1", validUntil: "2030-01-01"}]}) {
		participant { id state version allowedActions qualifications { name validUntil } history { action to } } } }`
	variables := map[string]any{"uscc": "91350100M000100Y43", "area": citizen.AreaCode}
	answer, _ := f.ask(t, citizen, apply, variables)
	var applied struct {
		ApplyParticipant struct {
			Participant struct {
				ID             string
				State          string
				Version        int
				Qualifications []struct{ Name, ValidUntil string }
				History        []struct{ Action, To string }
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &applied); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	x := applied.ApplyParticipant.Participant
	if x.State != "APPLIED" || x.Version != 1 || len(x.Qualifications) != 1 || x.Qualifications[0].ValidUntil != "2030-01-01" || len(x.History) != 1 {
		t.Errorf("%+v", x)
	}
	if answer, _ := f.ask(t, f.citizen(4001), apply, variables); answer != "CONFLICT" {
		t.Errorf("the same code again: %s", answer)
	}
	take := fmt.Sprintf(`mutation { takeParticipant(input: {id: %q, expectedVersion: 1}) { participant { state version allowedActions } } }`, x.ID)
	if answer, _ := f.ask(t, citizen, take, nil); answer != "FORBIDDEN" {
		t.Errorf("the applicant takes it: %s", answer)
	}
	want := `{"takeParticipant":{"participant":{"state":"IN_REVIEW","version":2,"allowedActions":["APPROVE","REJECT"]}}}`
	if answer, _ := f.ask(t, reviewer, take, nil); answer != want {
		t.Errorf("%s, want %s", answer, want)
	}
	if answer, _ := f.ask(t, reviewer, take, nil); answer != "CONFLICT" {
		t.Errorf("taking it again: %s", answer)
	}
	for query, want := range map[string]string{
		`{ demands(states: [DRAFT]) { nodes { id } } }`:       "UNAUTHENTICATED",
		`{ communityServices { nodes { id } } }`:              "UNAUTHENTICATED",
		`{ participants { nodes { id } } }`:                   "UNAUTHENTICATED",
		`{ participant(id: "x") { id } }`:                     `{"participant":null}`,
		fmt.Sprintf(`{ participant(id: %q) { id } }`, x.ID):   `{"participant":null}`,
		`{ demands(first: 0) { nodes { id } } }`:              "INVALID_INPUT",
		`{ demands(areaId: "1", first: 1) { nodes { id } } }`: "INVALID_INPUT",
	} {
		if answer, _ := f.ask(t, nil, query, nil); answer != want {
			t.Errorf("%s: %s, want %s", query, answer, want)
		}
	}
}
