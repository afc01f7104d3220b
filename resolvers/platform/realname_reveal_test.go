package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
)

const (
	revealName = `mutation($i: RevealRealNameInput!) { revealRealName(input: $i) { fullName documentNumber } }`
	revealCase = `mutation($i: RevealVerificationInput!) { revealVerification(input: $i) { fullName documentNumber materials { id url } } }`
	findName   = `mutation($i: FindRealNameInput!) { findRealName(input: $i) { citizenId realName { nameMasked numberMasked } } }`
	lowerLevel = `mutation($i: LowerAssuranceLevelInput!) { lowerAssuranceLevel(input: $i) { realName { level version } } }`
)

func TestWhoMayReadARealNameInPlain(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	w.settle(p, here)
	number, purpose := residentID(241), "核实独居老人的身份"
	w.faced(p, number, portrait(80, 120, 1))
	open := w.applied(other, w.counter(here, 1), residentID(243), 2)
	find := object{"documentKind": "RESIDENT_ID", "documentNumber": number, "purpose": purpose}
	for name, ask := range map[string]func(*access.Principal, string) answer{
		"the account": func(who *access.Principal, why string) answer {
			return w.ask(who, revealName, encodedInput(object{"citizenId": p.ID, "purpose": why}))
		},
		"the case": func(who *access.Principal, why string) answer {
			return w.ask(who, revealCase, encodedInput(object{"verificationId": open.ID, "purpose": why}))
		},
		"by its number": func(who *access.Principal, why string) answer {
			find["purpose"] = why
			return w.ask(who, findName, encodedInput(find))
		},
	} {
		for who, c := range map[string]struct {
			p    *access.Principal
			why  string
			want string
		}{
			"nobody": {nil, purpose, "UNAUTHENTICATED"}, "the citizen": {p, purpose, "FORBIDDEN"}, "another citizen": {other, purpose, "FORBIDDEN"},
			"the next community": {w.worker(next), purpose, "NOT_FOUND"}, "another district": {w.worker(elsewhere), purpose, "NOT_FOUND"},
			"a leader": {w.worker(city, access.Leader), purpose, "FORBIDDEN"}, "the system administrator": {w.worker(city, access.SystemAdmin), purpose, "FORBIDDEN"},
			"the auditor": {w.worker(city, access.AuditAdmin), purpose, "FORBIDDEN"}, "without a purpose": {w.worker(here), " ", "INVALID_INPUT"},
		} {
			a := ask(c.p, c.why)
			if a.code() != c.want || strings.Contains(string(a.Data), "510104") {
				t.Errorf("%s, %s: %q %s", name, who, a.code(), a.Data)
			}
		}
		made := w.since(func() {
			if a := ask(w.worker(here), purpose); a.code() != "" || name != "by its number" && !strings.Contains(string(a.Data), "王小明") {
				t.Errorf("%s, the community's worker: %s %v", name, a.Data, a.Errors)
			}
		})
		text, _ := json.Marshal(made)
		if len(made) != 1 || made[0].Purpose != purpose || made[0].Result != audit.Done || strings.Contains(string(text), number) || strings.Contains(string(text), "王小明") {
			t.Errorf("%s is recorded as %s", name, text)
		}
	}
	// What cannot be recorded is not shown.
	w.sql(`ALTER TABLE platform.outbox ADD CONSTRAINT full_up CHECK (subject <> 'platform.audit.recorded') NOT VALID`)
	if a := w.ask(w.worker(here), revealName, encodedInput(object{"citizenId": p.ID, "purpose": purpose})); a.code() == "" || strings.Contains(string(a.Data), number) {
		t.Errorf("shown without a record: %s", a.Data)
	}
}

