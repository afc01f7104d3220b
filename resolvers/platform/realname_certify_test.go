package platform_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

func TestACertifiedAccountGivesL2(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	ask := func(who *access.Principal, change object) object {
		in := object{"consentId": w.consent(who, realname.ByThirdParty), "provider": "ALIPAY", "identity": claimOf(thirdparty.SimulatedNumber, thirdparty.SimulatedName)}
		for key, value := range change {
			in[key] = value
		}
		return in
	}
	for name, c := range map[string]struct {
		in      object
		failure string
	}{
		"a name that is not certified":  {object{"code": "somebody.1", "identity": claimOf(thirdparty.SimulatedNumber, "王小明")}, "NOT_CERTIFIED"},
		"a number that is not":          {object{"code": "somebody.2", "identity": claimOf(residentID(242), thirdparty.SimulatedName)}, "NOT_CERTIFIED"},
		"an account that proved nobody": {object{"code": "plain.3"}, "NOT_CERTIFIED"},
		"WeChat's that proved nobody":   {object{"provider": "WECHAT", "code": "plain.1", "consentCode": "plain.2"}, "NOT_CERTIFIED"},
	} {
		if v := w.done(p, certify, ask(p, c.in)).Verification; v.State != "FAILED" || v.Failure != c.failure || !v.Simulated {
			t.Errorf("%s: %+v", name, v)
		}
	}
	for name, in := range map[string]object{
		"a used code": {"code": "somebody.1"}, "no code": {"code": ""}, "WeChat without its consent": {"provider": "WECHAT", "code": "somebody.9"},
		"another's consent at WeChat": {"provider": "WECHAT", "code": "somebody.8", "consentCode": "else.1"},
		"another document":            {"code": "somebody.7", "identity": object{"documentKind": "HMT_RESIDENCE_PERMIT", "documentNumber": "810000199408230021", "fullName": "王小明"}},
	} {
		if got := w.refusal(p, certify, ask(p, in)); got != "INVALID_INPUT" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if v := w.done(p, certify, ask(p, object{"code": "somebody.4"})).Verification; v.State != "VERIFIED" || v.Level != "L2" || !v.Simulated || w.level(p) != "L2" {
		t.Errorf("%+v", v)
	}
	wechat := object{"provider": "WECHAT", "code": "else.5", "consentCode": "else.6", "identity": claimOf(residentID(245), "王小明")}
	if v := w.done(other, certify, ask(other, wechat)).Verification; v.State != "VERIFIED" || v.Level != "L2" {
		t.Errorf("%+v", v)
	}
}

// Accounts that merge keep what one of them has proven; two persons do not merge.
func TestRealNamesMerge(t *testing.T) {
	w := newWorld(t, withNames(t))
	in := func(code string) *access.Principal {
		t.Helper()
		token := get[struct{ SignInByThirdParty tokens }](w, nil, byThirdParty, `{"i": {"provider": "WECHAT", "code": "`+code+`"}}`).SignInByThirdParty
		p, _, err := w.verifier.Access(token.AccessToken)
		w.must(err)
		return p
	}
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	first, second := in("first.1"), in("second.1")
	w.faced(first, residentID(241), portrait(80, 120, 1))
	w.faced(second, residentID(243), portrait(80, 120, 2))
	if v := w.faced(p, residentID(241), portrait(80, 120, 3)); v.Failure != "IDENTITY_TAKEN" {
		t.Errorf("%+v", v)
	}
	proven := w.prove(p, "13800000001")
	if got := w.codeOf(proven, linkAccount, `{"provider": "WECHAT", "code": "first.2", "mergeIfTaken": true}`); got != "" {
		t.Errorf("merging as offered: %q", got)
	}
	if w.level(p) != "L3" || w.level(first) != "L0" || w.number(`SELECT count(*) FROM platform.realname_identity WHERE citizen_id = $1`, p.ID) != 1 {
		t.Errorf("the levels are %s and %s", w.level(p), w.level(first))
	}
	w.faced(other, residentID(245), portrait(80, 120, 4))
	if got := w.codeOf(w.prove(other, "13800000002"), linkAccount, `{"provider": "WECHAT", "code": "second.2", "mergeIfTaken": true}`); got != "CONFLICT" {
		t.Errorf("two persons merge: %q", got)
	}
	// Who cancels the account frees the identity.
	if got := w.ask(w.prove(other, "13800000002"), cancel, "").code(); got != "" {
		t.Fatal(got)
	}
	w.sql(`UPDATE platform.citizen SET cancel_due_at = now() - interval '1 day' WHERE id = $1`, other.ID)
	if n, err := citizen.New(w.db, w.keys, w.clock.now).EraseDue(t.Context()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if n := w.number(`SELECT count(*) FROM platform.realname_identity WHERE citizen_id = $1`, other.ID); n != 0 {
		t.Error("a cancelled account keeps the identity")
	}
}
