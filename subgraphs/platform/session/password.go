package session

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// After so many wrong passwords a captcha has to be solved first, before the
// number or the address is locked.
var (
	captchaNumber  = limit.Rule{Times: 3, Within: time.Hour}
	captchaAddress = limit.Rule{Times: 15, Within: 10 * time.Minute}
)

// SignInByPassword signs the citizen of the mobile number in. Unknown numbers,
// accounts without a password and wrong passwords get the same answer after
// the same work; all lock the number for passwords after five tries, while a
// code still signs in.
func (s *Service) SignInByPassword(ctx context.Context, mobile, password string, solved *captcha.Answer, on Machine) (*SignedIn, error) {
	on, err := on.tidy()
	if err != nil {
		return nil, err
	}
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return nil, err
	}
	if err := checkLength("input.password", password); err != nil {
		return nil, err
	}
	failed := s.failures(number)
	if err := s.captchaFirst(ctx, failed, solved); err != nil {
		return nil, err
	}
	index := s.mobileIndex.Of(number)
	id, err := s.try(ctx, index, failed, func(ctx context.Context) (string, error) {
		found, err := s.Citizens.Credentials(ctx, number)
		if err != nil {
			return "", err
		}
		right, err := s.Workers.Passwords.Verify(ctx, found.Hash, password)
		if err != nil || !right || found.Hash == "" {
			return "", err
		}
		return found.ID, nil
	}, func(left int) error {
		return fault.New(fault.Unauthenticated, "手机号或密码错误，还可尝试 %d 次", left)
	})
	if err != nil {
		return nil, err
	}
	return s.admit(ctx, on, func(ctx context.Context, tx sqlx.ExtContext) (*citizen.Citizen, bool, error) {
		if err := forgive(ctx, tx, index); err != nil {
			return nil, false, err
		}
		c, err := s.Citizens.Admit(ctx, tx, id)
		return c, false, err
	})
}

func checkLength(field, password string) error {
	if len(password) == 0 || len(password) > citizen.MaxPassword {
		return fault.Invalid(field, "请输入密码，最长 %d 个字符", citizen.MaxPassword)
	}
	return nil
}

// failures is the key under which wrong passwords for the number are counted.
func (s *Service) failures(number string) string {
	return "platform:password:failed:" + encodeKey(s.mobileIndex.Of(number))
}

// captchaFirst asks for a captcha where there were too many wrong passwords.
func (s *Service) captchaFirst(ctx context.Context, number string, solved *captcha.Answer) error {
	wait, err := s.counter().Reached(ctx, number, captchaNumber)
	if from := limit.Network(access.RemoteOf(ctx).Address); err == nil && wait == 0 && from != "" {
		wait, err = s.counter().Reached(ctx, "platform:session:wrong:"+from, captchaAddress)
	}
	if err != nil || wait == 0 {
		return err
	}
	return s.Captchas.Check(ctx, captcha.Password, "input.captcha", solved)
}

// try counts a try before it is made, and locks after the fifth wrong one. right
// gives "" for a wrong password.
func (s *Service) try(ctx context.Context, index []byte, failures string, right func(context.Context) (string, error), wrong func(left int) error) (string, error) {
	from := limit.Network(access.RemoteOf(ctx).Address)
	if from != "" {
		wait, err := s.counter().Reached(ctx, "platform:session:wrong:"+from, s.WrongPasswords)
		if err != nil {
			return "", err
		}
		if wait > 0 {
			return "", limit.Refusal(wait)
		}
	}
	var number int
	var until time.Time
	now := s.Now().Truncate(time.Microsecond)
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		number, until, err = reserve(ctx, tx, index, now)
		return err
	})
	if err != nil {
		return "", err
	}
	if number == 0 {
		return "", locked(until.Sub(now))
	}
	id, err := right(ctx)
	if err != nil || id != "" {
		return id, err
	}
	if from != "" {
		if _, err := s.counter().Take(ctx, "platform:session:wrong:"+from, s.WrongPasswords); err != nil {
			return "", err
		}
	}
	if _, err := s.counter().Take(ctx, failures, captchaNumber); err != nil {
		return "", err
	}
	if number >= maxWrong {
		return "", locked(lockedFor)
	}
	return "", wrong(maxWrong - number)
}

