package realname

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// VerifyByThirdPartyInput is the claim that WeChat or Alipay judges.
type VerifyByThirdPartyInput struct {
	ConsentID string
	Identity  IdentityClaim
	Provider  thirdparty.Name
	// Code is that of signing in; ConsentCode is that of WeChat's page of consent.
	Code        string
	ConsentCode *string
}

// VerifyByThirdParty asks the platform whose code the signed-in citizen brings
// whether its user is certified under this name and number: L2.
func (s *Service) VerifyByThirdParty(ctx context.Context, in VerifyByThirdPartyInput) (*IdentityVerification, error) {
	a, err := s.admit(ctx, ByThirdParty, in.ConsentID, in.Identity)
	if err != nil {
		return nil, err
	}
	if a.document.Kind != document.ResidentID {
		return nil, fault.Invalid("input.identity.documentKind", "第三方账户仅能核验居民身份证，请改用其他方式")
	}
	codes := thirdparty.Codes{SignIn: in.Code}
	if in.ConsentCode != nil {
		codes.Consent = *in.ConsentCode
	}
	found, err := s.Others.Certify(ctx, in.Provider, "input.code", codes, thirdparty.Person{Name: a.document.Name, Number: a.document.Number})
	if err != nil {
		return nil, err
	}
	failure := VerificationFailure("")
	if !found.Certified {
		failure = NotCertified
	}
	return s.judged(ctx, a, ByThirdParty, func(v *IdentityVerification) VerificationFailure {
		v.Provider, v.Reference, v.Simulated = string(in.Provider), found.Reference, found.Simulated
		return failure
	})
}
