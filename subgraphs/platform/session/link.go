package session

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// SignInByThirdParty signs in whom the provider's code names; the account,
// without a mobile number yet, is made now when there is none.
func (s *Service) SignInByThirdParty(ctx context.Context, provider thirdparty.Name, code string, on Machine) (*SignedIn, error) {
	on, err := on.tidy()
	if err != nil {
		return nil, err
	}
	subject, err := s.Others.Subject(ctx, provider, "input.code", code)
	if err != nil {
		return nil, err
	}
	return s.admit(ctx, on, func(ctx context.Context, tx sqlx.ExtContext) (*citizen.Citizen, bool, error) {
		return s.Citizens.SignInByLink(ctx, tx, provider, subject)
	})
}

// LinkAccount links the provider's account that the code names to the signed-in
// citizen's, after a recent proof. An account that it signed in before is
// merged, if agreed to: the sessions of that one end. It tells whether one was.
func (s *Service) LinkAccount(ctx context.Context, provider thirdparty.Name, code string, merge bool) (bool, error) {
	p, err := recentCitizen(ctx)
	if err != nil {
		return false, err
	}
	subject, err := s.Others.Subject(ctx, provider, "input.code", code)
	if err != nil {
		return false, err
	}
	var merged string
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		merged, err = s.Citizens.Link(ctx, tx, p.ID, provider, subject, merge)
		if err == nil && merged != "" {
			ended, err = s.end(ctx, tx, access.Citizen, merged, "", account)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	s.forget(ctx, ended...)
	return merged != "", nil
}

// UnlinkAccount removes the link to the provider, after a recent proof.
func (s *Service) UnlinkAccount(ctx context.Context, provider thirdparty.Name) error {
	p, err := recentCitizen(ctx)
	if err != nil {
		return err
	}
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return s.Citizens.Unlink(ctx, tx, p.ID, provider) })
}

// recentCitizen gives the signed-in citizen, after a recent proof by one of the
// ways, or any where none is named.
func recentCitizen(ctx context.Context, by ...access.Proof) (*access.Principal, error) {
	if _, err := access.RequireCitizen(ctx); err != nil {
		return nil, err
	}
	return access.RequireRecent(ctx, access.Recent, by...)
}
