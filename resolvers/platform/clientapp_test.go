package platform_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// appAnswer is an application as mutations answer it.
type appAnswer struct {
	ID, ClientID, State, StateReason string
	Version                          int
	GrantedScopes, GrantedOperations []string
}

const appFields = `{ id clientId state stateReason version grantedScopes grantedOperations }`

// desk is the platform with those who deal with applications.
type desk struct {
	*world
	developer, colleague, neighbour, reviewer, afar *access.Principal
}

func newDesk(w *world) *desk {
	as := func(code, id string, roles ...access.Role) *access.Principal {
		p := w.worker(code, roles...)
		p.UnitID = w.workers[code] // units have their worker's ID
		if id != "" {
			p.ID = id
		}
		return p
	}
	return &desk{world: w,
		developer: as(here, "", access.Developer), colleague: as(here, "00000000-0000-7000-8000-0000000000c1", access.Developer),
		neighbour: as(next, "", access.Developer), reviewer: as(city, "", access.SecurityAdmin), afar: as(elsewhere, "", access.SecurityAdmin)}
}

const described = `{"name": "邻里商店", "summary": "为居民提供社区团购", "kind": "WEB", "audience": "CITIZENS", "redirectUris": ["https://shop.example.cn/callback"],
	"logoutUris": [], "scopes": ["PROFILE", "PHONE", "API"], "operations": ["Area", "Services"], "dailyQuota": 5000, "ratePerSecond": 20}`

func (d *desk) apply(p *access.Principal, description string) appAnswer {
	d.t.Helper()
	return get[struct {
		ApplyClientApp struct{ ClientApp appAnswer }
	}](d.world, p, `mutation($i: ApplyClientAppInput!) { applyClientApp(input: $i) { clientApp `+appFields+` } }`, `{"i": {"app": `+description+`}}`).ApplyClientApp.ClientApp
}

// act does a mutation about the application; more are further fields of the input.
func (d *desk) act(p *access.Principal, mutation string, a appAnswer, more string) (appAnswer, string) {
	d.t.Helper()
	name := strings.ToUpper(mutation[:1]) + mutation[1:]
	got := d.ask(p, fmt.Sprintf(`mutation($i: %sInput!) { m: %s(input: $i) { clientApp %s } }`, name, mutation, appFields),
		fmt.Sprintf(`{"i": {"id": %q, "expectedVersion": %d%s}}`, a.ID, a.Version, more))
	var data struct{ M struct{ ClientApp appAnswer } }
	if len(got.Errors) == 0 {
		d.must(json.Unmarshal(got.Data, &data))
	}
	return data.M.ClientApp, got.code()
}

