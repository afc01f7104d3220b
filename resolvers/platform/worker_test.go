package platform_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

type workerPayload struct {
	FirstPassword string
	Worker        struct {
		ID, State   string
		Version     int
		Roles       []string
		Assignments []struct {
			ID, Post string
			Roles    []string
			Primary  bool
		}
	}
}

const workerFields = `worker { id state version roles assignments { id post roles primary } }`

// completed is what ends a confinement.
type completed struct {
	AccessToken, RefreshToken string
	NextStep                  *string
	RecoveryCodes             []string
}

func (w *world) principal(token string) *access.Principal {
	w.t.Helper()
	p, _, err := w.verifier.Access(token)
	w.must(err)
	return p
}

// A worker's whole way: made, first password, roles, another post, suspended, gone.
func TestTheLifeOfAWorker(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	post := w.hire(5, here, "社区岗", access.CommunityWorker).ID // whose worker is the successor
	created := done[workerPayload](w, a.system, "createWorker", "CreateWorkerInput", "firstPassword "+workerFields,
		map[string]any{"login": "Li.Min", "name": "李敏", "postId": post})
	id := created.Worker.ID
	if len(created.Worker.Roles) != 0 || created.Worker.State != "ACTIVE" {
		t.Errorf("%+v", created)
	}
	for field, in := range map[string]map[string]any{
		"input.login":  {"login": "li.min", "name": "李敏", "postId": post},
		"input.name":   {"login": "li.min2", "name": "李", "postId": post},
		"input.postId": {"login": "li.min2", "name": "李敏", "postId": id},
	} {
		w.refused("creating with a wrong "+field, w.do(a.system, "createWorker", "CreateWorkerInput", workerFields, in), "INVALID_INPUT", field)
	}

	// the first password opens nothing but its change
	const signIn = `mutation($l: String!, $p: String!) { signInWorker(input: {login: $l, password: $p}) { accessToken refreshToken nextStep worker { id } } }`
	first := get[struct{ SignInWorker completed }](w, nil, signIn, fmt.Sprintf(`{"l": "li.min", "p": %q}`, created.FirstPassword)).SignInWorker
	confined := w.principal(first.AccessToken)
	if first.NextStep == nil || *first.NextStep != "PASSWORD" || confined.Confined != access.PasswordDue {
		t.Errorf("%+v %+v", first, confined)
	}
	if got := get[struct{ CurrentWorker *struct{ ID string } }](w, confined, `{ currentWorker { id } }`, ""); got.CurrentWorker != nil {
		t.Error("the confined are somebody")
	}
	w.refused("enrolling first", w.ask(confined, `mutation { enrolSecondFactor { secret } }`, ""), "FORBIDDEN", "")
	const change = `mutation($c: String!, $n: String!) { changePassword(input: {currentPassword: $c, newPassword: $n}) { accessToken refreshToken nextStep } }`
	for _, c := range []struct{ present, next, field string }{
		{"wrong", "Sichuan-Chengdu-1", "input.currentPassword"}, {created.FirstPassword, "short-A1", "input.newPassword"},
		{created.FirstPassword, "alllowercaseletters", "input.newPassword"}, {created.FirstPassword, "Li.Min-2026-Chengdu", "input.newPassword"},
		{created.FirstPassword, "Aa1Aa1Aa1Aa1", "input.newPassword"}, {created.FirstPassword, created.FirstPassword, "input.newPassword"},
	} {
		w.refused("password "+c.next, w.ask(confined, change, fmt.Sprintf(`{"c": %q, "n": %q}`, c.present, c.next)), "INVALID_INPUT", c.field)
	}
	changed := get[struct{ ChangePassword completed }](w, confined, change, fmt.Sprintf(`{"c": %q, "n": "Sichuan-Chengdu-1"}`, created.FirstPassword)).ChangePassword
	self := w.principal(changed.AccessToken)
	if changed.NextStep != nil || self.Confined != "" || len(self.Roles) != 0 {
		t.Errorf("%+v", self)
	}
	for i := 2; i <= 5; i++ { // the last five do not come again, the sixth may
		get[any](w, self, change, fmt.Sprintf(`{"c": "Sichuan-Chengdu-%d", "n": "Sichuan-Chengdu-%d"}`, i-1, i))
	}
	w.refused("an old password", w.ask(self, change, `{"c": "Sichuan-Chengdu-5", "n": "Sichuan-Chengdu-1"}`), "INVALID_INPUT", "input.newPassword")
	get[any](w, self, change, `{"c": "Sichuan-Chengdu-5", "n": "Sichuan-Chengdu-6"}`)
	get[any](w, self, change, `{"c": "Sichuan-Chengdu-6", "n": "Sichuan-Chengdu-1"}`)

	// roles come from the security administrator, and end the sessions
	assignment := created.Worker.Assignments[0].ID
	granted := done[workerPayload](w, a.security, "grantAssignment", "GrantAssignmentInput", workerFields, map[string]any{"assignmentId": assignment})
	if !slices.Equal(granted.Worker.Roles, []string{"COMMUNITY_WORKER"}) {
		t.Errorf("%+v", granted)
	}
	if alive, err := w.SessionAlive(t.Context(), self.Session); err != nil || alive {
		t.Errorf("a session with the old roles lives: %v", err)
	}
	token := func() *access.Principal {
		t.Helper()
		return w.principal(get[struct{ SignInWorker completed }](w, nil, signIn, `{"l": "li.min", "p": "Sichuan-Chengdu-1"}`).SignInWorker.AccessToken)
	}
	if self = token(); !self.May(access.FeedbackHandle) || self.AreaCode != here {
		t.Errorf("%+v", self)
	}

	// another post, of another street's community, with other roles: one at a time
	other := w.hire(6, next, "督办岗", access.Supervisor).ID
	today := w.clock.now().In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
	version := w.number(`SELECT version FROM platform.worker WHERE id = '` + id + `'`)
	change2 := func(version int, more map[string]any) answer {
		in := map[string]any{"workerId": id, "expectedVersion": version}
		for k, v := range more {
			in[k] = v
		}
		return w.do(a.system, "changeAssignments", "ChangeAssignmentsInput", workerFields, in)
	}
	w.refused("a stale version", change2(version-1, map[string]any{"add": []any{map[string]any{"postId": other, "validFrom": today}}}), "CONFLICT", "")
	w.refused("a day of yesterday", change2(version, map[string]any{"add": []any{map[string]any{"postId": other, "validFrom": "2020-01-01"}}}), "INVALID_INPUT", "input.add.0.validFrom")
	w.refused("the same post twice", change2(version, map[string]any{"add": []any{map[string]any{"postId": post, "validFrom": today}}}), "INVALID_INPUT", "input.add.0.postId")
	w.refused("no primary left", change2(version, map[string]any{"end": []any{map[string]any{"assignmentId": assignment, "lastDay": today}}}), "INVALID_INPUT", "input.end.0.assignmentId")
	w.refused("adding", change2(version, map[string]any{"add": []any{map[string]any{"postId": other, "validFrom": today}}}), "", "")
	var second string
	w.must(w.database.Owner.Get(&second, `SELECT id FROM platform.assignment WHERE worker_id = $1 AND post_id = $2`, id, other))
	w.refused("granting the second", w.do(a.security, "grantAssignment", "GrantAssignmentInput", workerFields, map[string]any{"assignmentId": second}), "", "")
	self = token()
	if self.Covers(next) || self.May(access.FeedbackReject) != (access.CommunityWorker.Grants(access.FeedbackReject)) {
		t.Errorf("a second post counts beside the first: %+v", self)
	}
	switched := w.principal(get[struct{ SwitchPost completed }](w, self, `mutation($a: ID!) { switchPost(input: {assignmentId: $a}) { accessToken } }`, fmt.Sprintf(`{"a": %q}`, second)).SwitchPost.AccessToken)
	if switched.Covers(here) || !switched.Covers(next) || switched.May(access.FeedbackHandle) {
		t.Errorf("%+v", switched)
	}
	w.refused("a post that is another's", w.ask(switched, `mutation($a: ID!) { switchPost(input: {assignmentId: $a}) { accessToken } }`, fmt.Sprintf(`{"a": %q}`, a.system.AssignmentID)), "NOT_FOUND", "")

	// suspended at once, resumed, and gone with a successor
	turn := func(field, kind string, more map[string]any) answer {
		in := map[string]any{"id": id, "expectedVersion": w.number(`SELECT version FROM platform.worker WHERE id = '` + id + `'`), "reason": "工作调整"}
		for k, v := range more {
			in[k] = v
		}
		return w.do(a.system, field, kind, workerFields, in)
	}
	w.refused("resuming the active", turn("resumeWorker", "ResumeWorkerInput", nil), "CONFLICT", "")
	w.refused("suspending", turn("suspendWorker", "SuspendWorkerInput", nil), "", "")
	if alive, _ := w.SessionAlive(t.Context(), switched.Session); alive {
		t.Error("a suspended worker is signed in")
	}
	w.refused("signing in suspended", w.signInWorker("li.min", "Sichuan-Chengdu-1"), "UNAUTHENTICATED", "")
	w.refused("suspending twice", turn("suspendWorker", "SuspendWorkerInput", nil), "CONFLICT", "")
	w.refused("resuming", turn("resumeWorker", "ResumeWorkerInput", nil), "", "")
	self = token()
	w.refused("a successor who is none", turn("endWorker", "EndWorkerInput", map[string]any{"successorId": "00000000-0000-7000-8000-00000000ffff"}), "INVALID_INPUT", "input.successorId")
	w.refused("oneself as successor", turn("endWorker", "EndWorkerInput", map[string]any{"successorId": id}), "INVALID_INPUT", "input.successorId")
	w.refused("leaving", turn("endWorker", "EndWorkerInput", map[string]any{"successorId": post}), "", "")
	if alive, _ := w.SessionAlive(t.Context(), self.Session); alive {
		t.Error("who left is signed in")
	}
	var left struct{ WorkerID, SuccessorID, AreaCode string }
	var payload []byte
	w.must(w.database.Owner.Get(&payload, `SELECT payload FROM platform.outbox WHERE subject = 'platform.worker.left'`))
	w.must(json.Unmarshal(payload, &left))
	if left.WorkerID != id || left.SuccessorID != post || left.AreaCode != here {
		t.Errorf("%s", payload)
	}
	for _, c := range []struct{ field, kind string }{{"resumeWorker", "ResumeWorkerInput"}, {"suspendWorker", "SuspendWorkerInput"}, {"endWorker", "EndWorkerInput"}} {
		w.refused(c.field+" of who left", turn(c.field, c.kind, nil), "CONFLICT", "")
	}
	w.refused("signing in after leaving", w.signInWorker("li.min", "Sichuan-Chengdu-1"), "UNAUTHENTICATED", "")
}

