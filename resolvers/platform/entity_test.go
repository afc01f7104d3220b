package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// statements runs the operation and gives the number of its SQL statements
// with the answer. Each transaction counts one more, for its scope.
func (w *world) statements(p *access.Principal, query, variables string) (int, answer) {
	w.t.Helper()
	ctx, counter := database.WithCounter(w.t.Context())
	a := w.askIn(ctx, p, query, variables)
	if len(a.Errors) > 0 {
		w.t.Fatalf("%s: %v", query, a.Errors)
	}
	return int(counter.Statements()), a
}

func representations(typename string, ids []string) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = fmt.Sprintf(`{"__typename": %q, "id": %q}`, typename, id)
	}
	return `{"r": [` + strings.Join(list, ",") + `]}`
}

func TestFiftyRepresentationsAreOneCall(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	w.settle(p, here)
	codes := division.Communities()[:50]
	var notifications, files, citizens []string
	for i := range 50 {
		notifications = append(notifications, w.notify(p, fmt.Sprint(i)))
	}
	for range 50 { // the same one fifty times, as a list of cases has it
		citizens = append(citizens, p.ID)
	}
	u := w.upload(p, picture(1))
	for range 50 {
		files = append(files, u.ID)
	}
	var units, workers []string
	for _, code := range []string{here, city, district, street, next, elsewhere} {
		units, workers = append(units, w.workers[code]), append(workers, w.workers[code])
	}
	const asked = `query($r: [_Any!]!) { _entities(representations: $r) { __typename %s } }`
	for _, c := range []struct {
		name   string
		who    *access.Principal
		fields string
		reps   string
		n      int
		want   int // statements: two for each store call
	}{
		{"areas", nil, `... on Area { name }`, representations("Area", codes), 50, 0},
		{"areas with all around them", nil, `... on Area { name parent { name } path { name } zone { name } children(first: 2) { edges { node { name } } } }`, representations("Area", codes), 50, 0},
		{"citizens", w.worker(here), `... on Citizen { nickname mobileMasked area { name path { name } } }`, representations("Citizen", citizens), 50, 2},
		{"notifications", p, `... on Notification { title }`, representations("Notification", notifications), 50, 2},
		{"files", p, `... on FileAsset { url }`, representations("FileAsset", files), 50, 2},
		{"units", nil, `... on OrgUnit { name area { name } parent { name } children(first: 3) { edges { cursor } } }`, representations("OrgUnit", units), 6, 6},
		{"workers", w.worker(city, access.Supervisor), `... on Worker { name area { name } unit { name } assignments { post } }`, representations("Worker", workers), 6, 6},
	} {
		query := fmt.Sprintf(asked, c.fields)
		got, a := w.statements(c.who, query, c.reps)
		if got > c.want {
			t.Errorf("%s: %d statements, want at most %d", c.name, got, c.want)
		}
		var data struct {
			Entities []*struct {
				Typename string `json:"__typename"`
			} `json:"_entities"`
		}
		w.must(json.Unmarshal(a.Data, &data))
		if len(data.Entities) != c.n {
			t.Errorf("%s: %d entities", c.name, len(data.Entities))
		}
		for i, entity := range data.Entities {
			if entity == nil {
				t.Errorf("%s: the entity %d is null", c.name, i)
			}
		}
		var reps struct{ R []json.RawMessage }
		w.must(json.Unmarshal([]byte(c.reps), &reps))
		one, _ := w.statements(c.who, query, `{"r": [`+string(reps.R[0])+`]}`)
		if got > one {
			t.Errorf("%s: %d statements for %d, %d for one", c.name, got, c.n, one)
		}
	}
}

