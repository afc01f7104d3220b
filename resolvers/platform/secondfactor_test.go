package platform_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// An administrator's sign-in is nothing without the second factor.
func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	const signIn = `mutation($l: String!, $p: String!) { signInWorker(input: {login: $l, password: $p}) { accessToken refreshToken nextStep } }`
	start := func() (completed, *access.Principal) {
		t.Helper()
		c := get[struct{ SignInWorker completed }](w, nil, signIn, fmt.Sprintf(`{"l": "hired01", "p": %q}`, password)).SignInWorker
		return c, w.principal(c.AccessToken)
	}
	first, p := start()
	if *first.NextStep != "ENROLMENT" || p.Confined != access.EnrolmentDue {
		t.Fatalf("%+v %+v", first, p)
	}
	for _, query := range []string{`{ workers { edges { node { id } } } }`, `{ permissionMatrix { csv } }`, `{ institutionChanges { edges { cursor } } }`, `{ delegations(side: GIVEN) { edges { cursor } } }`,
		`mutation { markNotificationsRead(input: {all: true}) { __typename } }`, `mutation { switchPost(input: {assignmentId: "` + a.system.ID + `"}) { accessToken } }`} {
		if code := w.ask(p, query, "").code(); code != "FORBIDDEN" && code != "UNAUTHENTICATED" {
			t.Errorf("confined: %s: %s", query, code)
		}
	}
	refreshed := get[struct{ RefreshSession completed }](w, nil, `mutation($r: String!) { refreshSession(input: {refreshToken: $r}) { accessToken } }`, fmt.Sprintf(`{"r": %q}`, first.RefreshToken)).RefreshSession
	if w.principal(refreshed.AccessToken).Confined != access.EnrolmentDue {
		t.Error("refreshing ends the confinement")
	}
	enrolled := get[struct {
		EnrolSecondFactor struct{ Secret, URI, Image string }
	}](w, p, `mutation { enrolSecondFactor { secret uri image } }`, "").EnrolSecondFactor
	if !strings.HasPrefix(enrolled.URI, "otpauth://totp/") || !strings.Contains(enrolled.URI, enrolled.Secret) || !strings.HasPrefix(enrolled.Image, "data:image/png;base64,") {
		t.Errorf("%s %.60s", enrolled.URI, enrolled.Image)
	}
	var sealed []byte
	w.must(w.database.Owner.Get(&sealed, `SELECT secret FROM platform.second_factor`))
	if strings.Contains(string(sealed), enrolled.Secret) {
		t.Error("the secret lies open in the database")
	}
	code := func() string {
		text, err := totp.GenerateCode(enrolled.Secret, w.clock.now())
		w.must(err)
		return text
	}
	const verify = `mutation($c: String!) { verifySecondFactor(input: {code: $c}) { accessToken refreshToken nextStep recoveryCodes } }`
	try := func(p *access.Principal, code string) answer { return w.ask(p, verify, fmt.Sprintf(`{"c": %q}`, code)) }
	ok := func(p *access.Principal, code string) completed {
		t.Helper()
		return get[struct{ VerifySecondFactor completed }](w, p, verify, fmt.Sprintf(`{"c": %q}`, code)).VerifySecondFactor
	}
	wrong := func() string { // one that no step near gives
		for n := 0; ; n++ {
			text := fmt.Sprintf("%06d", n)
			if near, _ := totp.ValidateCustom(text, enrolled.Secret, w.clock.now(), totp.ValidateOpts{Period: 30, Skew: 3, Digits: 6}); !near {
				return text
			}
		}
	}
	w.refused("a wrong code", try(p, wrong()), "INVALID_INPUT", "input.code")
	used := code()
	whole := ok(p, used)
	if got := w.principal(whole.AccessToken); whole.NextStep != nil || got.Confined != "" || !got.May(access.WorkerManage) || len(whole.RecoveryCodes) != 10 {
		t.Fatalf("%+v %+v", whole, got)
	}
	w.refused("the confined token after it", w.ask(p, `{ workers { edges { cursor } } }`, ""), "FORBIDDEN", "")
	w.refused("enrolling over it", w.ask(w.principal(whole.AccessToken), `mutation { enrolSecondFactor { secret } }`, ""), "CONFLICT", "")

	// the next sign-in asks for it; a used code does not count again, nor one of long ago
	next, p := start()
	if *next.NextStep != "SECOND_FACTOR" {
		t.Errorf("%+v", next)
	}
	w.refused("enrolling instead", w.ask(p, `mutation { enrolSecondFactor { secret } }`, ""), "CONFLICT", "")
	w.refused("changing the password instead", w.ask(p, `mutation { changePassword(input: {currentPassword: "x", newPassword: "y"}) { accessToken } }`, ""), "FORBIDDEN", "")
	w.refused("a replayed code", try(p, used), "INVALID_INPUT", "input.code")
	w.clock.move(5 * time.Minute)
	w.refused("a code of long ago", try(p, used), "INVALID_INPUT", "input.code")
	ok(p, code())
	// a recovery code counts once
	_, p = start()
	ok(p, strings.ToUpper(whole.RecoveryCodes[3]))
	_, p = start()
	w.refused("a recovery code twice", try(p, whole.RecoveryCodes[3]), "INVALID_INPUT", "input.code")
	// five wrong ones lock, right ones too, for a quarter of an hour
	for range 3 {
		w.refused("wrong", try(p, wrong()), "INVALID_INPUT", "input.code")
	}
	w.refused("the fifth", try(p, wrong()), "LOCKED", "")
	w.clock.move(time.Minute)
	w.refused("a right one while locked", try(p, code()), "LOCKED", "")
	w.clock.move(15 * time.Minute)
	w.clock.move(30 * time.Second)
	_, p = start()
	ok(p, code())

	// lost: another security administrator's business alone; the system administrator cannot even reset the password of one without it
	reset := map[string]any{"workerId": a.system.ID}
	for name, who := range map[string]*access.Principal{"the audit administrator": a.audit, "a leader": w.worker(city, access.Leader)} {
		w.refused("reset by "+name, w.do(who, "resetSecondFactor", "ResetSecondFactorInput", "worker { id }", reset), "FORBIDDEN", "")
	}
	w.refused("reset of one's own", w.do(a.security, "resetSecondFactor", "ResetSecondFactorInput", "worker { id }", map[string]any{"workerId": a.security.ID}), "FORBIDDEN", "")
	w.refused("a reset", w.do(a.security, "resetSecondFactor", "ResetSecondFactorInput", "worker { id }", reset), "", "")
	if again, _ := start(); *again.NextStep != "ENROLMENT" {
		t.Errorf("%+v", again)
	}
	w.refused("the password of an administrator without a second factor", w.do(a.system, "resetWorkerPassword", "ResetWorkerPasswordInput", "firstPassword",
		map[string]any{"id": a.security.ID, "expectedVersion": 1}), "CONFLICT", "")
}
