package session

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// SignedIn is a citizen who has just signed in, whose Viewer is set.
type SignedIn struct {
	Tokens
	Viewer *citizen.Citizen
	IsNew  bool // the account was made now
}

// RequestCode sends a code of the scene to the mobile number, as package sms
// does. That of the step-up scene goes to the citizen's own number, and names
// none. After several codes a captcha has to be solved.
func (s *Service) RequestCode(ctx context.Context, mobile string, scene sms.Scene, solved *captcha.Answer) (sms.Sent, error) {
	citizenID := ""
	if scene.Personal() {
		p, err := access.RequireCitizen(ctx)
		if err != nil {
			return sms.Sent{}, err
		}
		citizenID = p.ID
	}
	var number string
	var err error
	if scene == sms.StepUp {
		if mobile != "" {
			return sms.Sent{}, fault.Invalid("input.mobile", "验证码将发送到账户的手机号，请勿填写")
		}
		if number, err = s.Citizens.Mobile(ctx, citizenID); err == nil && number == "" {
			err = fault.New(fault.Conflict, "账户尚未绑定手机号")
		}
	} else {
		number, err = citizen.ParseMobile("input.mobile", mobile)
	}
	if err != nil {
		return sms.Sent{}, err
	}
	due, err := s.Codes.CaptchaDue(ctx, number)
	if err == nil && due {
		err = s.Captchas.Check(ctx, captcha.SMSCode, "input.captcha", solved)
	}
	if err != nil {
		return sms.Sent{}, err
	}
	return s.Codes.Request(ctx, number, scene, citizenID)
}

// SignInByCode signs the citizen of the mobile number in, when the code is
// right; the account is made now when there is none.
func (s *Service) SignInByCode(ctx context.Context, mobile, code string, on Machine) (*SignedIn, error) {
	on, err := on.tidy()
	if err != nil {
		return nil, err
	}
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return nil, err
	}
	if err := s.Codes.Verify(ctx, number, sms.SignIn, "", "input.code", code); err != nil {
		return nil, err
	}
	return s.admit(ctx, on, func(ctx context.Context, tx sqlx.ExtContext) (*citizen.Citizen, bool, error) {
		return s.Citizens.SignIn(ctx, tx, number)
	})
}

// admit starts a session on the device for the citizen that find gives, in one
// transaction, as the system.
func (s *Service) admit(ctx context.Context, on Machine, find func(context.Context, sqlx.ExtContext) (*citizen.Citizen, bool, error)) (*SignedIn, error) {
	in := &SignedIn{}
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if in.Viewer, in.IsNew, err = find(ctx, tx); err != nil {
			return err
		}
		return s.welcome(ctx, tx, in, on)
	})
	if err != nil {
		return nil, err
	}
	s.remember(ctx, in.Viewer.Viewer.Session)
	return in, nil
}

// welcome starts the session, and tells the citizen of a device that is new.
// After the commit call remember.
func (s *Service) welcome(ctx context.Context, tx sqlx.ExtContext, in *SignedIn, on Machine) (err error) {
	p := in.Viewer.Principal()
	if in.Tokens, err = s.startOn(ctx, tx, p, on); err != nil {
		return err
	}
	in.Viewer.Viewer = p
	if in.IsNew {
		return nil
	}
	return s.noticeNew(ctx, tx, p, on)
}
