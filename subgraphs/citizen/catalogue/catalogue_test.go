package catalogue

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

// fixture is a migrated database with the catalogue loaded.
type fixture struct {
	*Catalogue
	db    *database.DB
	owner *sqlx.DB
}

func open(t *testing.T) fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return fixture{New(db), db, at.Owner}
}

func as(t *testing.T, p *access.Principal) context.Context { return access.With(t.Context(), p) }

var (
	cityEditor     = &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8001", AreaCode: "510100000000", Roles: []access.Role{access.CatalogueEditor}}
	districtEditor = &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8002", AreaCode: "510104000000", Roles: []access.Role{access.CatalogueEditor}}
	cityLeader     = &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8003", AreaCode: "510100000000", Roles: []access.Role{access.Leader}}
	resident       = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a8004", AreaCode: "510104017001"}
)

func expect(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

func titles(all []*Service) []string {
	names := []string{}
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

func TestLoadTwiceChangesNothing(t *testing.T) {
	f := open(t)
	var before, after int
	const sum = `SELECT count(*) + sum(version) FROM citizen.service`
	if err := f.owner.Get(&before, sum); err != nil {
		t.Fatal(err)
	}
	ctx, counter := database.WithCounter(t.Context())
	if err := Load(ctx, f.db); err != nil {
		t.Fatal(err)
	}
	if n := counter.Statements(); n != 1 {
		t.Errorf("loading again took %d statements, want one look", n)
	}
	if err := f.owner.Get(&after, sum); err != nil {
		t.Fatal(err)
	}
	if before != 460 || after != before {
		t.Errorf("%d before, %d after, want 460: 230 services at version 1", before, after)
	}
}

func TestANewReleaseLeavesWhatPeopleEdited(t *testing.T) {
	f := open(t)
	_, err := f.owner.Exec(`TRUNCATE citizen.catalogue_release;
		UPDATE citizen.service SET name = '旧名称' WHERE code IN ('S001', 'S002');
		UPDATE citizen.service SET edited = true WHERE code = 'S002'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := Load(t.Context(), f.db); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := f.owner.Select(&got, `SELECT name FROM citizen.service WHERE code IN ('S001', 'S002') ORDER BY code`); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"微户政", "旧名称"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSearch(t *testing.T) {
	f := open(t)
	search := func(text string) []string {
		t.Helper()
		first := 100
		page, err := f.Services(t.Context(), Filter{Search: text}, &first, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return titles(page.Nodes)
	}
	for text, want := range map[string][]string{
		"献血":        {"爱心献血-在线预约献血", "爱心献血-血液检查结果查询", "爱心献血-流动献血站安排"},
		"小学划片":      {"小学划片"},
		"划片":        {"小学划片", "小升初划片"},
		"12345":     {"12345市长信箱"},
		"１２３４５":     {"12345市长信箱"},
		"you":       {"You成都生活地图", "You成都生活地图"},
		"gochengdu": {"GoChengdu"},
		"献血 流动":     {"爱心献血-流动献血站安排"},
		"血献":        {},
		"S157":      {"12345市长信箱"},
		"没有这样的服务":   {},
		"';--":      nil,
	} {
		if want == nil {
			continue
		}
		if diff := cmp.Diff(want, search(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	// by what is not in the name: department, category, summary; names first
	got := search("公积金")
	if len(got) < 13 || got[0] != "公积金查询-账户信息" || got[len(got)-1] == "公积金合作楼盘查询" {
		t.Errorf("公积金: %v", got)
	}
	for _, text := range []string{"社", "';--", "，"} {
		_, err := f.Services(t.Context(), Filter{Search: text}, nil, nil)
		expect(t, text, err, fault.InvalidInput)
	}
}

// TestAnyTextMayBeSearched: whatever people type, PostgreSQL can read the query.
func TestAnyTextMayBeSearched(t *testing.T) {
	f := open(t)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("社保&|!():*<->'\\\"% \t①ʼ０Ａｂ你𠮷")))).Draw(r, "text")
		_, err := f.Services(t.Context(), Filter{Search: text}, nil, nil)
		if code := fault.CodeOf(err); code != "" && code != fault.InvalidInput {
			r.Fatalf("%q: %v", text, err)
		}
	})
}

func TestPagesHoldEachServiceOnce(t *testing.T) {
	f := open(t)
	seen := map[string]bool{}
	first, after, pages := 37, (*string)(nil), 0
	for {
		page, err := f.Services(t.Context(), Filter{}, &first, after)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, s := range page.Nodes {
			if seen[s.Code] {
				t.Errorf("%s twice", s.Code)
			}
			seen[s.Code] = true
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		after = page.PageInfo.EndCursor
	}
	if len(seen) != 230 || pages != 7 {
		t.Errorf("%d services on %d pages, want 230 on 7", len(seen), pages)
	}
	for _, cursor := range []string{"x", "W10", "WyJhIiwiYiIsImMiXQ"} {
		_, err := f.Services(t.Context(), Filter{}, nil, &cursor)
		expect(t, "cursor "+cursor, err, fault.InvalidInput)
	}
}

func TestFilters(t *testing.T) {
	f := open(t)
	category, department, kind, client := "housing-fund", "library", KindLink, MiniProgram
	for what, filter := range map[string]Filter{
		"category": {CategoryID: &category}, "department": {DepartmentID: &department}, "kind": {Kind: &kind}, "client": {Client: &client},
	} {
		first := 100
		page, err := f.Services(t.Context(), filter, &first, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Nodes) == 0 {
			t.Errorf("%s: nothing", what)
		}
		for _, s := range page.Nodes {
			if filter.CategoryID != nil && s.Category.ID != category || filter.DepartmentID != nil && s.Department.ID != department ||
				filter.Kind != nil && s.Kind != kind || filter.Client != nil && !s.Offered(client) {
				t.Errorf("%s: %s does not belong", what, s.Code)
			}
		}
		if n, err := f.Count(t.Context(), page.Filter); err != nil || n < len(page.Nodes) || n < 100 && n != len(page.Nodes) {
			t.Errorf("%s: count %d, %v, but %d on the page", what, n, err, len(page.Nodes))
		}
	}
}