// Every action in every state: what the table allows happens, all else is refused and changes nothing.
func TestEveryActionOnAnApplicationInEveryState(t *testing.T) {
	d := newDesk(newWorld(t))
	actions := []struct {
		mutation, more string
		by             *access.Principal
		to             map[clientapp.State]clientapp.State
	}{
		{"updateClientApp", `, "app": ` + described, d.developer, map[clientapp.State]clientapp.State{clientapp.Draft: clientapp.Draft, clientapp.Rejected: clientapp.Draft}},
		{"submitClientApp", "", d.developer, map[clientapp.State]clientapp.State{clientapp.Draft: clientapp.InReview}},
		{"reviewClientApp", `, "approve": true`, d.reviewer, map[clientapp.State]clientapp.State{clientapp.InReview: clientapp.Sandbox}},
		{"reviewClientApp", `, "approve": false, "reason": "用途不明"`, d.reviewer, map[clientapp.State]clientapp.State{clientapp.InReview: clientapp.Rejected}},
		{"launchClientApp", "", d.reviewer, map[clientapp.State]clientapp.State{clientapp.Sandbox: clientapp.Live}},
		{"suspendClientApp", `, "reason": "被投诉"`, d.reviewer, map[clientapp.State]clientapp.State{clientapp.Live: clientapp.Suspended}},
		{"resumeClientApp", "", d.reviewer, map[clientapp.State]clientapp.State{clientapp.Suspended: clientapp.Live}},
		{"retireClientApp", `, "reason": "业务结束"`, d.reviewer, map[clientapp.State]clientapp.State{clientapp.Suspended: clientapp.Retired}},
		{"setClientAppAddresses", `, "redirectUris": ["https://shop.example.cn/other"], "logoutUris": []`, d.developer, map[clientapp.State]clientapp.State{clientapp.Sandbox: clientapp.Sandbox}},
		{"createClientAppKey", "", d.developer, map[clientapp.State]clientapp.State{clientapp.Sandbox: clientapp.Sandbox, clientapp.Live: clientapp.Live}},
	}
	states := []clientapp.State{clientapp.Draft, clientapp.InReview, clientapp.Rejected, clientapp.Sandbox, clientapp.Live, clientapp.Suspended, clientapp.Retired}
	for _, action := range actions {
		for _, from := range states {
			a := d.apply(d.developer, described)
			d.sql(`UPDATE platform.client_app SET state = $2 WHERE id = $1`, a.ID, from)
			lines := d.number(`SELECT count(*) FROM platform.client_app_history WHERE client_app_id = $1`, a.ID)
			got, code := d.act(action.by, action.mutation, a, action.more)
			to, allowed := action.to[from]
			if allowed != (code == "") || allowed && got.State != string(to) || !allowed && code != "CONFLICT" {
				t.Errorf("%s%s in %s: %q, %s", action.mutation, action.more, from, code, got.State)
			}
			if !allowed {
				to = from
			}
			if n := d.number(`SELECT count(*) FROM platform.client_app WHERE id = $1 AND state = $2`, a.ID, to); n != 1 {
				t.Errorf("%s in %s left another state", action.mutation, from)
			}
			if n := d.number(`SELECT count(*) FROM platform.client_app_history WHERE client_app_id = $1`, a.ID); (n > lines) != allowed {
				t.Errorf("%s in %s: %d lines of history, before %d", action.mutation, from, n, lines)
			}
		}
	}
}

