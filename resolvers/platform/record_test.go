package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
)

// records are the records that wait in the outbox, oldest first.
func (w *world) records() []audit.Record {
	w.t.Helper()
	var payloads []string
	w.must(w.database.Owner.SelectContext(w.t.Context(), &payloads,
		`SELECT payload FROM platform.outbox WHERE subject = 'platform.audit.recorded' ORDER BY seq`))
	list := make([]audit.Record, len(payloads))
	for i, payload := range payloads {
		w.must(json.Unmarshal([]byte(payload), &list[i]))
	}
	return list
}

// since gives the records that do makes.
func (w *world) since(do func()) []audit.Record {
	w.t.Helper()
	before := len(w.records())
	do()
	return w.records()[before:]
}

func TestEveryMutationIsRecordedOnce(t *testing.T) {
	w := newWorld(t)
	made := w.since(func() { w.signIn("13800000001") })
	if len(made) != 2 || made[0].Action != "requestSmsCode" || made[1].Action != "signInByCode" {
		t.Fatalf("recorded %+v", made)
	}
	signIn := made[1]
	if signIn.Result != audit.Done || signIn.Actor.Kind != access.Citizen || signIn.Actor.ID == "" || signIn.Changes[0].Kind != "Session" {
		t.Errorf("signing in is recorded as %+v", signIn)
	}
	for _, record := range made {
		if text, _ := json.Marshal(record); strings.Contains(string(text), "13800000001") {
			t.Errorf("%s holds the number: %s", record.Action, text)
		}
	}
	_, citizen := w.signIn("13800000002")
	made = w.since(func() {
		ctx := access.WithRemote(t.Context(), access.Remote{Address: "203.0.113.9", Client: "app", Request: "request-7"})
		w.askIn(ctx, citizen, `mutation { updateProfile(input: {nickname: "欧阳修", areaId: "`+here+`"}) { viewer { id } } }`, "")
	})
	if len(made) != 1 {
		t.Fatalf("%d records of one mutation: %+v", len(made), made)
	}
	got := made[0]
	if got.Address != "203.0.113.9" || got.Client != "app" || got.Request != "request-7" || got.Actor.ID != citizen.ID || got.Result != audit.Done {
		t.Errorf("recorded %+v", got)
	}
	if c := got.Changes[0]; c.ID != citizen.ID || c.Kind != "Citizen" || !strings.Contains(string(c.After), "欧**") || !strings.Contains(string(c.After), here) {
		t.Errorf("change %+v: %s → %s", c.Target, c.Before, c.After)
	}
	if text, _ := json.Marshal(got); strings.Contains(string(text), "欧阳修") {
		t.Errorf("the nickname stands in the record: %s", text)
	}
	// A query is nobody's deed.
	if made := w.since(func() { w.ask(citizen, `{ viewer { id } }`, "") }); len(made) != 0 {
		t.Errorf("a query is recorded: %+v", made)
	}
}

func TestRefusalsAreRecordedWithTheirCode(t *testing.T) {
	w := newWorld(t)
	const password = "not the password at all"
	made := w.since(func() {
		w.ask(nil, fmt.Sprintf(`mutation { signInWorker(input: {login: "w%s", password: %q}) { accessToken } }`, here, password), "")
		w.ask(nil, `mutation { updateProfile(input: {nickname: "谁"}) { viewer { id } } }`, "")
		w.ask(w.worker(here), `mutation { updateProfile(input: {nickname: "谁"}) { viewer { id } } }`, "")
		w.ask(nil, `mutation { requestSmsCode(input: {mobile: "12", scene: SIGN_IN}) { retryAfterSeconds } }`, "")
		w.ask(nil, `mutation($i: SignOutInput) { a: signOut(input: $i) { endedSessions } b: signOut(input: $i) { endedSessions } }`, `{"i": null}`)
	})
	var got []string
	for _, record := range made {
		got = append(got, record.Action+" "+record.Result+" "+string(record.Actor.Kind))
		if text, _ := json.Marshal(record); strings.Contains(string(text), password) {
			t.Errorf("the password stands in the record: %s", text)
		}
	}
	want := "signInWorker UNAUTHENTICATED ,updateProfile UNAUTHENTICATED ,updateProfile FORBIDDEN worker,requestSmsCode INVALID_INPUT ,signOut UNAUTHENTICATED ,signOut UNAUTHENTICATED "
	if strings.Join(got, ",") != want {
		t.Errorf("recorded\n%s, want\n%s", strings.Join(got, ","), want)
	}
}

func TestNoAnswerWithoutItsRecord(t *testing.T) {
	w := newWorld(t)
	_, citizen := w.signIn("13800000003")
	// The outbox takes nothing any more.
	w.sql(`ALTER TABLE platform.outbox ADD CONSTRAINT full_up CHECK (subject <> 'platform.audit.recorded') NOT VALID`)
	a := w.ask(citizen, `mutation { updateProfile(input: {nickname: "新名"}) { viewer { nickname } } }`, "")
	if a.code() == "" {
		t.Errorf("a change that is not recorded is answered: %s", a.Data)
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen WHERE nickname = '新名'`); n != 0 {
		t.Error("the change was committed without its record")
	}
	// A mutation that changes nothing has no transaction to fail: the answer is held back all the same.
	if a := w.ask(citizen, `mutation { markNotificationsRead(input: {all: true}) { markedCount } }`, ""); a.code() != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("answered %s %s", a.code(), a.Data)
	}
}
