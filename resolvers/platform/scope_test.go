package platform_test

import (
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// eachWall runs the test with both walls up, and with the checks in Go alone:
// row-level security by itself is tested below.
func eachWall(t *testing.T, test func(*testing.T, *world)) {
	t.Run("both walls", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("Go alone", func(t *testing.T) {
		w := newWorld(t)
		for _, table := range []string{"citizen", "worker", "assignment", "notification", "file"} {
			w.sql(`ALTER TABLE platform.` + table + ` DISABLE ROW LEVEL SECURITY`)
		}
		test(t, w)
	})
}

// settle gives the citizen a community of residence.
func (w *world) settle(p *access.Principal, code string) {
	w.t.Helper()
	get[any](w, p, `mutation($a: ID!) { updateProfile(input: {areaId: $a}) { viewer { area { name } } } }`, fmt.Sprintf(`{"a": %q}`, code))
	p.AreaCode = code
}

const citizenByID = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { id nickname mobileMasked } } }`

type citizens struct {
	Entities []*struct{ ID, Nickname, MobileMasked string } `json:"_entities"`
}

func TestWhoMayNotSeeACitizen(t *testing.T) { eachWall(t, whoMayNotSeeACitizen) }

func whoMayNotSeeACitizen(t *testing.T, w *world) {
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	w.settle(p, here)
	reps := fmt.Sprintf(`{"r": [{"__typename": "Citizen", "id": %q}]}`, p.ID)
	for _, c := range []struct {
		name string
		who  *access.Principal
		sees bool
	}{
		{"nobody", nil, false},
		{"another citizen", other, false},
		{"another citizen who claims the area", &access.Principal{Kind: access.Citizen, ID: other.ID, AreaCode: here, Roles: []access.Role{access.CommunityWorker}}, false},
		{"the next community's worker", w.worker(next), false},
		{"another district's worker", w.worker(elsewhere), false},
		{"a leader of the city, who has no citizen.view", w.worker(city, access.Leader), false},
		{"a worker with no area", &access.Principal{Kind: access.Worker, ID: w.workers[here], Roles: []access.Role{access.CommunityWorker}}, false},
		{"a worker with the citizen's ID", &access.Principal{Kind: access.Worker, ID: p.ID, AreaCode: elsewhere, Roles: []access.Role{access.CommunityWorker}}, false},
		{"oneself", p, true},
		{"the community's worker", w.worker(here), true},
		{"a street's worker with citizen.view", w.worker(street), true},
	} {
		got := get[citizens](w, c.who, citizenByID, reps).Entities
		if sees := len(got) == 1 && got[0] != nil; sees != c.sees {
			t.Errorf("%s: sees %v, want %v", c.name, sees, c.sees)
		} else if sees && got[0].MobileMasked != "138****0001" {
			t.Errorf("%s: sees the number as %s", c.name, got[0].MobileMasked)
		}
	}
	// who has told no community is seen by no worker
	reps = fmt.Sprintf(`{"r": [{"__typename": "Citizen", "id": %q}]}`, other.ID)
	if got := get[citizens](w, w.worker(city), citizenByID, reps).Entities; got[0] != nil {
		t.Error("a worker sees a citizen without a community")
	}
}

func TestWhoMayNotSeeAWorker(t *testing.T) { eachWall(t, whoMayNotSeeAWorker) }

func whoMayNotSeeAWorker(t *testing.T, w *world) {
	_, citizen := w.signIn("13800000001")
	const query = `query($id: ID!) { worker(id: $id) { id login } }`
	for _, c := range []struct {
		name        string
		who         *access.Principal
		of          string
		sees, login bool
	}{
		{"nobody", nil, here, false, false},
		{"a citizen", citizen, here, false, false},
		{"the next community's worker", w.worker(next), here, false, false},
		{"below looks up", w.worker(here), street, false, false},
		{"a catalogue editor, who has no worker.view", w.worker(city, access.CatalogueEditor), here, false, false},
		{"oneself", w.worker(here), here, true, true},
		{"the street", w.worker(street, access.Supervisor), here, true, false},
		{"the city's administrator", w.worker(city, access.SystemAdmin), here, true, true},
	} {
		got := get[struct {
			Worker *struct {
				ID    string
				Login *string
			}
		}](w, c.who, query, fmt.Sprintf(`{"id": %q}`, w.workers[c.of])).Worker
		if (got != nil) != c.sees || got != nil && (got.Login != nil) != c.login {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	const list = `query($a: ID) { workers(areaId: $a) { edges { node { id } } } }`
	type page struct {
		Workers struct {
			Edges []struct{ Node struct{ ID string } }
		}
	}
	for _, c := range []struct {
		who  *access.Principal
		area string
		want int
		code string
	}{
		{nil, here, 0, "UNAUTHENTICATED"}, {citizen, here, 0, "FORBIDDEN"}, {w.worker(next), here, 0, "NOT_FOUND"},
		{w.worker(here), street, 0, "NOT_FOUND"}, {w.worker(here), "5101", 0, "INVALID_INPUT"}, {w.worker(here), "%", 0, "INVALID_INPUT"},
		{w.worker(here), here, 1, ""}, {w.worker(street), street, 3, ""}, {w.worker(district), next, 1, ""}, {w.worker(city), city, 6, ""},
	} {
		a := w.ask(c.who, list, fmt.Sprintf(`{"a": %q}`, c.area))
		if a.code() != c.code {
			t.Errorf("%+v: %v", c, a.Errors)
		} else if c.code == "" {
			if got := get[page](w, c.who, list, fmt.Sprintf(`{"a": %q}`, c.area)).Workers.Edges; len(got) != c.want {
				t.Errorf("%+v: %d workers", c, len(got))
			}
		}
	}
}

// The second wall: what a statement without any condition sees and changes.
func TestRowLevelSecurityHoldsByItself(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	w.settle(p, here)
	w.notify(p, "给一号")
	w.notify(other, "给二号")
	w.notify(w.worker(here), "给工作者")
	w.upload(p, picture(1))
	count := func(who *access.Principal, table string) (n int) {
		t.Helper()
		w.must(w.db.Read(access.With(t.Context(), who), func(tx *sqlx.Tx) error {
			return tx.Get(&n, `SELECT count(*) FROM platform.`+table)
		}))
		return n
	}
	tables := []string{"citizen", "worker", "assignment", "notification", "file", "session", "refresh_token", "lockout"}
	for _, c := range []struct {
		name string
		who  *access.Principal
		want []int
	}{
		{"nobody", nil, []int{0, 0, 0, 0, 0, 0, 0, 0}},
		{"a citizen", p, []int{1, 0, 0, 1, 1, 1, 0, 0}},
		{"the community's worker", w.worker(here), []int{1, 1, 1, 1, 0, 0, 0, 0}},
		{"the next community's worker", w.worker(next), []int{0, 1, 1, 0, 0, 0, 0, 0}},
		{"the street", w.worker(street), []int{1, 3, 3, 0, 0, 0, 0, 0}},
		{"a worker with no area", &access.Principal{Kind: access.Worker, ID: "x"}, []int{0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		for i, table := range tables {
			if got := count(c.who, table); got != c.want[i] {
				t.Errorf("%s sees %d rows of %s, want %d", c.name, got, table, c.want[i])
			}
		}
	}
	for name, statement := range map[string]string{
		"another's nickname":      `UPDATE platform.citizen SET nickname = 'x' WHERE id = '` + other.ID + `'`,
		"another's notification":  `UPDATE platform.notification SET read_at = now() WHERE recipient_id = '` + other.ID + `'`,
		"a worker's password":     `UPDATE platform.worker SET password_hash = ''`,
		"sessions":                `DELETE FROM platform.session`,
		"the divisions":           `UPDATE platform.area SET name = 'x'`,
		"a file of another":       `INSERT INTO platform.file (id, hash, name, owner_kind, owner_id, created_at) SELECT gen_random_uuid(), hash, 'x', 'citizen', '` + other.ID + `', now() FROM platform.blob`,
		"a notification to other": `INSERT INTO platform.notification (id, request_id, recipient_kind, recipient_id, topic, title, body, created_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'citizen', '` + other.ID + `', 'SYSTEM', 'x', 'x', now())`,
	} {
		var rows int64
		err := w.db.Write(access.With(t.Context(), p), func(tx *sqlx.Tx) error {
			result, err := tx.Exec(statement)
			if err == nil {
				rows, _ = result.RowsAffected()
			}
			return err
		})
		if err == nil && rows > 0 {
			t.Errorf("a citizen changes %s", name)
		}
	}
}

func TestViewerAndCurrentWorker(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	const query = `{ viewer { id } currentWorker { id } }`
	type data struct {
		Viewer, CurrentWorker *struct{ ID string }
	}
	if got := get[data](w, nil, query, ""); got.Viewer != nil || got.CurrentWorker != nil {
		t.Errorf("nobody: %+v", got)
	}
	if got := get[data](w, p, query, ""); got.Viewer == nil || got.Viewer.ID != p.ID || got.CurrentWorker != nil {
		t.Errorf("a citizen: %+v", got)
	}
	if got := get[data](w, w.worker(here), query, ""); got.Viewer != nil || got.CurrentWorker == nil || got.CurrentWorker.ID != w.workers[here] {
		t.Errorf("a worker: %+v", got)
	}
}

func TestUpdateProfileRefuses(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	const update = `mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { viewer { nickname area { code } } } }`
	for _, c := range []struct {
		who         *access.Principal
		input       string
		code, field string
	}{
		{nil, `{}`, "UNAUTHENTICATED", ""},
		{w.worker(here), `{"nickname": "x"}`, "FORBIDDEN", ""},
		{p, `{"nickname": ""}`, "INVALID_INPUT", "input.nickname"},
		{p, `{"nickname": "` + "一二三四五六七八九十一二三四五六七八九十一" + `"}`, "INVALID_INPUT", "input.nickname"},
		{p, `{"nickname": "a\u0000b"}`, "INVALID_INPUT", "input.nickname"},
		{p, `{"nickname": "a\u202eb"}`, "INVALID_INPUT", "input.nickname"},
		{p, `{"areaId": "` + street + `"}`, "INVALID_INPUT", "input.areaId"},
		{p, `{"areaId": "510104017999"}`, "INVALID_INPUT", "input.areaId"},
		{p, `{"areaId": "'; DROP TABLE"}`, "INVALID_INPUT", "input.areaId"},
	} {
		a := w.ask(c.who, update, `{"i": `+c.input+`}`)
		if a.code() != c.code || c.field != "" && a.Errors[0].Extensions["field"] != c.field {
			t.Errorf("%s: %v", c.input, a.Errors)
		}
	}
	got := get[struct {
		UpdateProfile struct {
			Viewer struct {
				Nickname string
				Area     struct{ Code string }
			}
		}
	}](w, p, update, `{"i": {"nickname": " 小明 ", "areaId": "`+here+`"}}`).UpdateProfile.Viewer
	if got.Nickname != "小明" || got.Area.Code != here {
		t.Errorf("%+v", got)
	}
}
