package realname

import (
	"context"
	"encoding/hex"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// consentingAge is from when on somebody agrees to this alone (PIPL, article 31).
const consentingAge = 14

// admitted is who may begin a verification, and with what.
type admitted struct {
	principal *access.Principal
	consent   *RealNameConsent
	document  document.Document
}

// admit lets the signed-in citizen begin a verification of the way: consent
// first, then the claim's form, then how often it was tried.
func (s *Service) admit(ctx context.Context, method VerificationMethod, consentID string, claim IdentityClaim) (a admitted, err error) {
	if a.principal, err = access.RequireCitizen(ctx); err != nil {
		return a, err
	}
	if a.consent, err = s.consented(ctx, consentID, method, a.principal); err != nil {
		return a, err
	}
	if a.document, err = document.Parse("input.identity", claim.DocumentKind, claim.DocumentNumber, claim.FullName, s.Now()); err != nil {
		return a, err
	}
	if a.document.Age(s.Now()) < consentingAge {
		return a, fault.Invalid("input.identity.documentNumber", "未满 %d 周岁的，请由监护人陪同到线下核验点办理", consentingAge)
	}
	var present *RealName
	err = s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		present, err = identityOf(ctx, tx, a.principal.ID, false)
		return err
	})
	if err != nil {
		return a, err
	}
	if present != nil && (present.Level > gives[method] || method == ByRegister) {
		return a, fault.New(fault.Conflict, "您的实名等级已不低于本方式，无需重复认证")
	}
	return a, s.counted(ctx, a.principal.ID, a.document)
}

// counted takes one of the day's attempts of the account, the identity and the address.
func (s *Service) counted(ctx context.Context, citizenID string, d document.Document) error {
	keys := map[string]limit.Rule{
		"account:" + citizenID: s.Settings.Account,
		"identity:" + hex.EncodeToString(s.attempts.Of(Identity(d.Kind, d.Number))): s.Settings.Identity,
	}
	if network := limit.Network(access.RemoteOf(ctx).Address); network != "" {
		keys["network:"+network] = s.Settings.Network
	}
	for key, rule := range keys {
		wait, err := limit.Counter{Redis: s.Redis}.Take(ctx, "platform:realname:"+key, rule)
		if err != nil {
			return err
		}
		if wait > 0 {
			f := limit.Refusal(wait)
			f.Message = "今日核验次数已用完，请明日再试，或到线下核验点办理"
			return f
		}
	}
	return nil
}

// begun makes the verification of what was admitted, in state CREATED. What the
// account has open without people gives way; at a counter it stays.
func (s *Service) begun(ctx context.Context, tx *sqlx.Tx, a admitted, method VerificationMethod, citizenID string) (*IdentityVerification, error) {
	if err := s.Citizens.Standing(ctx, tx, citizenID); err != nil {
		return nil, err
	}
	open, err := openOf(ctx, tx, citizenID)
	if err != nil {
		return nil, err
	}
	if open != nil {
		if open.Method == Offline {
			return nil, fault.New(fault.Conflict, "您有一件线下核验尚未办结，请先办结或撤回")
		}
		if open.State == Processing {
			return nil, fault.New(fault.Conflict, "上一次核验正在进行，请稍候")
		}
		if err := s.move(ctx, tx, open, change{to: Withdrawn, action: Withdraw, by: a.principal}); err != nil {
			return nil, err
		}
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	v := &IdentityVerification{ID: id, CitizenID: citizenID, ConsentID: a.consent.ID, Method: method, State: Created, CreatedAt: now, UpdatedAt: now, Version: 1}
	s.seal(v, a.document)
	if v.PreviousID, err = refusedBefore(ctx, tx, citizenID, method); err != nil {
		return nil, err
	}
	return v, nil
}

// levelOf is the level that the way gives.
func (m VerificationMethod) levelOf() citizen.AssuranceLevel { return gives[m] }
