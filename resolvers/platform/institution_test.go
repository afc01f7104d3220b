package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/platform/delegation"
)

// administrators are the three of the city, and one more security administrator
// so that somebody may change what the first one holds.
type administrators struct{ system, security, audit, other *access.Principal }

// hire makes a worker with the post in the place's unit, with its roles.
func (w *world) hire(number int, place, post string, roles ...access.Role) *access.Principal {
	w.t.Helper()
	hash, err := testHash()
	w.must(err)
	id := fmt.Sprintf("00000000-0000-7000-8000-0000000001%02d", number)
	login := fmt.Sprintf("hired%02d", number)
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	list := "{" + strings.Join(names, ",") + "}"
	w.sql(`INSERT INTO platform.post (id, unit_id, area_code, name, roles, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, now(), now())`,
		id, w.workers[place], place, post, list) // a unit has the ID of its worker
	w.sql(`INSERT INTO platform.worker (id, login, name, password_hash, area_code) VALUES ($1, $2, $3, $4, $5)`, id, login, "人"+login, hash, place)
	w.sql(`INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post_id, post, roles, is_primary, valid_from, granted_at)
		VALUES ($1, $1, $2, $3, $1, $4, $5, true, '2025-01-01', now())`, id, w.workers[place], place, post, list)
	return &access.Principal{Kind: access.Worker, ID: id, Name: "人" + login, AreaCode: place, UnitID: w.workers[place], AssignmentID: id, Roles: roles}
}

func (w *world) administrators() administrators {
	return administrators{
		system:   w.hire(1, city, "系统管理员", access.SystemAdmin),
		security: w.hire(2, city, "安全保密管理员", access.SecurityAdmin),
		audit:    w.hire(3, city, "安全审计员", access.AuditAdmin),
		other:    w.hire(4, city, "安全保密管理员二", access.SecurityAdmin),
	}
}

// do runs a mutation of one input and gives the answer.
func (w *world) do(p *access.Principal, field, inputType, selection string, input map[string]any) answer {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"i": input})
	w.must(err)
	return w.ask(p, fmt.Sprintf(`mutation($i: %s!) { %s(input: $i) { %s } }`, inputType, field, selection), string(text))
}

// done is do that must succeed, decoded.
func done[T any](w *world, p *access.Principal, field, inputType, selection string, input map[string]any) T {
	w.t.Helper()
	a := w.do(p, field, inputType, selection, input)
	if len(a.Errors) > 0 {
		w.t.Fatalf("%s %v: %v", field, input, a.Errors)
	}
	var data map[string]T
	w.must(json.Unmarshal(a.Data, &data))
	return data[field]
}

// refused wants the mutation to be refused with the code, about the field.
func (w *world) refused(name string, a answer, code, field string) {
	w.t.Helper()
	if a.code() != code || field != "" && a.Errors[0].Extensions["field"] != field {
		w.t.Errorf("%s: %v, want %s %s", name, a.Errors, code, field)
	}
}

type unitPayload struct {
	OrgUnit struct {
		ID, Name, State string
		Version         int
		Parent, Area    *struct{ ID string }
		Successor       *struct{ ID string }
	}
}

const unitFields = `orgUnit { id name state version parent { id } area { id } successor { id } }`

