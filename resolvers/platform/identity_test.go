package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// withOthers opens WeChat and Alipay, played by the simulator.
func withOthers(t *testing.T) func(*platform.Deps) {
	t.Helper()
	simulator, err := thirdparty.NewSimulator()
	if err != nil {
		t.Fatal(err)
	}
	others, err := simulator.Providers(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return func(d *platform.Deps) { d.Others = others }
}

// sceneCode asks for a code of the scene; the number is "" for one's own.
func (w *world) sceneCode(p *access.Principal, scene, mobile, to string) string {
	w.t.Helper()
	w.forgetLimits()
	number := "null"
	if mobile != "" {
		number = fmt.Sprintf("%q", mobile)
	}
	get[any](w, p, `mutation($i: RequestSmsCodeInput!) { requestSmsCode(input: $i) { expiresInSeconds } }`, fmt.Sprintf(`{"i": {"scene": %q, "mobile": %s}}`, scene, number))
	return w.phone.code("+86" + to)
}

// prove is the principal after a step-up by a code to the number.
func (w *world) prove(p *access.Principal, mobile string) *access.Principal {
	w.t.Helper()
	code := w.sceneCode(p, "STEP_UP", "", mobile)
	text := get[struct{ StepUp struct{ AccessToken string } }](w, p, `mutation($c: String!) { stepUp(input: {code: $c}) { accessToken provenUntil } }`, fmt.Sprintf(`{"c": %q}`, code)).StepUp.AccessToken
	proven, _, err := w.verifier.Access(text)
	w.must(err)
	return proven
}

// codeOf runs the mutation with the input as JSON and gives its code.
func (w *world) codeOf(p *access.Principal, mutation, input string) string {
	w.t.Helper()
	return w.ask(p, mutation, `{"i": `+input+`}`).code()
}

const (
	setPassword   = `mutation($i: SetPasswordInput!) { setPassword(input: $i) { endedSessions } }`
	resetPassword = `mutation($i: ResetPasswordInput!) { resetPassword(input: $i) { endedSessions } }`
	byPassword    = `mutation($i: SignInByPasswordInput!) { signInByPassword(input: $i) { accessToken refreshToken viewer { id mobileMasked } } }`
	byThirdParty  = `mutation($i: SignInByThirdPartyInput!) { signInByThirdParty(input: $i) { accessToken refreshToken isNew viewer { id mobileMasked } } }`
	changeMobile  = `mutation($i: ChangeMobileInput!) { changeMobile(input: $i) { viewer { id mobileMasked } } }`
	bindMobile    = `mutation($i: BindMobileInput!) { bindMobile(input: $i) { viewer { id mobileMasked } signIn { accessToken viewer { id } } } }`
	linkAccount   = `mutation($i: LinkAccountInput!) { linkAccount(input: $i) { merged viewer { linkedAccounts { provider } } } }`
	unlinkAccount = `mutation($i: UnlinkAccountInput!) { unlinkAccount(input: $i) { viewer { linkedAccounts { provider } } } }`
	revealOwn     = `mutation { revealOwnMobile { mobile } }`
	cancel        = `mutation { cancelAccount { dueAt } }`
)

func TestPasswordOfACitizen(t *testing.T) {
	w := newWorld(t)
	const mobile = "13800000100"
	_, p := w.signIn(mobile)
	_, elsewhere := w.signIn(mobile)
	if got := w.codeOf(p, setPassword, `{"newPassword": "correct horse 1"}`); got != "STEP_UP_REQUIRED" {
		t.Errorf("a password with no proof: %q", got)
	}
	proven := w.prove(p, mobile)
	for weak, why := range map[string]string{"short1": "short", "onlyletters": "one class", "aaaa1111": "few characters", "password123": "guessed", "x13800000100": "the number", "abc12345\u0000": "control"} {
		text, _ := json.Marshal(weak)
		if a := w.ask(proven, setPassword, `{"i": {"newPassword": `+string(text)+`}}`); a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != "input.newPassword" {
			t.Errorf("%s (%q): %v", why, weak, a.Errors)
		}
	}
	if got := get[struct{ SetPassword struct{ EndedSessions int } }](w, proven, setPassword, `{"i": {"newPassword": "correct horse 1"}}`).SetPassword.EndedSessions; got != 1 {
		t.Errorf("%d other sessions ended", got)
	}
	if alive, err := w.SessionAlive(t.Context(), elsewhere.Session); err != nil || alive {
		t.Errorf("another session outlives the change of the password: %v %v", alive, err)
	}
	if alive, _ := w.SessionAlive(t.Context(), p.Session); !alive {
		t.Error("the session that changed the password ended")
	}
	in := get[struct{ SignInByPassword tokens }](w, nil, byPassword, `{"i": {"mobile": "13800000100", "password": "correct horse 1"}}`).SignInByPassword
	if in.Viewer.ID != p.ID {
		t.Errorf("%+v", in)
	}
	if got := w.codeOf(p, setPassword, `{"currentPassword": "wrong", "newPassword": "another horse 2"}`); got != "INVALID_INPUT" {
		t.Errorf("with a wrong present password: %q", got)
	}
	if got := w.codeOf(p, setPassword, `{"currentPassword": "correct horse 1", "newPassword": "another horse 2"}`); got != "" {
		t.Errorf("with the present password: %q", got)
	}
	code := w.sceneCode(nil, "RESET_PASSWORD", mobile, mobile)
	if got := w.codeOf(nil, signInByCodeInput, fmt.Sprintf(`{"mobile": %q, "code": %q}`, mobile, code)); got != "INVALID_INPUT" {
		t.Errorf("a code for another scene signs in: %q", got)
	}
	code = w.sceneCode(nil, "RESET_PASSWORD", mobile, mobile)
	if got := w.codeOf(nil, resetPassword, fmt.Sprintf(`{"mobile": %q, "code": %q, "newPassword": "weak"}`, mobile, code)); got != "INVALID_INPUT" {
		t.Errorf("a weak one: %q", got)
	}
	if got := w.codeOf(nil, resetPassword, fmt.Sprintf(`{"mobile": %q, "code": %q, "newPassword": "third horse 3"}`, mobile, code)); got != "" {
		t.Errorf("the code was used up by a weak password: %q", got)
	}
	if got := w.codeOf(nil, resetPassword, fmt.Sprintf(`{"mobile": %q, "code": %q, "newPassword": "fourth horse 4"}`, mobile, code)); got != "INVALID_INPUT" {
		t.Errorf("a replayed code: %q", got)
	}
	if n := w.number(`SELECT count(*) FROM platform.session WHERE principal_id = $1 AND ended_at IS NULL`, p.ID); n != 0 {
		t.Errorf("%d sessions outlive the reset", n)
	}
	for _, old := range []string{"correct horse 1", "another horse 2"} {
		if got := w.codeOf(nil, byPassword, fmt.Sprintf(`{"mobile": %q, "password": %q}`, mobile, old)); got != "UNAUTHENTICATED" {
			t.Errorf("the old password %q: %q", old, got)
		}
	}
	if got := w.codeOf(nil, byPassword, fmt.Sprintf(`{"mobile": %q, "password": "third horse 3"}`, mobile)); got != "" {
		t.Errorf("the new password: %q", got)
	}
	var hash string
	w.must(w.database.Owner.Get(&hash, `SELECT password_hash FROM platform.citizen WHERE id = $1`, p.ID))
	if !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("stored as %.12s", hash)
	}
}

