package catalogue

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func newService(code string) CreateServiceInput {
	return CreateServiceInput{Code: code, Name: "社区食堂订餐", Summary: "为老人预订社区食堂的餐食", DepartmentID: "civil-affairs",
		CategoryID: "civil-affairs", Kind: KindBooking, Channels: []Client{App}, AssuranceLevel: L1}
}

// act does an action by its name, as the mutations do.
func (f fixture) act(t *testing.T, p *access.Principal, action ServiceAction, s *Service) (*Service, error) {
	t.Helper()
	ctx, name, note := as(t, p), "社区食堂订餐二", "说明"
	switch action {
	case Update:
		return f.Update(ctx, UpdateServiceInput{ID: s.ID, ExpectedVersion: s.Version, Name: &name})
	case Submit:
		return f.Submit(ctx, s.ID, s.Version)
	case Approve:
		return f.Review(ctx, ReviewServiceInput{ID: s.ID, ExpectedVersion: s.Version, Decision: DecisionApprove})
	case Reject:
		return f.Review(ctx, ReviewServiceInput{ID: s.ID, ExpectedVersion: s.Version, Decision: DecisionReject, Note: &note})
	case Revise:
		return f.Revise(ctx, s.ID, s.Version)
	case Publish:
		return f.Publish(ctx, s.ID, s.Version)
	case Unpublish:
		return f.Unpublish(ctx, s.ID, s.Version, note)
	case SetHealth:
		return f.SetHealth(ctx, SetServiceHealthInput{ID: s.ID, ExpectedVersion: s.Version, Health: Paused, Note: &note})
	default:
		t.Fatalf("no action %s", action)
		return nil, nil
	}
}

var everyAction = []ServiceAction{Update, Submit, Approve, Reject, Revise, Publish, Unpublish, SetHealth}

// TestEveryTransition takes a service into each status and tries every action:
// those of the table succeed, all others are refused and change nothing.
func TestEveryTransition(t *testing.T) {
	f := open(t)
	paths := map[status][]ServiceAction{
		{Draft, Unpublished}:     nil,
		{Submitted, Unpublished}: {Submit},
		{Approved, Unpublished}:  {Submit, Approve},
		{Rejected, Unpublished}:  {Submit, Reject},
		{Approved, Published}:    {Submit, Approve, Publish},
	}
	n := 0
	for at, path := range paths {
		for _, action := range everyAction {
			n++
			s, err := f.Create(as(t, cityEditor), newService(fmt.Sprintf("T%d", n)))
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range path {
				if s, err = f.act(t, cityEditor, step, s); err != nil {
					t.Fatalf("%v, %s: %v", at, step, err)
				}
			}
			if s.status() != at {
				t.Fatalf("path %v leads to %v, want %v", path, s.status(), at)
			}
			to, allowed := s.next(action)
			changed, err := f.act(t, cityEditor, action, s)
			if allowed != nil {
				expect(t, fmt.Sprintf("%v, %s", at, action), err, fault.Conflict)
				f.unchanged(t, s)
				continue
			}
			if err != nil {
				t.Errorf("%v, %s: %v", at, action, err)
				continue
			}
			if changed.status() != to || changed.Version != s.Version+1 {
				t.Errorf("%v, %s: %v at version %d, want %v at %d", at, action, changed.status(), changed.Version, to, s.Version+1)
			}
		}
	}
}

