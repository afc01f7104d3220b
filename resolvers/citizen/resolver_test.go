package citizen

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

type fixture struct {
	*Resolver
	executor *executor.Executor
}

func open(t *testing.T) fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := catalogue.Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	r := New(Deps{DB: db})
	e := executor.New(r.Executable())
	e.SetErrorPresenter(fault.Present)
	e.SetRecoverFunc(fault.Recover)
	return fixture{r, e}
}

var (
	resident = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9001", AreaCode: "510104017001"}
	editor   = &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8001", AreaCode: "510100000000", Roles: []access.Role{access.CatalogueEditor}}
)

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

const everything = `query ($first: Int) { services(first: $first) { totalCount pageInfo { hasNextPage endCursor } nodes {
	id code seqNo name summary department { id name serviceCount } category { id name serviceCount } kind channels assuranceLevel
	health useCount favourited entries { id kind client target } entry(client: APP) { title } allowedActions history { action worker { id } } } } }`

func TestStatementsDoNotGrowWithRows(t *testing.T) {
	f := open(t)
	for who, p := range map[string]*access.Principal{"nobody": nil, "a citizen": resident, "an editor": editor} {
		_, few := f.ask(t, p, everything, map[string]any{"first": 2})
		answer, many := f.ask(t, p, everything, map[string]any{"first": 100})
		if few != many {
			t.Errorf("%s: %d statements for 2 services, %d for 100", who, few, many)
		}
		// one a store call: the list and the total;
		// favourites for a citizen; two kinds of counts, which for all others are
		// in memory, and histories for an editor
		want := int64(2)
		switch p {
		case resident:
			want = 3
		case editor:
			want = 5
		}
		if many != want {
			t.Errorf("%s: %d statements, want %d", who, many, want)
		}
		if !strings.Contains(answer, `"totalCount":230`) || strings.Count(answer, `"seqNo":`) != 100 {
			t.Errorf("%s: %.300s", who, answer)
		}
	}
}

// TestFiftyRepresentationsAreOneCall of the store for an editor, and none for
// everybody else: what is published is in memory.
func TestFiftyRepresentationsAreOneCall(t *testing.T) {
	f := open(t)
	f.representations(t, nil, 0)
	f.representations(t, resident, 0)
	f.representations(t, editor, 1)
}

func (f fixture) representations(t *testing.T, p *access.Principal, want int64) {
	t.Helper()
	representations := []map[string]any{}
	for n := range 50 {
		representations = append(representations, map[string]any{"__typename": "Service", "id": catalogue.ListedID(n + 1)})
	}
	representations[7]["id"] = "01890a5d-ac96-774b-bcce-b302099a0000" // no such service
	representations[8]["id"] = "no ID at all"
	answer, statements := f.ask(t, p, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Service { code } } }`, map[string]any{"r": representations})
	if statements != want {
		t.Errorf("%d statements, want %d", statements, want)
	}
	var read struct {
		Entities []*struct{ Code string } `json:"_entities"`
	}
	if err := json.Unmarshal([]byte(answer), &read); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	for n, e := range read.Entities {
		if gone := n == 7 || n == 8; gone != (e == nil) {
			t.Errorf("entity %d: %v", n, e)
		} else if e != nil && e.Code != fmt.Sprintf("S%03d", n+1) {
			t.Errorf("entity %d is %s", n, e.Code)
		}
	}
	answer, statements = f.ask(t, p, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ServiceCategory { name } } }`,
		map[string]any{"r": []map[string]any{{"__typename": "ServiceCategory", "id": "housing-fund"}, {"__typename": "ServiceCategory", "id": "x"}}})
	if categories := `{"_entities":[{"name":"公积金"},null]}`; answer != categories || statements != want {
		t.Errorf("%s in %d statements, want %s in %d", answer, statements, categories, want)
	}
}