// Who may not see, review or suspend an application.
func TestWhoMayNotDealWithApplications(t *testing.T) {
	d := newDesk(newWorld(t))
	a := d.apply(d.developer, described)
	sees := func(p *access.Principal) bool {
		got := d.ask(p, `query($id: ID!) { clientApp(id: $id) { id keys { hint } history { action worker { id } } statistics { day } } }`, fmt.Sprintf(`{"id": %q}`, a.ID))
		var data struct{ ClientApp *struct{ ID string } }
		_ = json.Unmarshal(got.Data, &data)
		listed := d.ask(p, `{ clientApps { edges { node { id } } } }`, "")
		if strings.Contains(string(listed.Data), a.ID) != (data.ClientApp != nil) {
			t.Errorf("the list and the look of %+v differ", p)
		}
		return data.ClientApp != nil
	}
	citizen := &access.Principal{Kind: access.Citizen, ID: "00000000-0000-7000-8000-0000000000aa"}
	leader := d.worker(city, access.Leader)
	for who, p := range map[string]*access.Principal{"nobody": nil, "a citizen": citizen, "a leader": leader, "another unit": d.neighbour, "a reviewer elsewhere": d.afar} {
		if sees(p) {
			t.Errorf("%s sees the application", who)
		}
		for _, mutation := range []string{"submitClientApp", "launchClientApp", "createClientAppKey"} {
			if _, code := d.act(p, mutation, a, ""); code != "NOT_FOUND" && code != "FORBIDDEN" && code != "UNAUTHENTICATED" {
				t.Errorf("%s: %s: %q", who, mutation, code)
			}
		}
		if _, code := d.act(p, "suspendClientApp", a, `, "reason": "试试看"`); code == "" || code == "CONFLICT" {
			t.Errorf("%s suspends: %q", who, code)
		}
	}
	for who, p := range map[string]*access.Principal{"the developer": d.developer, "a colleague": d.colleague, "the reviewer": d.reviewer} {
		if !sees(p) {
			t.Errorf("%s does not see it", who)
		}
	}
	// the reviewer has no say in what is the unit's, and the unit none in the review
	if _, code := d.act(d.reviewer, "submitClientApp", a, ""); code != "FORBIDDEN" {
		t.Errorf("the reviewer submits: %q", code)
	}
	a, code := d.act(d.colleague, "submitClientApp", a, "")
	if code != "" {
		t.Fatal(code)
	}
	both := *d.developer
	both.Roles, both.AreaCode = []access.Role{access.Developer, access.SecurityAdmin}, city
	colleague := *d.colleague
	colleague.Roles, colleague.AreaCode = both.Roles, city
	for who, p := range map[string]*access.Principal{"who made it": &both, "who submitted it": &colleague} {
		if _, code := d.act(p, "reviewClientApp", a, `, "approve": true`); code != "FORBIDDEN" {
			t.Errorf("%s reviews: %q", who, code)
		}
	}
	if _, code := d.act(d.reviewer, "reviewClientApp", a, `, "approve": true, "grantedScopes": ["PHONE_FULL"]`); code != "INVALID_INPUT" {
		t.Errorf("more scopes than asked for: %q", code)
	}
	if _, code := d.act(d.reviewer, "reviewClientApp", a, `, "approve": true, "grantedOperations": ["SignOut"]`); code != "INVALID_INPUT" {
		t.Errorf("more operations than asked for: %q", code)
	}
	if _, code := d.act(d.reviewer, "reviewClientApp", appAnswer{ID: a.ID, Version: a.Version - 1}, `, "approve": true`); code != "CONFLICT" {
		t.Errorf("a stale version: %q", code)
	}
	approved, code := d.act(d.reviewer, "reviewClientApp", a, `, "approve": true, "grantedScopes": ["OPENID", "PROFILE"], "grantedOperations": ["Area"]`)
	if code != "" || fmt.Sprint(approved.GrantedScopes, approved.GrantedOperations) != "[OPENID PROFILE] [Area]" {
		t.Errorf("%q %+v", code, approved)
	}
	// the database says the same: a worker of the community next door sees no row
	for table, p := range map[string]*access.Principal{"client_app": d.neighbour, "client_app_history": d.neighbour, "oidc_key": d.reviewer, "oidc_token": d.reviewer, "sso_session": d.reviewer, "consent": d.reviewer} {
		if n := d.seenRows(p, table); n != 0 {
			t.Errorf("%s shows %d rows to one who may not see them", table, n)
		}
	}
	if n := d.seenRows(d.colleague, "client_app"); n != 1 {
		t.Errorf("the unit's own worker sees %d rows", n)
	}
}

