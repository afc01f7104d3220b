package demonstration

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// realnameTables are those of the real names; they are filled by COPY too.
var realnameTables = []string{"realname_consent", "realname_counter", "realname_slot", "realname_verification", "realname_history", "realname_identity"}

// levelOf is the citizen's assurance level: in the whole city one in eight has a
// real name, so that the loading stays short.
func levelOf(cast *demonstration.Cast, i int) citizen.AssuranceLevel {
	if cast.Scale == demonstration.City && i%8 != 0 {
		return citizen.L0
	}
	return demonstration.Pick(levels, "assurance", i)
}

// ResidentID is the number of citizen i, which nobody else of the story has.
func ResidentID(cast *demonstration.Cast, i int) string {
	birth := time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 13*(i/900)%16001)
	digits := cast.Citizen(i).CommunityCode[:6] + birth.Format("20060102") + fmt.Sprintf("%03d", 1+i%900)
	return digits + string(document.CheckDigit(digits))
}

// what the first citizens of a community without a real name are doing.
const (
	booked    = iota // an appointment, no materials yet
	submitted        // waits for the first pair of eyes
	inReview         // waits for the second
	refused          // was refused
	agreed           // has agreed to the terms, of one way after the other
	agreedEnd = agreed + 4
)

var methods = []realname.VerificationMethod{realname.ByRegister, realname.ByFace, realname.ByThirdParty, realname.Offline}

// proof is the way that gave the level.
func proof(level citizen.AssuranceLevel, i int) realname.VerificationMethod {
	switch {
	case level == citizen.L1:
		return realname.ByRegister
	case level == citizen.L2:
		return realname.ByThirdParty
	case i%2 == 0:
		return realname.ByFace
	}
	return realname.Offline
}

// story is one citizen's part of the real names.
type story struct {
	number  int
	citizen demonstration.Citizen
	level   citizen.AssuranceLevel
	method  realname.VerificationMethod
	role    int // of the constants above; -1 for who has a real name
}

func (s story) id(topic string) string { return demonstration.ID("realname "+topic, s.number) }

// stories gives each part that somebody has, in the order of the citizens.
func stories(cast *demonstration.Cast, tell func(story) error) error {
	seen := map[string]int{}
	for i := range cast.Citizens() {
		s := story{number: i, citizen: cast.Citizen(i), level: levelOf(cast, i), role: -1}
		if s.level == citizen.L0 {
			s.role = seen[s.citizen.CommunityCode]
			seen[s.citizen.CommunityCode]++
			switch {
			case s.role >= agreedEnd:
				continue
			case s.role >= agreed:
				s.method = methods[s.role-agreed]
			default:
				s.method = realname.Offline
			}
		} else {
			s.method = proof(s.level, i)
		}
		if err := tell(s); err != nil {
			return err
		}
	}
	return nil
}

func realNames(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	for _, part := range []func(context.Context, *sqlx.Tx, *demonstration.Cast, *personal.Keys) error{consents, counters, verifications, identities, histories} {
		if err := part(ctx, tx, cast, keys); err != nil {
			return err
		}
	}
	return realname.TellAll(ctx, tx)
}

func consents(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	columns := []string{"id", "citizen_id", "method", "terms", "purpose", "client", "given_at"}
	return bulk(ctx, tx, "realname_consent", columns, func(add func(...any) error) error {
		return stories(cast, func(s story) error {
			terms, err := realname.TermsOf(s.method)
			if err != nil {
				return err
			}
			return add(s.id("consent"), s.citizen.ID, string(s.method), terms.Version, terms.Purpose, "app", s.began(cast))
		})
	})
}

// began is when the citizen agreed.
func (s story) began(cast *demonstration.Cast) time.Time {
	switch {
	case s.role >= agreed:
		return cast.Anchor
	case s.role >= 0:
		return cast.Anchor.Add(-48 * time.Hour)
	}
	return cast.Anchor.Add(-time.Duration(1+demonstration.Number("realname", s.number)%300) * 24 * time.Hour)
}

