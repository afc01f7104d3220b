package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/token"
)

func (w *world) refresh(refreshToken string) (tokens, string) {
	w.t.Helper()
	a := w.ask(nil, `mutation($r: String!) { refreshSession(input: {refreshToken: $r}) { accessToken refreshToken } }`, fmt.Sprintf(`{"r": %q}`, refreshToken))
	var data struct{ RefreshSession tokens }
	_ = json.Unmarshal(a.Data, &data)
	return data.RefreshSession, a.code()
}

func TestRefreshRotatesAndReuseEndsTheSession(t *testing.T) {
	w := newWorld(t)
	first, p := w.signIn("13500000002")
	other, _ := w.signIn("13500000002")
	w.must(w.redis.FlushAll(t.Context()).Err()) // what Redis lost is not lost
	second, code := w.refresh(first.RefreshToken)
	if code != "" || second.RefreshToken == first.RefreshToken || second.RefreshToken == "" {
		t.Fatalf("%q %+v", code, second)
	}
	renewed, _, err := w.verifier.Access(second.AccessToken)
	if err != nil || renewed.ID != p.ID || renewed.Session != p.Session {
		t.Errorf("%v: %+v, was %+v", err, renewed, p)
	}
	if _, code := w.refresh(first.RefreshToken); code != "UNAUTHENTICATED" {
		t.Errorf("a rotated token: %q", code)
	}
	if _, code := w.refresh(second.RefreshToken); code != "UNAUTHENTICATED" {
		t.Errorf("the session outlives the reuse: %q", code)
	}
	if alive, err := w.SessionAlive(t.Context(), p.Session); err != nil || alive {
		t.Errorf("alive %v, %v", alive, err)
	}
	if _, code := w.refresh(other.RefreshToken); code != "" {
		t.Errorf("another session of the same citizen ended too: %q", code)
	}
	for _, bad := range []string{"", "rubbish", strings.Repeat("x", 5000), other.AccessToken} {
		if _, code := w.refresh(bad); code != "UNAUTHENTICATED" {
			t.Errorf("%.20q: %q", bad, code)
		}
	}
}

func TestParallelRefreshesGiveOneToken(t *testing.T) {
	w := newWorld(t)
	first, _ := w.signIn("13500000003")
	given := make(chan string, 8)
	for range 8 {
		go func() {
			next, _ := w.refresh(first.RefreshToken)
			given <- next.RefreshToken
		}()
	}
	n := 0
	for range 8 {
		if <-given != "" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of eight refreshes with one token succeeded", n)
	}
}

func TestRefreshEnds(t *testing.T) {
	w := newWorld(t)
	idle, _ := w.signIn("13500000004")
	w.clock.move(30*24*time.Hour + time.Second)
	if _, code := w.refresh(idle.RefreshToken); code != "UNAUTHENTICATED" {
		t.Errorf("after a month: %q", code)
	}
	var data struct{ SignInWorker tokens }
	w.must(json.Unmarshal(w.signInWorker("w"+here, password).Data, &data))
	w.sql(`UPDATE platform.worker SET state = 'LEFT' WHERE login = 'w` + here + `'`)
	if _, code := w.refresh(data.SignInWorker.RefreshToken); code != "UNAUTHENTICATED" {
		t.Errorf("a worker who left: %q", code)
	}
	if n := w.number(`SELECT count(*) FROM platform.session WHERE end_reason = 'PRINCIPAL'`); n != 1 {
		t.Errorf("%d sessions ended with the worker's leaving", n)
	}
}

func TestRefreshShowsTheNewPost(t *testing.T) {
	w := newWorld(t)
	var data struct{ SignInWorker tokens }
	w.must(json.Unmarshal(w.signInWorker("w"+here, password).Data, &data))
	w.sql(`UPDATE platform.assignment SET unit_id = $1, area_code = '`+next+`', roles = '{LEADER}' WHERE worker_id = $2`, w.workers[next], w.workers[here])
	renewed, code := w.refresh(data.SignInWorker.RefreshToken)
	if code != "" {
		t.Fatal(code)
	}
	p, _, err := w.verifier.Access(renewed.AccessToken)
	w.must(err)
	if p.AreaCode != next || p.May(access.FeedbackHandle) || !p.May(access.BoardView) {
		t.Errorf("%+v", p)
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	first, p := w.signIn("13500000005")
	second, q := w.signIn("13500000005")
	const signOut = `mutation($i: SignOutInput) { signOut(input: $i) { endedSessions } }`
	type data struct{ SignOut struct{ EndedSessions int } }
	if alive, err := w.SessionAlive(t.Context(), p.Session); err != nil || !alive {
		t.Fatal(alive, err)
	}
	if got := get[data](w, p, signOut, "").SignOut.EndedSessions; got != 1 {
		t.Errorf("%d sessions ended", got)
	}
	if alive, _ := w.SessionAlive(t.Context(), p.Session); alive {
		t.Error("the session lives on")
	}
	if _, code := w.refresh(first.RefreshToken); code != "UNAUTHENTICATED" {
		t.Errorf("refresh after signing out: %q", code)
	}
	if alive, _ := w.SessionAlive(t.Context(), q.Session); !alive {
		t.Error("the other session ended too")
	}
	third, _ := w.signIn("13500000005")
	if got := get[data](w, q, signOut, `{"i": {"everywhere": true}}`).SignOut.EndedSessions; got != 2 {
		t.Errorf("%d sessions ended everywhere", got)
	}
	for _, r := range []string{second.RefreshToken, third.RefreshToken} {
		if _, code := w.refresh(r); code != "UNAUTHENTICATED" {
			t.Errorf("refresh after signing out everywhere: %q", code)
		}
	}
	if a := w.ask(nil, signOut, ""); a.code() != "UNAUTHENTICATED" {
		t.Errorf("nobody signs out: %v", a.Errors)
	}
}

func TestRedisAwayIsSaidAndOpensNothing(t *testing.T) {
	w := newWorld(t)
	signedIn, p := w.signIn("13500000006")
	w.must(w.redis.Close())
	if a := w.ask(nil, `mutation { requestSmsCode(input: {mobile: "13500000007", scene: SIGN_IN}) { retryAfterSeconds } }`, ""); a.code() != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("%v", a.Errors)
	}
	if a := w.ask(nil, signInByCode, `{"m": "13500000006", "c": "123456"}`); a.code() != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("%v", a.Errors)
	}
	if alive, err := w.SessionAlive(t.Context(), p.Session); err != nil || !alive {
		t.Errorf("alive %v, %v", alive, err)
	}
	if _, code := w.refresh(signedIn.RefreshToken); code != "" {
		t.Errorf("refresh without Redis: %q", code)
	}
}

func TestAccessTokensEnd(t *testing.T) {
	w := newWorld(t)
	signedIn, _ := w.signIn("13500000008")
	w.clock.move(token.Lifetime + time.Second)
	if _, _, err := w.verifier.Access(signedIn.AccessToken); err == nil {
		t.Error("an access token outlives its time")
	}
}

func TestSMSProviderFails(t *testing.T) {
	w := newWorld(t)
	w.phone.fails = true
	a := w.ask(nil, `mutation { requestSmsCode(input: {mobile: "13500000007", scene: SIGN_IN}) { retryAfterSeconds } }`, "")
	if a.code() != "TEMPORARILY_UNAVAILABLE" || strings.Contains(a.Errors[0].Message, "operator") {
		t.Errorf("%v", a.Errors)
	}
}