// A key is shown once, kept as a hash, and replaced without an interruption.
func TestKeysOfApplications(t *testing.T) {
	s := newSignOn(t)
	d := newDesk(s.world)
	a := d.apply(d.developer, described)
	d.sql(`UPDATE platform.client_app SET state = 'LIVE', granted_scopes = '{OPENID,API}' WHERE id = $1`, a.ID)
	create := func(hours int) string {
		t.Helper()
		made := get[struct {
			CreateClientAppKey struct {
				Secret    string
				Key       struct{ Hint string }
				ClientApp appAnswer
			}
		}](s.world, d.developer, `mutation($i: CreateClientAppKeyInput!) { createClientAppKey(input: $i) { secret key { hint } clientApp `+appFields+` } }`,
			fmt.Sprintf(`{"i": {"id": %q, "expectedVersion": %d, "overlapHours": %d}}`, a.ID, a.Version, hours)).CreateClientAppKey
		a = made.ClientApp
		if !strings.HasSuffix(made.Secret, made.Key.Hint) || len(made.Secret) != 43 {
			t.Errorf("%+v", made)
		}
		return made.Secret
	}
	counts := func(secret string) bool {
		r := &registered{s: s}
		r.ClientID, r.ClientSecret = a.ClientID, secret
		status, _ := r.ask("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"api"}})
		return status == 200
	}
	first := create(0)
	if !counts(first) || counts(first+"x") || counts("") {
		t.Fatal("the first key")
	}
	if n := s.number(`SELECT count(*) FROM platform.client_app_secret WHERE encode(hash, 'escape') LIKE '%' || $1 || '%'`, first); n != 0 {
		t.Error("the key itself is kept")
	}
	second := create(24)
	if !counts(first) || !counts(second) {
		t.Error("one of the two does not count beside the other")
	}
	s.clock.move(25 * time.Hour)
	if counts(first) || !counts(second) {
		t.Error("after the overlap")
	}
	third := create(0)
	if counts(second) || !counts(third) {
		t.Error("a key replaced at once")
	}
	shown := s.ask(d.developer, `query($id: ID!) { clientApp(id: $id) { keys { hint usedAt expiresAt } } }`, fmt.Sprintf(`{"id": %q}`, a.ID))
	if strings.Contains(string(shown.Data), third) || strings.Count(string(shown.Data), "hint") != 3 {
		t.Errorf("%s", shown.Data)
	}
}

// Addresses that a browser could read in another way than a person are refused.
func TestAddressesOfApplications(t *testing.T) {
	d := newDesk(newWorld(t))
	for address, fine := range map[string]bool{
		"https://shop.example.cn/callback": true, "http://127.0.0.1:8080/callback": true, "https://shop.example.cn": true, "https://shop.example.cn/cb?x=1": true,
		"http://shop.example.cn/callback": false, "https://a@shop.example.cn/cb": false, "https://shop.example.cn/cb#x": false, "https://shop.example.cn/../cb": false,
		"https://shop.example.cn/%2e%2e/cb": false, "https://*.example.cn/cb": false, "javascript:alert(1)": false, "shop://callback": false, "//shop.example.cn": false,
		"https://shop.example.cn\\\\@evil.example": false, "": false, "https://shop.example.cn/c b": false, "https://": false, "cn.example.shop:/callback": false,
	} {
		got := d.ask(d.developer, `mutation($i: ApplyClientAppInput!) { applyClientApp(input: $i) { clientApp { id } } }`,
			`{"i": {"app": `+strings.Replace(described, "https://shop.example.cn/callback", address, 1)+`}}`)
		if (got.code() == "") != fine || !fine && got.code() != "INVALID_INPUT" {
			t.Errorf("%q: %q", address, got.code())
		}
	}
	// what only a developer reaches does not go live
	a := d.apply(d.developer, strings.Replace(described, "https://shop.example.cn/callback", "http://localhost/callback", 1))
	d.sql(`UPDATE platform.client_app SET state = 'SANDBOX' WHERE id = $1`, a.ID)
	if _, code := d.act(d.reviewer, "launchClientApp", a, ""); code != "CONFLICT" {
		t.Errorf("launched with an address for debugging: %q", code)
	}
}

// Calls are bounded by second and day, and counted by day in Beijing.
func TestMeterOfApplications(t *testing.T) {
	w := newWorld(t)
	d := newDesk(w)
	a := d.apply(d.developer, described)
	w.clock.at = time.Date(2026, 5, 1, 15, 59, 50, 0, time.UTC) // ten seconds before midnight in Beijing
	m := &clientapp.Meter{DB: w.db, Redis: w.redis, Now: w.clock.now, Log: discard}
	for i := range 5 {
		err := m.Take(t.Context(), a.ID, 7, 3)
		if (err == nil) != (i < 3) {
			t.Errorf("call %d of the second: %v", i+1, err)
		}
	}
	w.clock.move(time.Second)
	for i := range 3 {
		m.Called(a.ID, i == 0)
		if err := m.Take(t.Context(), a.ID, 7, 9); err != nil {
			t.Errorf("call %d of the next: %v", i+1, err)
		}
	}
	if err := m.Take(t.Context(), a.ID, 7, 9); err != nil {
		t.Errorf("the last of the day: %v", err)
	}
	if err := m.Take(t.Context(), a.ID, 7, 9); err == nil || !strings.Contains(err.Error(), "今日") {
		t.Errorf("over the day's quota: %v", err)
	}
	m.Refused(a.ID)
	w.must(m.Flush(t.Context()))
	w.clock.move(10 * time.Second)
	if err := m.Take(t.Context(), a.ID, 7, 9); err != nil {
		t.Errorf("the next day: %v", err)
	}
	m.Called(a.ID, false)
	w.must(m.Flush(t.Context()))
	w.must(m.Flush(t.Context()))
	got := w.ask(d.developer, `query($id: ID!) { clientApp(id: $id) { statistics(from: "2026-04-30", to: "2026-05-02") { day calls errors refusals } } }`, fmt.Sprintf(`{"id": %q}`, a.ID))
	want := `[{"day":"2026-05-02","calls":1,"errors":0,"refusals":0},{"day":"2026-05-01","calls":3,"errors":1,"refusals":1}]`
	if !strings.Contains(string(got.Data), want) {
		t.Errorf("%s %v", got.Data, got.Errors)
	}
}

// A sandbox lets in so many people and no more; people see and withdraw their own consents alone.
func TestConsentsAreTheirOwn(t *testing.T) {
	s := newSignOn(t)
	shop := s.app("BROWSER", callback, "OPENID PROFILE", `state = 'SANDBOX'`)
	b := s.browser()
	shop.signedIn(b, "13800000191")
	for i := range clientapp.SandboxPeople - 1 {
		s.sql(`INSERT INTO platform.consent (id, client_app_id, kind, principal_id, scopes, state, granted_at, expires_at, ended_at)
			VALUES (gen_random_uuid(), $1, 'citizen', gen_random_uuid(), '{OPENID}', 'REVOKED', now(), now(), now())`, shop.id)
		_ = i
	}
	late := s.browser()
	late.get(shop.address(newAttempt())).shows("正在试用")
	late.enter("13800000192").shows("授权确认")
	late.allow().shows("最多 20 人")
	b.get(shop.address(newAttempt()))
	if b.left == nil {
		t.Error("who agreed before is shut out")
	}
	_, owner := s.signIn("13800000191")
	_, other := s.signIn("13800000192")
	const mine = `{ consents { edges { node { id appName state items { scope words } } } } }`
	list := get[struct {
		Consents struct {
			Edges []struct {
				Node struct{ ID, AppName, State string }
			}
		}
	}](s.world, owner, mine, "")
	if len(list.Consents.Edges) != 1 || list.Consents.Edges[0].Node.AppName != "邻里商店" {
		t.Fatalf("%+v", list)
	}
	id := list.Consents.Edges[0].Node.ID
	if got := s.ask(other, mine, ""); strings.Contains(string(got.Data), id) {
		t.Error("another sees the consent")
	}
	const withdraw = `mutation($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { consent { state } } }`
	input := fmt.Sprintf(`{"i": {"id": %q}}`, id)
	for who, p := range map[string]*access.Principal{"another": other, "nobody": nil, "a worker": s.worker(here)} {
		if code := s.ask(p, withdraw, input).code(); code != "NOT_FOUND" && code != "UNAUTHENTICATED" {
			t.Errorf("%s withdraws it: %q", who, code)
		}
	}
	if code := s.ask(owner, withdraw, input).code(); code != "" {
		t.Errorf("the owner withdraws it: %q", code)
	}
	if code := s.ask(owner, withdraw, input).code(); code != "CONFLICT" {
		t.Errorf("once more: %q", code)
	}
}

// seenRows is how many rows of the table row-level security shows to the principal.
func (d *desk) seenRows(p *access.Principal, table string) (n int) {
	d.t.Helper()
	d.must(d.db.Read(access.With(d.t.Context(), p), func(tx *sqlx.Tx) error {
		return tx.GetContext(d.t.Context(), &n, `SELECT count(*) FROM platform.`+table)
	}))
	return n
}