func TestUnitsAreCreatedMovedAndMerged(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	create := func(name, area, parent string) unitPayload {
		t.Helper()
		return done[unitPayload](w, a.system, "createOrgUnit", "CreateOrgUnitInput", unitFields,
			map[string]any{"name": name, "kind": "SOCIAL_ORG", "areaId": area, "parentId": parent})
	}
	one := create("锦江社工服务中心", street, w.workers[street])
	two := create("锦江志愿者协会", here, one.OrgUnit.ID)
	renamed := done[unitPayload](w, a.system, "renameOrgUnit", "RenameOrgUnitInput", unitFields,
		map[string]any{"id": one.OrgUnit.ID, "expectedVersion": 1, "name": "锦官驿社工服务中心"})
	if renamed.OrgUnit.Version != 2 || renamed.OrgUnit.Name != "锦官驿社工服务中心" {
		t.Errorf("%+v", renamed)
	}
	w.refused("a stale version", w.do(a.system, "renameOrgUnit", "RenameOrgUnitInput", unitFields,
		map[string]any{"id": one.OrgUnit.ID, "expectedVersion": 1, "name": "新名称"}), "CONFLICT", "")
	w.refused("below itself", w.do(a.system, "moveOrgUnit", "MoveOrgUnitInput", unitFields,
		map[string]any{"id": one.OrgUnit.ID, "expectedVersion": 2, "parentId": two.OrgUnit.ID}), "INVALID_INPUT", "input.parentId")
	w.refused("below a smaller area", w.do(a.system, "createOrgUnit", "CreateOrgUnitInput", unitFields,
		map[string]any{"name": "越级机构", "kind": "ENTERPRISE", "areaId": district, "parentId": w.workers[street]}), "INVALID_INPUT", "input.parentId")
	w.refused("an area that is none", w.do(a.system, "createOrgUnit", "CreateOrgUnitInput", unitFields,
		map[string]any{"name": "空中机构", "kind": "ENTERPRISE", "areaId": "510104017999", "parentId": w.workers[street]}), "INVALID_INPUT", "input.areaId")
	w.refused("a taken name", w.do(a.system, "createOrgUnit", "CreateOrgUnitInput", unitFields,
		map[string]any{"name": "锦官驿社工服务中心", "kind": "ENTERPRISE", "areaId": street, "parentId": w.workers[street]}), "INVALID_INPUT", "input.name")

	// suspended it may only resume or dissolve
	act := func(field, kind string, version int, more map[string]any) answer {
		in := map[string]any{"id": one.OrgUnit.ID, "expectedVersion": version, "reason": "工作需要"}
		for k, v := range more {
			in[k] = v
		}
		return w.do(a.system, field, kind, unitFields, in)
	}
	w.refused("resuming what is active", act("resumeOrgUnit", "ResumeOrgUnitInput", 2, nil), "CONFLICT", "")
	w.refused("suspending", act("suspendOrgUnit", "SuspendOrgUnitInput", 2, nil), "", "")
	w.refused("suspending twice", act("suspendOrgUnit", "SuspendOrgUnitInput", 3, nil), "CONFLICT", "")
	w.refused("renaming what is suspended", w.do(a.system, "renameOrgUnit", "RenameOrgUnitInput", unitFields,
		map[string]any{"id": one.OrgUnit.ID, "expectedVersion": 3, "name": "新名称"}), "CONFLICT", "")
	w.refused("dissolving without a successor", act("dissolveOrgUnit", "DissolveOrgUnitInput", 3, nil), "INVALID_INPUT", "input.successorId")
	w.refused("a successor below", act("dissolveOrgUnit", "DissolveOrgUnitInput", 3, map[string]any{"successorId": two.OrgUnit.ID}), "INVALID_INPUT", "input.successorId")
	w.refused("itself", act("dissolveOrgUnit", "DissolveOrgUnitInput", 3, map[string]any{"successorId": one.OrgUnit.ID}), "INVALID_INPUT", "input.successorId")

	// the merge takes units, posts and workers along, and withdraws what would reach elsewhere
	w.sql(`INSERT INTO platform.post (id, unit_id, area_code, name, roles, created_at, updated_at)
		VALUES ('00000000-0000-7000-8000-00000000a001', $1, $2, '专员', '{SUPERVISOR}', now(), now())`, one.OrgUnit.ID, street)
	w.sql(`UPDATE platform.assignment SET unit_id = $1, post_id = '00000000-0000-7000-8000-00000000a001', post = '专员' WHERE worker_id = $2`, one.OrgUnit.ID, w.workers[street])
	w.refused("merging", act("dissolveOrgUnit", "DissolveOrgUnitInput", 3, map[string]any{"successorId": w.workers[district]}), "", "")
	w.refused("dissolved is the end", act("resumeOrgUnit", "ResumeOrgUnitInput", 4, nil), "CONFLICT", "")
	for question, want := range map[string]int{
		`SELECT count(*) FROM platform.org_unit WHERE id = '` + one.OrgUnit.ID + `' AND state = 'DISSOLVED' AND successor_id = '` + w.workers[district] + `'`:                        1,
		`SELECT count(*) FROM platform.org_unit WHERE id = '` + two.OrgUnit.ID + `' AND parent_id = '` + w.workers[district] + `'`:                                                   1,
		`SELECT count(*) FROM platform.post WHERE name = '专员' AND unit_id = '` + w.workers[district] + `' AND area_code = '` + district + `' AND roles = '{}'`:                       1,
		`SELECT count(*) FROM platform.assignment WHERE worker_id = '` + w.workers[street] + `' AND unit_id = '` + w.workers[district] + `' AND roles = '{}' AND granted_at IS NULL`: 1,
		`SELECT count(*) FROM platform.worker WHERE id = '` + w.workers[street] + `' AND area_code = '` + district + `'`:                                                             1,
		`SELECT count(*) FROM platform.institution_change WHERE subject_id = '` + one.OrgUnit.ID + `'`:                                                                               4,
	} {
		if got := w.number(question); got != want {
			t.Errorf("%d, want %d: %s", got, want, question)
		}
	}
}

