package session

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// RequestCode sends a code of the scene to the mobile number, as package sms does.
func (s *Service) RequestCode(ctx context.Context, mobile string, scene sms.Scene) (sms.Sent, error) {
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return sms.Sent{}, err
	}
	return s.Codes.Request(ctx, number, scene, "")
}

// SignInByCode signs the citizen of the mobile number in, when the code is
// right; the account is made now when there is none (isNew). The citizen's
// Viewer is set.
func (s *Service) SignInByCode(ctx context.Context, mobile, code string) (tokens Tokens, c *citizen.Citizen, isNew bool, err error) {
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return Tokens{}, nil, false, err
	}
	if err := s.Codes.Verify(ctx, number, sms.SignIn, "", "input.code", code); err != nil {
		return Tokens{}, nil, false, err
	}
	var p *access.Principal
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if c, isNew, err = s.Citizens.SignIn(ctx, tx, number); err != nil {
			return err
		}
		p = c.Principal()
		tokens, err = s.start(ctx, tx, p)
		return err
	})
	if err != nil {
		return Tokens{}, nil, false, err
	}
	s.remember(ctx, p.Session)
	c.Viewer = p
	return tokens, c, isNew, nil
}
