package platform_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
)

// counter opens a counter in the community with one slot of the capacity.
func (w *world) counter(code string, capacity int) (slot string) {
	w.t.Helper()
	made := get[struct {
		Done struct{ Counter struct{ ID string } }
	}](w, w.worker(code), `mutation($i: CreateRealNameCounterInput!) { done: createRealNameCounter(input: $i) { counter { id } } }`,
		encodedInput(object{"name": "核验窗口", "areaId": code, "address": "便民服务中心"})).Done.Counter.ID
	return get[struct {
		Done struct{ Slots []struct{ ID string } }
	}](w, w.worker(code), `mutation($i: OpenCounterSlotsInput!) { done: openCounterSlots(input: $i) { slots { id remaining } } }`,
		encodedInput(object{"counterId": made, "startsAt": []string{w.clock.now().Add(48 * time.Hour).Format(time.RFC3339)}, "minutes": 60, "capacity": capacity})).Done.Slots[0].ID
}

// applied books a place, with a material.
func (w *world) applied(p *access.Principal, slot, number string, n uint8) verification {
	w.t.Helper()
	return w.done(p, applyOffline, object{"consentId": w.consent(p, realname.Offline), "identity": claimOf(number, "王小明"), "slotId": slot,
		"materials": []string{w.upload(p, portrait(90, 120, n)).Receipt}}).Verification
}

func (w *world) second() *access.Principal { return w.worker(street, access.Supervisor) }

func TestTwoPairsOfEyes(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	v := w.applied(p, w.counter(here, 2), residentID(241), 1)
	if v.NameMasked == nil || v.Slot == nil {
		t.Fatalf("%+v", v)
	}
	if v.State != "SUBMITTED" || *v.NameMasked != "王**" || !slices.Equal(v.AllowedActions, []string{"WITHDRAW"}) || v.Slot.Remaining != 1 {
		t.Errorf("%+v", v)
	}
	both := func(p *access.Principal) *access.Principal {
		p.Roles = []access.Role{access.CommunityWorker, access.Supervisor}
		return p
	}
	looking := object{"verificationId": v.ID, "expectedVersion": v.Version, "passed": true}
	for name, c := range map[string]struct {
		who  *access.Principal
		want string
	}{
		"nobody": {nil, "UNAUTHENTICATED"}, "the applicant": {p, "FORBIDDEN"}, "another citizen": {other, "FORBIDDEN"}, "the next community": {w.worker(next), "NOT_FOUND"},
		"another district": {w.worker(elsewhere), "NOT_FOUND"}, "the system administrator": {w.worker(city, access.SystemAdmin), "FORBIDDEN"},
		"the security administrator": {w.worker(city, access.SecurityAdmin), "FORBIDDEN"}, "the auditor": {w.worker(city, access.AuditAdmin), "FORBIDDEN"},
		"who decides": {w.second(), "FORBIDDEN"}, "the applicant who claims to be staff": {&access.Principal{Kind: access.Citizen, ID: p.ID, AreaCode: here, Roles: []access.Role{access.CommunityWorker}}, "NOT_FOUND"},
	} {
		if got := w.refusal(c.who, examine, looking); got != c.want {
			t.Errorf("examined by %s: %q, want %s", name, got, c.want)
		}
	}
	if got := w.refusal(w.second(), decide, object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": true}); got != "CONFLICT" {
		t.Errorf("decided before it was examined: %q", got)
	}
	stale := object{"verificationId": v.ID, "expectedVersion": v.Version + 1, "passed": true}
	if got := w.refusal(w.worker(here), examine, stale); got != "CONFLICT" {
		t.Errorf("of another version: %q", got)
	}
	v = w.done(both(w.worker(here)), examine, looking).Verification
	if v.State != "IN_REVIEW" || w.level(p) != "L0" {
		t.Errorf("%+v", v)
	}
	deciding := object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": true}
	for name, c := range map[string]struct {
		who  *access.Principal
		want string
	}{
		"who examined":     {both(w.worker(here)), "FORBIDDEN"},
		"who only looks":   {w.worker(here), "FORBIDDEN"},
		"another street":   {w.worker(elsewhere, access.Supervisor), "NOT_FOUND"},
		"a leader":         {w.worker(city, access.Leader), "FORBIDDEN"},
		"the applicant":    {p, "FORBIDDEN"},
		"an administrator": {w.worker(city, access.SecurityAdmin), "FORBIDDEN"},
	} {
		if got := w.refusal(c.who, decide, deciding); got != c.want {
			t.Errorf("decided by %s: %q, want %s", name, got, c.want)
		}
	}
	// Two who decide at once: one wins.
	var answers [2]answer
	var all sync.WaitGroup
	for i, who := range []*access.Principal{w.second(), w.worker(district, access.Supervisor)} {
		all.Go(func() { answers[i] = w.ask(who, decide, encodedInput(deciding)) })
	}
	all.Wait()
	if codes := answers[0].code() + answers[1].code(); codes != "CONFLICT" {
		t.Errorf("two at once: %q", codes)
	}
	if w.level(p) != "L3" {
		t.Errorf("the level is %s", w.level(p))
	}
	// The citizen sees what was done, and not by whom.
	self := w.ask(p, realNameOfSelf, "")
	if text := string(self.Data); !strings.Contains(text, `"EXAMINE"`) || strings.Contains(text, "工5101") || strings.Contains(text, `"examinerPassed":true`) {
		t.Errorf("the citizen sees %s", text)
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.audit.recorded' AND payload->>'action' = 'decideVerification' AND payload->>'result' = 'OK'`); n != 1 {
		t.Errorf("%d records of the decision", n)
	}
	w.must(w.SweepRealNames(t.Context()))
	if len(w.drawer.contents) != 0 {
		t.Error("the materials stay")
	}
}

