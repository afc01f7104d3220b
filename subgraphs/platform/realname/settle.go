package realname

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// fail ends the verification without a level.
func (s *Service) fail(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, why VerificationFailure, c change) error {
	v.FailureCode, c.to = why, Failed
	return s.move(ctx, tx, v, c)
}

// settle ends the verification, locked, whose claim was found true: the account
// gets the identity and its level, unless another account has it, or the
// account another identity. That is a failure, not an error.
func (s *Service) settle(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, d document.Document, c change) error {
	indexes := s.index.All(Identity(d.Kind, d.Number))
	// The last index is the same while the keys change: of two who claim one
	// identity at once the second waits here, and then sees the first.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, numberField+" "+hex.EncodeToString(indexes[len(indexes)-1])); err != nil {
		return fmt.Errorf("realname: waiting for the identity: %w", err)
	}
	holder, err := holderOf(ctx, tx, pq.ByteaArray(indexes))
	if err != nil {
		return err
	}
	own, err := identityOf(ctx, tx, v.CitizenID, true)
	if err != nil {
		return err
	}
	level := v.Method.levelOf()
	switch {
	case own != nil && (holder == nil || holder.ID != own.ID):
		return s.fail(ctx, tx, v, OtherIdentity, c)
	case holder != nil && holder.CitizenID != v.CitizenID:
		// Name and number alone prove nobody: who proves more has the identity.
		if holder.Level != citizen.L1 || level <= citizen.L1 {
			return s.fail(ctx, tx, v, IdentityTaken, c)
		}
		if err := s.displace(ctx, tx, holder); err != nil {
			return err
		}
	}
	now := s.Now()
	v.Level = &level
	if level > citizen.L1 {
		until := now.Add(s.Settings.Validity)
		v.ValidUntil = &until
	}
	if own != nil {
		if err := s.replace(ctx, tx, own, c); err != nil {
			return err
		}
	}
	c.to = Verified
	if err := s.move(ctx, tx, v, c); err != nil {
		return err
	}
	if err := s.hold(ctx, tx, own, v, d, indexes); err != nil {
		return err
	}
	return s.Citizens.SetLevel(ctx, tx, v.CitizenID, level, string(v.Method))
}

// hold gives the account the identity, or the present one another proof.
func (s *Service) hold(ctx context.Context, tx *sqlx.Tx, own *RealName, v *IdentityVerification, d document.Document, indexes [][]byte) error {
	r := &RealName{CitizenID: v.CitizenID, DocumentKind: d.Kind, Level: *v.Level, Method: v.Method, Simulated: v.Simulated, VerificationID: v.ID,
		VerifiedAt: v.UpdatedAt, ValidUntil: v.ValidUntil, Version: 1}
	if own != nil {
		r.ID, r.Version = own.ID, own.Version+1
	} else {
		id, err := identifier.New()
		if err != nil {
			return err
		}
		r.ID = id
	}
	r.Name, r.Number = SealName(s.Keys, r.ID, d.Name), SealNumber(s.Keys, r.ID, d.Kind, d.Number)
	return putIdentity(ctx, tx, r, s.index.Of(Identity(d.Kind, d.Number)))
}

// replace ends the verification that the present identity stood on.
func (s *Service) replace(ctx context.Context, tx *sqlx.Tx, own *RealName, c change) error {
	before, err := locked(ctx, tx, own.VerificationID)
	if err != nil || before == nil || before.State != Verified {
		return err
	}
	return s.move(ctx, tx, before, change{to: Expired, action: Replace, by: c.by})
}

// displace takes the identity from an account that has shown name and number alone.
func (s *Service) displace(ctx context.Context, tx *sqlx.Tx, holder *RealName) error {
	before, err := s.take(ctx, tx, holder.VerificationID)
	if err != nil || before == nil {
		return fmt.Errorf("realname: an identity without its verification: %w", err)
	}
	return s.lower(ctx, tx, before, citizen.L0, change{to: Revoked, action: Displace, note: "该证件的持有人已在本人账户完成更高等级的实名认证", by: system})
}
