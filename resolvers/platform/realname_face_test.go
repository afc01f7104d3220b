package platform_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
)

func TestAFaceGivesL3(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	number := residentID(241)
	made := w.since(func() {
		v := w.faced(p, number, portrait(80, 120, 1))
		if v.State != "VERIFIED" || v.Level != "L3" || !v.Simulated || v.NameMasked != nil || v.NumberMasked != nil || len(v.NextSteps) != 0 {
			t.Errorf("%+v", v)
		}
	})
	// The token is used up in one transaction, and the decision another: each has its record.
	if len(made) != 4 || made[3].Action != "completeFaceVerification" || made[3].Result != audit.Done || !strings.Contains(string(made[3].Changes[0].After), "VERIFIED") {
		t.Errorf("recorded as %+v", made)
	}
	self := get[struct {
		Viewer struct {
			AssuranceLevel string
			RealName       struct {
				NameMasked, NumberMasked, Level, Method string
				Simulated                               bool
			}
			IdentityVerifications struct{ Edges []struct{ Node verification } }
		}
	}](w, p, realNameOfSelf, "").Viewer
	if self.AssuranceLevel != "L3" || self.RealName.NameMasked != "王**" || self.RealName.NumberMasked != "510*************"[:16]+number[16:] || self.RealName.Method != "FACE" || !self.RealName.Simulated {
		t.Errorf("%+v", self)
	}
	var steps []string
	for _, line := range self.IdentityVerifications.Edges[0].Node.History {
		steps = append(steps, line.To)
	}
	if !slices.Equal(steps, []string{"CREATED", "PROCESSING", "VERIFIED"}) {
		t.Errorf("the history tells %q", steps)
	}
	// Neither name nor number stands anywhere in plain: rows, events, records.
	for _, table := range []string{"realname_verification", "realname_identity", "realname_history", "realname_consent", "outbox", "citizen_history"} {
		if n := w.number(`SELECT count(*) FROM platform.` + table + ` AS r WHERE r::text LIKE '%` + number + `%' OR r::text LIKE '%王小明%' OR r::text LIKE '%` + number[:14] + `%'`); n != 0 {
			t.Errorf("%s holds them %d times", table, n)
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.realname.decided' AND payload->>'state' = 'VERIFIED'`); n != 1 {
		t.Errorf("%d events tell of it", n)
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.notification.requested' AND payload->>'title' = '实名认证已通过'`); n != 1 {
		t.Errorf("%d notices tell of it", n)
	}
}

// The evidence is there until the decision, and then the content is gone from
// the file store, and the row says so.
func TestEvidenceIsErased(t *testing.T) {
	for name, c := range map[string]struct {
		retention time.Duration
		picture   []byte
	}{"verified, at once": {0, portrait(80, 120, 1)}, "failed, after a day": {24 * time.Hour, portrait(120, 80, 1)}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, withNames(t, func(s *realname.Settings) { s.EvidenceRetention = c.retention }))
			_, p := w.signIn("13800000001")
			w.faced(p, residentID(241), c.picture)
			file := func() (state string) {
				w.must(w.database.Owner.Get(&state, `SELECT f.state FROM platform.realname_evidence e JOIN platform.file f ON f.id = e.file_id`))
				return state
			}
			if c.retention > 0 {
				w.must(w.SweepRealNames(t.Context()))
				if file() != "AVAILABLE" || len(w.drawer.contents) == 0 {
					t.Error("the evidence went before its time")
				}
				w.clock.move(c.retention)
			}
			// A hold keeps it, and nothing else.
			w.sql(`UPDATE platform.file SET held = true`)
			w.must(w.SweepRealNames(t.Context()))
			if file() != "AVAILABLE" {
				t.Error("what is held was erased")
			}
			w.sql(`UPDATE platform.file SET held = false`)
			w.must(w.SweepRealNames(t.Context()))
			if state := file(); state != "PURGED" || len(w.drawer.contents) != 0 || w.number(`SELECT count(*) FROM platform.blob`) != 0 {
				t.Errorf("the file is %s, %d contents lie in the store", state, len(w.drawer.contents))
			}
			if n := w.number(`SELECT count(*) FROM platform.realname_evidence WHERE erased_at IS NULL`); n != 0 {
				t.Error("it is not noted")
			}
			if n := w.number(`SELECT count(*) FROM platform.realname_verification WHERE claimed_name IS NOT NULL`); n != 0 {
				t.Error("what was claimed stays")
			}
		})
	}
}