func TestLevelsGoDown(t *testing.T) {
	w := newWorld(t, withNames(t, func(s *realname.Settings) { s.Validity = 30 * 24 * time.Hour }))
	_, p := w.signIn("13800000001")
	w.settle(p, here)
	w.faced(p, residentID(241), portrait(80, 120, 1))
	lower := func(who *access.Principal, to, reason string, version int) string {
		return w.refusal(who, lowerLevel, object{"citizenId": p.ID, "to": to, "reason": reason, "expectedVersion": version})
	}
	const why = "证件被冒用，已报案"
	for name, c := range map[string]struct{ got, want string }{
		"a community worker": {lower(w.worker(here), "L1", why, 1), "FORBIDDEN"}, "the citizen": {lower(p, "L1", why, 1), "FORBIDDEN"},
		"another street": {lower(w.worker(elsewhere, access.Supervisor), "L1", why, 1), "NOT_FOUND"}, "without a reason": {lower(w.second(), "L1", "", 1), "INVALID_INPUT"},
		"to the same": {lower(w.second(), "L3", why, 1), "INVALID_INPUT"}, "of another version": {lower(w.second(), "L1", why, 7), "CONFLICT"},
		"an administrator": {lower(w.worker(city, access.SecurityAdmin), "L1", why, 1), "FORBIDDEN"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %s", name, c.got, c.want)
		}
	}
	if got := lower(w.second(), "L1", why, 1); got != "" || w.level(p) != "L1" || w.number(`SELECT count(*) FROM platform.realname_verification WHERE state = 'REVOKED'`) != 1 {
		t.Errorf("the supervisor: %q, %s", got, w.level(p))
	}
	if got := lower(w.second(), "L2", why, 2); got != "INVALID_INPUT" {
		t.Errorf("up again by hand: %q", got)
	}
	if got := lower(w.second(), "L0", why, 2); got != "" || w.level(p) != "L0" || w.number(`SELECT count(*) FROM platform.realname_identity`) != 0 {
		t.Errorf("to nothing: %q, %s", got, w.level(p))
	}
	// Time brings the level down to L1, and the same proof up again.
	w.faced(p, residentID(241), portrait(80, 120, 2))
	w.clock.move(31 * 24 * time.Hour)
	w.must(w.SweepRealNames(t.Context()))
	if w.level(p) != "L1" || w.number(`SELECT count(*) FROM platform.realname_verification WHERE state = 'EXPIRED'`) != 1 {
		t.Errorf("after its time it is %s", w.level(p))
	}
	_, p = w.signIn("13800000001")
	if v := w.faced(p, residentID(241), portrait(80, 120, 3)); v.State != "VERIFIED" || w.level(p) != "L3" {
		t.Errorf("renewed: %+v", v)
	}
}

// Row-level security alone shows each only what is theirs.
func TestRowsOfRealNames(t *testing.T) {
	w := newWorld(t, withNames(t))
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	w.settle(p, here)
	w.faced(p, residentID(241), portrait(80, 120, 1))
	w.applied(other, w.counter(here, 1), residentID(243), 2)
	for name, c := range map[string]struct {
		who                                    *access.Principal
		verifications, identities, consents, n int
	}{
		"nobody":                    {nil, 0, 0, 0, 0},
		"the citizen":               {p, 1, 1, 1, 3},
		"the other citizen":         {other, 1, 0, 1, 2},
		"the community's worker":    {w.worker(here), 2, 1, 0, 5},
		"the street's":              {w.second(), 2, 1, 0, 5},
		"the next community's":      {w.worker(next), 0, 0, 0, 0},
		"who lacks the action":      {w.worker(city, access.SystemAdmin), 0, 0, 0, 0},
		"a worker with their ID":    {&access.Principal{Kind: access.Worker, ID: p.ID, AreaCode: elsewhere, Roles: []access.Role{access.CommunityWorker}}, 0, 0, 0, 0},
		"a citizen who claims here": {&access.Principal{Kind: access.Citizen, ID: w.workers[here], AreaCode: here, Roles: []access.Role{access.CommunityWorker}}, 0, 0, 0, 0},
	} {
		ctx := access.With(t.Context(), c.who)
		w.must(w.db.Read(ctx, func(tx *sqlx.Tx) error {
			for table, want := range map[string]int{"realname_verification": c.verifications, "realname_identity": c.identities, "realname_consent": c.consents, "realname_history": c.n, "realname_evidence": 0, "realname_liveness": 0} {
				var n int
				if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM platform.`+table); err != nil {
					return err
				}
				if n != want {
					t.Errorf("%s sees %d rows of %s, want %d", name, n, table, want)
				}
			}
			return nil
		}))
		err := w.db.Write(ctx, func(tx *sqlx.Tx) error {
			result, err := tx.ExecContext(ctx, `UPDATE platform.realname_verification SET state = 'REVOKED', level = 'L3'`)
			if n, _ := rows(result); err == nil && n > 0 {
				t.Errorf("%s changes %d rows", name, n)
			}
			return err
		})
		_ = err
	}
}

func rows(result interface{ RowsAffected() (int64, error) }) (int64, error) {
	if result == nil {
		return 0, nil
	}
	return result.RowsAffected()
}

// A list costs as many statements for two as for many.
func TestListsOfRealNamesAreBounded(t *testing.T) {
	w := newWorld(t, withNames(t))
	slot := w.counter(here, 20)
	count := func() int64 {
		ctx, counter := database.WithCounter(t.Context())
		a := w.askIn(ctx, w.worker(here), `{ offlineVerifications { edges { node { `+verificationFields+` slot { counter { id name slots { id } } } } } } }`, "")
		if a.code() != "" {
			t.Fatal(a.Errors)
		}
		return counter.Statements()
	}
	var few int64
	for i := range 12 {
		_, p := w.signIn(fmt.Sprintf("138000001%02d", i))
		w.applied(p, slot, residentID(241+i), uint8(i))
		if i == 1 {
			few = count()
		}
	}
	if many := count(); many > few || many > 8 {
		t.Errorf("%d statements for twelve, %d for two", many, few)
	}
}
