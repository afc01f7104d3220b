package platform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
)

func TestThirdPartyAccountMeetsAMobile(t *testing.T) {
	w := newWorld(t, withOthers(t))
	const mobile = "13800000150"
	_, owner := w.signIn(mobile)
	wechat := func(code string) (tokens, *access.Principal) {
		in := get[struct{ SignInByThirdParty tokens }](w, nil, byThirdParty, fmt.Sprintf(`{"i": {"provider": "WECHAT", "code": %q}}`, code)).SignInByThirdParty
		p, _, err := w.verifier.Access(in.AccessToken)
		w.must(err)
		return in, p
	}
	first, guest := wechat("li.1")
	if !first.IsNew || first.Viewer.MobileMasked != "" || guest.ID == owner.ID {
		t.Fatalf("%+v", first)
	}
	if again, p := wechat("li.2"); again.IsNew || p.ID != guest.ID {
		t.Errorf("the second time: %+v", again)
	}
	if got := w.codeOf(nil, byThirdParty, `{"provider": "WECHAT", "code": "li.2"}`); got != "INVALID_INPUT" {
		t.Errorf("a replayed code: %q", got)
	}
	w.sql(`INSERT INTO platform.notification (id, request_id, recipient_kind, recipient_id, topic, title, body, created_at)
		VALUES (gen_random_uuid(), gen_random_uuid(), 'citizen', $1, 'SYSTEM', '历史', '', now())`, guest.ID)
	code := w.sceneCode(guest, "BIND_MOBILE", mobile, mobile)
	if got := w.codeOf(guest, bindMobile, fmt.Sprintf(`{"mobile": %q, "code": %q}`, mobile, code)); got != "CONFLICT" {
		t.Errorf("without agreeing: %q", got)
	}
	code = w.sceneCode(guest, "BIND_MOBILE", mobile, mobile)
	if got := w.codeOf(owner, bindMobile, fmt.Sprintf(`{"mobile": %q, "code": %q, "mergeIfTaken": true}`, mobile, code)); got != "INVALID_INPUT" {
		t.Errorf("another's code: %q", got)
	}
	code = w.sceneCode(guest, "BIND_MOBILE", mobile, mobile)
	bound := get[struct {
		BindMobile struct {
			Viewer struct{ ID, MobileMasked string }
			SignIn *tokens
		}
	}](w, guest, bindMobile, fmt.Sprintf(`{"i": {"mobile": %q, "code": %q, "mergeIfTaken": true}}`, mobile, code)).BindMobile
	if bound.Viewer.ID != owner.ID || bound.SignIn == nil || bound.Viewer.MobileMasked != "138****0150" {
		t.Fatalf("%+v", bound)
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen WHERE id = $1 AND state = 'MERGED' AND successor_id = $2`, guest.ID, owner.ID); n != 1 {
		t.Error("the guest's account is not merged")
	}
	if n := w.number(`SELECT count(*) FROM platform.notification WHERE recipient_id = $1 AND title = '历史'`, owner.ID); n != 1 {
		t.Error("the history is lost")
	}
	if got := w.ask(nil, `mutation($t: String!) { refreshSession(input: {refreshToken: $t}) { accessToken } }`, fmt.Sprintf(`{"t": %q}`, first.RefreshToken)).code(); got != "UNAUTHENTICATED" {
		t.Errorf("a merged account's refresh token: %q", got)
	}
	if alive, _ := w.SessionAlive(t.Context(), guest.Session); alive {
		t.Error("a merged account's session lives")
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.session.ended' AND payload->>'sessionId' = $1`, guest.Session); n != 1 {
		t.Errorf("the gateway is told %d times that the session ended", n)
	}
	if again, p := wechat("li.3"); again.IsNew || p.ID != owner.ID {
		t.Errorf("after merging: %+v", again)
	}
	if got := w.codeOf(guest, bindMobile, `{"mobile": "13800000159", "code": "123456"}`); got == "" {
		t.Error("a merged account goes on")
	}
	proven := w.prove(owner, mobile)
	if got := w.codeOf(proven, linkAccount, `{"provider": "ALIPAY", "code": "li.9"}`); got != "" {
		t.Errorf("linking Alipay: %q", got)
	}
	if got := w.codeOf(proven, linkAccount, `{"provider": "ALIPAY", "code": "wang.9"}`); got != "CONFLICT" {
		t.Errorf("a second Alipay account: %q", got)
	}
	if got := w.codeOf(owner, unlinkAccount, `{"provider": "ALIPAY"}`); got != "STEP_UP_REQUIRED" {
		t.Errorf("unlinking with no proof: %q", got)
	}
	if got := w.codeOf(proven, unlinkAccount, `{"provider": "ALIPAY"}`); got != "" {
		t.Errorf("unlinking: %q", got)
	}
	if got := w.codeOf(proven, unlinkAccount, `{"provider": "ALIPAY"}`); got != "NOT_FOUND" {
		t.Errorf("unlinking twice: %q", got)
	}
	var stored []byte
	w.must(w.database.Owner.Get(&stored, `SELECT subject || subject_index FROM platform.citizen_identity LIMIT 1`))
	if strings.Contains(string(stored), "oli") {
		t.Error("the provider's name of the person lies in the table as it is")
	}
}

