package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// attempt is one try of a mutation: who, and with what.
type attempt struct {
	by        *access.Principal
	variables map[string]any
}

// thing is a row that a mutation may be about.
type thing struct {
	ID        string  `db:"id"`
	Version   int     `db:"version"`
	CitizenID *string `db:"citizen_id"`
}

// attempts makes variables for a mutation: with a thing in each of its states,
// by its citizen and by workers of all levels who hold every role; by strangers;
// and about a thing that does not exist. Nobody signs in with success: who has
// just signed in is seen in that answer only, not by key, which is all that the
// monolith can ask by.
func (s *stage) attempts(t *testing.T, body string) []attempt {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: body})
	if err != nil {
		t.Fatal(err)
	}
	operation := document.Operations[0]
	root := operation.SelectionSet[0].(*ast.Field).Name
	things := s.things(t, root)
	city, community := s.everyRole("510100000000"), s.everyRole(s.cast.Communities()[0])
	citizen := s.people()["citizen"]
	var all []attempt
	try := func(by *access.Principal, about thing) {
		f := filler{stage: s, about: about, root: root}
		variables := map[string]any{}
		for _, v := range operation.VariableDefinitions {
			variables[v.Variable] = f.value(t, v.Variable, v.Type)
		}
		all = append(all, attempt{by, variables})
	}
	for _, one := range things {
		try(community, one)
		try(city, one)
		try(citizen, one)
		if one.CitizenID != nil {
			try(&access.Principal{Kind: access.Citizen, ID: *one.CitizenID, Name: "某人", AreaCode: s.cast.Communities()[0], Session: demonstration.ID("session", 1)}, one)
		}
	}
	unknown := thing{ID: demonstration.ID("nothing", 1), Version: 1}
	try(s.proven(root), unknown)
	for _, by := range []*access.Principal{nil, citizen, city} {
		try(by, unknown)
	}
	if len(things) > 0 {
		stale := things[0]
		stale.Version += 100
		try(nil, things[0])
		try(city, stale)
	}
	return all
}

// proven is a citizen who has just shown once more who it is: one who keeps the
// account, and another one who does not.
func (s *stage) proven(root string) *access.Principal {
	c := s.cast.Citizen(9)
	if root == "cancelAccount" {
		c = s.cast.Citizen(12)
	}
	return &access.Principal{Kind: access.Citizen, ID: c.ID, Name: c.Name, AreaCode: c.CommunityCode, Session: demonstration.ID("session", 3), ProvenAt: time.Now(), ProvenBy: access.ByCode}
}

// everyRole is a worker of the area who may do all that workers may there.
func (s *stage) everyRole(area string) *access.Principal {
	worker := s.cast.Chief(area)
	if !strings.HasSuffix(area, "000") {
		worker = s.cast.CommunityWorker(area)
	}
	return &access.Principal{Kind: access.Worker, ID: worker.ID, Name: worker.Name, AreaCode: worker.AreaCode, UnitID: worker.UnitID, Session: demonstration.ID("session", 2),
		Roles: []access.Role{access.CommunityWorker, access.Supervisor, access.Leader, access.CatalogueEditor, access.SupplyReviewer, access.SystemAdmin, access.SecurityAdmin}}
}

// topicOf is the table's topic that a mutation is about, by its name.
func topicOf(root string) string {
	for _, known := range []struct{ part, topic string }{
		{"withdrawRealNameConsent", "realNameConsent"}, {"verifyBy", "realNameConsent"}, {"beginFace", "realNameConsent"}, {"applyOffline", "realNameConsent"}, {"fileOffline", "citizen"},
		{"revealRealName", "identity"}, {"lowerAssurance", "identity"}, {"closeRealNameCounter", "counter"}, {"openCounterSlots", "counter"}, {"findRealName", "identity"},
		{"Verification", "verification"},
		{"clientApp", "clientApp"}, {"withdrawConsent", "consent"}, {"checkIn", "registration"}, {"feedback", "feedbackCase"}, {"info", "feedbackCase"}, {"markDuplicate", "feedbackCase"},
		{"activity", "activity"}, {"registration", "activity"}, {"participant", "participant"}, {"communityService", "communityService"},
		{"distribution", "communityService"}, {"demand", "demand"}, {"service", "service"}, {"notification", "notification"},
		{"messageTemplate", "messageTemplate"}, {"recallMessage", "message"}, {"citizenTag", "citizenTag"}, {"tagCitizens", "citizenTag"}, {"signOutDevice", "device"},
		{"updatePlace", "place"}, {"closePlace", "place"}, {"orgUnit", "orgUnit"}, {"revealCitizen", "citizen"}, {"renamePost", "post"}, {"abolishPost", "post"}, {"gatewayRule", "gatewayRule"},
		{"legalHold", "file"}, {"fileRetention", "file"}, {"quarantinedFile", "file"}, {"deleteFile", "file"}, {"restoreFile", "file"}, {"replaceFile", "file"},
	} {
		if strings.Contains(strings.ToLower(root), strings.ToLower(known.part)) {
			return known.topic
		}
	}
	return ""
}

