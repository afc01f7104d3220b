package platform_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

func TestConsentComesFirst(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	begin := func(id string) string {
		return w.refusal(p, beginFace, object{"consentId": id, "identity": claimOf(residentID(241), "王小明"), "deviceId": phoneID})
	}
	old := w.consent(p, realname.ByFace)
	w.clock.move(25 * time.Hour)
	_, p = w.signIn("13800000001")
	withdrawn := w.consent(p, realname.ByFace)
	w.done(p, `mutation($i: WithdrawRealNameConsentInput!) { done: withdrawRealNameConsent(input: $i) { consent { id } } }`, object{"consentId": withdrawn})
	former := w.consent(p, realname.ByFace)
	w.sql(`UPDATE platform.realname_consent SET terms = '2020-01-01/face' WHERE id = $1`, former)
	for name, id := range map[string]string{
		"none": "", "rubbish": "x", "nobody's": "00000000-0000-7000-8000-00000000aaaa", "another's": w.consent(other, realname.ByFace), "of another way": w.consent(p, realname.ByRegister),
		"too old": old, "withdrawn": withdrawn, "of a former text": former,
	} {
		if got := begin(id); got != "CONSENT_REQUIRED" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.realname_verification`); n != 0 {
		t.Error("data was taken before")
	}
	if got := w.refusal(p, consentTo, object{"method": "FACE", "termsVersion": "2020-01-01/face"}); got != "INVALID_INPUT" {
		t.Errorf("to a former text: %q", got)
	}
	if got := w.refusal(w.worker(here), consentTo, object{"method": "FACE", "termsVersion": "x"}); got != "FORBIDDEN" {
		t.Errorf("a worker: %q", got)
	}
	if got := begin(w.consent(p, realname.ByFace)); got != "" {
		t.Errorf("the present one: %q", got)
	}
}

// Taking the consent back forgets who somebody is, after a proof.
func TestConsentIsTakenBack(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	v := w.faced(p, residentID(241), portrait(80, 120, 1))
	var consent string
	w.must(w.database.Owner.Get(&consent, `SELECT consent_id FROM platform.realname_verification WHERE id = $1`, v.ID))
	const withdraw = `mutation($i: WithdrawRealNameConsentInput!) { done: withdrawRealNameConsent(input: $i) { consent { id } } }`
	_, other := w.signIn("13800000002")
	for name, c := range map[string]struct {
		who  *access.Principal
		want string
	}{"another": {other, "NOT_FOUND"}, "without a proof": {p, "STEP_UP_REQUIRED"}} {
		if got := w.refusal(c.who, withdraw, object{"consentId": consent}); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	proven := w.prove(p, "13800000001")
	if got := w.refusal(proven, withdraw, object{"consentId": consent}); got != "" {
		t.Errorf("with one: %q", got)
	}
	if w.level(p) != "L0" || w.number(`SELECT count(*) FROM platform.realname_identity`) != 0 || w.number(`SELECT count(*) FROM platform.realname_verification WHERE state = 'REVOKED'`) != 1 {
		t.Error("something stays")
	}
	if got := w.refusal(proven, withdraw, object{"consentId": consent}); got != "CONFLICT" {
		t.Errorf("once more: %q", got)
	}
}

// Two accounts claim one identity at the same moment: exactly one gets it, and
// the other one is told so, and nothing about the first.
func TestOneIdentityOneAccount(t *testing.T) {
	w := newWorld(t, withNames(t))
	const n = 4
	number := residentID(241)
	var people [n]*access.Principal
	var inputs [n]string
	for i := range n {
		_, people[i] = w.signIn("1380000000" + string(rune('1'+i)))
		begun := w.done(people[i], beginFace, object{"consentId": w.consent(people[i], realname.ByFace), "identity": claimOf(number, "王小明"), "deviceId": phoneID})
		inputs[i] = encodedInput(object{"verificationId": begun.Verification.ID, "livenessToken": begun.LivenessToken, "deviceId": phoneID, "picture": w.upload(people[i], portrait(80, 120, uint8(i))).Receipt})
	}
	var answers [n]answer
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = w.ask(people[i], completeFace, inputs[i]) })
	}
	all.Wait()
	won := 0
	for i, a := range answers {
		text := string(a.Data)
		switch {
		case strings.Contains(text, `"VERIFIED"`):
			won++
		case strings.Contains(text, `"IDENTITY_TAKEN"`) && strings.Contains(text, `"MERGE_ACCOUNTS"`):
			for _, p := range people {
				if p != people[i] && (strings.Contains(text, p.ID) || strings.Contains(text, "138")) {
					t.Errorf("the refusal tells of the other: %s", text)
				}
			}
		default:
			t.Errorf("%s %v", text, a.Errors)
		}
	}
	if won != 1 || w.number(`SELECT count(*) FROM platform.realname_identity`) != 1 || w.number(`SELECT count(*) FROM platform.citizen WHERE assurance_level = 'L3'`) != 1 {
		t.Errorf("%d won", won)
	}
}

// Name and number prove nobody: who shows the face has the identity.
func TestAStrongerProofDisplaces(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, squatter := w.signIn("13800000001")
	_, holder := w.signIn("13800000002")
	_, third := w.signIn("13800000003")
	number := residentID(241)
	register := func(p *access.Principal) verification {
		return w.done(p, byRegister, object{"consentId": w.consent(p, realname.ByRegister), "identity": claimOf(number, "王小明")}).Verification
	}
	if v := register(squatter); v.State != "VERIFIED" || v.Level != "L1" {
		t.Fatalf("%+v", v)
	}
	if v := register(holder); v.Failure != "IDENTITY_TAKEN" {
		t.Errorf("L1 displaces L1: %+v", v)
	}
	if v := w.faced(holder, number, portrait(80, 120, 1)); v.State != "VERIFIED" {
		t.Errorf("%+v", v)
	}
	if w.level(squatter) != "L0" || w.level(holder) != "L3" {
		t.Errorf("the levels are %s and %s", w.level(squatter), w.level(holder))
	}
	if v := w.faced(third, number, portrait(80, 120, 2)); v.Failure != "IDENTITY_TAKEN" {
		t.Errorf("L3 displaces L3: %+v", v)
	}
	// The account has this identity, and no other.
	if v := w.faced(holder, residentID(247), portrait(80, 120, 3)); v.Failure != "OTHER_IDENTITY" {
		t.Errorf("another identity: %+v", v)
	}
	// Renewal by the same one; a lower way is refused.
	if v := w.faced(holder, number, portrait(80, 120, 4)); v.State != "VERIFIED" {
		t.Errorf("renewed: %+v", v)
	}
	if n := w.number(`SELECT count(*) FROM platform.realname_verification WHERE citizen_id = $1 AND state = 'VERIFIED'`, holder.ID); n != 1 {
		t.Errorf("%d count at once", n)
	}
	if got := w.refusal(holder, byRegister, object{"consentId": w.consent(holder, realname.ByRegister), "identity": claimOf(number, "王小明")}); got != "CONFLICT" {
		t.Errorf("a lower way: %q", got)
	}
}

func TestClaimsThatCannotBe(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	child := "510104" + w.clock.now().AddDate(-13, 0, 0).Format("20060102") + "241"
	for name, claim := range map[string]object{
		"input.identity.documentNumber": claimOf(residentID(241)[:17]+"?", "王小明"),
		"input.identity.fullName":       claimOf(residentID(241), "X"),
		"a child":                       claimOf(child+string(document.CheckDigit(child)), "王小明"),
	} {
		a := w.ask(p, byRegister, encodedInput(object{"consentId": w.consent(p, realname.ByRegister), "identity": claim}))
		if a.code() != "INVALID_INPUT" || strings.HasPrefix(name, "input") && a.Errors[0].Extensions["field"] != name {
			t.Errorf("%s: %v", name, a.Errors)
		}
	}
}
