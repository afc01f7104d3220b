package schema_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// looksPersonal says by a field's name that it holds personal data (GB/T 35273,
// annex A): somebody who adds one must say its grade and what it is kept for.
var looksPersonal = regexp.MustCompile(`(?i)mobile|phone|telephone|nickname|e?mail|wechat|alipay|openid|id(entity)?(card|number)|identity|passport|realname|birth|gender|ethnic|` +
	`address|residence|contact|login|account(no|number)|bankcard|face|fingerprint|diagnos|disease|latitude|longitude|guardian`)

// persons are types whose name and the like is somebody's.
var persons = []string{"Citizen", "Worker", "Person", "Resident", "Applicant", "Contact", "Guardian", "Attendee", "Voter"}

// impersonal are fields that look personal and are not, each with the reason.
var impersonal = map[string]string{
	"Service.contact":                    "of a department, for everybody",
	"CreateServiceInput.contact":         "of a department, for everybody",
	"UpdateServiceInput.contact":         "of a department, for everybody",
	"ServiceChange.contact":              "of a department, for everybody",
	"Place.address":                      "of a public place",
	"MessageChannelStatistics.noAddress": "a number of people",
	"RealNameCounter.address":            "of a public place",
	"CreateRealNameCounterInput.address": "of a public place",
	"Place.telephone":                    "of a public place",
	"Position.longitude":                 "of a public place",
	"Position.latitude":                  "of a public place",
	"PlaceDescription.address":           "of a public place",
	"PlaceDescription.telephone":         "of a public place",
	"PlaceDescription.longitude":         "of a public place",
	"PlaceDescription.latitude":          "of a public place",
}

// sdl reads the documents of one subgraph.
func sdl(t *testing.T, subgraph string) *ast.SchemaDocument {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(subgraph, "*.graphql"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no SDL (%v)", subgraph, err)
	}
	whole := &ast.SchemaDocument{}
	for _, path := range append(paths, "federation.graphql") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, err := parser.ParseSchema(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		whole.Merge(document)
	}
	return whole
}

// unmarked lists the fields, input fields and arguments of the document that
// look personal and bear no @personal, and those whose mark says nothing.
func unmarked(document *ast.SchemaDocument) []string {
	scalars := map[string]bool{"String": true, "ID": true, "Date": true, "Time": true, "Int": true, "Float": true}
	for _, d := range document.Definitions {
		scalars[d.Name] = scalars[d.Name] || d.Kind == ast.Scalar || d.Kind == ast.Enum
	}
	var found []string
	check := func(owner, name string, of *ast.Type, marks ast.DirectiveList) {
		place := owner + "." + name
		mark := marks.ForName("personal")
		if mark != nil {
			purpose := mark.Arguments.ForName("purpose")
			if grade := mark.Arguments.ForName("grade"); grade == nil || purpose == nil || strings.TrimSpace(purpose.Value.Raw) == "" {
				found = append(found, place+" (its mark does not say grade and purpose)")
			}
			return
		}
		if !scalars[of.Name()] || impersonal[place] != "" || strings.HasSuffix(name, "Count") || of.Name() == "Boolean" {
			return
		}
		person := slices.ContainsFunc(persons, func(p string) bool { return owner == p || owner == p+"Input" })
		if looksPersonal.MatchString(name) || person && slices.Contains([]string{"name", "fullName", "title", "sex", "age"}, name) {
			found = append(found, place)
		}
	}
	for _, definition := range slices.Concat(document.Definitions, document.Extensions) {
		for _, field := range definition.Fields {
			check(definition.Name, field.Name, field.Type, field.Directives)
			for _, argument := range field.Arguments {
				check(definition.Name+"."+field.Name, argument.Name, argument.Type, argument.Directives)
			}
		}
	}
	return found
}

func TestPersonalFieldsSayGradeAndPurpose(t *testing.T) {
	marked := 0
	for _, subgraph := range []string{"citizen", "community", "platform", "supply"} {
		document := sdl(t, subgraph)
		for _, place := range unmarked(document) {
			t.Errorf("%s: %s holds personal data: mark it @personal(grade: …, purpose: \"…\"), or say in this test why it is none", subgraph, place)
		}
		for _, definition := range slices.Concat(document.Definitions, document.Extensions) {
			for _, field := range definition.Fields {
				if field.Directives.ForName("personal") != nil {
					marked++
				}
			}
		}
	}
	if marked < 20 {
		t.Errorf("%d fields are marked: are the files read at all?", marked)
	}
}

// The walk can fail.
func TestUnmarkedFieldsAreFound(t *testing.T) {
	document, err := parser.ParseSchema(&ast.Source{Input: `
		type Worker { name: String, homeAddress: String, phones: [String!]! @personal(grade: L3, purpose: ""), email: String @personal(grade: L2, purpose: "x"), contacts: [Worker] }
		type Area { name: String, mobileCount: Int }
		input PersonInput { title: String, idNumber: ID }
		extend type Query { find(mobile: String!, area: String): Worker }`})
	if err != nil {
		t.Fatal(err)
	}
	got := unmarked(document)
	want := []string{"Worker.name", "Worker.homeAddress", "Worker.phones (its mark does not say grade and purpose)", "PersonInput.title", "PersonInput.idNumber", "Query.find.mobile"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// Marks and their grades are ours: the gateway's schema holds none.
func TestTheSupergraphHoldsNoMarks(t *testing.T) {
	text, err := os.ReadFile("supergraph.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"@personal", "PersonalGrade", "PersonalKind", "PersonalShowing"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the supergraph holds %s", word)
		}
	}
}