// unchanged checks that row, history and outbox say nothing new of the service.
func (f fixture) unchanged(t *testing.T, s *Service) {
	t.Helper()
	var row struct {
		Version, History, Events int
		State, Publication       string
	}
	err := f.owner.Get(&row, `SELECT version, state, publication,
		(SELECT count(*) FROM citizen.service_change WHERE service_id = s.id) AS history,
		(SELECT count(*) FROM citizen.outbox WHERE payload ->> 'serviceId' = s.id::text) AS events
		FROM citizen.service s WHERE id = $1`, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if row.Version != s.Version || row.History != s.Version || row.Events != s.Version ||
		row.State != string(s.State) || row.Publication != string(s.Publication) {
		t.Errorf("the refused action changed %s: %+v", s.Code, row)
	}
}

func TestWhoMayNotManage(t *testing.T) {
	f := open(t)
	draft, err := f.Create(as(t, cityEditor), newService("T1"))
	if err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct {
		p    *access.Principal
		code fault.Code
	}{
		"nobody":                     {nil, fault.Unauthenticated},
		"a citizen":                  {resident, fault.Forbidden},
		"a leader without the role":  {cityLeader, fault.Forbidden},
		"an editor of one district":  {districtEditor, fault.NotFound},
		"an editor without any area": {&access.Principal{Kind: access.Worker, ID: cityEditor.ID, Roles: cityEditor.Roles}, fault.NotFound},
	} {
		for _, action := range everyAction {
			_, err := f.act(t, c.p, action, draft)
			expect(t, who+", "+string(action), err, c.code)
		}
		if c.code != fault.NotFound {
			_, err := f.Create(as(t, c.p), newService("T2"))
			expect(t, who+", create", err, c.code)
			_, err = f.Managed(as(t, c.p), Filter{}, nil, nil)
			expect(t, who+", list", err, c.code)
			_, err = f.History(as(t, c.p), []string{draft.ID})
			expect(t, who+", history", err, c.code)
		}
		found, err := f.Find(as(t, c.p), []string{draft.ID})
		if err != nil || len(found) != 0 {
			t.Errorf("%s sees a draft: %v, %v", who, found, err)
		}
	}
	f.unchanged(t, draft)
	elsewhere := "510105000000"
	in := newService("T3")
	in.AreaID = &elsewhere
	_, err = f.Create(as(t, districtEditor), in)
	expect(t, "creating in another district", err, fault.Forbidden)
	own, err := f.Create(as(t, districtEditor), newService("T4"))
	if err != nil || own.AreaCode != "510104000000" {
		t.Errorf("creating in the own district: %+v, %v", own, err)
	}
}

func TestOldVersionIsRefused(t *testing.T) {
	f := open(t)
	s, err := f.Create(as(t, cityEditor), newService("T1"))
	if err != nil {
		t.Fatal(err)
	}
	newer, err := f.Submit(as(t, cityEditor), s.ID, s.Version)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Review(as(t, cityEditor), ReviewServiceInput{ID: s.ID, ExpectedVersion: s.Version, Decision: DecisionApprove})
	expect(t, "review at the old version", err, fault.Conflict)
	f.unchanged(t, newer)
}

func TestBadInputNamesItsField(t *testing.T) {
	f := open(t)
	for field, spoil := range map[string]func(*CreateServiceInput){
		"input.code":         func(in *CreateServiceInput) { in.Code = "lower" },
		"input.name":         func(in *CreateServiceInput) { in.Name = " " },
		"input.summary":      func(in *CreateServiceInput) { in.Summary = "" },
		"input.departmentId": func(in *CreateServiceInput) { in.DepartmentID = "nowhere" },
		"input.categoryId":   func(in *CreateServiceInput) { in.CategoryID = "nothing" },
		"input.channels":     func(in *CreateServiceInput) { in.Channels = nil },
		"input.feeFen":       func(in *CreateServiceInput) { fee := -1; in.FeeFen = &fee },
		"input.areaId":       func(in *CreateServiceInput) { area := "1"; in.AreaID = &area },
	} {
		in := newService("T1")
		spoil(&in)
		_, err := f.Create(as(t, cityEditor), in)
		var refused *fault.Fault
		if fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", field, err)
		} else if refused = err.(*fault.Fault); refused.Field != field {
			t.Errorf("field %s, want %s", refused.Field, field)
		}
	}
	in := newService("S001")
	_, err := f.Create(as(t, cityEditor), in)
	expect(t, "a code in use", err, fault.InvalidInput)
	listed, err := f.FindBy(t.Context(), &in.Code, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.SetHealth(as(t, cityEditor), SetServiceHealthInput{ID: listed.ID, ExpectedVersion: 1, Health: Degraded})
	expect(t, "degraded without a word", err, fault.InvalidInput)
	_, err = f.Submit(as(t, cityEditor), "1 OR 1=1", 1)
	expect(t, "an ID that is none", err, fault.NotFound)
}

func TestPublishedIsWhatCitizensSee(t *testing.T) {
	f := open(t)
	code := "S001"
	s, err := f.FindBy(t.Context(), &code, nil)
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	hidden, err := f.Unpublish(as(t, cityEditor), s.ID, s.Version, "系统升级")
	if err != nil {
		t.Fatal(err)
	}
	for who, p := range map[string]*access.Principal{"nobody": nil, "a citizen": resident, "a leader": cityLeader} {
		if found, err := f.FindBy(as(t, p), &code, nil); err != nil || found != nil {
			t.Errorf("%s finds the hidden service: %v, %v", who, found, err)
		}
		if page, err := f.Services(as(t, p), Filter{Search: "微户政"}, nil, nil); err != nil || len(page.Nodes) != 0 {
			t.Errorf("%s lists the hidden service: %v, %v", who, page, err)
		}
	}
	managed, err := f.Managed(as(t, cityEditor), Filter{States: []ServiceState{Approved}, Search: "微户政"}, nil, nil)
	if err != nil || len(managed.Nodes) != 1 {
		t.Errorf("the editor lists %v, %v", managed, err)
	}
	if _, err := f.Publish(as(t, cityEditor), s.ID, hidden.Version); err != nil {
		t.Fatal(err)
	}
	history, err := f.History(as(t, cityEditor), []string{s.ID})
	if err != nil {
		t.Fatal(err)
	}
	var actions []ServiceAction
	for _, line := range history[s.ID] {
		actions = append(actions, line.Action)
		if line.Worker() == nil || line.Worker().ID != cityEditor.ID {
			t.Errorf("%s was done by %v", line.Action, line.Worker())
		}
	}
	if diff := cmp.Diff([]ServiceAction{Publish, Unpublish}, actions); diff != "" {
		t.Error(diff)
	}
}

// TestRowLevelSecurity goes past the code, straight at the tables.
func TestRowLevelSecurity(t *testing.T) {
	f := open(t)
	if _, err := f.Create(as(t, cityEditor), newService("T1")); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct {
		p             *access.Principal
		seen, changed int64
	}{
		"nobody":           {nil, 230, 0},
		"a citizen":        {resident, 230, 0},
		"another district": {districtEditor, 230, 0},
		"the city":         {cityEditor, 231, 231},
	} {
		err := f.db.Write(as(t, c.p), func(tx *sqlx.Tx) error {
			var seen int64
			if err := tx.Get(&seen, `SELECT count(*) FROM citizen.service`); err != nil {
				return err
			}
			result, err := tx.Exec(`UPDATE citizen.service SET summary = summary`)
			if err != nil {
				return err
			}
			changed, err := result.RowsAffected()
			if seen != c.seen || changed != c.changed {
				t.Errorf("%s sees %d and changes %d, want %d and %d", who, seen, changed, c.seen, c.changed)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
	err := f.db.Write(as(t, cityEditor), func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`DELETE FROM citizen.service_change`)
		return err
	})
	if err == nil {
		t.Error("history could be deleted")
	}
}