func TestEntitiesKeepTheirPlacesAmongUnknownOnes(t *testing.T) {
	w := newWorld(t)
	for typename, id := range map[string]string{"OrgUnit": w.workers[here], "Area": here, "Worker": w.workers[here]} {
		reps := representations(typename, []string{"rubbish", id, "", "00000000-0000-7000-8000-0000000000ff", "510104999999", `urn:uuid:00000000-0000-7000-8000-000000000003`, id})
		a := w.ask(w.worker(here), `query($r: [_Any!]!) { _entities(representations: $r) { ... on `+typename+` { id name } } }`, reps)
		var data struct {
			Entities []*struct{ ID string } `json:"_entities"`
		}
		w.must(json.Unmarshal(a.Data, &data))
		for i, entity := range data.Entities {
			if there := i == 1 || i == 6; there != (entity != nil) || there && entity.ID != id {
				t.Errorf("%s: place %d: %+v", typename, i, entity)
			}
		}
		if len(data.Entities) != 7 || len(a.Errors) > 0 {
			t.Errorf("%s: %d entities, %v", typename, len(data.Entities), a.Errors)
		}
	}
	// fields by list with nothing in some places
	a := w.ask(w.worker(here), `query($r: [_Any!]!) { _entities(representations: $r) { ... on Area { name parent { name } path { name } children(first: 1) { edges { node { name } } } } } }`,
		representations("Area", []string{"rubbish", city, "rubbish", here}))
	if len(a.Errors) > 0 || !strings.Contains(string(a.Data), `null,{"name":"成都市","parent":null,"path":[{"name":"成都市"}],"children":{"edges":[{"node":{"name":"锦江区"}}]}},null,{"name":"水井坊社区","parent":{"name":"锦官驿街道"}`) {
		t.Errorf("%s %v", a.Data, a.Errors)
	}
}

func TestAreas(t *testing.T) {
	w := newWorld(t)
	if n := w.number(`SELECT count(*) FROM platform.area`); n != len(division.Chengdu()) {
		t.Fatalf("%d areas, want %d", n, len(division.Chengdu()))
	}
	var rows []struct {
		Code, Name, Level string
		Parent            *string
		Zone              *string
		Internal          bool
	}
	w.must(w.database.Owner.Select(&rows, `SELECT code, name, level, parent_code AS parent, zone_code AS zone, internal FROM platform.area ORDER BY code`))
	zones := map[string]string{}
	for i, a := range division.Chengdu() {
		zones[a.Code] = a.Zone
		row, parent, zone := rows[i], "", ""
		if row.Parent != nil {
			parent = *row.Parent
		}
		if row.Zone != nil {
			zone = *row.Zone
		}
		want := a.Zone
		if want == "" && division.LevelOf(a.Code) == division.Community {
			want = zones[division.Parent(a.Code)]
		}
		if row.Code != a.Code || row.Name != a.Name || row.Level != string(division.LevelOf(a.Code)) || parent != division.Parent(a.Code) || zone != want || row.Internal != a.Internal {
			t.Fatalf("%+v (parent %s, zone %s) is not %+v", row, parent, zone, a)
		}
	}
	const query = `{ area(id: "510104017001") { id code name fullName level validFrom validTo internal parent { name } path { name level } zone { name } } }`
	if a := w.ask(nil, query, ""); string(a.Data) != `{"area":{"id":"510104017001","code":"510104017001","name":"水井坊社区","fullName":"成都市锦江区锦官驿街道水井坊社区","level":"COMMUNITY","validFrom":"2023-06-30","validTo":null,"internal":false,"parent":{"name":"锦官驿街道"},"path":[{"name":"成都市","level":"CITY"},{"name":"锦江区","level":"DISTRICT"},{"name":"锦官驿街道","level":"STREET"},{"name":"水井坊社区","level":"COMMUNITY"}],"zone":null}}` {
		t.Errorf("%s %v", a.Data, a.Errors)
	}
	for id, want := range map[string]string{"510104999999": `{"area":null}`, "rubbish": `{"area":null}`, "": `{"area":null}`} {
		if a := w.ask(nil, `query($id: ID!) { area(id: $id) { name } }`, fmt.Sprintf(`{"id": %q}`, id)); string(a.Data) != want || a.Errors != nil {
			t.Errorf("%q: %s %v", id, a.Data, a.Errors)
		}
	}
	if a := w.ask(nil, `{ area(id: "510191000000") { internal children(first: 10) { edges { node { name zone { name } } } } } }`, ""); strings.Count(string(a.Data), `"zone":{"name":"高新区"}`) == 0 && strings.Count(string(a.Data), `"zone":{"name":"`) < 4 {
		t.Errorf("the zone's streets: %s %v", a.Data, a.Errors)
	}
}