const signInByCodeInput = `mutation($i: SignInByCodeInput!) { signInByCode(input: $i) { accessToken refreshToken isNew viewer { id } } }`

func TestWrongPasswordsAskForACaptchaAndLock(t *testing.T) {
	w := newWorld(t)
	const mobile = "13800000110"
	_, p := w.signIn(mobile)
	w.codeOf(w.prove(p, mobile), setPassword, `{"newPassword": "correct horse 1"}`)
	w.forgetLimits()
	try := func(mobile, password string) string {
		return w.codeOf(nil, byPassword, fmt.Sprintf(`{"mobile": %q, "password": %q}`, mobile, password))
	}
	for _, number := range []string{mobile, "13800000119"} { // the second has no account, and gets the same answers
		for i := range 3 {
			if got := try(number, "wrong"); got != "UNAUTHENTICATED" {
				t.Errorf("%s try %d: %q", number, i, got)
			}
		}
		if got := try(number, "correct horse 1"); got != "CAPTCHA_REQUIRED" {
			t.Errorf("%s after three: %q", number, got)
		}
		w.forgetLimits()
		if got := try(number, "wrong"); got != "UNAUTHENTICATED" {
			t.Errorf("%s fourth: %q", number, got)
		}
		w.forgetLimits()
		if got := try(number, "wrong"); got != "LOCKED" {
			t.Errorf("%s fifth: %q", number, got)
		}
		w.forgetLimits()
		if got := try(number, "correct horse 1"); got != "LOCKED" {
			t.Errorf("%s while locked: %q", number, got)
		}
	}
	if _, again := w.signIn(mobile); again.ID != p.ID {
		t.Error("a locked password locks the code too")
	}
	w.clock.move(16 * time.Minute)
	w.forgetLimits()
	if got := try(mobile, "correct horse 1"); got != "" {
		t.Errorf("after the lock: %q", got)
	}
	type made struct{ RequestCaptcha struct{ ID, Question string } }
	for range 3 {
		try(mobile, "wrong")
	}
	c := get[made](w, nil, `mutation { requestCaptcha(input: {scene: SMS_CODE, kind: QUESTION}) { id question image } }`, "").RequestCaptcha
	if got := w.codeOf(nil, byPassword, fmt.Sprintf(`{"mobile": %q, "password": "correct horse 1", "captcha": {"id": %q, "answer": "1"}}`, mobile, c.ID)); got != "INVALID_INPUT" {
		t.Errorf("a captcha of another scene: %q", got)
	}
}