func TestWhoMayNotChangeInstitutions(t *testing.T) { eachWall(t, whoMayNotChangeInstitutions) }

func whoMayNotChangeInstitutions(t *testing.T, w *world) {
	a := w.administrators()
	elsewhereAdmin := w.hire(5, elsewhere, "社区系统管理员", access.SystemAdmin)
	_, citizen := w.signIn("13800000001")
	confined := *a.system
	confined.Confined = access.FactorDue
	create := map[string]any{"name": "某某协会", "kind": "SOCIAL_ORG", "areaId": here, "parentId": w.workers[here]}
	for _, c := range []struct {
		name string
		who  *access.Principal
		code string
	}{
		{"nobody", nil, "UNAUTHENTICATED"}, {"a citizen", citizen, "FORBIDDEN"}, {"a community worker", w.worker(here), "FORBIDDEN"},
		{"the security administrator", a.security, "FORBIDDEN"}, {"the audit administrator", a.audit, "FORBIDDEN"},
		{"an administrator of elsewhere", elsewhereAdmin, "NOT_FOUND"}, {"without the second factor", &confined, "FORBIDDEN"},
	} {
		w.refused("units: "+c.name, w.do(c.who, "createOrgUnit", "CreateOrgUnitInput", unitFields, create), c.code, "")
		w.refused("suspending: "+c.name, w.do(c.who, "suspendWorker", "SuspendWorkerInput", "worker { id }",
			map[string]any{"id": w.workers[here], "expectedVersion": 1, "reason": "试一试"}), c.code, "")
	}
	// only the security administrator grants; never to oneself
	permission := func(post string) map[string]any {
		return map[string]any{"id": post, "expectedVersion": 1, "roles": []string{"LEADER"}, "dataScope": "ALL"}
	}
	for _, c := range []struct {
		name string
		who  *access.Principal
		code string
	}{
		{"nobody", nil, "UNAUTHENTICATED"}, {"the system administrator", a.system, "FORBIDDEN"}, {"the audit administrator", a.audit, "FORBIDDEN"}, {"a leader", w.worker(city, access.Leader), "FORBIDDEN"},
	} {
		w.refused("permissions: "+c.name, w.do(c.who, "setPostPermission", "SetPostPermissionInput", "post { id }", permission(a.audit.ID)), c.code, "")
		w.refused("granting: "+c.name, w.do(c.who, "grantAssignment", "GrantAssignmentInput", "worker { id }", map[string]any{"assignmentId": a.audit.ID}), c.code, "")
	}
	w.refused("one's own post", w.do(a.security, "setPostPermission", "SetPostPermissionInput", "post { id }", permission(a.security.ID)), "FORBIDDEN", "")
	w.refused("one's own assignment", w.do(a.security, "grantAssignment", "GrantAssignmentInput", "worker { id }", map[string]any{"assignmentId": a.security.ID}), "FORBIDDEN", "")
	w.refused("one's own state", w.do(a.system, "endWorker", "EndWorkerInput", "worker { id }",
		map[string]any{"id": a.system.ID, "expectedVersion": 1, "reason": "自己离职"}), "FORBIDDEN", "")
	// no further than one's own scope
	street1 := w.hire(6, street, "街道安全管理员", access.SecurityAdmin)
	communityPost := w.hire(7, here, "普通岗", access.CommunityWorker)
	for _, reach := range []map[string]any{{"dataScope": "ALL"}, {"dataScope": "CUSTOM", "areaIds": []string{elsewhere}}, {"dataScope": "CUSTOM", "areaIds": []string{here, district}}} {
		in := map[string]any{"id": communityPost.ID, "expectedVersion": 1, "roles": []string{"LEADER"}}
		for k, v := range reach {
			in[k] = v
		}
		w.refused(fmt.Sprint("reach ", reach), w.do(street1, "setPostPermission", "SetPostPermissionInput", "post { id }", in), "INVALID_INPUT", "input.areaIds")
	}
	w.refused("a post outside of the scope", w.do(street1, "setPostPermission", "SetPostPermissionInput", "post { id }", permission(a.audit.ID)), "NOT_FOUND", "")
	w.refused("two administrators in one post", w.do(a.security, "setPostPermission", "SetPostPermissionInput", "post { id }",
		map[string]any{"id": communityPost.ID, "expectedVersion": 1, "roles": []string{"SYSTEM_ADMIN", "AUDIT_ADMIN"}, "dataScope": "UNIT"}), "INVALID_INPUT", "input.roles")
}

