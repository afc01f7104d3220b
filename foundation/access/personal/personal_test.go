package personal_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/access/personal"
	"github.com/citizencloud/citizencloud/foundation/mask"
)

// wanted is the table written once more, grade by grade: P in full, M masked,
// "-" nothing; behind the slash with the purpose stated and recorded.
var wanted = map[string]string{
	"":                       "P M - - / P M - -", // nobody, citizens of others, workers without a role
	"COMMUNITY_WORKER":       "P P M - / P P P -",
	"SUPERVISOR":             "P P M - / P P P -",
	"LEADER":                 "P P - - / P P - -",
	"CATALOGUE_EDITOR":       "P M - - / P M - -",
	"SUPPLY_REVIEWER":        "P P M - / P P M -",
	"PAYMENT_OFFICER":        "P P M - / P P M -",
	"DEVELOPER":              "P M - - / P M - -",
	"SYSTEM_ADMIN":           "P P - - / P P - -",
	"SECURITY_ADMIN":         "P P - - / P P - -",
	"AUDIT_ADMIN":            "P P - - / P P - -",
	"the platform, or owner": "P P P P / P P P P",
}

// sight looks the grade up in the table.
func sight(line string, grade string, showing access.Showing) string {
	cells := strings.Fields(strings.ReplaceAll(wanted[line], "/", ""))
	at := int(grade[1] - '1')
	if showing == access.OnRecord {
		at += 4
	}
	if showing == access.AlwaysMasked && cells[at] == "P" {
		return "M"
	}
	return cells[at]
}

// thing is an object with a personal field.
type thing struct{ owner string }

func (o *thing) Concerns(p *access.Principal) bool { return p != nil && p.ID == o.owner }

// field is a marked field of an answer, as the SDL has it.
type field struct {
	place, subgraph, grade string
	kind                   *mask.Kind
	shown                  *access.Showing
	of                     *ast.Type
}

// fields walks the SDL of all subgraphs.
func fields(t *testing.T) []field {
	t.Helper()
	var found []field
	paths, err := filepath.Glob("../../../schema/*/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, err := parser.ParseSchema(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		for _, definition := range slices.Concat(document.Definitions, document.Extensions) {
			if definition.Kind != ast.Object && definition.Kind != ast.Interface {
				continue
			}
			for _, one := range definition.Fields {
				mark := one.Directives.ForName("personal")
				if mark == nil {
					continue
				}
				f := field{place: definition.Name + "." + one.Name, subgraph: filepath.Base(filepath.Dir(path)), grade: mark.Arguments.ForName("grade").Value.Raw, of: one.Type}
				if kind := mark.Arguments.ForName("kind"); kind != nil {
					f.kind = (*mask.Kind)(&kind.Value.Raw)
				}
				if shown := mark.Arguments.ForName("shown"); shown != nil {
					f.shown = (*access.Showing)(&shown.Value.Raw)
				}
				found = append(found, f)
			}
		}
	}
	if len(found) < 12 {
		t.Fatalf("%d marked fields: are the files read at all?", len(found))
	}
	return found
}

// Each personal field of the whole schema, answered to each role: in full,
// masked or null, as the table says, and what is masked does not hold the value.
func TestWholeSchemaToEveryRole(t *testing.T) {
	const owner = "owner"
	plain := map[mask.Kind]string{
		mask.Text: "家里漏水三天了", mask.MobileNumber: "+8613812345678", mask.PersonName: "欧阳修", mask.Identity: "510104199003071234",
		mask.EmailAddress: "limin@example.org", mask.Home: "锦江区水井坊街道12号3单元", mask.NetAddress: "203.0.113.7",
	}
	type asker struct {
		line string
		who  *access.Principal
	}
	askers := []asker{
		{"", nil}, {"", &access.Principal{Kind: access.Citizen, ID: "other"}},
		{"", &access.Principal{Kind: access.Citizen, ID: "other", Roles: []access.Role{access.CommunityWorker}}}, // roles are workers'
		{"", &access.Principal{Kind: access.Worker, ID: "w"}}, {"", &access.Principal{Kind: access.Worker, ID: "w", Roles: []access.Role{"NO_SUCH_ROLE"}}},
		{"", &access.Principal{Kind: access.Worker, ID: owner, Roles: []access.Role{access.CommunityWorker}, Confined: access.FactorDue}},
		{"the platform, or owner", &access.Principal{Kind: access.System}}, {"the platform, or owner", &access.Principal{Kind: access.Citizen, ID: owner}},
	}
	for _, role := range access.Roles() {
		if wanted[string(role)] == "" {
			t.Errorf("the table of this test does not know %s", role)
			continue
		}
		askers = append(askers, asker{string(role), &access.Principal{Kind: access.Worker, ID: "w", Roles: []access.Role{role}}})
	}
	// of two roles the one that sees more
	askers = append(askers, asker{"COMMUNITY_WORKER", &access.Principal{Kind: access.Worker, ID: "w", Roles: []access.Role{access.Leader, access.CommunityWorker}}})
	for _, f := range fields(t) {
		kind, showing := mask.Text, access.ByClearance
		if f.kind != nil {
			kind = *f.kind
		}
		if f.shown != nil {
			showing = *f.shown
		}
		value := plain[kind]
		if value == "" {
			t.Errorf("%s: this test has no value of the kind %s", f.place, kind)
			continue
		}
		for _, a := range askers {
			ctx := access.With(t.Context(), a.who)
			for _, form := range []any{value, &value, []string{value, ""}} {
				got, err := personal.Field(ctx, &thing{owner}, func(context.Context) (any, error) { return form, nil }, access.Grade(f.grade), "测试", f.kind, f.shown)
				if err != nil {
					t.Fatal(err)
				}
				seen := "M"
				switch text := first(got); {
				case got == nil:
					seen = "-"
				case text == value:
					seen = "P"
				case text == "" || strings.Contains(text, value):
					t.Errorf("%s to %+v: masked as %q", f.place, a.who, text)
				}
				if want := sight(a.line, f.grade, showing); seen != want {
					t.Errorf("%s (%s, %s) to %+v: %s, want %s", f.place, f.grade, showing, a.who, seen, want)
				}
			}
		}
	}
}

