package communityservice

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/supply/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// fixture has one participant of proprietor, which takes part.
type fixture struct {
	*Services
	participants *participant.Participants
	home         *participant.Participant
	db           *database.DB
	owner        *sqlx.DB
}

func worker(n int, area string, roles ...access.Role) *access.Principal {
	return &access.Principal{Kind: access.Worker, ID: fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a8%03d", n), AreaCode: area, Roles: roles}
}

var (
	proprietor   = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9001", AreaCode: "510104017001"}
	other        = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9002", AreaCode: "510104017001"}
	cityReviewer = worker(1, "510100000000", access.SupplyReviewer)
	elsewhere    = worker(2, "510105000000", access.SupplyReviewer)
	community    = worker(3, "510104017001", access.CommunityWorker)
	inDistrict   = worker(4, "510104000000", access.SupplyReviewer)
)

func as(t *testing.T, p *access.Principal) context.Context { return access.With(t.Context(), p) }

func expect(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

func open(t *testing.T) *fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	clock := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { clock = clock.Add(time.Second); return clock }
	f := &fixture{Services: New(db, now), participants: participant.New(db), db: db, owner: at.Owner}
	check, _ := participant.CheckCharacter("91510104000000001")
	f.home, err = f.participants.Apply(as(t, proprietor), participant.ApplyParticipantInput{USCC: "91510104000000001" + string(check),
		Name: "成都暖心家政服务有限公司", Kind: participant.Enterprise, Introduction: "家政", AreaID: "510104017001"})
	if err != nil {
		t.Fatal(err)
	}
	if f.home, err = f.participants.Take(as(t, cityReviewer), f.home.ID, 1); err != nil {
		t.Fatal(err)
	}
	f.home, err = f.participants.Review(as(t, cityReviewer), participant.ReviewParticipantInput{ID: f.home.ID, ExpectedVersion: 2, Decision: participant.DecisionApprove})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) draft(name string) CreateCommunityServiceInput {
	return CreateCommunityServiceInput{ParticipantID: f.home.ID, Name: name, Summary: "上门打扫", Description: "打扫客厅与厨房",
		Category: "HOUSEKEEPING", PriceFen: 4500, PriceUnit: "小时"}
}

func (f *fixture) act(t *testing.T, p *access.Principal, action CommunityServiceAction, s *CommunityService) (*CommunityService, error) {
	t.Helper()
	ctx, name, note := as(t, p), "深度保洁", "说明"
	switch action {
	case Update:
		return f.Update(ctx, UpdateCommunityServiceInput{ID: s.ID, ExpectedVersion: s.Version, Name: &name})
	case Submit:
		return f.Submit(ctx, s.ID, s.Version)
	case Approve:
		return f.Review(ctx, ReviewCommunityServiceInput{ID: s.ID, ExpectedVersion: s.Version, Decision: participant.DecisionApprove})
	case Reject:
		return f.Review(ctx, ReviewCommunityServiceInput{ID: s.ID, ExpectedVersion: s.Version, Decision: participant.DecisionReject, Note: &note})
	case Delist:
		return f.Delist(ctx, s.ID, s.Version, note)
	case List:
		return f.Relist(ctx, s.ID, s.Version)
	case Distribute:
		return f.Distribute(ctx, s.ID, s.Version, []string{"510104017001"})
	case WithdrawDistribution:
		return f.Withdraw(ctx, s.ID, s.Version, []string{"510104017001"})
	default:
		t.Fatalf("no action %s", action)
		return nil, nil
	}
}

var (
	everyAction = []CommunityServiceAction{Update, Submit, Approve, Reject, Delist, List, Distribute, WithdrawDistribution}
	paths       = map[CommunityServiceState][]CommunityServiceAction{
		Draft: nil, InReview: {Submit}, Listed: {Submit, Approve}, Delisted: {Submit, Approve, Delist},
	}
)

func actor(action CommunityServiceAction) *access.Principal {
	switch action {
	case Update, Submit, Delist, List:
		return proprietor
	default:
		return cityReviewer
	}
}

func (f *fixture) at(t *testing.T, state CommunityServiceState) *CommunityService {
	t.Helper()
	s, err := f.Create(as(t, proprietor), f.draft("日常保洁"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range paths[state] {
		if s, err = f.act(t, actor(step), step, s); err != nil {
			t.Fatalf("to %s, %s: %v", state, step, err)
		}
	}
	if s.State != state {
		t.Fatalf("the path leads to %s, want %s", s.State, state)
	}
	return s
}

func (f *fixture) unchanged(t *testing.T, s *CommunityService) {
	t.Helper()
	var row struct {
		Version, History, Events, Areas int
		State, Name                     string
	}
	err := f.owner.Get(&row, `SELECT version, state, name,
		(SELECT count(*) FROM supply.history WHERE subject_id = s.id) AS history,
		(SELECT count(*) FROM supply.distribution WHERE service_id = s.id) AS areas,
		(SELECT count(*) FROM supply.outbox WHERE subject = 'supply.communityservice.changed' AND payload ->> 'serviceId' = s.id::text) AS events
		FROM supply.community_service s WHERE id = $1`, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if row.Version != s.Version || row.History != s.Version || row.Events != s.Version || row.Areas != 0 || row.State != string(s.State) || row.Name != s.Name {
		t.Errorf("the refused action changed it: %+v, was %+v", row, s)
	}
}

// TestEveryTransition takes a service into each state and tries every action:
// those of the table succeed, all others are refused and change nothing.
func TestEveryTransition(t *testing.T) {
	f := open(t)
	for state := range paths {
		for _, action := range everyAction {
			s := f.at(t, state)
			want, refused := next(action, state)
			changed, err := f.act(t, actor(action), action, s)
			if refused != nil {
				expect(t, fmt.Sprintf("%s, %s", state, action), err, fault.Conflict)
				f.unchanged(t, s)
				continue
			}
			if err != nil || changed.State != want.to || changed.Version != s.Version+1 {
				t.Errorf("%s, %s: %+v, %v, want %s", state, action, changed, err, want.to)
			}
		}
	}
}

// TestWhoMayNot tries every allowed transition as everybody whose it is not.
func TestWhoMayNot(t *testing.T) {
	f := open(t)
	for _, tr := range transitions {
		s := f.at(t, tr.from)
		atAreas := tr.action == Distribute || tr.action == WithdrawDistribution
		for who, p := range map[string]*access.Principal{"nobody": nil, "another citizen": other, "a reviewer of another district": elsewhere,
			"a community's worker": community, "the owner": proprietor, "a reviewer": cityReviewer} {
			want := fault.Forbidden
			switch {
			case p == nil:
				want = fault.Unauthenticated
			case p == proprietor && tr.by != reviewers, p == cityReviewer && tr.by != owner:
				continue
			case p == other && !atAreas, p == elsewhere && !atAreas:
				want = fault.NotFound
			}
			_, err := f.act(t, p, tr.action, s)
			expect(t, fmt.Sprintf("%s in %s, %s", tr.action, tr.from, who), err, want)
		}
		f.unchanged(t, s)
		old := *s
		if old.Version--; old.Version > 0 {
			_, err := f.act(t, actor(tr.action), tr.action, &old)
			expect(t, string(tr.action)+" at an old version", err, fault.Conflict)
			f.unchanged(t, s)
		}
	}
	in := f.draft("日常保洁")
	_, err := f.Create(as(t, other), in)
	expect(t, "a service of another's participant", err, fault.InvalidInput)
	_, err = f.Create(as(t, cityReviewer), in)
	expect(t, "a worker creates", err, fault.Forbidden)
	s := f.at(t, Listed)
	for _, area := range []string{"510105017001", "510100000000", "510105000000"} {
		_, err = f.Distribute(as(t, inDistrict), s.ID, s.Version, []string{"510104017001", area})
		expect(t, "distributing to "+area, err, fault.Forbidden)
	}
	f.unchanged(t, s)
}

func TestOwnerDoesNotPutBackWhatAReviewerTookDown(t *testing.T) {
	f := open(t)
	s := f.at(t, Listed)
	taken, err := f.act(t, cityReviewer, Delist, s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.act(t, proprietor, List, taken)
	expect(t, "the owner relists", err, fault.Forbidden)
	if actions := taken.AllowedActions(as(t, proprietor)); len(actions) != 0 {
		t.Errorf("the owner is offered %v", actions)
	}
	if _, err := f.act(t, cityReviewer, List, taken); err != nil {
		t.Errorf("the reviewer relists: %v", err)
	}
}

// TestRowLevelSecurity goes past the code, straight at the tables.
func TestRowLevelSecurity(t *testing.T) {
	f := open(t)
	for _, state := range []CommunityServiceState{Draft, InReview, Listed, Delisted} {
		f.at(t, state)
	}
	for who, c := range map[string]struct {
		p             *access.Principal
		seen, changed int64
	}{
		"nobody": {nil, 1, 0}, "another citizen": {other, 1, 0}, "another district": {elsewhere, 1, 0},
		"the owner": {proprietor, 4, 4}, "the district": {inDistrict, 4, 4},
	} {
		err := f.db.Write(as(t, c.p), func(tx *sqlx.Tx) error {
			var seen int64
			if err := tx.Get(&seen, `SELECT count(*) FROM supply.community_service`); err != nil {
				return err
			}
			result, err := tx.Exec(`UPDATE supply.community_service SET price_fen = price_fen`)
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
		err = f.db.Write(as(t, c.p), func(tx *sqlx.Tx) error {
			_, err := tx.Exec(`INSERT INTO supply.distribution (service_id, area_code, worker_id) SELECT id, '510106000000', '' FROM supply.community_service LIMIT 1`)
			return err
		})
		if err == nil {
			t.Errorf("%s distributed to an area that is not theirs", who)
		}
	}
}

func TestManagedList(t *testing.T) {
	f := open(t)
	for _, state := range []CommunityServiceState{Draft, InReview, Listed, Delisted} {
		f.at(t, state)
	}
	for who, c := range map[string]struct {
		p    *access.Principal
		want int
	}{"the owner": {proprietor, 4}, "another citizen": {other, 0}, "a reviewer": {cityReviewer, 4}, "another district": {elsewhere, 0}, "a community's worker": {community, 1}} {
		page, err := f.List(as(t, c.p), Filter{}, nil, nil)
		if err != nil || len(page.Nodes) != c.want {
			t.Errorf("%s: %d, %v, want %d", who, len(page.Nodes), err, c.want)
		}
	}
	_, err := f.List(t.Context(), Filter{}, nil, nil)
	expect(t, "nobody", err, fault.Unauthenticated)
	page, err := f.List(as(t, cityReviewer), Filter{States: []CommunityServiceState{InReview}}, nil, nil)
	if err != nil || len(page.Nodes) != 1 || page.Nodes[0].State != InReview {
		t.Errorf("in review: %+v, %v", page, err)
	}
}