func TestStepUpIsNeededForWhatIsSensitive(t *testing.T) {
	w := newWorld(t)
	const mobile = "13800000120"
	_, p := w.signIn(mobile)
	_, other := w.signIn("13800000121")
	for name, mutation := range map[string]string{"reveal": revealOwn, "cancel": cancel} {
		if got := w.ask(p, mutation, "").code(); got != "STEP_UP_REQUIRED" {
			t.Errorf("%s: %q", name, got)
		}
		if got := w.ask(nil, mutation, "").code(); got != "UNAUTHENTICATED" {
			t.Errorf("%s by nobody: %q", name, got)
		}
		if got := w.ask(w.worker(here), mutation, "").code(); got == "" {
			t.Errorf("%s by a worker is done", name)
		}
	}
	if got := w.codeOf(p, changeMobile, `{"mobile": "13800000129", "code": "123456"}`); got != "STEP_UP_REQUIRED" {
		t.Errorf("change: %q", got)
	}
	const stepUp = `mutation($i: StepUpInput!) { stepUp(input: $i) { accessToken } }`
	code := w.sceneCode(p, "STEP_UP", "", mobile)
	for name, c := range map[string]struct {
		by    *access.Principal
		input string
		want  string
	}{
		"nobody": {nil, `{"code": "` + code + `"}`, "UNAUTHENTICATED"}, "another": {other, `{"code": "` + code + `"}`, "INVALID_INPUT"},
		"both": {p, `{"code": "` + code + `", "password": "x"}`, "INVALID_INPUT"}, "neither": {p, `{}`, "INVALID_INPUT"},
		"no password": {p, `{"password": "x"}`, "CONFLICT"}, "a worker": {w.worker(here), `{"password": "x"}`, "FORBIDDEN"},
	} {
		if got := w.codeOf(c.by, stepUp, c.input); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := w.ask(p, `mutation { requestSmsCode(input: {scene: STEP_UP, mobile: "13800000121"}) { expiresInSeconds } }`, "").code(); got != "INVALID_INPUT" {
		t.Errorf("a step-up code to another number: %q", got)
	}
	proven := w.prove(p, mobile)
	if got := get[struct{ RevealOwnMobile struct{ Mobile string } }](w, proven, revealOwn, "").RevealOwnMobile.Mobile; got != "+86"+mobile {
		t.Errorf("revealed %q", got)
	}
	late := *proven
	late.ProvenAt = time.Now().Add(-access.Recent)
	if got := w.ask(&late, revealOwn, "").code(); got != "STEP_UP_REQUIRED" {
		t.Errorf("five minutes later: %q", got)
	}
}

func TestOneCodeUsedByManyAtOnceCountsOnce(t *testing.T) {
	w := newWorld(t)
	const mobile = "13800000130"
	code := w.code(mobile)
	var group sync.WaitGroup
	won := make(chan string, 16)
	for range 16 {
		group.Go(func() {
			if a := w.ask(nil, signInByCodeInput, fmt.Sprintf(`{"i": {"mobile": %q, "code": %q}}`, mobile, code)); a.code() == "" {
				won <- "won"
			}
		})
	}
	group.Wait()
	if len(won) != 1 {
		t.Errorf("%d of 16 won", len(won))
	}
}

func TestChangeOfMobile(t *testing.T) {
	w := newWorld(t)
	const before, after, taken = "13800000140", "13800000141", "13800000142"
	_, p := w.signIn(before)
	_, other := w.signIn(taken)
	proven := w.prove(p, before)
	code := w.sceneCode(proven, "CHANGE_MOBILE", taken, taken)
	if got := w.codeOf(proven, changeMobile, fmt.Sprintf(`{"mobile": %q, "code": %q}`, taken, code)); got != "CONFLICT" {
		t.Errorf("another's number: %q", got)
	}
	code = w.sceneCode(proven, "CHANGE_MOBILE", after, after)
	if got := w.codeOf(w.prove(other, taken), changeMobile, fmt.Sprintf(`{"mobile": %q, "code": %q}`, after, code)); got != "INVALID_INPUT" {
		t.Errorf("another's code: %q", got)
	}
	byWord := *proven
	byWord.ProvenBy = access.ByPassword
	if got := w.codeOf(&byWord, changeMobile, fmt.Sprintf(`{"mobile": %q, "code": %q}`, after, code)); got != "STEP_UP_REQUIRED" {
		t.Errorf("the old number is not proven: %q", got)
	}
	if got := w.codeOf(proven, changeMobile, fmt.Sprintf(`{"mobile": %q, "code": %q}`, after, code)); got != "" {
		t.Errorf("change: %q", got)
	}
	if _, again := w.signIn(after); again.ID != p.ID {
		t.Error("the new number signs in another account")
	}
	if in, again := w.signIn(before); again.ID == p.ID || !in.IsNew {
		t.Error("the old number still signs in")
	}
}