func TestRefusedAndAppliedAgain(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	slot := w.counter(here, 5)
	v := w.applied(p, slot, residentID(241), 1)
	if got := w.refusal(p, applyOffline, object{"consentId": w.consent(p, realname.Offline), "identity": claimOf(residentID(241), "王小明"), "slotId": slot}); got != "CONFLICT" {
		t.Errorf("two at once: %q", got)
	}
	if got := w.refusal(w.worker(here), examine, object{"verificationId": v.ID, "expectedVersion": v.Version, "passed": false}); got != "INVALID_INPUT" {
		t.Errorf("against it without a word: %q", got)
	}
	v = w.done(w.worker(here), examine, object{"verificationId": v.ID, "expectedVersion": v.Version, "passed": false, "note": "照片与本人不符"}).Verification
	if got := w.refusal(p, takeBack, object{"verificationId": v.ID, "expectedVersion": v.Version}); got != "CONFLICT" {
		t.Errorf("withdrawn under review: %q", got)
	}
	if got := w.refusal(w.second(), decide, object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": false, "reason": "不"}); got != "INVALID_INPUT" {
		t.Errorf("refused with hardly a reason: %q", got)
	}
	v = w.done(w.second(), decide, object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": false, "reason": "证件照片不清晰"}).Verification
	if v.State != "REJECTED" || v.Reason != "证件照片不清晰" || !slices.Contains(v.NextSteps, "GO_OFFLINE") || w.level(p) != "L0" {
		t.Errorf("%+v", v)
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.notification.requested' AND payload->>'body' LIKE '%证件照片不清晰%'`); n != 1 {
		t.Errorf("the citizen is told %d times", n)
	}
	again := w.applied(p, slot, residentID(241), 2)
	if again.State != "SUBMITTED" || again.PreviousID != v.ID {
		t.Errorf("applied again: %+v", again)
	}
	if v := w.done(p, takeBack, object{"verificationId": again.ID, "expectedVersion": again.Version}).Verification; v.State != "WITHDRAWN" || v.Slot.Remaining != 4 {
		t.Errorf("taken back: %+v", v)
	}
}

// A worker files for somebody who came; then two others look.
func TestNobodyJudgesTheOwnFiling(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	w.settle(p, here)
	terms, err := realname.TermsOf(realname.Offline)
	w.must(err)
	filing := func(change object) object {
		in := object{"citizenId": p.ID, "termsVersion": terms.Version, "consentSigned": true, "identity": claimOf(residentID(241), "王小明")}
		for key, value := range change {
			in[key] = value
		}
		return in
	}
	for name, c := range map[string]struct {
		who  *access.Principal
		in   object
		want string
	}{
		"without a signature": {w.worker(here), filing(object{"consentSigned": false}), "CONSENT_REQUIRED"}, "of a former text": {w.worker(here), filing(object{"termsVersion": "x"}), "INVALID_INPUT"},
		"by the next community": {w.worker(next), filing(nil), "NOT_FOUND"}, "by the citizen": {p, filing(nil), "FORBIDDEN"}, "of nobody": {w.worker(here), filing(object{"citizenId": "x"}), "NOT_FOUND"},
	} {
		if got := w.refusal(c.who, fileOffline, c.in); got != c.want {
			t.Errorf("filed %s: %q, want %s", name, got, c.want)
		}
	}
	v := w.done(w.worker(here), fileOffline, filing(nil)).Verification
	if v.State != "SUBMITTED" {
		t.Fatalf("%+v", v)
	}
	in := object{"verificationId": v.ID, "expectedVersion": v.Version, "passed": true}
	if got := w.refusal(w.worker(here), examine, in); got != "FORBIDDEN" {
		t.Errorf("by who filed it: %q", got)
	}
	colleague := "00000000-0000-7000-8000-00000000aa01"
	w.sql(`INSERT INTO platform.worker (id, login, name, password_hash, area_code) VALUES ($1, 'colleague', '王小明', 'x', $2)`, colleague, here)
	same := &access.Principal{Kind: access.Worker, ID: colleague, AreaCode: here, Roles: []access.Role{access.CommunityWorker, access.Supervisor}}
	if got := w.refusal(same, examine, in); got != "FORBIDDEN" {
		t.Errorf("by somebody of the applicant's name: %q", got)
	}
	w.sql(`UPDATE platform.worker SET name = '李四' WHERE id = $1`, colleague)
	v = w.done(same, examine, in).Verification
	both := w.worker(here, access.CommunityWorker, access.Supervisor)
	if got := w.refusal(both, decide, object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": true}); got != "FORBIDDEN" {
		t.Errorf("decided by who filed it: %q", got)
	}
	if got := w.refusal(w.second(), decide, object{"verificationId": v.ID, "expectedVersion": v.Version, "approve": true}); got != "" || w.level(p) != "L3" {
		t.Errorf("by a third one: %q", got)
	}
}

// Many at once for few places: as many get one as there are.
func TestSlotsAreNotOverbooked(t *testing.T) {
	w := newWorld(t, withNames(t))
	const places, people = 3, 9
	slot := w.counter(here, places)
	var inputs [people]string
	var who [people]*access.Principal
	for i := range people {
		_, who[i] = w.signIn(fmt.Sprintf("1380000001%d", i))
		inputs[i] = encodedInput(object{"consentId": w.consent(who[i], realname.Offline), "identity": claimOf(residentID(241+i), "王小明"), "slotId": slot})
	}
	var codes [people]string
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() { codes[i] = w.ask(who[i], applyOffline, inputs[i]).code() })
	}
	all.Wait()
	won := 0
	for _, code := range codes {
		if code == "" {
			won++
		} else if code != "FULL" {
			t.Errorf("%q", code)
		}
	}
	if won != places || w.number(`SELECT taken FROM platform.realname_slot`) != places || w.number(`SELECT count(*) FROM platform.realname_verification`) != places {
		t.Errorf("%d have a place", won)
	}
	// Who does not come loses it.
	w.clock.move(10 * 24 * time.Hour)
	w.must(w.SweepRealNames(t.Context()))
	if n := w.number(`SELECT count(*) FROM platform.realname_verification WHERE failure = 'NO_SHOW'`); n != places {
		t.Errorf("%d did not come", n)
	}
	late := who[0]
	if got := w.refusal(late, applyOffline, object{"consentId": w.consent(late, realname.Offline), "identity": claimOf(residentID(241), "王小明"), "slotId": slot}); got != "FULL" {
		t.Errorf("a time that is over: %q", got)
	}
}