func TestAreasSearchAndPages(t *testing.T) {
	w := newWorld(t)
	type list struct {
		Areas struct {
			Edges []struct {
				Cursor string
				Node   struct{ Code, Name string }
			}
			PageInfo struct {
				HasNextPage bool
				EndCursor   *string
			}
		}
	}
	const query = `query($p: ID, $s: String, $l: AreaLevel, $f: Int, $a: String) { areas(parentId: $p, search: $s, level: $l, first: $f, after: $a) {
		edges { cursor node { code name } } pageInfo { hasNextPage endCursor } } }`
	got := get[list](w, nil, query, `{"s": "井坊"}`).Areas
	if len(got.Edges) == 0 || got.Edges[0].Node.Name != "水井坊社区" {
		t.Errorf("井坊: %+v", got)
	}
	for _, s := range []string{"%", "_", "'", `\`} { // nothing is a pattern
		if got := get[list](w, nil, query, fmt.Sprintf(`{"s": %q}`, s)).Areas; len(got.Edges) != 0 {
			t.Errorf("%s: %+v", s, got.Edges)
		}
	}
	var codes []string
	after := ""
	for {
		page := get[list](w, nil, query, fmt.Sprintf(`{"l": "STREET", "f": 100, "a": %q}`, after)).Areas
		for _, edge := range page.Edges {
			codes = append(codes, edge.Node.Code)
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		after = *page.PageInfo.EndCursor
	}
	streets := 0
	for _, a := range division.Chengdu() {
		if division.LevelOf(a.Code) == division.Street {
			if streets >= len(codes) || codes[streets] != a.Code {
				t.Fatalf("street %d is not %s", streets, a.Code)
			}
			streets++
		}
	}
	if streets != len(codes) {
		t.Errorf("%d streets, want %d", len(codes), streets)
	}
	for variables, field := range map[string]string{
		`{"p": "5101"}`: "parentId", `{"f": 101}`: "first", `{"f": 0}`: "first", `{"a": "x"}`: "after",
		`{"s": "` + strings.Repeat("长", 21) + `"}`: "search",
	} {
		if a := w.ask(nil, query, variables); a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != field {
			t.Errorf("%s: %v", variables, a.Errors)
		}
	}
	// children page like the list
	first := get[struct {
		Area struct {
			Children struct {
				Edges []struct {
					Cursor string
					Node   struct{ Name string }
				}
			}
		}
	}](w, nil, `{ area(id: "510104017000") { children(first: 2) { edges { cursor node { name } } } } }`, "").Area.Children.Edges
	if a := w.ask(nil, `query($a: String) { area(id: "510104017000") { children(first: 1, after: $a) { edges { node { name } } pageInfo { hasPreviousPage } } } }`, fmt.Sprintf(`{"a": %q}`, first[1].Cursor)); !strings.Contains(string(a.Data), "合江亭社区") {
		t.Errorf("%+v then %s %v", first, a.Data, a.Errors)
	}
}

func TestUnitsOfAnArea(t *testing.T) {
	w := newWorld(t)
	for variables, want := range map[string]int{
		`{"a": "` + here + `"}`: 1, `{"a": "` + street + `"}`: 1, `{"a": "` + street + `", "b": true}`: 3, `{"b": true}`: 6, `{}`: 1,
		`{"b": true, "s": "` + next + `"}`: 1,
	} {
		got := get[struct {
			OrgUnits struct {
				Edges []struct{ Node struct{ Name string } }
			}
		}](w, nil, `query($a: ID, $b: Boolean, $s: String) { orgUnits(areaId: $a, includeBelow: $b, search: $s) { edges { node { name } } } }`, variables)
		if len(got.OrgUnits.Edges) != want {
			t.Errorf("%s: %d units, want %d", variables, len(got.OrgUnits.Edges), want)
		}
	}
}