func TestLinkingTakesAnotherAccountOver(t *testing.T) {
	w := newWorld(t, withOthers(t))
	const mobile = "13800000160"
	_, owner := w.signIn(mobile)
	guest := get[struct{ SignInByThirdParty tokens }](w, nil, byThirdParty, `{"i": {"provider": "ALIPAY", "code": "zhao.1"}}`).SignInByThirdParty
	proven := w.prove(owner, mobile)
	for id, allowed := range map[string]bool{guest.Viewer.ID: false, owner.ID: true} {
		w.sql(`INSERT INTO platform.message_preference VALUES ($1, 'ACTIVITY', $2, now())`, id, allowed)
	}
	w.sql(`INSERT INTO platform.message_preference VALUES ($1, 'PROMOTION', false, now())`, guest.Viewer.ID)
	w.sql(`INSERT INTO platform.push_device VALUES (gen_random_uuid(), 'citizen', $1, gen_random_uuid(), 'APNS', 'x', now())`, guest.Viewer.ID)
	w.sql(`INSERT INTO platform.citizen_obligation VALUES ('feedback/1', $1, true, now())`, guest.Viewer.ID)
	if got := w.codeOf(proven, linkAccount, `{"provider": "ALIPAY", "code": "zhao.2"}`); got != "CONFLICT" {
		t.Errorf("without agreeing: %q", got)
	}
	if got := w.codeOf(proven, linkAccount, `{"provider": "ALIPAY", "code": "zhao.3", "mergeIfTaken": true}`); got != "" {
		t.Errorf("agreed: %q", got)
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen WHERE id = $1 AND state = 'MERGED'`, guest.Viewer.ID); n != 1 {
		t.Error("not merged")
	}
	if n := w.number(`SELECT count(*) FROM platform.message_preference WHERE citizen_id = $1 AND NOT allowed`, owner.ID); n != 2 {
		t.Errorf("%d choices are kept: who opted out once is not asked again", n)
	}
	for name, query := range map[string]string{
		"push devices": `SELECT count(*) FROM platform.push_device WHERE recipient_id = $1`, "obligations": `SELECT count(*) FROM platform.citizen_obligation WHERE citizen_id = $1`,
	} {
		if n := w.number(query, owner.ID); n != 1 {
			t.Errorf("%s of the successor: %d", name, n)
		}
	}
	if got := w.ask(proven, cancel, "").code(); got != "CONFLICT" {
		t.Errorf("the former's open case does not keep the successor's account: %q", got)
	}
	_, second := w.signIn("13800000161")
	if got := w.codeOf(w.prove(second, "13800000161"), linkAccount, `{"provider": "ALIPAY", "code": "zhao.4", "mergeIfTaken": true}`); got != "CONFLICT" {
		t.Errorf("an account with a number is taken over: %q", got)
	}
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	const mobile = "13800000170"
	in := func(device, address, client string) *access.Principal {
		ctx := access.WithRemote(t.Context(), access.Remote{Address: address, Client: client})
		a := w.askIn(ctx, nil, signInByCodeInput, fmt.Sprintf(`{"i": {"mobile": %q, "code": %q, "device": %s}}`, mobile, w.code(mobile), device))
		var data struct{ SignInByCode tokens }
		if a.code() != "" {
			t.Fatal(a.Errors)
		}
		w.must(json.Unmarshal(a.Data, &data))
		p, _, err := w.verifier.Access(data.SignInByCode.AccessToken)
		w.must(err)
		return p
	}
	notices := func() int {
		return w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.notification.requested' AND payload->>'title' = '新设备登录提醒'`)
	}
	in(`{"id": "d1", "name": "李的手机"}`, "203.0.113.7", "app")
	p := in(`{"id": "d1", "name": "李的手机"}`, "203.0.113.8", "app")
	if notices() != 0 {
		t.Error("a known device is told of")
	}
	tablet := in(`{"id": "d2"}`, "2001:db8:1:2::5", "miniprogram")
	if notices() != 1 {
		t.Errorf("a new device is told of %d times", notices())
	}
	type device struct {
		ID, Name, AddressMasked string
		Current                 bool
	}
	type page struct {
		Viewer struct {
			Devices struct {
				Edges    []struct{ Node device }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
	}
	const query = `query($f: Int, $a: String) { viewer { devices(first: $f, after: $a) { edges { node { id name addressMasked current } } pageInfo { hasNextPage endCursor } } } }`
	one := get[page](w, p, query, `{"f": 2}`).Viewer.Devices
	if len(one.Edges) != 2 || !one.PageInfo.HasNextPage || one.Edges[0].Node.Name != "市民云小程序" || one.Edges[0].Node.AddressMasked != "2001:db8:*" ||
		one.Edges[1].Node != (device{p.Session, "李的手机", "203.0.*.*", true}) {
		t.Errorf("%+v", one)
	}
	if two := get[page](w, p, query, fmt.Sprintf(`{"f": 2, "a": %q}`, one.PageInfo.EndCursor)).Viewer.Devices; len(two.Edges) != 1 || two.PageInfo.HasNextPage {
		t.Errorf("%+v", two)
	}
	const out = `mutation($i: SignOutDeviceInput!) { signOutDevice(input: $i) { id } }`
	_, stranger := w.signIn("13800000171")
	if got := w.codeOf(stranger, out, fmt.Sprintf(`{"id": %q}`, tablet.Session)); got != "NOT_FOUND" {
		t.Errorf("a stranger: %q", got)
	}
	if got := w.codeOf(nil, out, fmt.Sprintf(`{"id": %q}`, tablet.Session)); got != "UNAUTHENTICATED" {
		t.Errorf("nobody: %q", got)
	}
	if got := w.codeOf(p, out, fmt.Sprintf(`{"id": %q}`, tablet.Session)); got != "" {
		t.Errorf("its owner: %q", got)
	}
	if alive, _ := w.SessionAlive(t.Context(), tablet.Session); alive {
		t.Error("the device is still signed in")
	}
	if got := w.codeOf(p, out, `{"id": "' OR true --"}`); got != "NOT_FOUND" {
		t.Errorf("a hostile ID: %q", got)
	}
	if got := get[struct{ SignOutOtherDevices struct{ EndedSessions int } }](w, p, `mutation { signOutOtherDevices { endedSessions } }`, "").SignOutOtherDevices.EndedSessions; got != 1 {
		t.Errorf("%d others ended", got)
	}
	if alive, _ := w.SessionAlive(t.Context(), p.Session); !alive {
		t.Error("the present device was signed out")
	}
	w.sql(`UPDATE platform.citizen SET area_code = $2 WHERE id = $1`, p.ID, here)
	if got := w.ask(w.worker(here), `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { nickname devices { edges { node { id } } } } } }`,
		fmt.Sprintf(`{"r": [{"__typename": "Citizen", "id": %q}]}`, p.ID)).code(); got != "FORBIDDEN" {
		t.Errorf("a worker sees the devices: %q", got)
	}
}

func TestCancellingAnAccount(t *testing.T) {
	w := newWorld(t, withOthers(t))
	const mobile = "13800000180"
	_, p := w.signIn(mobile)
	proven := w.prove(p, mobile)
	service := citizen.New(w.db, w.keys, w.clock.now)
	note := func(state string, after time.Duration) {
		payload, _ := json.Marshal(map[string]any{"caseId": "00000000-0000-7000-8000-0000000000c1", "citizenId": p.ID, "state": state, "at": w.clock.now().Add(after)})
		w.must(service.Note(t.Context(), event.Event{Payload: payload}))
	}
	note("ASSIGNED", 0)
	if got := w.ask(proven, cancel, "").code(); got != "CONFLICT" {
		t.Errorf("with an open case: %q", got)
	}
	note("CLOSED", 2*time.Second)
	note("IN_PROGRESS", time.Second) // comes late
	if got := w.ask(proven, cancel, "").code(); got != "" {
		t.Fatalf("cancelling: %q", got)
	}
	if got := w.ask(proven, cancel, "").code(); got != "CONFLICT" {
		t.Errorf("cancelling twice: %q", got)
	}
	if alive, _ := w.SessionAlive(t.Context(), p.Session); alive {
		t.Error("a session outlives the cancelling")
	}
	w.clock.move(6 * 24 * time.Hour)
	erased := func() int {
		n, err := service.EraseDue(t.Context())
		w.must(err)
		return n
	}
	if erased() != 0 {
		t.Error("erased before its time")
	}
	if in, again := w.signIn(mobile); in.IsNew || again.ID != p.ID || w.number(`SELECT count(*) FROM platform.citizen WHERE id = $1 AND state = 'ACTIVE'`, p.ID) != 1 {
		t.Error("signing in does not withdraw")
	}
	w.clock.move(2 * 24 * time.Hour)
	if erased() != 0 {
		t.Error("erased although withdrawn")
	}
	_, p2 := w.signIn(mobile)
	proven = w.prove(p2, mobile)
	proven.ProvenAt = time.Now()
	w.codeOf(proven, linkAccount, `{"provider": "WECHAT", "code": "qian.1"}`)
	if got := w.ask(proven, cancel, "").code(); got != "" {
		t.Fatalf("cancelling again: %q", got)
	}
	w.clock.move(citizen.CoolingTime)
	if erased() != 1 || erased() != 0 {
		t.Error("not erased once")
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen WHERE id = $1 AND state = 'CANCELLED' AND mobile IS NULL AND mobile_index IS NULL AND nickname = '已注销用户'`, p.ID); n != 1 {
		t.Error("personal data stays")
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen_identity WHERE citizen_id = $1`, p.ID); n != 0 {
		t.Error("the link stays")
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.citizen.cancelled'`); n != 1 {
		t.Errorf("%d events", n)
	}
	if in, again := w.signIn(mobile); !in.IsNew || again.ID == p.ID {
		t.Error("the number signs in a cancelled account")
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen_history WHERE citizen_id = $1 AND action LIKE 'CANCEL%'`, p.ID); n != 4 {
		t.Errorf("%d lines of history", n)
	}
	if err := w.db.Ping(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