// The case is in the one inbox of whose turn it is.
func TestCasesAreInTheInbox(t *testing.T) {
	w := newWorld(t, withNames(t))
	w.workflows()
	_, p := w.signIn("13800000001")
	v := w.applied(p, w.counter(here, 1), residentID(241), 1)
	go func() { _ = w.Run(t.Context()) }()
	inbox := func(who *access.Principal, list string) string {
		return string(w.ask(who, `query($l: InboxList!) { inbox(filter: {list: $l}) { edges { node { module title stateLabel link } } } }`, fmt.Sprintf(`{"l": %q}`, list)).Data)
	}
	awaits := func(who *access.Principal, text string) {
		t.Helper()
		w.flush()
		for until := time.Now().Add(20 * time.Second); !strings.Contains(inbox(who, "TODO"), text); {
			if time.Now().After(until) {
				t.Fatalf("%q is not in the inbox: %s", text, inbox(who, "TODO"))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	awaits(w.worker(here), "realname/"+v.ID)
	if got := inbox(w.worker(here), "TODO"); !strings.Contains(got, "REALNAME") || !strings.Contains(got, "待初核") || strings.Contains(got, "王小明") {
		t.Errorf("%s", got)
	}
	if got := inbox(w.worker(next), "TODO"); strings.Contains(got, v.ID) {
		t.Error("the next community has it too")
	}
	w.done(w.worker(here), examine, object{"verificationId": v.ID, "expectedVersion": v.Version, "passed": true})
	awaits(w.second(), "realname/"+v.ID)
	if got := inbox(w.worker(here), "TODO"); strings.Contains(got, v.ID) {
		t.Error("it stays with who has looked")
	}
}