// ownPassword checks the citizen's present password; wrong ones count as at the
// sign-in.
func (s *Service) ownPassword(ctx context.Context, id, field, password string) error {
	if err := checkLength(field, password); err != nil {
		return err
	}
	found, err := s.Citizens.CredentialsOf(ctx, id)
	if err != nil {
		return err
	}
	if found.Hash == "" {
		return fault.New(fault.Conflict, "账户尚未设置密码，请用短信验证码验证")
	}
	index := s.mobileIndex.Of("citizen " + id) // who is signed in locks nobody's sign-in
	_, err = s.try(ctx, index, s.failures("citizen "+id), func(ctx context.Context) (string, error) {
		right, err := s.Workers.Passwords.Verify(ctx, found.Hash, password)
		if err != nil || !right {
			return "", err
		}
		return id, nil
	}, func(left int) error { return fault.Invalid(field, "密码错误，还可尝试 %d 次", left) })
	if err != nil {
		return err
	}
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return forgive(ctx, tx, index) })
}

// SetPassword gives the signed-in citizen a new password, the first one or
// another: who does it knows the present one, or has just proven who they are.
// All their other sessions end; their number is given.
func (s *Service) SetPassword(ctx context.Context, present *string, next string) (int, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return 0, err
	}
	mobile, err := s.Citizens.Mobile(ctx, p.ID)
	if err != nil {
		return 0, err
	}
	if mobile == "" {
		return 0, fault.New(fault.Conflict, "请先绑定手机号，再设置密码")
	}
	if present != nil {
		err = s.ownPassword(ctx, p.ID, "input.currentPassword", *present)
	} else {
		_, err = access.RequireRecent(ctx, access.Recent)
	}
	if err != nil {
		return 0, err
	}
	if err := citizen.Policy("input.newPassword", next, mobile); err != nil {
		return 0, err
	}
	found, err := s.Citizens.CredentialsOf(ctx, p.ID)
	if err != nil {
		return 0, err
	}
	return s.keepPassword(ctx, p, found, mobile, next, citizen.PasswordSet)
}

// ResetPassword gives the account of the mobile number a new password, when the
// code is right. All its sessions end; their number is given.
func (s *Service) ResetPassword(ctx context.Context, mobile, code, next string) (int, error) {
	number, err := citizen.ParseMobile("input.mobile", mobile)
	if err != nil {
		return 0, err
	}
	if err := citizen.Policy("input.newPassword", next, number); err != nil {
		return 0, err // before the code is used up
	}
	if err := s.Codes.Verify(ctx, number, sms.ResetPassword, "", "input.code", code); err != nil {
		return 0, err
	}
	found, err := s.Citizens.Credentials(ctx, number)
	if err != nil {
		return 0, err
	}
	if found.ID == "" {
		return 0, fault.New(fault.NotFound, "该手机号尚未注册，请用短信验证码登录")
	}
	return s.keepPassword(ctx, &access.Principal{Kind: access.Citizen, ID: found.ID}, found, number, next, citizen.PasswordReset)
}

// keepPassword keeps the new password and ends the sessions but the principal's.
func (s *Service) keepPassword(ctx context.Context, p *access.Principal, found citizen.Credentials, mobile, next string, action citizen.Action) (int, error) {
	hash, err := s.Workers.Passwords.Hash(ctx, next)
	if err != nil {
		return 0, err
	}
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		audit.By(ctx, p)
		if err := s.Citizens.SetPassword(ctx, tx, p.ID, found.Hash, hash, action); err != nil {
			return err
		}
		if err := forgive(ctx, tx, s.mobileIndex.Of(mobile)); err != nil {
			return err
		}
		ended, err = s.endOthers(ctx, tx, p, password)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.forget(ctx, ended...)
	return len(ended), nil
}
