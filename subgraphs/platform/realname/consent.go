package realname

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// RealNameConsent 同意 is what somebody agreed to, and when.
type RealNameConsent struct {
	ID          string             `db:"id"`
	CitizenID   string             `db:"citizen_id"`
	Method      VerificationMethod `db:"method"`
	Terms       string             `db:"terms"` // the version
	Purpose     string             `db:"purpose"`
	Client      string             `db:"client"`
	RecordedBy  *string            `db:"recorded_by"` // the worker, of one signed on paper
	GivenAt     time.Time          `db:"given_at"`
	WithdrawnAt *time.Time         `db:"withdrawn_at"`
}

// consentTime is how long after the consent a verification may begin.
const consentTime = 24 * time.Hour

// Consent records that the signed-in citizen agrees to the version of the terms.
func (s *Service) Consent(ctx context.Context, method VerificationMethod, version string) (*RealNameConsent, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.agreed(p.ID, method, version)
	if err != nil {
		return nil, err
	}
	c.Client = access.RemoteOf(ctx).Client
	err = s.write(ctx, func(tx *sqlx.Tx) error { return s.recordConsent(ctx, tx, c, p) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// agreed makes the consent to the terms in force.
func (s *Service) agreed(citizenID string, method VerificationMethod, version string) (*RealNameConsent, error) {
	t, ok := terms[method]
	if !ok {
		return nil, fault.Invalid("input.method", "没有这一核验方式")
	}
	if version != t.Version {
		return nil, fault.Invalid("input.termsVersion", "告知书已更新，请重新阅读后再同意")
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	return &RealNameConsent{ID: id, CitizenID: citizenID, Method: method, Terms: t.Version, Purpose: t.Purpose, GivenAt: s.Now()}, nil
}

func (s *Service) recordConsent(ctx context.Context, tx sqlx.ExtContext, c *RealNameConsent, by *access.Principal) error {
	if err := insertConsent(ctx, tx, c); err != nil {
		return err
	}
	audit.Change(ctx, audit.Target{Kind: "RealNameConsent", ID: c.ID, Area: by.AreaCode}, nil,
		map[string]any{"citizenId": c.CitizenID, "method": c.Method, "terms": c.Terms, "purpose": c.Purpose})
	return nil
}

var errConsent = fault.New(fault.ConsentRequired, "请先阅读并同意本方式的告知书")

// consented gives the caller's consent that counts for the way now. It is asked
// before anything else of the input is looked at.
func (s *Service) consented(ctx context.Context, id string, method VerificationMethod, p *access.Principal) (*RealNameConsent, error) {
	if !input.ID(id) {
		return nil, errConsent
	}
	var c *RealNameConsent
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		c, err = consentByID(ctx, tx, id, false)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case c == nil, c.CitizenID != p.ID, c.Method != method, c.WithdrawnAt != nil, c.Terms != terms[method].Version, s.Now().After(c.GivenAt.Add(consentTime)):
		return nil, errConsent
	}
	return c, nil
}

// WithdrawConsent takes the signed-in citizen's consent back: what is still
// open on it ends, and what was proven on it is forgotten, after a recent proof.
func (s *Service) WithdrawConsent(ctx context.Context, id string) (*RealNameConsent, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	missing := fault.New(fault.NotFound, "没有这一同意记录")
	if !input.ID(id) {
		return nil, missing
	}
	var c *RealNameConsent
	err = s.write(ctx, func(tx *sqlx.Tx) (err error) {
		if c, err = consentByID(ctx, tx, id, true); err != nil {
			return err
		}
		if c == nil || c.CitizenID != p.ID {
			return missing
		}
		if c.WithdrawnAt != nil {
			return fault.New(fault.Conflict, "该同意已撤回")
		}
		now := s.Now()
		c.WithdrawnAt = &now
		if err := withdrawConsent(ctx, tx, c); err != nil {
			return err
		}
		audit.Change(ctx, audit.Target{Kind: "RealNameConsent", ID: c.ID, Area: p.AreaCode}, nil, map[string]any{"withdrawn": now})
		open, err := ofConsent(ctx, tx, c.ID)
		for _, v := range open {
			if err == nil {
				err = s.endConsented(ctx, tx, v, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.wake()
	return c, nil
}

// endConsented ends a verification whose consent was taken back.
func (s *Service) endConsented(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, p *access.Principal) error {
	switch v.State {
	case Created, Submitted:
		return s.move(ctx, tx, v, change{to: Withdrawn, action: Withdraw, by: p})
	case Processing, InReview:
		return fault.New(fault.Conflict, "核验正在进行，请在作出结论后再撤回")
	case Verified:
		if _, err := access.RequireRecent(ctx, access.Recent); err != nil {
			return err
		}
		return s.lower(ctx, tx, v, citizen.L0, change{to: Revoked, action: Withdraw, note: "本人撤回同意", by: p})
	}
	return nil
}

// ConsentsOf gives the signed-in citizen's consents, newest first, at most a hundred.
func (s *Service) ConsentsOf(ctx context.Context, citizenID string) (found []*RealNameConsent, err error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if p.ID != citizenID {
		return nil, fault.New(fault.Forbidden, "同意记录仅限本人查看")
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		found, err = consentsOf(ctx, tx, citizenID)
		return err
	})
}