func TestFacesThatDoNotCount(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	for name, c := range map[string]struct {
		number  string
		picture []byte
		failure string
	}{
		"nobody alive":    {residentID(241), portrait(20, 30, 1), "NOT_LIVE"},
		"somebody else":   {residentID(241), portrait(120, 80, 2), "FACE_MISMATCH"},
		"no such number":  {residentID(404), portrait(80, 120, 3), "NOT_FOUND"},
		"another's name":  {residentID(409), portrait(80, 120, 4), "NAME_MISMATCH"},
		"nobody alive II": {residentID(242), portrait(63, 63, 5), "NOT_LIVE"},
	} {
		v := w.faced(p, c.number, c.picture)
		if v.State != "FAILED" || v.Failure != c.failure || v.Level != "" || v.Message == "" || !v.Simulated {
			t.Errorf("%s: %+v", name, v)
		}
		if !slices.Contains(v.NextSteps, "USE_THIRD_PARTY") || !slices.Contains(v.NextSteps, "GO_OFFLINE") {
			t.Errorf("%s: a face is the only way: %q", name, v.NextSteps)
		}
	}
	if w.level(p) != "L0" || w.number(`SELECT count(*) FROM platform.realname_identity`) != 0 {
		t.Error("a failure gave something")
	}
	if got := w.refusal(p, beginFace, object{"consentId": w.consent(p, realname.ByFace), "identity": claimOf(residentID(503), "王小明"), "deviceId": phoneID}); got != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("the register is away: %q", got)
	}
}

