package platform_test

import (
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
)

func TestAMessageFromItsTemplateToItsFigures(t *testing.T) {
	w := newWorld(t)
	author, reviewer := w.worker(here), w.worker(street, access.Supervisor)
	const create = `mutation($input: CreateMessageTemplateInput!) { createMessageTemplate(input: $input) { template { id state variables { name kind } area { id } } } }`
	made := w.ask(author, create, `{"input":{"key":"water-off","name":"停水","class":"COMMUNITY","title":"停水通知","body":"{{where}}将停水",
		"variables":[{"name":"where","label":"地点","kind":"TEXT","maxLength":10}]}}`)
	_, id, found := strings.Cut(string(made.Data), `"id":"`)
	if !found {
		t.Fatalf("%s %v", made.Data, made.Errors)
	}
	id, _, _ = strings.Cut(id, `"`)
	review := `mutation { reviewMessageTemplate(input: {id: "` + id + `", approve: true}) { template { state reviewedBy { id } } } }`
	if got := w.ask(reviewer, review, ""); got.code() != "CONFLICT" {
		t.Errorf("reviewed a draft: %s %v", got.Data, got.Errors)
	}
	if got := w.ask(author, `mutation { submitMessageTemplate(input: {id: "`+id+`"}) { template { state } } }`, ""); got.Errors != nil {
		t.Fatal(got.Errors)
	}
	if got := w.ask(author, review, ""); got.code() != "FORBIDDEN" {
		t.Errorf("the author reviewed: %s %v", got.Data, got.Errors)
	}
	if got := w.ask(reviewer, review, ""); got.Errors != nil {
		t.Fatal(got.Errors)
	}
	const send = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { state body channels template { key } sender { id } statistics { total } } } }`
	input := func(area, value string) string {
		return `{"input":{"requestId":"0194f6a0-0000-7000-8000-0000000000aa","templateId":"` + id + `","variables":[{"name":"where","value":"` + value + `"}],
			"audience":{"kind":"AREA","areaId":"` + area + `"},"channels":["IN_APP","SMS"]}}`
	}
	if got := w.ask(author, send, input(next, "三号院")); got.code() != "FORBIDDEN" {
		t.Errorf("sent next door: %s %v", got.Data, got.Errors)
	}
	if got := w.ask(author, send, input(here, "三号院三号院三号院三号院")); got.code() != "INVALID_INPUT" || got.Errors[0].Extensions["field"] != "input.variables.where" {
		t.Errorf("too long: %s %v", got.Data, got.Errors)
	}
	if got := w.ask(author, send, input(here, "{{where}}")); got.Errors != nil || !strings.Contains(string(got.Data), `"body":"{{where}}将停水"`) {
		t.Errorf("a value is mere text: %s %v", got.Data, got.Errors)
	}
	if got := w.ask(w.worker(next), `{ messages { edges { node { id } } } messageTemplates { edges { node { id } } } }`, ""); strings.Contains(string(got.Data), "node") {
		t.Errorf("next door sees: %s", got.Data)
	}
	if got := w.ask(author, `{ messages { edges { node { title area { id } } } } }`, ""); !strings.Contains(string(got.Data), "停水通知") {
		t.Errorf("%s %v", got.Data, got.Errors)
	}
}
