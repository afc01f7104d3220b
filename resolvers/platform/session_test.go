package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

func TestCitizenSignsInAndKeepsTheAccount(t *testing.T) {
	w := newWorld(t)
	first, p := w.signIn("13800000001")
	if !first.IsNew || first.Viewer.MobileMasked != "138****0001" {
		t.Errorf("first sign-in: %+v", first)
	}
	if p.Kind != access.Citizen || p.ID != first.Viewer.ID || p.Session == "" {
		t.Errorf("the token names %+v", p)
	}
	again := get[struct{ SignInByCode tokens }](w, nil, signInByCode, fmt.Sprintf(`{"m": "+86 138-0000-0001", "c": %q}`, w.code("13800000001"))).SignInByCode
	if again.IsNew || again.Viewer.ID != first.Viewer.ID {
		t.Errorf("the second sign-in made another account: %+v", again)
	}
	var stored []byte
	w.must(w.database.Owner.Get(&stored, `SELECT mobile || mobile_index FROM platform.citizen`))
	if strings.Contains(string(stored), "13800000001") || strings.Contains(string(stored), "0000") {
		t.Error("the mobile number lies in the table as it is")
	}
}

func TestCodeCountsOnceAndWrongOnesRunOut(t *testing.T) {
	w := newWorld(t)
	const mobile = "13900000001"
	try := func(code string) string {
		return w.ask(nil, signInByCode, fmt.Sprintf(`{"m": %q, "c": %q}`, mobile, code)).code()
	}
	code := w.code(mobile)
	if got := try(code); got != "" {
		t.Fatalf("the right code: %s", got)
	}
	if got := try(code); got != "INVALID_INPUT" {
		t.Errorf("a replayed code: %q", got)
	}
	code = w.code(mobile)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for range 5 {
		if got := try(wrong); got != "INVALID_INPUT" {
			t.Errorf("a wrong code: %q", got)
		}
	}
	if got := try(code); got != "INVALID_INPUT" {
		t.Errorf("the right code after five wrong ones: %q", got)
	}
	older := w.code(mobile)
	newer := w.code(mobile)
	if older != newer && try(older) == "" {
		t.Error("an older code counts beside the newer one")
	}
	if got := w.ask(nil, signInByCode, `{"m": "13900000002", "c": "`+newer+`"}`).code(); got != "INVALID_INPUT" {
		t.Errorf("another number's code: %q", got)
	}
	if got := try(newer); got != "" {
		t.Errorf("the newer code: %q", got)
	}
	for _, key := range w.redis.Keys(t.Context(), "*").Val() {
		for _, value := range w.redis.HGetAll(t.Context(), key).Val() {
			if strings.Contains(value, newer) {
				t.Errorf("Redis holds the code under %s", key)
			}
		}
	}
}

func TestCodesEnd(t *testing.T) {
	w := newWorld(t)
	code := w.code("13900000003")
	keys := w.redis.Keys(t.Context(), "platform:sms:*SIGN_IN").Val()
	if len(keys) != 1 {
		t.Fatalf("keys of the code: %v", keys)
	}
	if left := w.redis.PTTL(t.Context(), keys[0]).Val(); left > 5*time.Minute || left < 4*time.Minute {
		t.Errorf("the code ends in %v", left)
	}
	w.must(w.redis.Del(t.Context(), keys[0]).Err()) // as at the end of its time
	a := w.ask(nil, signInByCode, `{"m": "13900000003", "c": "`+code+`"}`)
	if a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != "input.code" {
		t.Errorf("an ended code: %v", a.Errors)
	}
}

func TestParallelGuessesGetFiveTries(t *testing.T) {
	w := newWorld(t)
	const mobile = "13900000009"
	code := w.code(mobile)
	var group sync.WaitGroup
	wins := make(chan bool, 60)
	for i := range 50 {
		group.Go(func() {
			guess := fmt.Sprintf("%06d", i)
			if guess == code {
				guess = "999999"
			}
			wins <- w.ask(nil, signInByCode, fmt.Sprintf(`{"m": %q, "c": %q}`, mobile, guess)).code() == ""
		})
	}
	group.Wait()
	wins <- w.ask(nil, signInByCode, fmt.Sprintf(`{"m": %q, "c": %q}`, mobile, code)).code() == ""
	close(wins)
	for won := range wins {
		if won {
			t.Error("somebody got in after more than five tries")
		}
	}
}

// withoutCaptchas lets codes be asked for without end but for the other limits.
func withoutCaptchas(d *platform.Deps) {
	limits := sms.Usual
	limits.CaptchaNumber, limits.CaptchaAddress = limit.Rule{}, limit.Rule{}
	d.Limits = &limits
}

