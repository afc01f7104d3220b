package realname

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
)

// VerifyByRegisterInput is the claim that the population register judges.
type VerifyByRegisterInput struct {
	ConsentID string
	Identity  IdentityClaim
}

// VerifyByRegister compares the signed-in citizen's name and number with the
// population register: L1. That nobody else has the identity is looked at too.
func (s *Service) VerifyByRegister(ctx context.Context, in VerifyByRegisterInput) (*IdentityVerification, error) {
	a, err := s.admit(ctx, ByRegister, in.ConsentID, in.Identity)
	if err != nil {
		return nil, err
	}
	result, failure, err := s.compare(ctx, a.document)
	if err != nil {
		return nil, err
	}
	return s.judged(ctx, a, ByRegister, func(v *IdentityVerification) VerificationFailure {
		v.Provider, v.Reference, v.Simulated = "register", result.Reference, result.Simulated
		return failure
	})
}

// compare asks the register; a failure is its answer, an error that it is away.
func (s *Service) compare(ctx context.Context, d document.Document) (register.Result, VerificationFailure, error) {
	result, err := s.Register.Compare(ctx, d)
	switch {
	case err == nil:
		return result, "", nil
	case errors.Is(err, register.ErrMismatch):
		return result, NameMismatch, nil
	case errors.Is(err, register.ErrNotFound):
		return result, NotFound, nil
	}
	return result, "", fault.New(fault.Unavailable, "人口库暂时无法连接，请稍后重试，或到线下核验点办理").Because(err)
}

// judged makes a verification that others have judged already, and ends it, in
// one transaction: nothing of a claim stays when the process dies before.
func (s *Service) judged(ctx context.Context, a admitted, method VerificationMethod, judge func(*IdentityVerification) VerificationFailure) (v *IdentityVerification, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if v, err = s.begun(ctx, tx, a, method, a.principal.ID); err != nil {
			return err
		}
		failure := judge(v)
		if err := s.create(ctx, tx, v, a.principal); err != nil {
			return err
		}
		if err := s.move(ctx, tx, v, change{to: Processing, action: Judge, by: a.principal}); err != nil {
			return err
		}
		return s.conclude(ctx, tx, v, a.document, failure, change{action: Decide, by: system})
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// conclude is fail or settle.
func (s *Service) conclude(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, d document.Document, failure VerificationFailure, c change) error {
	if failure != "" {
		return s.fail(ctx, tx, v, failure, c)
	}
	return s.settle(ctx, tx, v, d, c)
}