// Each community has a counter with slots on the ten days to come.
func counters(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	columns := []string{"id", "name", "area_code", "address", "created_at", "updated_at"}
	at := cast.Anchor.AddDate(0, -6, 0)
	names := map[string]string{}
	for _, a := range division.Chengdu() {
		names[a.Code] = a.Name
	}
	err := bulk(ctx, tx, "realname_counter", columns, func(add func(...any) error) error {
		for c, code := range cast.Communities() {
			name := names[code]
			if err := add(demonstration.ID("realname counter", c), name+"实名核验窗口", code, name+"便民服务中心一楼", at, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "counter_id", "starts_at", "ends_at", "capacity", "taken"}
	return bulk(ctx, tx, "realname_slot", columns, func(add func(...any) error) error {
		for c := range cast.Communities() {
			for n := range slotsEach {
				starts := cast.Anchor.AddDate(0, 0, 1+n/2).Add(time.Duration(1+5*(n%2)) * time.Hour) // nine and two o'clock in Beijing
				taken := 0
				if n == 0 {
					taken = 3 // those of the story
				}
				if err := add(slot(c, n), demonstration.ID("realname counter", c), starts, starts.Add(time.Hour), 6, taken); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

const slotsEach = 20

func slot(community, n int) string { return demonstration.ID("realname slot", community*slotsEach+n) }

func verifications(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	numbers := map[string]int{}
	for c, code := range cast.Communities() {
		numbers[code] = c
	}
	columns := []string{"id", "citizen_id", "consent_id", "method", "state", "area_code", "document_kind", "claimed_name", "claimed_number", "provider", "simulated", "level",
		"reason", "slot_id", "examined_by", "examined_at", "passed", "decided_by", "created_at", "updated_at", "submitted_at", "decided_at", "valid_until", "version"}
	return bulk(ctx, tx, "realname_verification", columns, func(add func(...any) error) error {
		return stories(cast, func(s story) error {
			if s.role >= agreed {
				return nil
			}
			id, code, at := s.id("verification"), s.citizen.CommunityCode, s.began(cast).Add(time.Hour)
			state, area, provider, version := s.state(), "", "register", 3
			var name, number, level, slotID, first, second, examined, passed, handed, decided, until any
			if s.method == realname.Offline {
				area, provider = code, "counter"
			}
			if state.Open() {
				name, number = keys.Seal("realname.claimed_name/"+id, s.citizen.Name), keys.Seal("realname.claimed_number/"+id, ResidentID(cast, s.number))
				slotID, version = slot(numbers[code], 0), 1+s.role
			}
			if s.method == realname.Offline && state != realname.Created {
				handed = at.Add(time.Minute)
			}
			if s.method == realname.Offline && state != realname.Created && state != realname.Submitted {
				first, examined, passed = cast.CommunityWorker(code).ID, at.Add(2*time.Hour), s.role != refused
			}
			reason := ""
			if !state.Open() {
				decided = at.Add(3 * time.Hour)
				if s.method == realname.Offline {
					second, version = cast.Chief(code[:9]+"000").ID, 4
				}
			}
			if s.role == refused {
				reason = "证件照片不清晰，请重新拍摄"
			}
			if s.role < 0 {
				level = string(s.level)
				if s.level > citizen.L1 {
					until = at.AddDate(3, 0, 0)
				}
			}
			return add(id, s.citizen.ID, s.id("consent"), string(s.method), string(state), area, string(document.ResidentID), name, number, provider, s.method != realname.Offline, level,
				reason, slotID, first, examined, passed, second, at, at.Add(3*time.Hour), handed, decided, until, version)
		})
	})
}

func (s story) state() realname.VerificationState {
	switch s.role {
	case booked:
		return realname.Created
	case submitted:
		return realname.Submitted
	case inReview:
		return realname.InReview
	case refused:
		return realname.Rejected
	}
	return realname.Verified
}

func identities(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	index := realname.Indexer(keys)
	columns := []string{"id", "citizen_id", "document_kind", "name", "number", "number_index", "level", "method", "simulated", "verification_id", "verified_at", "valid_until"}
	return bulk(ctx, tx, "realname_identity", columns, func(add func(...any) error) error {
		return stories(cast, func(s story) error {
			if s.role >= 0 {
				return nil
			}
			id, number, at := s.id("identity"), ResidentID(cast, s.number), s.began(cast).Add(4*time.Hour)
			var until any
			if s.level > citizen.L1 {
				until = s.began(cast).Add(time.Hour).AddDate(3, 0, 0)
			}
			return add(id, s.citizen.ID, string(document.ResidentID), realname.SealName(keys, id, s.citizen.Name), realname.SealNumber(keys, id, document.ResidentID, number),
				index.Of(realname.Identity(document.ResidentID, number)), string(s.level), string(s.method), s.method != realname.Offline, s.id("verification"), at, until)
		})
	})
}

func histories(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	columns := []string{"id", "verification_id", "at", "action", "from_state", "to_state", "actor_kind", "actor_id"}
	return bulk(ctx, tx, "realname_history", columns, func(add func(...any) error) error {
		line := 0
		return stories(cast, func(s story) error {
			if s.role >= agreed {
				return nil
			}
			at, state := s.began(cast).Add(time.Hour), s.state()
			write := func(after time.Duration, action realname.VerificationAction, from, to realname.VerificationState, kind, actor string) error {
				line++
				return add(demonstration.ID("realname history", line), s.id("verification"), at.Add(after), string(action), string(from), string(to), kind, actor)
			}
			if err := write(0, realname.Begin, "", realname.Created, "citizen", s.citizen.ID); err != nil || state == realname.Created {
				return err
			}
			if s.method != realname.Offline {
				if err := write(time.Minute, realname.Judge, realname.Created, realname.Processing, "citizen", s.citizen.ID); err != nil {
					return err
				}
				return write(3*time.Hour, realname.Decide, realname.Processing, state, "system", "realname")
			}
			if err := write(time.Minute, realname.Submit, realname.Created, realname.Submitted, "citizen", s.citizen.ID); err != nil || state == realname.Submitted {
				return err
			}
			code := s.citizen.CommunityCode
			if err := write(2*time.Hour, realname.Examine, realname.Submitted, realname.InReview, "worker", cast.CommunityWorker(code).ID); err != nil || state == realname.InReview {
				return err
			}
			return write(3*time.Hour, realname.Decide, realname.InReview, state, "worker", cast.Chief(code[:9]+"000").ID)
		})
	})
}