func TestCodesAreLimitedByNumberAndAddress(t *testing.T) {
	w := newWorld(t, withoutCaptchas)
	ask := func(mobile, address string) answer {
		ctx := access.WithRemote(t.Context(), access.Remote{Address: address})
		return w.askIn(ctx, nil, `mutation($m: String!) { requestSmsCode(input: {mobile: $m, scene: SIGN_IN}) { retryAfterSeconds } }`, fmt.Sprintf(`{"m": %q}`, mobile))
	}
	if a := ask("13700000000", "198.51.100.1"); a.code() != "" {
		t.Fatal(a.Errors)
	}
	a := ask("13700000000", "198.51.100.2")
	if a.code() != "RATE_LIMITED" {
		t.Fatalf("a second code at once: %v", a.Errors)
	}
	if after, _ := a.Errors[0].Extensions["retryAfter"].(int); after < 1 || after > 60 {
		t.Errorf("retry after %d s", after)
	}
	sent := 1
	for i := 1; i < 150; i++ {
		if ask(fmt.Sprintf("137%08d", i), "198.51.100.1").code() == "" {
			sent++
		}
	}
	if sent != 100 {
		t.Errorf("one address got %d codes, want 100", sent)
	}
	if a := ask("13700000999", "198.51.100.3"); a.code() != "" {
		t.Errorf("another address is limited too: %v", a.Errors)
	}
	for _, mobile := range []string{"", "12345", "12800000000", "1380000000a", "+1 3800000000", "138000000001"} {
		if a := ask(mobile, ""); a.code() != "INVALID_INPUT" || a.Errors[0].Extensions["field"] != "input.mobile" {
			t.Errorf("%q: %v", mobile, a.Errors)
		}
	}
}

