package platform_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

// Redis goes away in the middle, and an empty one comes back: who is signed in
// stays so, who signed out stays out; only what must be counted waits.
func TestSessionsOutliveRedis(t *testing.T) {
	first, dying := embeddedtest.Redis(t)
	second, fresh := embeddedtest.Redis(t)
	var socket atomic.Value
	socket.Store(strings.TrimPrefix(first, "unix://"))
	client := redis.NewClient(&redis.Options{MaxRetries: -1, Dialer: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", socket.Load().(string))
	}})
	t.Cleanup(func() { _ = client.Close() })
	w := newWorld(t, func(d *platform.Deps) { d.Redis = client })
	w.redis = client
	alive := func(session string, want bool) {
		t.Helper()
		if got, err := w.SessionAlive(t.Context(), session); err != nil || got != want {
			t.Errorf("alive: %v %v, want %v", got, err, want)
		}
	}
	in, p := w.signIn("13800000190")
	_, out := w.signIn("13800000190")
	get[any](w, out, `mutation { signOut { endedSessions } }`, "")
	alive(p.Session, true)

	dying.ShutdownNoSave(t.Context())
	alive(p.Session, true)
	alive(out.Session, false)
	const refresh = `mutation($t: String!) { refreshSession(input: {refreshToken: $t}) { accessToken refreshToken } }`
	next := get[struct{ RefreshSession tokens }](w, nil, refresh, fmt.Sprintf(`{"t": %q}`, in.RefreshToken)).RefreshSession
	if got := w.ask(nil, `mutation { requestSmsCode(input: {mobile: "13800000191", scene: SIGN_IN}) { expiresInSeconds } }`, "").code(); got != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("a code that cannot be limited: %q", got)
	}
	gone := p.Session
	get[any](w, p, `mutation { signOut { endedSessions } }`, "")
	alive(gone, false)
	if got := w.ask(nil, refresh, fmt.Sprintf(`{"t": %q}`, next.RefreshToken)).code(); got != "UNAUTHENTICATED" {
		t.Errorf("signed out while Redis was away: %q", got)
	}

	socket.Store(strings.TrimPrefix(second, "unix://"))
	alive(out.Session, false)
	_, again := w.signIn("13800000190")
	if again.ID != p.ID {
		t.Error("another account after Redis came back")
	}
	fresh.FlushAll(t.Context())
	alive(again.Session, true)
	if got := fresh.Get(t.Context(), "platform:session:"+again.Session).Val(); got != "alive" {
		t.Errorf("Redis was not filled again: %q", got)
	}
	alive(gone, false)
}
