// Package secondfactor is the second factor of workers: time-based one-time
// passwords (TOTP, RFC 6238, SHA-1, six digits, thirty seconds, as every
// authenticator application knows them) and recovery codes. The secret is
// sealed, a used time step does not count again, wrong codes lock for a while.
// Administrators must have one; others may.
//
// Start reading at Service. Raising the session is package session's.
package secondfactor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

const (
	issuer     = "市民云工作台"
	period     = 30 // seconds of a step
	window     = 1  // steps that a clock may be wrong by, either way
	secretSize = 20 // bytes, RFC 4226 section 4
	maxWrong   = 5
	lockedFor  = 15 * time.Minute
	codes      = 10
)

// Service keeps and checks second factors.
type Service struct {
	DB       *database.DB
	Keys     *personal.Keys
	Now      func() time.Time
	Sessions Sessions
}

// Sessions ends what workers signed in to; package session does.
type Sessions interface {
	End(ctx context.Context, tx sqlx.ExtContext, workerIDs ...string) ([]string, error)
	Forget(ctx context.Context, ids ...string)
}

// now is the moment, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

// Enrolment is what a worker puts into an authenticator application, shown once.
type Enrolment struct {
	Secret string // base32
	URI    string // otpauth://…
	Image  string // its QR code, as a data URI of a PNG
}

// place is where a secret is sealed for.
func place(workerID string) string { return "worker.second_factor/" + workerID }

// Confirmed says whether the worker's second factor counts. For package
// session, in its transaction as the system.
func (s *Service) Confirmed(ctx context.Context, tx sqlx.ExtContext, workerID string) (bool, error) {
	f, err := read(ctx, tx, workerID)
	return f != nil && f.ConfirmedAt != nil, err
}

// Has is Confirmed in a transaction of its own.
func (s *Service) Has(ctx context.Context, workerID string) (has bool, err error) {
	err = s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		has, err = s.Confirmed(ctx, tx, workerID)
		return err
	})
	return has, err
}

// Enrol makes a new secret, which counts once a code of it was shown. One that
// counts is not replaced: a security administrator resets it.
func (s *Service) Enrol(ctx context.Context, workerID, login string) (Enrolment, error) {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: login, Secret: secret, Period: period,
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Enrolment{}, fmt.Errorf("secondfactor: making a key: %w", err)
	}
	picture, err := key.Image(240, 240)
	if err != nil {
		return Enrolment{}, fmt.Errorf("secondfactor: drawing the QR code: %w", err)
	}
	var image bytes.Buffer
	if err := png.Encode(&image, picture); err != nil {
		return Enrolment{}, fmt.Errorf("secondfactor: drawing the QR code: %w", err)
	}
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		kept, err := keep(ctx, tx, workerID, s.Keys.Seal(place(workerID), key.Secret()), s.now())
		if err == nil && !kept {
			return fault.New(fault.Conflict, "已启用双因素验证；如需更换，请联系安全保密管理员重置")
		}
		return err
	})
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Secret: key.Secret(), URI: key.URL(), Image: "data:image/png;base64," + base64.StdEncoding.EncodeToString(image.Bytes())}, nil
}

