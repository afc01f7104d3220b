package realname

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
)

// lower brings the account down to the level: at L0 the identity goes, and is
// free for another account. v is the verification that it stood on, locked; it
// ends as c says, unless it has ended before.
func (s *Service) lower(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, to citizen.AssuranceLevel, c change) error {
	if v.State == Verified {
		if err := s.move(ctx, tx, v, c); err != nil {
			return err
		}
	} else if err := s.record(ctx, tx, v, v.State, change{to: v.State, action: c.action, note: c.note, by: c.by}); err != nil {
		return err
	}
	if to == citizen.L0 {
		if err := dropIdentity(ctx, tx, v.CitizenID); err != nil {
			return err
		}
	} else if err := lowerIdentity(ctx, tx, v.CitizenID, to); err != nil {
		return err
	}
	return s.Citizens.SetLevel(ctx, tx, v.CitizenID, to, string(c.action))
}

// LowerAssuranceLevelInput brings somebody's level down.
type LowerAssuranceLevelInput struct {
	CitizenID       string
	To              citizen.AssuranceLevel
	Reason          string
	ExpectedVersion int
}

// Lower brings the level of a citizen of the caller's scope down, for a reason
// that is recorded and told to the citizen. It never rises here.
func (s *Service) Lower(ctx context.Context, in LowerAssuranceLevelInput) (*RealName, error) {
	p, err := access.Require(ctx, access.RealNameRevoke)
	if err != nil {
		return nil, err
	}
	reason, err := input.Text("input.reason", "原因", in.Reason, 4, 200)
	if err != nil {
		return nil, err
	}
	seen, err := s.identityFor(ctx, in.CitizenID)
	if err != nil {
		return nil, err
	}
	if seen == nil {
		return nil, errNoIdentity
	}
	if in.To != citizen.L0 && in.To != citizen.L1 && in.To != citizen.L2 || in.To >= seen.Level {
		return nil, fault.Invalid("input.to", "只能调整为低于当前的等级")
	}
	var left *RealName
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := identityOf(ctx, tx, in.CitizenID, true)
		if err != nil {
			return err
		}
		if r == nil || r.Version != in.ExpectedVersion {
			return fault.New(fault.Conflict, "实名信息刚刚已变化，请刷新后重试")
		}
		v, err := s.take(ctx, tx, r.VerificationID)
		if err != nil || v == nil {
			return fmt.Errorf("realname: an identity without its verification: %w", err)
		}
		if err := s.lower(ctx, tx, v, in.To, change{to: Revoked, action: Lower, note: reason, by: p}); err != nil {
			return err
		}
		left, err = identityOf(ctx, tx, in.CitizenID, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.told(left)
}

var errNoIdentity = fault.New(fault.NotFound, "未找到该市民的实名信息，或不在您的管辖范围内")

// identityFor reads what the account has proven as the caller, whom row-level
// security shows the own, or those of the scope; nil for nothing.
func (s *Service) identityFor(ctx context.Context, citizenID string) (*RealName, error) {
	p := access.From(ctx)
	if !input.ID(citizenID) || p == nil || !(p.Kind == access.Citizen && p.ID == citizenID || p.Kind == access.Worker && p.May(access.RealNameView)) {
		return nil, nil
	}
	var r *RealName
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		if p.Kind == access.Worker {
			if seen, err := s.Citizens.InScope(ctx, tx, citizenID, p); err != nil || !seen {
				return err
			}
		}
		r, err = identityOf(ctx, tx, citizenID, false)
		return err
	})
	return r, err
}

// told fills in who it is, for the schema to mask; nil stays nil.
func (s *Service) told(r *RealName) (*RealName, error) {
	if r == nil {
		return nil, nil
	}
	d, err := s.plain(r)
	if err != nil {
		return nil, err
	}
	r.PlainName, r.PlainNumber = d.Name, d.Number
	return r, nil
}