// What Go forgot, the database refuses.
func TestDatabaseKeepsPermissionsApart(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	handler := w.hire(5, here, "社区岗", access.CommunityWorker)
	for name, c := range map[string]struct {
		who       *access.Principal
		statement string
		want      string // the constraint; "" for no row
	}{
		"a handler makes oneself leader":                 {handler, `UPDATE platform.assignment SET roles = '{LEADER}' WHERE worker_id = '` + handler.ID + `'`, ""},
		"a handler changes a worker":                     {handler, `UPDATE platform.worker SET state = 'LEFT'`, ""},
		"a handler renames a unit":                       {handler, `UPDATE platform.org_unit SET name = 'x'`, ""},
		"the system administrator grants":                {a.system, `UPDATE platform.assignment SET roles = '{LEADER}' WHERE worker_id = '` + handler.ID + `'`, "roles_are_granted"},
		"the system administrator widens":                {a.system, `UPDATE platform.assignment SET data_scope = 'ALL' WHERE worker_id = '` + handler.ID + `'`, "roles_are_granted"},
		"the system administrator moves roles away":      {a.system, `UPDATE platform.assignment SET area_code = '` + city + `' WHERE worker_id = '` + handler.ID + `'`, "roles_are_granted"},
		"the system administrator sets a post":           {a.system, `UPDATE platform.post SET roles = '{LEADER}' WHERE id = '` + handler.ID + `'`, "roles_are_granted"},
		"the security administrator grants to oneself":   {a.security, `UPDATE platform.assignment SET roles = '{SECURITY_ADMIN,LEADER}' WHERE worker_id = '` + a.security.ID + `'`, "roles_are_granted"},
		"the security administrator suspends":            {a.security, `UPDATE platform.worker SET state = 'SUSPENDED'`, ""},
		"the security administrator makes units":         {a.security, `UPDATE platform.org_unit SET name = 'x'`, ""},
		"two administrators in one row":                  {a.security, `UPDATE platform.assignment SET roles = '{SYSTEM_ADMIN,AUDIT_ADMIN}' WHERE worker_id = '` + a.system.ID + `'`, "one_administrator"},
		"history is changed":                             {a.system, `UPDATE platform.institution_change SET detail = 'x'`, ""},
		"another's sessions are ended by a handler":      {handler, `SELECT * FROM platform.end_worker_sessions(ARRAY['` + a.audit.ID + `']::uuid[], now())`, "42501"},
		"a second factor is removed by a handler":        {handler, `SELECT platform.remove_second_factor('` + a.audit.ID + `')`, "42501"},
		"one's own second factor is removed":             {a.security, `SELECT platform.remove_second_factor('` + a.security.ID + `')`, "42501"},
		"a delegation in another's name":                 {handler, `INSERT INTO platform.delegation (id, assignment_id, from_worker_id, to_worker_id, area_code, roles, reason, starts_at, ends_at, created_at) VALUES (gen_random_uuid(), '` + a.audit.ID + `', '` + a.audit.ID + `', '` + handler.ID + `', '` + city + `', '{AUDIT_ADMIN}', 'x', now(), now() + interval '1 day', now())`, "42501"},
		"passwords of others are read by administrators": {a.system, `SELECT password_hash FROM platform.password_history FOR UPDATE`, ""},
	} {
		var rows int64
		err := w.db.Write(access.With(t.Context(), c.who), func(tx *sqlx.Tx) error {
			result, err := tx.Exec(c.statement)
			if err == nil {
				rows, _ = result.RowsAffected()
				err = errRollBack
			}
			return err
		})
		switch {
		case c.want == "" && (err != errRollBack || rows != 0):
			t.Errorf("%s: %d rows, %v", name, rows, err)
		case c.want == "42501" && !strings.Contains(fmt.Sprint(err), "42501"):
			t.Errorf("%s: %d rows, %v", name, rows, err)
		case c.want != "" && c.want != "42501" && !database.Violates(err, c.want):
			t.Errorf("%s: %d rows, %v, want %s", name, rows, err, c.want)
		}
	}
	// a second assignment, a delegation, and two grants at the same time
	for name, statement := range map[string]string{
		"a second assignment": `INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post, roles, valid_from) VALUES (gen_random_uuid(), '` + a.system.ID + `', '` + w.workers[city] + `', '` + city + `', 'x', '{AUDIT_ADMIN}', '2030-01-01')`,
		"a delegation":        `INSERT INTO platform.delegation (id, assignment_id, from_worker_id, to_worker_id, area_code, roles, reason, starts_at, ends_at, created_at) VALUES (gen_random_uuid(), '` + a.audit.ID + `', '` + a.audit.ID + `', '` + a.security.ID + `', '` + city + `', '{AUDIT_ADMIN}', 'x', now(), now() + interval '1 day', now())`,
	} {
		if _, err := w.database.Owner.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "two of the three") {
			t.Errorf("%s, even by the owner: %v", name, err)
		}
	}
	first, err := w.database.Owner.BeginTxx(t.Context(), nil)
	w.must(err)
	grant := `UPDATE platform.assignment SET roles = $2 WHERE id = $1`
	extra := "00000000-0000-7000-8000-00000000b001"
	w.sql(`INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post, roles, valid_from) VALUES ($1, $2, $3, $4, 'x', '{}', '2025-01-01')`, extra, handler.ID, w.workers[here], here)
	_, err = first.Exec(grant, handler.ID, "{SYSTEM_ADMIN}")
	w.must(err)
	second := make(chan error, 1)
	go func() {
		_, err := w.database.Owner.Exec(grant, extra, "{AUDIT_ADMIN}")
		second <- err
	}()
	w.must(first.Commit())
	if err := <-second; err == nil {
		t.Error("two grants at the same time make two administrators of one worker")
	}
}