// Verify checks a code of the authenticator application, or a recovery code. The
// first right code makes the factor count, and gives the recovery codes, shown
// once. Five wrong ones in a row lock for a quarter of an hour.
func (s *Service) Verify(ctx context.Context, workerID, code string) (recovery []string, err error) {
	code = strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
	if len(code) != 6 && len(code) != recoveryLength {
		return nil, fault.Invalid("input.code", "请输入六位动态口令或恢复码")
	}
	var refusal error
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.now()
		recovery, refusal = nil, nil
		f, err := lock(ctx, tx, workerID)
		if err != nil {
			return err
		}
		if f == nil {
			refusal = fault.New(fault.Conflict, "尚未启用双因素验证，请先绑定")
			return nil
		}
		if f.LockedUntil != nil && now.Before(*f.LockedUntil) {
			refusal = locked(f.LockedUntil.Sub(now))
			return nil
		}
		right, err := s.matches(ctx, tx, f, code, now)
		if err != nil {
			return err
		}
		if !right {
			refusal = fault.Invalid("input.code", "动态口令错误或已使用过，请等待下一个口令")
			if f.Failures++; f.Failures >= maxWrong {
				until := now.Add(lockedFor)
				f.Failures, f.LockedUntil = 0, &until
				refusal = locked(lockedFor)
			}
			return update(ctx, tx, f) // and commit: the wrong one counts
		}
		if f.ConfirmedAt == nil {
			f.ConfirmedAt = &now
			if recovery, err = s.recoveryCodes(ctx, tx, workerID); err != nil {
				return err
			}
		}
		f.Failures, f.LockedUntil = 0, nil
		return update(ctx, tx, f)
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// matches says whether the code is one of a step near now that was not used, or
// a recovery code that was not; it is used from now on.
func (s *Service) matches(ctx context.Context, tx sqlx.ExtContext, f *factor, code string, now time.Time) (bool, error) {
	if len(code) == recoveryLength {
		if f.ConfirmedAt == nil {
			return false, nil
		}
		return useRecovery(ctx, tx, f.WorkerID, s.hash(f.WorkerID, code), now)
	}
	secret, err := s.Keys.Open(place(f.WorkerID), f.Secret)
	if err != nil {
		return false, err
	}
	present := now.Unix() / period
	for step := present - window; step <= present+window; step++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return false, fmt.Errorf("secondfactor: computing a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			if step <= f.LastStep {
				return false, nil // replayed, RFC 6238 section 5.2
			}
			f.LastStep = step
			return true, nil
		}
	}
	return false, nil
}

// recoveryLength is the number of characters of a recovery code, without its dash.
const recoveryLength = 16

// recoveryCodes makes the recovery codes of the worker: 80 random bits each.
func (s *Service) recoveryCodes(ctx context.Context, tx sqlx.ExtContext, workerID string) ([]string, error) {
	shown, hashes := make([]string, codes), make([][]byte, codes)
	for i := range shown {
		random := make([]byte, 10)
		_, _ = rand.Read(random) // never fails
		code := strings.ToLower(base32.StdEncoding.EncodeToString(random))
		shown[i], hashes[i] = code[:8]+"-"+code[8:], s.hash(workerID, code)
	}
	return shown, replaceRecovery(ctx, tx, workerID, hashes)
}

// hash is what is kept of a recovery code.
func (s *Service) hash(workerID, code string) []byte {
	return s.Keys.Indexer("worker.recovery_code").Of(workerID + "/" + code)
}

func locked(wait time.Duration) error {
	f := fault.New(fault.Locked, "动态口令连续输错，已锁定，请 %d 分钟后重试", int(wait.Minutes())+1)
	f.RetryAfter = int(wait.Seconds()) + 1
	return f
}

// Reset removes the second factor of a worker who lost it and ends all their
// sessions: the next sign-in of an administrator enrols a new one. It needs
// role.grant, and is never for oneself.
func (s *Service) Reset(ctx context.Context, who institution.Subject) error {
	p, err := access.RequireArea(ctx, access.RoleGrant, who.AreaCode)
	if err != nil {
		return err
	}
	if p.ID == who.ID {
		return fault.New(fault.Forbidden, "不能重置本人的双因素验证，请由另一名安全保密管理员操作")
	}
	var ended []string
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		var err error
		if ended, err = s.Sessions.End(ctx, tx, who.ID); err != nil {
			return err
		}
		removed, err := remove(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if !removed {
			return fault.New(fault.Conflict, "该工作人员尚未启用双因素验证")
		}
		return institution.Record(ctx, tx, s.now(), who, "RESET_SECOND_FACTOR", "重置双因素验证", map[string]any{"secondFactor": true}, map[string]any{"secondFactor": false})
	})
	if err != nil {
		return err
	}
	s.Sessions.Forget(ctx, ended...)
	return nil
}

func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "secondfactor") }