func TestTokensThatDoNotCount(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	begin := func(p *access.Principal, number string) result {
		return w.done(p, beginFace, object{"consentId": w.consent(p, realname.ByFace), "identity": claimOf(number, "王小明"), "deviceId": phoneID})
	}
	complete := func(p *access.Principal, id, token, device string) string {
		return w.refusal(p, completeFace, object{"verificationId": id, "livenessToken": token, "deviceId": device, "picture": w.upload(p, portrait(80, 120, 9)).Receipt})
	}
	mine, theirs := begin(p, residentID(241)), begin(other, residentID(243))
	id := mine.Verification.ID
	for name, got := range map[string]string{
		"another account's verification": complete(other, id, mine.LivenessToken, phoneID),
		"another device":                 complete(p, id, mine.LivenessToken, "another-device"),
		"another session's token":        complete(p, id, theirs.LivenessToken, phoneID),
		"a forged token":                 complete(p, id, mine.LivenessToken+"x", phoneID),
		"no token":                       complete(p, id, "", phoneID),
		"nobody":                         w.refusal(nil, completeFace, object{"verificationId": id, "livenessToken": mine.LivenessToken, "deviceId": phoneID, "picture": ""}),
		"a worker":                       w.refusal(w.worker(here), completeFace, object{"verificationId": id, "livenessToken": mine.LivenessToken, "deviceId": phoneID, "picture": ""}),
		"another's picture": w.refusal(p, completeFace, object{"verificationId": id, "livenessToken": mine.LivenessToken, "deviceId": phoneID,
			"picture": w.upload(other, portrait(80, 120, 8)).Receipt}),
	} {
		want := "INVALID_INPUT"
		switch name {
		case "another account's verification":
			want = "NOT_FOUND"
		case "nobody":
			want = "UNAUTHENTICATED"
		case "a worker":
			want = "FORBIDDEN"
		}
		if got != want {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.realname_liveness WHERE used_at IS NOT NULL`); n != 0 {
		t.Error("a refused token was used up")
	}
	if got := complete(p, id, mine.LivenessToken, phoneID); got != "" {
		t.Errorf("the true one: %q", got)
	}
	if got := complete(p, id, mine.LivenessToken, phoneID); got != "CONFLICT" {
		t.Errorf("replayed: %q", got)
	}
	// Replayed into the next session of the same account.
	again := begin(p, residentID(241))
	if got := complete(p, again.Verification.ID, mine.LivenessToken, phoneID); got != "INVALID_INPUT" {
		t.Errorf("replayed in another session: %q", got)
	}
	// Expired.
	w.clock.move(6 * time.Minute)
	if got := complete(p, again.Verification.ID, again.LivenessToken, phoneID); got != "INVALID_INPUT" {
		t.Errorf("expired: %q", got)
	}
	w.clock.move(time.Hour)
	w.must(w.SweepRealNames(t.Context()))
	if n := w.number(`SELECT count(*) FROM platform.realname_verification WHERE state = 'FAILED' AND failure = 'TIMED_OUT'`); n != 2 {
		t.Errorf("%d were given up, want 2", n)
	}
}

// crooked is a provider whose answers a test makes.
type crooked struct {
	face.Provider
	judge func() (face.Judgement, error)
}

func (c *crooked) Judge(context.Context, string, face.Binding, face.Picture) (face.Judgement, error) {
	return c.judge()
}

func TestJudgementsThatDoNotCount(t *testing.T) {
	provider := &crooked{}
	w := newWorld(t, withNames(t), func(d *platform.Deps) {
		simulator, err := face.NewSimulator(d.Now)
		if err != nil {
			t.Fatal(err)
		}
		provider.Provider = simulator
		d.Face = provider
	})
	_, p := w.signIn("13800000001")
	for name, c := range map[string]struct {
		judge func() (face.Judgement, error)
		want  string
	}{
		"away":                {func() (face.Judgement, error) { return face.Judgement{}, errors.New("gone") }, "PROVIDER_AWAY"},
		"of another session":  {func() (face.Judgement, error) { return face.Judgement{Reference: "other", Live: true, Same: true}, nil }, "PROVIDER_AWAY"},
		"the token was taken": {func() (face.Judgement, error) { return face.Judgement{}, face.ErrToken }, "TIMED_OUT"},
		"alive, nobody said":  {func() (face.Judgement, error) { return face.Judgement{Live: true}, nil }, "FACE_MISMATCH"},
	} {
		provider.judge = c.judge
		if v := w.faced(p, residentID(241), portrait(80, 120, uint8(len(name)))); v.State != "FAILED" || v.Failure != c.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if w.level(p) != "L0" {
		t.Error("a level came of it")
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	three := limit.Rule{Times: 3, Within: 24 * time.Hour}
	for name, c := range map[string]struct {
		change func(*realname.Settings)
		next   func(i int) (account int, sequence int)
	}{
		"of an account":   {func(s *realname.Settings) { s.Account = three }, func(i int) (int, int) { return 0, 241 + i }},
		"of an identity":  {func(s *realname.Settings) { s.Identity = three }, func(i int) (int, int) { return i, 409 }},
		"from an address": {func(s *realname.Settings) { s.Network = three }, func(i int) (int, int) { return i, 241 + i }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, withNames(t, c.change))
			var accounts []*access.Principal
			for i := range 4 {
				_, p := w.signIn("1380000000" + string(rune('1'+i)))
				accounts = append(accounts, p)
			}
			ctx := access.WithRemote(t.Context(), access.Remote{Address: "203.0.113.7"})
			for i := range 4 {
				account, sequence := c.next(i)
				p := accounts[account]
				a := w.askIn(ctx, p, beginFace, encodedInput(object{"consentId": w.consent(p, realname.ByFace), "identity": claimOf(residentID(sequence), "王小明"), "deviceId": phoneID}))
				if want := map[bool]string{true: "RATE_LIMITED"}[i == 3]; a.code() != want {
					t.Errorf("attempt %d: %q, want %q", i+1, a.code(), want)
				}
			}
		})
	}
}
