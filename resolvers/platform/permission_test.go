package platform_test

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// The whole matrix, asked of the one decision in Go, of the directive, and of
// the database: each role and action, in one's own area, above, beside, below
// and far away, for a scope of one prefix and one of several.
func TestThreeAnswersToTheWholeMatrix(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	areas := []string{city, district, street, here, next, elsewhere}
	scopes := []access.Principal{
		{AreaCode: street}, {AreaCode: here}, {AreaCode: city}, {AreaCode: "510191000000", Prefixes: []string{"510104017002", "510107061"}}, {AreaCode: street, Prefixes: []string{}},
		{AreaCode: street, Prefixes: []string{street}},
	}
	asked := 0
	for _, role := range append(access.Roles(), "NO_SUCH_ROLE") {
		for _, scope := range scopes {
			p := &access.Principal{Kind: access.Worker, ID: a.system.ID, AreaCode: scope.AreaCode, Prefixes: scope.Prefixes, Roles: []access.Role{role}}
			var rows []struct {
				Action string `db:"action"`
				Area   string `db:"area"`
				Yes    bool   `db:"yes"`
			}
			actions := access.Actions()
			w.must(w.db.Read(access.With(t.Context(), p), func(tx *sqlx.Tx) error {
				return tx.Select(&rows, `
					SELECT action, area, coalesce(current_setting('app.kind', true) = 'worker'
						AND action = ANY (string_to_array(current_setting('app.actions', true), ','))
						AND area ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]), false) AS yes
					FROM unnest($1::text[]) AS action, unnest($2::text[]) AS area`, actions, areas)
			}))
			for _, row := range rows {
				asked++
				decided := access.Decide(p, access.Action(row.Action), row.Area) == access.Allowed
				if decided != row.Yes {
					t.Errorf("%s %v %s in %s: Go %v, SQL %v", role, p.Scopes(), row.Action, row.Area, decided, row.Yes)
				}
			}
			// the directive, where the schema has it with an area
			for _, area := range areas {
				decided := access.Decide(p, access.WorkerView, area) == access.Allowed
				got := w.ask(p, `query($a: ID) { workers(areaId: $a, first: 1) { edges { cursor } } }`, fmt.Sprintf(`{"a": %q}`, area))
				if (got.code() == "") != decided {
					t.Errorf("%s %v worker.view in %s: Go %v, directive %v", role, p.Scopes(), area, decided, got.Errors)
				}
				decided = access.Decide(p, access.UnitManage, area) == access.Allowed
				got = w.ask(p, `mutation($a: ID!) { createOrgUnit(input: {name: "x", kind: COMMUNITY, areaId: $a, parentId: "x"}) { orgUnit { id } } }`, fmt.Sprintf(`{"a": %q}`, area))
				if (got.code() == "INVALID_INPUT") != decided { // past the directive the name is too short
					t.Errorf("%s %v unit.manage in %s: Go %v, directive %v", role, p.Scopes(), area, decided, got.Errors)
				}
				// the policy of a table that asks for the action
				var seen int
				w.must(w.db.Write(access.With(t.Context(), p), func(tx *sqlx.Tx) error {
					result, err := tx.Exec(`UPDATE platform.org_unit SET name = name WHERE area_code = $1`, area)
					if err != nil {
						return err
					}
					n, err := result.RowsAffected()
					seen = int(n)
					return err
				}))
				if (seen > 0) != decided {
					t.Errorf("%s %v unit.manage in %s: Go %v, the policy %d rows", role, p.Scopes(), area, decided, seen)
				}
			}
		}
	}
	if want := (len(access.Roles()) + 1) * len(scopes) * len(access.Actions()) * len(areas); asked != want {
		t.Errorf("%d of %d decisions compared", asked, want)
	}
}

func TestPermissionMatrix(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	w.hire(5, here, `=HYPERLINK("http://x","点我")`, access.CommunityWorker)
	const query = `{ permissionMatrix { roles { role administrator actions { action name granted } dataScopes { dataScope posts workers } } csv postsCsv } }`
	for name, who := range map[string]*access.Principal{"nobody": nil, "a worker": w.worker(here), "a leader": w.worker(city, access.Leader)} {
		if code := w.ask(who, query, "").code(); code != "FORBIDDEN" && code != "UNAUTHENTICATED" {
			t.Errorf("%s: %q", name, code)
		}
	}
	type matrix struct {
		PermissionMatrix struct {
			Roles []struct {
				Role          access.Role
				Administrator bool
				Actions       []struct {
					Action, Name string
					Granted      bool
				}
				DataScopes []struct {
					DataScope      string
					Posts, Workers int
				}
			}
			CSV      string `json:"csv"`
			PostsCSV string `json:"postsCsv"`
		}
	}
	for _, who := range []*access.Principal{a.system, a.security, a.audit} {
		m := get[matrix](w, who, query, "").PermissionMatrix
		if len(m.Roles) != len(access.Roles()) {
			t.Fatalf("%d roles", len(m.Roles))
		}
		for _, role := range m.Roles {
			for _, action := range role.Actions {
				if action.Granted != role.Role.Grants(access.Action(action.Action)) || action.Name == "" {
					t.Errorf("%s: %+v", role.Role, action)
				}
			}
			if role.Role == access.SecurityAdmin && (len(role.DataScopes) != 1 || role.DataScopes[0].Posts != 2 || role.DataScopes[0].Workers != 2) {
				t.Errorf("%+v", role)
			}
		}
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(m.CSV, "\ufeff"))).ReadAll()
		if err != nil || len(lines) < 1+len(access.Roles())*len(access.Actions()) {
			t.Errorf("%d lines, %v", len(lines), err)
		}
		lines, err = csv.NewReader(strings.NewReader(strings.TrimPrefix(m.PostsCSV, "\ufeff"))).ReadAll()
		if err != nil || len(lines) != 6 || !slices.ContainsFunc(lines, func(line []string) bool { return line[1] == `'=HYPERLINK("http://x","点我")` }) {
			t.Errorf("%v %v", lines, err)
		}
	}
	// each administrator sees what the others did
	w.refused("a deed", w.do(a.system, "createPost", "CreatePostInput", "post { id }", map[string]any{"unitId": w.workers[here], "name": "网格员"}), "", "")
	for name, who := range map[string]*access.Principal{"security": a.security, "audit": a.audit, "system": a.system} {
		got := get[struct {
			InstitutionChanges struct {
				Edges []struct {
					Node struct{ Action, ActorName, ActorRole string }
				}
			}
		}](w, who, `{ institutionChanges(actorRole: SYSTEM_ADMIN) { edges { node { action actorName actorRole } } } }`, "").InstitutionChanges.Edges
		if len(got) != 1 || got[0].Node.Action != "CREATE" || got[0].Node.ActorRole != "SYSTEM_ADMIN" {
			t.Errorf("%s sees %+v", name, got)
		}
	}
	if code := w.ask(w.worker(city, access.Leader), `{ institutionChanges { edges { cursor } } }`, "").code(); code != "FORBIDDEN" {
		t.Errorf("a leader reads the changes: %s", code)
	}
}
