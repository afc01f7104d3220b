package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
)

const reveal = `mutation($i: RevealCitizenInput!) { revealCitizen(input: $i) { citizen { id mobileMasked } mobile } }`

func revealing(id, purpose string) string {
	text, _ := json.Marshal(map[string]any{"i": map[string]any{"citizenId": id, "fields": []string{"MOBILE"}, "purpose": purpose}})
	return string(text)
}

func TestWhoMayRevealACitizen(t *testing.T) {
	w := newWorld(t)
	const number, purpose = "13812345678", "核实独居老人是否平安"
	_, citizen := w.signIn(number)
	w.ask(citizen, `mutation { updateProfile(input: {areaId: "`+here+`"}) { viewer { id } } }`, "")
	_, homeless := w.signIn("13812345679") // of no community
	for _, c := range []struct {
		name, id, purpose string
		who               *access.Principal
		want              string
	}{
		{"nobody", citizen.ID, purpose, nil, "UNAUTHENTICATED"},
		{"the citizen", citizen.ID, purpose, citizen, "FORBIDDEN"},
		{"another citizen", citizen.ID, purpose, homeless, "FORBIDDEN"},
		{"a leader of the city", citizen.ID, purpose, w.worker(city, access.Leader), "FORBIDDEN"},
		{"the system administrator", citizen.ID, purpose, w.worker(city, access.SystemAdmin), "FORBIDDEN"},
		{"the auditor", citizen.ID, purpose, w.worker(city, access.AuditAdmin), "FORBIDDEN"},
		{"the next community", citizen.ID, purpose, w.worker(next), "NOT_FOUND"},
		{"another district", citizen.ID, purpose, w.worker(elsewhere), "NOT_FOUND"},
		{"somebody of no community", homeless.ID, purpose, w.worker(here), "NOT_FOUND"},
		{"nobody of that ID", uuid.NewString(), purpose, w.worker(here), "NOT_FOUND"},
		{"rubbish for an ID", "' OR true --", purpose, w.worker(here), "NOT_FOUND"},
		{"no purpose", citizen.ID, "  ", w.worker(here), "INVALID_INPUT"},
		{"hardly a purpose", citizen.ID, "看看", w.worker(here), "INVALID_INPUT"},
	} {
		made := w.since(func() {
			if a := w.ask(c.who, reveal, revealing(c.id, c.purpose)); a.code() != c.want || strings.Contains(string(a.Data), number) {
				t.Errorf("%s: %s %q, want %s", c.name, a.Data, a.code(), c.want)
			}
		})
		if len(made) != 1 || made[0].Result != c.want || made[0].Action != "revealCitizen" {
			t.Errorf("%s: recorded as %+v", c.name, made)
		}
	}
	made := w.since(func() {
		a := w.ask(w.worker(here), reveal, revealing(citizen.ID, purpose))
		if !strings.Contains(string(a.Data), `"mobile":"+86`+number+`"`) || !strings.Contains(string(a.Data), "138****5678") {
			t.Errorf("the community's worker: %s %v", a.Data, a.Errors)
		}
	})
	if len(made) != 1 || made[0].Result != audit.Done || made[0].Purpose != purpose || made[0].Changes[0].ID != citizen.ID || !strings.Contains(string(made[0].Changes[0].After), "MOBILE") {
		t.Errorf("recorded as %+v", made)
	}
	if text, _ := json.Marshal(made); strings.Contains(string(text), number) {
		t.Errorf("the number stands in the record: %s", text)
	}
	// What cannot be recorded is not shown.
	w.sql(`ALTER TABLE platform.outbox ADD CONSTRAINT full_up CHECK (subject <> 'platform.audit.recorded') NOT VALID`)
	if a := w.ask(w.worker(here), reveal, revealing(citizen.ID, purpose)); a.code() == "" || strings.Contains(string(a.Data), number) {
		t.Errorf("shown without a record: %s", a.Data)
	}
}

// Each personal field of a citizen, asked for by somebody else: nobody gets the
// plain number, and nothing at all who has no business with the citizen.
func TestPersonalFieldsAreMaskedForOthers(t *testing.T) {
	w := newWorld(t)
	const number = "13812345670"
	_, citizen := w.signIn(number)
	_, other := w.signIn("13812345671")
	w.ask(citizen, `mutation { updateProfile(input: {nickname: "独一无二", areaId: "`+here+`"}) { viewer { id } } }`, "")
	query := fmt.Sprintf(`{ _entities(representations: [{__typename: "Citizen", id: %q}]) { ... on Citizen { nickname mobileMasked } } }`, citizen.ID)
	for _, c := range []struct {
		name           string
		who            *access.Principal
		nickname, mask bool
	}{
		{"nobody", nil, false, false},
		{"another citizen", other, false, false},
		{"the next community", w.worker(next), false, false},
		{"a leader", w.worker(city, access.Leader), false, false},
		{"the auditor", w.worker(city, access.AuditAdmin), false, false},
		{"the community's worker", w.worker(here), true, true},
		{"the citizen", citizen, true, true},
	} {
		a := w.ask(c.who, query, "")
		text := string(a.Data)
		if strings.Contains(text, number) {
			t.Errorf("%s reads the plain number: %s", c.name, text)
		}
		if strings.Contains(text, "独一无二") != c.nickname || strings.Contains(text, "138****5670") != c.mask {
			t.Errorf("%s reads %s", c.name, text)
		}
	}
	// In the database there is no plain number either.
	if n := w.number(`SELECT count(*) FROM platform.citizen WHERE position($1::bytea IN mobile) > 0 OR position($1::bytea IN mobile_index) > 0`, []byte("1381234")); n != 0 {
		t.Error("the number stands in the table")
	}
}
