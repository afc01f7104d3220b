package demand

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

type fixture struct {
	*Demands
	db    *database.DB
	owner *sqlx.DB
	clock *time.Time
}

func worker(n int, area string, roles ...access.Role) *access.Principal {
	return &access.Principal{Kind: access.Worker, ID: fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a8%03d", n), AreaCode: area, Roles: roles}
}

var (
	resident     = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9001", AreaCode: "510104017001"}
	other        = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9002", AreaCode: "510104017001"}
	cityReviewer = worker(1, "510100000000", access.SupplyReviewer)
	elsewhere    = worker(2, "510105000000", access.SupplyReviewer, access.CommunityWorker)
	community    = worker(3, "510104017001", access.CommunityWorker)
	leader       = worker(4, "510100000000", access.Leader)
)

// listed and unlisted are community services.
const (
	listed   = "01890a5d-ac96-774b-bcce-b302099a7001"
	unlisted = "01890a5d-ac96-774b-bcce-b302099a7002"
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
	_, err = at.Owner.Exec(`INSERT INTO supply.participant (id, uscc, name, kind, introduction, area_code, state, citizen_id, search, version, updated_by)
		VALUES ($1, '91350100M000100Y43', '某公司', 'ENTERPRISE', '', '510104017001', 'APPROVED', $1, '', 1, '')`, listed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = at.Owner.Exec(`INSERT INTO supply.community_service (id, participant_id, area_code, citizen_id, name, summary, description, category, price_fen, price_unit, state, listed_at, search, version, updated_by)
		SELECT id, $1::uuid, '510104017001', $1::uuid, '保洁', '', '', 'HOUSEKEEPING', 0, '次', state, now(), '', 1, '' FROM (VALUES ($1::uuid, 'LISTED'), ($2::uuid, 'DELISTED')) AS v (id, state)`, listed, unlisted)
	if err != nil {
		t.Fatal(err)
	}
	clock := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { clock = clock.Add(time.Second); return clock }
	return &fixture{New(db, now), db, at.Owner, &clock}
}

func (f *fixture) ask(area string) PublishDemandInput {
	budget := 50_000
	return PublishDemandInput{Title: "求钟点保洁", Content: "每周两次，每次两小时", Category: "HOUSEKEEPING", AreaID: area, BudgetFen: &budget,
		WindowFrom: f.clock.Add(24 * time.Hour), WindowTo: f.clock.Add(240 * time.Hour), AsDraft: true}
}

func (f *fixture) act(t *testing.T, p *access.Principal, action DemandAction, d *Demand) (*Demand, error) {
	t.Helper()
	ctx, title, note := as(t, p), "求深度保洁", "说明"
	switch action {
	case Update:
		return f.Update(ctx, UpdateDemandInput{ID: d.ID, ExpectedVersion: d.Version, Title: &title})
	case Submit:
		return f.Submit(ctx, d.ID, d.Version)
	case Approve:
		return f.Review(ctx, ReviewDemandInput{ID: d.ID, ExpectedVersion: d.Version, Decision: participant.DecisionApprove})
	case Reject:
		return f.Review(ctx, ReviewDemandInput{ID: d.ID, ExpectedVersion: d.Version, Decision: participant.DecisionReject, Note: &note})
	case Withdraw:
		return f.Withdraw(ctx, d.ID, d.Version, &note)
	case Match:
		return f.Match(ctx, d.ID, d.Version, listed)
	case Fulfil:
		return f.Fulfil(ctx, d.ID, d.Version)
	case Close:
		return f.Close(ctx, d.ID, d.Version)
	default:
		t.Fatalf("no action %s", action)
		return nil, nil
	}
}

var (
	everyAction = []DemandAction{Update, Submit, Approve, Reject, Withdraw, Match, Fulfil, Close}
	paths       = map[DemandState][]DemandAction{
		Draft: nil, InReview: {Submit}, Open: {Submit, Approve}, Withdrawn: {Submit, Approve, Withdraw}, Expired: {Submit, Approve, Expire},
		Matched: {Submit, Approve, Match}, Fulfilled: {Submit, Approve, Match, Fulfil}, Closed: {Submit, Approve, Match, Fulfil, Close},
	}
)

func actor(action DemandAction) *access.Principal {
	if action == Approve || action == Reject {
		return cityReviewer
	}
	return resident
}

func (f *fixture) at(t *testing.T, state DemandState) *Demand {
	t.Helper()
	d, err := f.Publish(as(t, resident), f.ask("510104017001"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range paths[state] {
		if step == Expire {
			if _, err := f.owner.Exec(`UPDATE supply.demand SET window_from = $2, window_to = $3 WHERE id = $1`, d.ID, f.clock.Add(-2*time.Hour), f.clock.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			if err := f.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
			found, err := f.Find(as(t, resident), []string{d.ID})
			if err != nil {
				t.Fatal(err)
			}
			d = found[d.ID]
			continue
		}
		if d, err = f.act(t, actor(step), step, d); err != nil {
			t.Fatalf("to %s, %s: %v", state, step, err)
		}
	}
	if d.State != state {
		t.Fatalf("the path leads to %s, want %s", d.State, state)
	}
	return d
}

func (f *fixture) unchanged(t *testing.T, d *Demand) {
	t.Helper()
	var row struct {
		Version, History, Events int
		State, Title             string
	}
	err := f.owner.Get(&row, `SELECT version, state, title,
		(SELECT count(*) FROM supply.history WHERE subject_id = d.id) AS history,
		(SELECT count(*) FROM supply.outbox WHERE subject = 'supply.demand.changed' AND payload ->> 'demandId' = d.id::text) AS events
		FROM supply.demand d WHERE id = $1`, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if row.Version != d.Version || row.History != d.Version || row.Events != d.Version || row.State != string(d.State) || row.Title != d.Title {
		t.Errorf("the refused action changed it: %+v, was %+v", row, d)
	}
}

// TestEveryTransition takes a demand into each state and tries every action:
// those of the table succeed, all others are refused and change nothing.
func TestEveryTransition(t *testing.T) {
	f := open(t)
	for state := range paths {
		for _, action := range everyAction {
			d := f.at(t, state)
			want, refused := next(action, state)
			changed, err := f.act(t, actor(action), action, d)
			if refused != nil {
				expect(t, fmt.Sprintf("%s, %s", state, action), err, fault.Conflict)
				f.unchanged(t, d)
				continue
			}
			if err != nil || changed.State != want.to || changed.Version != d.Version+1 {
				t.Errorf("%s, %s: %+v, %v, want %s", state, action, changed, err, want.to)
			}
		}
	}
}

// TestWhoMayNot tries every allowed transition as everybody whose it is not.
func TestWhoMayNot(t *testing.T) {
	f := open(t)
	for _, tr := range transitions {
		if tr.by == platform {
			continue
		}
		d := f.at(t, tr.from)
		for who, p := range map[string]*access.Principal{"nobody": nil, "another citizen": other, "a reviewer of another district": elsewhere,
			"a community's worker": community, "a leader": leader, "the publisher": resident, "a reviewer": cityReviewer} {
			want := fault.Forbidden
			switch {
			case p == nil:
				want = fault.Unauthenticated
			case p == resident && tr.by == publisher, p == cityReviewer && tr.by == reviewers:
				continue
			case p == other, p == elsewhere:
				want = fault.NotFound
			}
			_, err := f.act(t, p, tr.action, d)
			expect(t, fmt.Sprintf("%s in %s, %s", tr.action, tr.from, who), err, want)
		}
		f.unchanged(t, d)
		old := *d
		if old.Version--; old.Version > 0 {
			_, err := f.act(t, actor(tr.action), tr.action, &old)
			expect(t, string(tr.action)+" at an old version", err, fault.Conflict)
			f.unchanged(t, d)
		}
	}
}

func TestACommunityPublishes(t *testing.T) {
	f := open(t)
	in := f.ask("510104017001")
	in.AsDraft = false
	d, err := f.Publish(as(t, community), in)
	if err != nil || d.State != InReview || d.Version != 2 || !d.PublishedByCommunity() {
		t.Fatalf("%+v, %v", d, err)
	}
	both := worker(3, "510104017001", access.CommunityWorker, access.SupplyReviewer)
	_, err = f.act(t, both, Approve, d)
	expect(t, "reviewing one's own", err, fault.Forbidden)
	if d, err = f.act(t, cityReviewer, Approve, d); err != nil {
		t.Fatal(err)
	}
	_, err = f.act(t, resident, Match, d)
	expect(t, "a citizen matches the community's", err, fault.NotFound)
	colleague := worker(5, "510104017000", access.CommunityWorker)
	if d, err = f.act(t, colleague, Match, d); err != nil || d.State != Matched {
		t.Errorf("a colleague of the street: %+v, %v", d, err)
	}
	for who, c := range map[string]struct {
		p    *access.Principal
		area string
		code fault.Code
	}{
		"outside of the scope": {community, "510104017002", fault.Forbidden},
		"a leader":             {leader, "510104017001", fault.Forbidden},
		"nobody":               {nil, "510104017001", fault.Unauthenticated},
	} {
		_, err := f.Publish(as(t, c.p), f.ask(c.area))
		expect(t, who, err, c.code)
	}
}

func TestBadDemands(t *testing.T) {
	f := open(t)
	for field, spoil := range map[string]func(*PublishDemandInput){
		"input.title":     func(in *PublishDemandInput) { in.Title = "" },
		"input.content":   func(in *PublishDemandInput) { in.Content = "\x00\x00" },
		"input.areaId":    func(in *PublishDemandInput) { in.AreaID = "abc" },
		"input.budgetFen": func(in *PublishDemandInput) { less := -1; in.BudgetFen = &less },
		"input.windowTo":  func(in *PublishDemandInput) { in.WindowTo = in.WindowFrom },
	} {
		in := f.ask("510104017001")
		spoil(&in)
		_, err := f.Publish(as(t, resident), in)
		if refused, ok := err.(*fault.Fault); !ok || refused.Code != fault.InvalidInput || refused.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	past := f.ask("510104017001")
	past.WindowFrom, past.WindowTo = f.clock.Add(-2*time.Hour), f.clock.Add(-time.Hour)
	_, err := f.Publish(as(t, resident), past)
	expect(t, "a window that is over", err, fault.InvalidInput)
	d := f.at(t, Open)
	for _, service := range []string{unlisted, "01890a5d-ac96-774b-bcce-b302099a7999", "x"} {
		_, err := f.Match(as(t, resident), d.ID, d.Version, service)
		expect(t, "matching "+service, err, fault.InvalidInput)
	}
	f.unchanged(t, d)
}

// TestWhoSeesWhat asks for a demand in each state, in code and at the table.
func TestWhoSeesWhat(t *testing.T) {
	f := open(t)
	for state := range paths {
		d := f.at(t, state)
		shown := state == Open || state == Matched || state == Fulfilled || state == Closed
		for who, c := range map[string]struct {
			p             *access.Principal
			seen, private bool
		}{
			"nobody": {nil, shown, false}, "another citizen": {other, shown, false}, "a leader": {leader, shown, false},
			"a reviewer elsewhere": {elsewhere, shown, false}, "the community's worker": {community, shown, false},
			"the publisher": {resident, true, true}, "a reviewer": {cityReviewer, true, true},
		} {
			ctx := as(t, c.p)
			found, err := f.Find(ctx, []string{d.ID})
			if err != nil {
				t.Fatal(err)
			}
			if (found[d.ID] != nil) != c.seen {
				t.Errorf("%s, %s: found %v", state, who, found)
			}
			if got := d.Publisher(ctx) != nil; got != c.private {
				t.Errorf("%s, %s: sees the publisher: %v", state, who, got)
			}
			if outsider := c.p == nil || c.p == other || c.p == elsewhere; outsider {
				err = f.db.Read(ctx, func(tx *sqlx.Tx) error {
					var rows, lines int
					if err := tx.Get(&rows, `SELECT count(*) FROM supply.demand WHERE id = $1`, d.ID); err != nil {
						return err
					}
					err := tx.Get(&lines, `SELECT count(*) FROM supply.history WHERE subject_id = $1`, d.ID)
					if (rows == 1) != shown || lines != 0 {
						t.Errorf("%s, %s: the tables show %d rows and %d lines", state, who, rows, lines)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestExpiryIsTheWindowsEnd(t *testing.T) {
	f := open(t)
	d := f.at(t, Open)
	if err := f.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.unchanged(t, d)
	*f.clock = d.WindowTo
	if err := f.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := f.Find(as(t, resident), []string{d.ID})
	if err != nil || found[d.ID].State != Expired || found[d.ID].Version != d.Version+1 {
		t.Fatalf("%+v, %v", found, err)
	}
	f.unchanged(t, found[d.ID]) // version, history and events agree
	lines, err := f.History(as(t, resident), []string{d.ID})
	if err != nil || lines[d.ID][0].Action() != Expire || lines[d.ID][0].Worker() != nil {
		t.Errorf("history %+v, %v", lines, err)
	}
}
