package participant

import (
	"context"
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/supply/migrations"
)

type fixture struct {
	*Participants
	db    *database.DB
	owner *sqlx.DB
	n     int
}

func open(t *testing.T) *fixture {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &fixture{Participants: New(db), db: db, owner: at.Owner}
}

func worker(n int, area string, roles ...access.Role) *access.Principal {
	return &access.Principal{Kind: access.Worker, ID: fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a8%03d", n), AreaCode: area, Roles: roles}
}

var (
	owner        = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9001", AreaCode: "510104017001"}
	other        = &access.Principal{Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9002", AreaCode: "510104017001"}
	cityReviewer = worker(1, "510100000000", access.SupplyReviewer)
	elsewhere    = worker(2, "510105000000", access.SupplyReviewer)
	community    = worker(3, "510104017001", access.CommunityWorker)
	leader       = worker(4, "510100000000", access.Leader)
)

func as(t *testing.T, p *access.Principal) context.Context { return access.With(t.Context(), p) }

func expect(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

// application is one with a code of its own.
func (f *fixture) application() ApplyParticipantInput {
	f.n++
	first := fmt.Sprintf("91510104%09d", f.n)
	check, _ := CheckCharacter(first)
	return ApplyParticipantInput{USCC: first + string(check), Name: "成都暖心家政服务有限公司", Kind: Enterprise,
		Introduction: "家政与保洁", AreaID: "510104017001", Qualifications: []*QualificationInput{{Name: "营业执照", Number: "1"}}}
}

func (f *fixture) act(t *testing.T, p *access.Principal, action ParticipantAction, x *Participant) (*Participant, error) {
	t.Helper()
	ctx, name, note := as(t, p), "成都暖心生活服务有限公司", "说明"
	switch action {
	case Take:
		return f.Take(ctx, x.ID, x.Version)
	case Approve:
		return f.Review(ctx, ReviewParticipantInput{ID: x.ID, ExpectedVersion: x.Version, Decision: DecisionApprove})
	case Reject:
		return f.Review(ctx, ReviewParticipantInput{ID: x.ID, ExpectedVersion: x.Version, Decision: DecisionReject, Note: &note})
	case Change:
		return f.Change(ctx, ChangeParticipantInput{ID: x.ID, ExpectedVersion: x.Version, Name: &name})
	case Suspend:
		return f.Suspend(ctx, x.ID, x.Version, note)
	case Resume:
		return f.Resume(ctx, x.ID, x.Version, nil)
	case Exit:
		return f.Exit(ctx, x.ID, x.Version, note)
	default:
		t.Fatalf("no action %s", action)
		return nil, nil
	}
}

var everyAction = []ParticipantAction{Take, Approve, Reject, Change, Suspend, Resume, Exit}

// paths lead to each state.
var paths = map[ParticipantState][]ParticipantAction{
	Applied: nil, InReview: {Take}, Approved: {Take, Approve}, Rejected: {Take, Reject}, ChangeReview: {Take, Approve, Change},
	Suspended: {Take, Approve, Suspend}, Exited: {Take, Approve, Suspend, Exit},
}

// actor is who does the action in the tables' sense.
func actor(action ParticipantAction) *access.Principal {
	if action == Change {
		return owner
	}
	return cityReviewer
}

func (f *fixture) at(t *testing.T, state ParticipantState) *Participant {
	t.Helper()
	x, err := f.Apply(as(t, owner), f.application())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range paths[state] {
		if x, err = f.act(t, actor(step), step, x); err != nil {
			t.Fatalf("to %s, %s: %v", state, step, err)
		}
	}
	if x.State != state {
		t.Fatalf("the path leads to %s, want %s", x.State, state)
	}
	return x
}

// unchanged checks that row, history and outbox say nothing new of it.
func (f *fixture) unchanged(t *testing.T, x *Participant) {
	t.Helper()
	var row struct {
		Version, History, Events int
		State, Name              string
	}
	err := f.owner.Get(&row, `SELECT version, state, name,
		(SELECT count(*) FROM supply.history WHERE subject_id = p.id) AS history,
		(SELECT count(*) FROM supply.outbox WHERE subject = 'supply.participant.changed' AND payload ->> 'participantId' = p.id::text) AS events
		FROM supply.participant p WHERE id = $1`, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	if row.Version != x.Version || row.History != x.Version || row.Events != x.Version || row.State != string(x.State) || row.Name != x.Name {
		t.Errorf("the refused action changed it: %+v, was %+v", row, x)
	}
}

// TestEveryTransition takes a participant into each state and tries every
// action: those of the table succeed, all others are refused and change nothing.
func TestEveryTransition(t *testing.T) {
	f := open(t)
	for state := range paths {
		for _, action := range everyAction {
			x := f.at(t, state)
			want, refused := next(action, state)
			changed, err := f.act(t, actor(action), action, x)
			if refused != nil {
				expect(t, fmt.Sprintf("%s, %s", state, action), err, fault.Conflict)
				f.unchanged(t, x)
				continue
			}
			if err != nil || changed.State != want.to || changed.Version != x.Version+1 {
				t.Errorf("%s, %s: %+v, %v, want %s", state, action, changed, err, want.to)
			}
		}
	}
}

// TestWhoMayNot tries every allowed transition as everybody whose it is not.
func TestWhoMayNot(t *testing.T) {
	f := open(t)
	for _, tr := range transitions {
		x := f.at(t, tr.from)
		refused := map[string]struct {
			p    *access.Principal
			code fault.Code
		}{
			"nobody":                         {nil, fault.Unauthenticated},
			"another citizen":                {other, fault.NotFound},
			"a reviewer of another district": {elsewhere, fault.NotFound},
			"a community's worker":           {community, fault.Forbidden},
			"a leader":                       {leader, fault.NotFound},
		}
		if x.Live() {
			refused["a leader"] = struct {
				p    *access.Principal
				code fault.Code
			}{leader, fault.Forbidden}
		}
		if tr.by == reviewers {
			refused["the applicant"] = struct {
				p    *access.Principal
				code fault.Code
			}{owner, fault.Forbidden}
		}
		if tr.by == applicant {
			refused["a reviewer"] = struct {
				p    *access.Principal
				code fault.Code
			}{cityReviewer, fault.Forbidden}
		}
		for who, c := range refused {
			_, err := f.act(t, c.p, tr.action, x)
			expect(t, fmt.Sprintf("%s in %s, %s", tr.action, tr.from, who), err, c.code)
		}
		f.unchanged(t, x)
		old := *x
		old.Version--
		if old.Version > 0 {
			_, err := f.act(t, actor(tr.action), tr.action, &old)
			expect(t, string(tr.action)+" at an old version", err, fault.Conflict)
			f.unchanged(t, x)
		}
	}
}

func TestChangeWaitsForItsReview(t *testing.T) {
	f := open(t)
	x := f.at(t, ChangeReview)
	if x.Name != "成都暖心家政服务有限公司" || x.PendingChange(as(t, owner)) == nil || x.PendingChange(as(t, other)) != nil {
		t.Errorf("before: %+v", x)
	}
	refused, err := f.act(t, cityReviewer, Reject, x)
	if err != nil || refused.Name != "成都暖心家政服务有限公司" || refused.Pending != nil {
		t.Errorf("refused: %+v, %v", refused, err)
	}
	x = f.at(t, ChangeReview)
	approved, err := f.act(t, cityReviewer, Approve, x)
	if err != nil || approved.Name != "成都暖心生活服务有限公司" || approved.Pending != nil {
		t.Errorf("approved: %+v, %v", approved, err)
	}
	if found, err := f.List(as(t, cityReviewer), Filter{Search: "生活服务"}, nil, nil); err != nil || len(found.Nodes) != 1 {
		t.Errorf("found by the new name: %v, %v", found, err)
	}
}

func TestOneLiveParticipantACode(t *testing.T) {
	f := open(t)
	in := f.application()
	x, err := f.Apply(as(t, owner), in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Apply(as(t, other), in)
	expect(t, "the same code again", err, fault.Conflict)
	for _, step := range []ParticipantAction{Take, Reject} {
		if x, err = f.act(t, cityReviewer, step, x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Apply(as(t, other), in); err != nil {
		t.Errorf("after the refusal: %v", err)
	}
}

func TestBadApplications(t *testing.T) {
	f := open(t)
	for field, spoil := range map[string]func(*ApplyParticipantInput){
		"input.uscc":           func(in *ApplyParticipantInput) { in.USCC = in.USCC[:17] + "?" },
		"input.name":           func(in *ApplyParticipantInput) { in.Name = "\u0007" },
		"input.introduction":   func(in *ApplyParticipantInput) { in.Introduction = "" },
		"input.phone":          func(in *ApplyParticipantInput) { phone := "abc"; in.Phone = &phone },
		"input.areaId":         func(in *ApplyParticipantInput) { in.AreaID = "5101" },
		"input.qualifications": func(in *ApplyParticipantInput) { in.Qualifications = make([]*QualificationInput, 21) },
		"input.qualifications.validUntil": func(in *ApplyParticipantInput) {
			date := "2026-02-30"
			in.Qualifications[0].ValidUntil = &date
		},
	} {
		in := f.application()
		spoil(&in)
		_, err := f.Apply(as(t, owner), in)
		if refused, ok := err.(*fault.Fault); !ok || refused.Code != fault.InvalidInput || refused.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := f.Apply(as(t, cityReviewer), f.application())
	expect(t, "a worker applies", err, fault.Forbidden)
	x := f.at(t, InReview)
	_, err = f.Review(as(t, cityReviewer), ReviewParticipantInput{ID: x.ID, ExpectedVersion: x.Version, Decision: DecisionReject})
	expect(t, "a refusal without a word", err, fault.InvalidInput)
	var rows int
	if err := f.owner.Get(&rows, `SELECT count(*) FROM supply.participant`); err != nil || rows != 1 {
		t.Errorf("%d rows, %v, want the good one", rows, err)
	}
}