// things gives a row of each state, in the community of everyRole and anywhere.
func (s *stage) things(t *testing.T, root string) []thing {
	t.Helper()
	topic := topicOf(root)
	source := map[string]string{
		"registration": `SELECT id, 0 AS version, citizen_id, state, area_code FROM community.registration`,
		"feedbackCase": `SELECT id, version, citizen_id, state, area_code FROM community.feedback_case`,
		"activity": `SELECT a.id, a.version, r.citizen_id, a.state, a.area_code FROM community.activity a
			LEFT JOIN LATERAL (SELECT citizen_id FROM community.registration r WHERE r.activity_id = a.id ORDER BY seq LIMIT 1) r ON true`,
		"participant":      `SELECT id, version, citizen_id, state, area_code FROM supply.participant`,
		"communityService": `SELECT id, version, citizen_id, state, area_code FROM supply.community_service`,
		"demand":           `SELECT id, version, citizen_id, state, area_code FROM supply.demand`,
		"place":            `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.place`,
		"orgUnit":          `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.org_unit`,
		"post":             `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.post`,
		"clientApp":        `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.client_app WHERE own_client IS NULL`,
		"consent":          `SELECT id, 0 AS version, principal_id AS citizen_id, state, '' AS area_code FROM platform.consent`,
		"realNameConsent":  `SELECT n.id, 0 AS version, n.citizen_id, n.method AS state, c.area_code FROM platform.realname_consent n JOIN platform.citizen c ON c.id = n.citizen_id WHERE c.assurance_level = 'L0' AND NOT EXISTS (SELECT FROM platform.realname_verification v WHERE v.consent_id = n.id)`,
		"verification":     `SELECT id, version, citizen_id, state, area_code FROM platform.realname_verification WHERE method = 'OFFLINE'`,
		"identity":         `SELECT i.citizen_id AS id, i.version, NULL::uuid AS citizen_id, i.level AS state, c.area_code FROM platform.realname_identity i JOIN platform.citizen c ON c.id = i.citizen_id`,
		"counter":          `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.realname_counter`,
		"citizen":          `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.citizen`,
		"messageTemplate":  `SELECT id, 0 AS version, NULL::uuid AS citizen_id, state, area_code FROM platform.message_template`,
		"message":          `SELECT id, version, NULL::uuid AS citizen_id, state, area_code FROM platform.message`,
		"citizenTag":       `SELECT id, 0 AS version, NULL::uuid AS citizen_id, enabled::text AS state, area_code FROM platform.citizen_tag`,
		"notification":     `SELECT id, 0 AS version, recipient_id AS citizen_id, topic AS state, '' AS area_code FROM platform.notification WHERE recipient_kind = 'citizen'`,
		"device":           `SELECT id, 0 AS version, principal_id AS citizen_id, client AS state, '' AS area_code FROM platform.session WHERE kind = 'citizen'`,
		"gatewayRule":      `SELECT id, version, NULL::uuid AS citizen_id, kind AS state, '510100000000' AS area_code FROM platform.gateway_rule`,
		"file":             `SELECT id, version, owner_id AS citizen_id, state || held AS state, area_code FROM platform.file`,
		"service":          `SELECT id, version, NULL::uuid AS citizen_id, state || publication AS state, '' AS area_code FROM citizen.service`,
	}[topic]
	if source == "" {
		return nil
	}
	var found []thing
	community := s.cast.Communities()[0]
	for _, condition := range []string{`area_code = $2`, `area_code <> $2`} {
		var rows []thing
		if err := s.owner.Select(&rows, `SELECT DISTINCT ON (state) id, version, citizen_id FROM (`+source+`) AS t
			WHERE id < $1::uuid AND `+condition+` ORDER BY state, id`, demonstration.ID("end", 1<<30), community); err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
		found = append(found, rows...)
	}
	return found
}

// filler makes values for a mutation's input.
type filler struct {
	*stage
	about thing
	root  string
}