var errRollBack = fmt.Errorf("rolled back")

func TestDelegationKeepsToItsLimits(t *testing.T) {
	w := newWorld(t)
	a := w.administrators()
	giver := w.hire(5, street, "督办岗", access.Supervisor)
	taker := w.hire(6, street, "干事", access.Leader)
	far := w.hire(7, elsewhere, "社区岗", access.CommunityWorker)
	now := w.clock.now()
	input := func(change map[string]any) map[string]any {
		in := map[string]any{"assignmentId": giver.AssignmentID, "toWorkerId": taker.ID, "roles": []string{"SUPERVISOR"}, "reason": "外出培训",
			"startsAt": now.Format(time.RFC3339), "endsAt": now.Add(48 * time.Hour).Format(time.RFC3339)}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	const fields = `delegation { id state }`
	acting := *giver
	acting.DelegationID = "00000000-0000-7000-8000-00000000c001"
	for _, c := range []struct {
		name, code, field string
		who               *access.Principal
		change            map[string]any
	}{
		{"nobody", "UNAUTHENTICATED", "", nil, nil},
		{"what was delegated", "FORBIDDEN", "", &acting, nil},
		{"a role that one has not", "INVALID_INPUT", "input.roles", giver, map[string]any{"roles": []string{"SYSTEM_ADMIN"}}},
		{"another's post", "INVALID_INPUT", "input.assignmentId", giver, map[string]any{"assignmentId": a.system.AssignmentID, "roles": []string{"SYSTEM_ADMIN"}}},
		{"to oneself", "INVALID_INPUT", "input.toWorkerId", giver, map[string]any{"toWorkerId": giver.ID}},
		{"to another street", "INVALID_INPUT", "input.toWorkerId", giver, map[string]any{"toWorkerId": far.ID}},
		{"to nobody", "INVALID_INPUT", "input.toWorkerId", giver, map[string]any{"toWorkerId": "00000000-0000-7000-8000-00000000ffff"}},
		{"for ever", "INVALID_INPUT", "input.endsAt", giver, map[string]any{"endsAt": now.Add(100 * 24 * time.Hour).Format(time.RFC3339)}},
		{"over already", "INVALID_INPUT", "input.endsAt", giver, map[string]any{"endsAt": now.Add(-time.Hour).Format(time.RFC3339)}},
		{"an administrator's role to another administrator", "CONFLICT", "", a.audit, map[string]any{"assignmentId": a.audit.AssignmentID, "toWorkerId": a.security.ID, "roles": []string{"AUDIT_ADMIN"}}},
	} {
		w.refused(c.name, w.do(c.who, "delegate", "DelegateInput", fields, input(c.change)), c.code, c.field)
	}
	type payload struct {
		Delegation struct{ ID, State string }
	}
	made := done[payload](w, giver, "delegate", "DelegateInput", fields, input(nil))
	if made.Delegation.State != string(delegation.Running) {
		t.Errorf("%+v", made)
	}
	// the receiver chooses to act by it, with the giver's scope and no more than its roles
	signedIn := w.asWorker("hired06")
	switched := get[struct{ SwitchPost tokens }](w, signedIn, `mutation($d: ID!) { switchPost(input: {delegationId: $d}) { accessToken refreshToken } }`, fmt.Sprintf(`{"d": %q}`, made.Delegation.ID))
	p, until, err := w.verifier.Access(switched.SwitchPost.AccessToken)
	w.must(err)
	if p.DelegationID != made.Delegation.ID || !p.May(access.FeedbackReject) || p.AreaCode != street || until.After(now.Add(48*time.Hour+time.Second)) {
		t.Errorf("%+v until %v", p, until)
	}
	w.refused("handing on", w.do(p, "delegate", "DelegateInput", fields, input(map[string]any{"toWorkerId": w.workers[street]})), "FORBIDDEN", "")
	w.refused("revoking another's", w.do(taker, "revokeDelegation", "RevokeDelegationInput", fields, map[string]any{"id": made.Delegation.ID}), "NOT_FOUND", "")
	// it ends by itself: the next token is that of the own post
	w.clock.move(47*time.Hour + 50*time.Minute)
	if _, err := w.Resolver.SessionAlive(t.Context(), p.Session); err != nil {
		t.Error(err)
	}
	again := w.asWorker("hired06")
	short := get[struct{ SwitchPost tokens }](w, again, `mutation($d: ID!) { switchPost(input: {delegationId: $d}) { accessToken refreshToken } }`, fmt.Sprintf(`{"d": %q}`, made.Delegation.ID))
	_, until, err = w.verifier.Access(short.SwitchPost.AccessToken)
	w.must(err)
	if got := until.Sub(w.clock.now()); got > 11*time.Minute {
		t.Errorf("a token outlives the delegation: %v", got)
	}
	w.clock.move(12 * time.Minute)
	after := get[struct{ RefreshSession tokens }](w, nil, `mutation($r: String!) { refreshSession(input: {refreshToken: $r}) { accessToken } }`, fmt.Sprintf(`{"r": %q}`, short.SwitchPost.RefreshToken))
	p, _, err = w.verifier.Access(after.RefreshSession.AccessToken)
	w.must(err)
	if p.DelegationID != "" || p.May(access.FeedbackReject) {
		t.Errorf("the delegation goes on: %+v", p)
	}
	w.refused("revoking what is over", w.do(giver, "revokeDelegation", "RevokeDelegationInput", fields, map[string]any{"id": made.Delegation.ID}), "CONFLICT", "")
	w.refused("acting by what is over", w.ask(again, `mutation($d: ID!) { switchPost(input: {delegationId: $d}) { accessToken } }`, fmt.Sprintf(`{"d": %q}`, made.Delegation.ID)), "NOT_FOUND", "")
}

// asWorker signs the worker in and gives the principal of the token.
func (w *world) asWorker(login string) *access.Principal {
	w.t.Helper()
	t := get[struct{ SignInWorker tokens }](w, nil, `mutation($l: String!, $p: String!) { signInWorker(input: {login: $l, password: $p}) { accessToken refreshToken } }`,
		fmt.Sprintf(`{"l": %q, "p": %q}`, login, password)).SignInWorker
	p, _, err := w.verifier.Access(t.AccessToken)
	w.must(err)
	return p
}
