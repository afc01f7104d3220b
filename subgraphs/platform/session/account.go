package session

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

func encodeKey(key []byte) string { return hex.EncodeToString(key[:16]) }

// Bound is what binding a number gave: the account that has the number now and,
// where that is another one which took the caller's over, a sign-in to it.
type Bound struct {
	Viewer *citizen.Citizen
	SignIn *SignedIn // nil unless merged
}

// BindMobile gives the signed-in citizen's account its first number, when the
// code is right. Where the number has an account, the caller's is merged into
// that one, if agreed to: the code proved that it is theirs.
func (s *Service) BindMobile(ctx context.Context, mobile, code string, merge bool, on Machine) (*Bound, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if on, err = on.tidy(); err != nil {
		return nil, err
	}
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return nil, err
	}
	if err := s.Codes.Verify(ctx, number, sms.BindMobile, p.ID, "input.code", code); err != nil {
		return nil, err
	}
	bound := &Bound{}
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		holder, err := s.Citizens.Holder(ctx, tx, number)
		if err != nil {
			return err
		}
		if holder == "" || holder == p.ID {
			if err := s.Citizens.SetMobile(ctx, tx, p.ID, number, true); err != nil {
				return err
			}
			bound.Viewer, err = s.Citizens.Admit(ctx, tx, p.ID)
			return err
		}
		if !merge {
			return fault.New(fault.Conflict, "该手机号已有账户，确认合并后本账户将并入该账户")
		}
		if bound.Viewer, err = s.Citizens.Admit(ctx, tx, holder); err != nil {
			return err
		}
		if err := s.Citizens.Merge(ctx, tx, p.ID, holder); err != nil {
			return err
		}
		if ended, err = s.end(ctx, tx, access.Citizen, p.ID, "", account); err != nil {
			return err
		}
		bound.SignIn = &SignedIn{Viewer: bound.Viewer}
		return s.welcome(ctx, tx, bound.SignIn, on)
	})
	if err != nil {
		return nil, err
	}
	s.forget(ctx, ended...)
	if bound.SignIn != nil {
		s.remember(ctx, bound.SignIn.Viewer.Viewer.Session)
	}
	return bound, nil
}

// ChangeMobile gives the signed-in citizen's account another number: the old
// one was just proven by a code, the new one is by this code.
func (s *Service) ChangeMobile(ctx context.Context, mobile, code string) (*citizen.Citizen, error) {
	p, err := recentCitizen(ctx, access.ByCode)
	if err != nil {
		return nil, err
	}
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return nil, err
	}
	if err := s.Codes.Verify(ctx, number, sms.ChangeMobile, p.ID, "input.code", code); err != nil {
		return nil, err
	}
	var changed *citizen.Citizen
	return changed, s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if err := s.Citizens.SetMobile(ctx, tx, p.ID, number, false); err != nil {
			return err
		}
		changed, err = s.Citizens.Admit(ctx, tx, p.ID)
		return err
	})
}

// CancelAccount begins the cooling time of the signed-in citizen's account,
// after a recent proof, and gives its end. All sessions end; signing in again
// in time withdraws it.
func (s *Service) CancelAccount(ctx context.Context) (time.Time, error) {
	p, err := recentCitizen(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var due time.Time
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if due, err = s.Citizens.RequestCancel(ctx, tx, p.ID); err != nil {
			return err
		}
		ended, err = s.end(ctx, tx, access.Citizen, p.ID, "", account)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	s.forget(ctx, ended...)
	return due, nil
}