func TestManyFirstSignInsMakeOneAccount(t *testing.T) {
	w := newWorld(t)
	service := citizen.New(w.db, w.keys, w.clock.now)
	var group sync.WaitGroup
	made := make(chan bool, 8)
	for range 8 {
		group.Go(func() {
			err := w.db.Write(access.AsSystem(t.Context(), "test"), func(tx *sqlx.Tx) error {
				_, isNew, err := service.SignIn(t.Context(), tx, "+8613600000000")
				made <- isNew
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	close(made)
	n := 0
	for isNew := range made {
		if isNew {
			n++
		}
	}
	if accounts := w.number(`SELECT count(*) FROM platform.citizen`); n != 1 || accounts != 1 {
		t.Errorf("%d first sign-ins made %d accounts of one number", n, accounts)
	}
}

const signInWorker = `mutation($l: String!, $p: String!) { signInWorker(input: {login: $l, password: $p}) {
	accessToken refreshToken worker { id login unreadNotificationCount area { name } unit { name } assignments { post } } } }`

func (w *world) signInWorker(login, password string) answer {
	w.t.Helper()
	return w.ask(nil, signInWorker, fmt.Sprintf(`{"l": %q, "p": %q}`, login, password))
}

func TestWorkerSignsIn(t *testing.T) {
	w := newWorld(t)
	a := w.signInWorker(" W"+here+" ", password)
	var data struct {
		SignInWorker struct {
			AccessToken string
			Worker      struct {
				ID, Login   string
				Area        struct{ Name string }
				Assignments []struct{ Post string }
			}
		}
	}
	if a.code() != "" {
		t.Fatal(a.Errors)
	}
	w.must(json.Unmarshal(a.Data, &data))
	got := data.SignInWorker
	if got.Worker.ID != w.workers[here] || got.Worker.Login != "w"+here || got.Worker.Area.Name != "水井坊社区" || len(got.Worker.Assignments) != 1 {
		t.Errorf("%+v", got)
	}
	p, _, err := w.verifier.Access(got.AccessToken)
	w.must(err)
	if p.AreaCode != here || !p.May(access.FeedbackHandle) || p.UnitID != w.workers[here] {
		t.Errorf("the token names %+v", p)
	}
}

func TestWrongPasswordsLockWhetherTheWorkerExistsOrNot(t *testing.T) {
	w := newWorld(t)
	for _, login := range []string{"w" + here, "nobody"} {
		var messages []string
		for range 4 {
			a := w.signInWorker(login, "wrong")
			if a.code() != "UNAUTHENTICATED" {
				t.Fatalf("%s: %v", login, a.Errors)
			}
			messages = append(messages, a.Errors[0].Message)
		}
		if a := w.signInWorker(login, "wrong"); a.code() != "LOCKED" {
			t.Errorf("%s: the fifth: %v", login, a.Errors)
		}
		a := w.signInWorker(login, password)
		if a.code() != "LOCKED" {
			t.Errorf("%s: the right password of a locked worker: %v", login, a.Errors)
		}
		if after, _ := a.Errors[0].Extensions["retryAfter"].(int); after < 890 || after > 900 {
			t.Errorf("%s: retry after %v s", login, after)
		}
		if want := "登录名或密码错误，还可尝试 4 次"; messages[0] != want {
			t.Errorf("%s: %q, want %q", login, messages[0], want)
		}
	}
	if a := w.signInWorker("w"+next, password); a.code() != "" {
		t.Errorf("another worker is locked too: %v", a.Errors)
	}
	w.clock.move(15*time.Minute + time.Second)
	if a := w.signInWorker("w"+here, password); a.code() != "" {
		t.Errorf("after the lock: %v", a.Errors)
	}
	for range 4 {
		w.signInWorker("w"+here, "wrong")
	}
	if a := w.signInWorker("w"+here, password); a.code() != "" {
		t.Errorf("after four wrong ones: %v", a.Errors)
	}
	if a := w.signInWorker("w"+here, "wrong"); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a right password does not forgive: %v", a.Errors)
	}
}

func TestParallelPasswordsGetFiveTries(t *testing.T) {
	w := newWorld(t)
	codes := make(chan string, 20)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { codes <- w.signInWorker("w"+here, "wrong").code() })
	}
	group.Wait()
	close(codes)
	counts := map[string]int{}
	for code := range codes {
		counts[code]++
	}
	if counts["UNAUTHENTICATED"] > 4 || counts["UNAUTHENTICATED"]+counts["LOCKED"] != 20 {
		t.Errorf("answers: %v", counts)
	}
}

func TestAnUnknownNameCostsTheSameStatements(t *testing.T) {
	w := newWorld(t)
	counts := map[string]int64{}
	for _, login := range []string{"w" + here, "nobody"} {
		ctx, counter := database.WithCounter(t.Context())
		w.askIn(ctx, nil, signInWorker, fmt.Sprintf(`{"l": %q, "p": "wrong"}`, login))
		counts[login] = counter.Statements()
	}
	if counts["w"+here] != counts["nobody"] {
		t.Errorf("statements: %v", counts)
	}
}

func TestTheInboxIsForDevelopmentOnly(t *testing.T) {
	for development, want := range map[bool]int{true: 200, false: 404} {
		w := newWorld(t, func(d *platform.Deps) { d.Development = development })
		recorder := httptest.NewRecorder()
		w.InboxHandler().ServeHTTP(recorder, httptest.NewRequest("GET", "/development/inbox", nil))
		if recorder.Code != want {
			t.Errorf("development %v: %d", development, recorder.Code)
		}
	}
}

func TestWhoMayNotSignIn(t *testing.T) {
	w := newWorld(t)
	w.sql(`UPDATE platform.worker SET state = 'SUSPENDED' WHERE login = 'w` + here + `'`)
	if a := w.signInWorker("w"+here, password); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a suspended worker: %v", a.Errors)
	}
	w.sql(`UPDATE platform.assignment SET valid_to = '2025-01-02' WHERE area_code = '` + next + `'`)
	if a := w.signInWorker("w"+next, password); a.code() != "FORBIDDEN" {
		t.Errorf("a worker with no present post: %v", a.Errors)
	}
	w.sql(`UPDATE platform.org_unit SET state = 'SUSPENDED' WHERE area_code = '` + elsewhere + `'`)
	if a := w.signInWorker("w"+elsewhere, password); a.code() != "FORBIDDEN" {
		t.Errorf("a worker of a suspended unit: %v", a.Errors)
	}
	w.signIn("13500000001")
	w.sql(`UPDATE platform.citizen SET state = 'LOCKED'`)
	if a := w.ask(nil, signInByCode, fmt.Sprintf(`{"m": "13500000001", "c": %q}`, w.code("13500000001"))); a.code() != "LOCKED" {
		t.Errorf("a locked citizen: %v", a.Errors)
	}
	for _, bad := range []struct{ login, password string }{{"", "x"}, {"x", ""}, {strings.Repeat("长", 65), "x"}, {"x", strings.Repeat("x", 129)}} {
		if a := w.signInWorker(bad.login, bad.password); a.code() != "INVALID_INPUT" {
			t.Errorf("%+v: %v", bad, a.Errors)
		}
	}
}