func (f filler) value(t *testing.T, name string, of *ast.Type) any {
	t.Helper()
	if of.Elem != nil {
		return []any{f.value(t, name, of.Elem)}
	}
	definition := f.super.Public.Types[of.Name()]
	switch definition.Kind {
	case ast.Enum:
		return definition.EnumValues[0].Name
	case ast.InputObject:
		object := map[string]any{}
		if of.Name() == "PutGatewayRuleInput" {
			return f.rule()
		}
		for _, field := range definition.Fields {
			switch {
			case field.Name == "variables" && field.Type.Elem != nil: // of templates and messages without any
				object[field.Name] = []any{}
				continue
			case definition.Name == "MessageAudienceInput" && field.Name != "kind" && field.Name != "citizenIds":
				continue
			}
			if field.Type.NonNull || !strings.Contains("pictures all workerId clear openingHours ownClient materials", field.Name) {
				object[field.Name] = f.value(t, field.Name, field.Type)
			}
		}
		return object
	}
	lower := strings.ToLower(name)
	switch of.Name() {
	case "ID":
		return f.id(t, lower)
	case "Int":
		if lower == "expectedversion" {
			return f.about.Version
		}
		return 5
	case "Float":
		return map[string]float64{"longitude": 104.06, "latitude": 30.66}[lower] // in the middle of the city
	case "Boolean":
		return true
	case "Time":
		days := 2
		if f.root == "extendFileRetention" {
			days = 5 * 365
		}
		if strings.Contains(lower, "end") || strings.Contains(lower, "to") {
			days = 3
		}
		return time.Now().Truncate(24*time.Hour).AddDate(0, 0, days).Format(time.RFC3339)
	case "Date":
		return "2027-03-06"
	case "String":
		switch lower {
		case "mobile", "phone":
			return "13800000007"
		case "code", "consentcode":
			if f.root == "verifyByThirdParty" {
				return f.about.ID + ".a"
			}
			return "A0001"
		case "termsversion":
			return f.terms(t)
		case "documentnumber":
			return f.documentNumber(t)
		case "fullname":
			return "王小明"
		case "telephone":
			return "028-87654321"
		case "receipt":
			return f.receipt(t)
		case "uscc":
			return "91510100MA6CGUGA1W"
		case "homepage", "redirecturis", "logouturis":
			return "https://example.org/callback"
		case "operations", "grantedoperations":
			return "Area"
		case "newpassword":
			return "correct horse battery 1"
		case "key":
			return "oracle-template"
		case "target":
			return "https://example.org/target"
		case "minversion", "clientversion":
			return "1.2.0"
		}
		return "测试用的文字，足够长，说得清楚。"
	}
	t.Fatalf("no value for %s: %s", name, of)
	return nil
}

// rule changes the rule that it is about; one that nobody knows is new.
func (f filler) rule() map[string]any {
	object := map[string]any{"resource": "operation:Tried", "kind": "DEGRADE", "enabled": false, "message": "维护中"}
	var known struct {
		Resource string `db:"resource"`
		Kind     string `db:"kind"`
	}
	if f.owner.Get(&known, `SELECT resource, kind FROM platform.gateway_rule WHERE id = $1`, f.about.ID) == nil {
		object["resource"], object["kind"], object["threshold"], object["expectedVersion"] = known.Resource, known.Kind, 50, f.about.Version
	}
	return object
}

func (f filler) id(t *testing.T, name string) string {
	t.Helper()
	other := map[string]string{
		"slotid":     `SELECT id::text FROM platform.realname_slot WHERE starts_at > now() + interval '1 hour' AND taken < capacity ORDER BY id LIMIT 1`,
		"categoryid": `SELECT id FROM citizen.service_category ORDER BY id LIMIT 1`, "departmentid": `SELECT id FROM citizen.department ORDER BY id LIMIT 1`,
		"originalid":         `SELECT id::text FROM community.feedback_case ORDER BY id LIMIT 1`,
		"communityserviceid": `SELECT id::text FROM supply.community_service WHERE state = 'LISTED' ORDER BY id LIMIT 1`,
		"participantid":      `SELECT id::text FROM supply.participant WHERE state = 'APPROVED' ORDER BY id LIMIT 1`,
		"parentid":           `SELECT id::text FROM platform.org_unit WHERE state = 'ACTIVE' ORDER BY id LIMIT 1`,
		"unitid":             `SELECT id::text FROM platform.org_unit WHERE state = 'ACTIVE' ORDER BY id LIMIT 1`,
		"citizenids":         `SELECT id::text FROM platform.citizen WHERE state = 'ACTIVE' AND area_code = '` + f.cast.Communities()[0] + `' ORDER BY id LIMIT 1`,
		"templateid":         `SELECT id::text FROM platform.message_template WHERE state = 'APPROVED' AND variables = '[]' AND area_code = '` + f.cast.Communities()[0] + `' ORDER BY id LIMIT 1`,
		"ids":                `SELECT id::text FROM platform.notification ORDER BY id LIMIT 1`,
	}[name]
	switch {
	case strings.HasPrefix(name, "area"):
		return f.cast.Communities()[0]
	case other == "" || name == "participantid" && topicOf(f.root) == "participant":
		return f.about.ID
	}
	var id string
	if err := f.owner.Get(&id, other); err != nil {
		return fmt.Sprint(f.about.ID)
	}
	return id
}

// receipt is of another file of the same kind and owner; "" where there is none.
func (f filler) receipt(t *testing.T) string {
	t.Helper()
	var others []token.Receipt
	if err := f.owner.Select(&others, `
		SELECT o.id AS fileid, o.owner_id AS owner, b.media_type AS media, b.bytes, o.name
		FROM platform.file f JOIN platform.blob fb ON fb.hash = f.hash
		JOIN platform.file o ON o.owner_id = f.owner_id AND o.id <> f.id JOIN platform.blob b ON b.hash = o.hash AND b.kind = fb.kind
		WHERE f.id = $1 AND o.state = 'AVAILABLE' AND NOT o.held AND o.version = 1 ORDER BY o.id DESC LIMIT 1`, f.about.ID); err != nil {
		t.Fatal(err)
	}
	if len(others) == 0 {
		return "none"
	}
	receipt, err := f.ground.signer.Receipt(others[0])
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}