// 高新区 runs streets of several districts: its staff see those, in Go and in SQL.
func TestZoneStaffSeeTheirStreets(t *testing.T) {
	w := newWorld(t)
	const zone = "510191000000"
	w.workers[zone] = "00000000-0000-7000-8000-0000000000aa"
	w.sql(`INSERT INTO platform.org_unit (id, name, kind, area_code, parent_id) VALUES ($1, '高新区社区发展局', 'PARTY_GOVERNMENT', $2, $3)`, w.workers[zone], zone, w.workers[city])
	w.hire(9, zone, "督办岗", access.Supervisor)
	p := w.asWorker("hired09")
	var streets, others []string
	w.must(w.database.Owner.Select(&streets, `SELECT code FROM platform.area WHERE zone_code = $1 AND level = 'STREET' ORDER BY code`, zone))
	w.must(w.database.Owner.Select(&others, `SELECT code FROM platform.area WHERE zone_code IS DISTINCT FROM $1 AND level = 'STREET' AND code LIKE '510107%' ORDER BY code`, zone))
	if len(streets) < 5 || len(others) == 0 || len(p.Prefixes) != len(streets)+1 {
		t.Fatalf("%d streets, scope %v", len(streets), p.Prefixes)
	}
	for _, street := range streets {
		if !p.Covers(street) || !p.Covers(street[:9]+"001") {
			t.Errorf("%s is not covered", street)
		}
	}
	for _, street := range append(others, city, "510107000000") {
		if p.Covers(street) {
			t.Errorf("%s is covered", street)
		}
	}
	for id, area := range map[string]string{w.workers[here]: streets[2], w.workers[next]: others[0]} {
		w.sql(`UPDATE platform.worker SET area_code = $1 WHERE id = $2`, area, id)
		w.sql(`UPDATE platform.assignment SET area_code = $1 WHERE worker_id = $2`, area, id)
	}
	seen := func(area string) (ids []string) {
		t.Helper()
		variables := `{}`
		if area != "" {
			variables = fmt.Sprintf(`{"a": %q}`, area)
		}
		for _, e := range get[struct {
			Workers struct {
				Edges []struct{ Node struct{ ID string } }
			}
		}](w, p, `query($a: ID) { workers(areaId: $a) { edges { node { id } } } }`, variables).Workers.Edges {
			ids = append(ids, e.Node.ID)
		}
		return ids
	}
	if got := seen(""); !slices.Contains(got, w.workers[here]) || slices.Contains(got, w.workers[next]) {
		t.Errorf("the zone's staff see %v", got)
	}
	if got := seen(streets[2]); !slices.Equal(got, []string{w.workers[here]}) {
		t.Errorf("of one street: %v", got)
	}
	w.refused("another street", w.ask(p, `query($a: ID) { workers(areaId: $a) { edges { cursor } } }`, fmt.Sprintf(`{"a": %q}`, others[0])), "NOT_FOUND", "")
}