func first(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case *string:
		return *v
	case []string:
		return v[0]
	}
	return ""
}

// What has no masked form is null where it would be masked, and nothing stays nothing.
func TestOtherValues(t *testing.T) {
	worker := access.With(t.Context(), &access.Principal{Kind: access.Worker, Roles: []access.Role{access.Supervisor}})
	for _, value := range []any{42, 3.5, access.L2} {
		if got, err := personal.Field(worker, nil, func(context.Context) (any, error) { return value, nil }, access.L3, "x", nil, nil); got != nil || err != nil {
			t.Errorf("%v: %v %v", value, got, err)
		}
		if got, err := personal.Field(worker, nil, func(context.Context) (any, error) { return value, nil }, access.L2, "x", nil, nil); got != value || err != nil {
			t.Errorf("%v: %v %v", value, got, err)
		}
	}
	if got, err := personal.Field(worker, nil, func(context.Context) (any, error) { return (*string)(nil), nil }, access.L3, "x", nil, nil); got.(*string) != nil || err != nil {
		t.Errorf("%v %v", got, err)
	}
	if got, err := personal.Field(worker, nil, func(context.Context) (any, error) { return "secret", context.Canceled }, access.L3, "x", nil, nil); err == nil || got != "secret" {
		t.Errorf("%v %v", got, err) // gqlgen leaves out what comes with an error
	}
}

// A field that some role sees nothing of must be able to be null; L1 and L2
// nobody sees nothing of.
func TestWhatMayBeHiddenIsNullable(t *testing.T) {
	for _, f := range fields(t) {
		if f.grade >= "L3" && f.of.NonNull {
			t.Errorf("%s is %s and %s: to who may not see it, it must be null", f.place, f.grade, f.of)
		}
	}
	if everybody := access.Sees(nil, false, access.L2, access.ByClearance); everybody != access.Masked {
		t.Errorf("L2 to everybody is %v", everybody)
	}
}

// The generated code of each subgraph carries the directive out on each marked
// field, and each subgraph is given the one implementation.
func TestEverySubgraphUsesTheDirective(t *testing.T) {
	code := map[string]string{}
	for _, subgraph := range []string{"citizen", "community", "platform", "supply"} {
		text, err := os.ReadFile("../../../subgraphs/" + subgraph + "/executable/executable.gen.go")
		if err != nil {
			t.Fatal(err)
		}
		code[subgraph] = string(text)
		wiring, err := os.ReadFile("../../../resolvers/" + subgraph + "/resolver.go")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(wiring), "DirectiveRoot{Can: can.Field, Personal: ") || !strings.Contains(string(wiring), `foundation/access/personal"`) {
			t.Errorf("resolvers/%s does not give its schema @can and @personal", subgraph)
		}
	}
	for _, f := range fields(t) {
		name := strings.ReplaceAll(f.place, ".", "_")
		_, body, found := strings.Cut(code[f.subgraph], "func (ec *executionContext) _"+name+"(")
		body, _, _ = strings.Cut(body, "\nfunc ")
		if !found || !strings.Contains(body, "ec.Directives.Personal(ctx, obj, ") {
			t.Errorf("%s: its generated code does not ask @personal", f.place)
		}
	}
}