// TestListsAreTheirOwners asks for the lists of fifty citizens: the one who
// asks gets theirs, with one statement each; the others' are null.
func TestListsAreTheirOwners(t *testing.T) {
	f := open(t)
	mark := fmt.Sprintf(`mutation { favouriteService(input: {serviceId: %q}) { service { code favourited } } }`, catalogue.ListedID(5))
	if answer, _ := f.ask(t, resident, mark, nil); answer != `{"favouriteService":{"service":{"code":"S005","favourited":true}}}` {
		t.Fatal(answer)
	}
	use := fmt.Sprintf(`mutation { useService(input: {serviceId: %q, client: APP}) { entry { target } } }`, catalogue.ListedID(6))
	if answer, _ := f.ask(t, resident, use, nil); answer != `{"useService":{"entry":{"target":"/services/S006"}}}` {
		t.Fatal(answer)
	}
	representations := []map[string]any{}
	for n := range 50 {
		id := fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a9%03d", n)
		representations = append(representations, map[string]any{"__typename": "Citizen", "id": id})
	}
	representations[30]["id"] = resident.ID // twice
	const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { id
		favouriteServices(first: 3) { code } recentServices(first: 3) { code } recommendedServices(first: 2) { code } } } }`
	type lists struct {
		ID                                                     string
		FavouriteServices, RecentServices, RecommendedServices []struct{ Code string }
	}
	for who, p := range map[string]*access.Principal{"nobody": nil, "the citizen": resident, "an editor": editor} {
		answer, statements := f.ask(t, p, query, map[string]any{"r": representations})
		var read struct {
			Entities []lists `json:"_entities"`
		}
		if err := json.Unmarshal([]byte(answer), &read); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		for _, e := range read.Entities {
			if p == resident && e.ID == resident.ID {
				got := fmt.Sprint(e.FavouriteServices, e.RecentServices, e.RecommendedServices)
				if diff := cmp.Diff("[{S005}] [{S006}] [{S001} {S002}]", got); diff != "" {
					t.Error(diff)
				}
			} else if e.FavouriteServices != nil || e.RecentServices != nil || e.RecommendedServices != nil {
				t.Errorf("%s sees the lists of %s: %v", who, e.ID, e)
			}
		}
		want := int64(0)
		if p == resident {
			want = 3
		}
		if statements != want {
			t.Errorf("%s: %d statements, want %d", who, statements, want)
		}
	}
}

func TestRefusalsCarryTheirCodes(t *testing.T) {
	f := open(t)
	for query, want := range map[string]string{
		`{ service { code } }`:                                                                 "INVALID_INPUT",
		`{ service(code: "S001", seqNo: 1) { code } }`:                                         "INVALID_INPUT",
		`{ services(first: 101) { nodes { id } } }`:                                            "INVALID_INPUT",
		`{ services(search: "社") { nodes { id } } }`:                                           "INVALID_INPUT",
		`{ popularServices(areaId: "5101") { id } }`:                                           "INVALID_INPUT",
		`{ managedServices { nodes { id } } }`:                                                 "UNAUTHENTICATED",
		`mutation { favouriteService(input: {serviceId: "x"}) { service { id } } }`:            "UNAUTHENTICATED",
		`mutation { publishService(input: {id: "x", expectedVersion: 1}) { service { id } } }`: "UNAUTHENTICATED",
		`{ service(code: "S999") { code } }`:                                                   `{"service":null}`,
		`{ service(id: "x") { code } }`:                                                        `{"service":null}`,
		`{ service(code: "S003") { app: entry(client: APP) { kind title target } screen: entry(client: SCREEN) { title } } }`: `{"service":{"app":{"kind":"MASTER","title":"社保服务-生育待遇","target":"/services/S003"},"screen":null}}`,
		`{ service(seqNo: 230) { name } }`: `{"service":{"name":"青年志愿服务"}}`,
		`{ service(code: "S230") { history { note } favourited allowedActions area { id } } }`: `{"service":{"history":null,"favourited":null,"allowedActions":[],"area":{"id":"510100000000"}}}`,
	} {
		if answer, _ := f.ask(t, nil, query, nil); answer != want {
			t.Errorf("%s: %s, want %s", query, answer, want)
		}
	}
}

func TestLoadersWorkWithoutAContext(t *testing.T) {
	f := open(t)
	count, err := f.ServiceCategory().ServiceCount(t.Context(), &catalogue.ServiceCategory{ID: "credit"})
	if err != nil || count != 4 {
		t.Errorf("%d, %v, want 4", count, err)
	}
}
