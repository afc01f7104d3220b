package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// A functional zone runs streets of several districts.
func TestScopeOfSeveralPrefixes(t *testing.T) {
	zone := worker("510191000000", access.CommunityWorker)
	zone.Prefixes = []string{"510191", "510107060", "510109101001"}
	for area, want := range map[string]bool{
		"510191000000": true, "510107060000": true, "510107060001": true, "510109101001": true,
		"510109101000": false, "510109101002": false, "510107061001": false, "510107000000": false, "510100000000": false, "": false,
	} {
		if got := zone.Covers(area); got != want {
			t.Errorf("covers %s: %v", area, got)
		}
	}
	if got := zone.Prefix(); got != "510191,510107060,510109101001" {
		t.Errorf("app.area is %q", got)
	}
	nowhere := worker("510104017001", access.CommunityWorker)
	nowhere.Prefixes = []string{}
	if nowhere.Covers("510104017001") || nowhere.Prefix() != "-" || !slices.Equal(nowhere.Scopes(), []string{"-"}) {
		t.Error("an empty scope covers something")
	}
	forged := worker("510104017001", access.CommunityWorker)
	forged.Prefixes = []string{""}
	if forged.Covers("510104017001") {
		t.Error("an empty prefix covers everything")
	}
	for text, want := range map[string]bool{"5101": true, "510104": true, "510104017": true, "510104017001": true,
		"": false, "5": false, "51": false, "51010401": false, "0101": false, "51x1": false, "5101,5102": false} {
		if access.ValidPrefix(text) != want {
			t.Errorf("%q valid: %v", text, !want)
		}
	}
}

func TestTwoScopesShareNoAnswer(t *testing.T) {
	a, b := worker("510104000000", access.Leader), worker("510104000000", access.Leader)
	b.Prefixes = []string{"510104", "510107060"}
	if a.Scope() == b.Scope() {
		t.Error("two data scopes share answers")
	}
}

// Who has not completed signing in is nobody, and learns what is missing.
func TestTheConfinedAreNobody(t *testing.T) {
	p := worker("510100000000", access.SystemAdmin)
	whole := p.View()
	for _, c := range []access.Confinement{access.PasswordDue, access.EnrolmentDue, access.FactorDue} {
		p.Confined = c
		ctx := access.With(t.Context(), p)
		if access.From(ctx) != nil || access.ConfinedFrom(ctx) != p || p.Scope() != "" || p.View() == whole {
			t.Errorf("%s: is somebody", c)
		}
		if _, err := access.Require(ctx, access.WorkerManage); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", c, err)
		}
		if _, err := access.RequireWorker(ctx); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", c, err)
		}
		if access.Decide(p, access.WorkerManage, "") != access.Nobody {
			t.Errorf("%s: may act", c)
		}
	}
}

// No action may be reached from two administrators but what all three share,
// and each has a task that is nobody else's.
func TestThreeAdministratorsAreKeptApart(t *testing.T) {
	own := map[access.Role][]access.Action{
		access.SystemAdmin:   {access.WorkerManage, access.UnitManage},
		access.SecurityAdmin: {access.RoleGrant},
		access.AuditAdmin:    {access.AuditView},
	}
	for role, actions := range own {
		if !role.Administrator() {
			t.Errorf("%s is no administrator", role)
		}
		for _, action := range actions {
			for _, other := range access.Roles() {
				if other.Grants(action) != (other == role) {
					t.Errorf("%s: %s grants it: %v", action, other, other.Grants(action))
				}
			}
		}
		for _, shared := range []access.Action{access.WorkerView, access.PermissionView, access.AuditOfAdmins} {
			if !role.Grants(shared) {
				t.Errorf("%s cannot %s", role, shared)
			}
		}
	}
	if got := access.Administrators([]access.Role{access.Leader, access.AuditAdmin, access.AuditAdmin, access.SystemAdmin}); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func TestActionsTellWhatRolesGrant(t *testing.T) {
	for _, p := range []*access.Principal{nil, {Kind: access.Citizen, Roles: []access.Role{access.Leader}}, {Kind: access.System}, worker("510100000000")} {
		if got := p.Actions(); got != "" {
			t.Errorf("%+v: %s", p, got)
		}
	}
	p := worker("510100000000", access.Leader, access.CatalogueEditor, "UNKNOWN")
	told := strings.Split(p.Actions(), ",")
	for _, action := range access.Actions() {
		if slices.Contains(told, string(action)) != p.May(action) {
			t.Errorf("%s: told %v, may %v", action, !p.May(action), p.May(action))
		}
	}
	if p.May("") || p.May("no.such") {
		t.Error("an unknown action is granted")
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	p := worker("510104017000", access.Leader, access.Supervisor)
	p.Prefixes = []string{"510104017", "510107060"}
	if n := testing.AllocsPerRun(100, func() { access.Decide(p, access.FeedbackReject, "510107060001") }); n != 0 {
		t.Errorf("%v allocations a decision", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := worker("510104017000", access.Leader, access.Supervisor, access.CommunityWorker)
	p.Prefixes = []string{"510104017", "510107060", "510107061"}
	b.ReportAllocs()
	for b.Loop() {
		if access.Decide(p, access.FeedbackHandle, "510107061001") != access.Allowed {
			b.Fatal("refused")
		}
	}
}
