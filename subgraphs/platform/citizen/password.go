package citizen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// The policy of citizens' passwords; hashing is package worker's.
const (
	minPassword = 8   // characters
	MaxPassword = 128 // bytes
	minDistinct = 5
)

// guessed are passwords that are tried first, in lower case; the policy's other
// rules refuse most of such lists already.
var guessed = []string{"password1", "password123", "p@ssw0rd", "passw0rd", "qwerty123", "1q2w3e4r", "1qaz2wsx", "abcd1234", "abc12345", "aa123456", "a1234567", "woaini1314", "asdf1234", "zxcvbnm1", "admin123"}

// Policy refuses a new password that is too weak for the account of the number
// (E.164; "" for none).
func Policy(field, password, mobile string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > MaxPassword || !utf8.ValidString(password) {
		return fault.Invalid(field, "密码须为 %d 到 %d 个字符", minPassword, MaxPassword)
	}
	var letter, digit, other bool
	distinct := map[rune]bool{}
	for _, r := range password {
		distinct[r] = true
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return fault.Invalid(field, "密码含有不允许的字符")
		case unicode.IsDigit(r):
			digit = true
		case unicode.IsLetter(r):
			letter = true
		default:
			other = true
		}
	}
	switch {
	case !(letter && digit || letter && other || digit && other):
		return fault.Invalid(field, "密码须包含字母、数字、符号中的至少两类")
	case len(distinct) < minDistinct:
		return fault.Invalid(field, "密码中重复的字符太多")
	case slices.Contains(guessed, strings.ToLower(password)):
		return fault.Invalid(field, "密码过于常见，请更换")
	case mobile != "" && strings.Contains(password, strings.TrimPrefix(mobile, "+86")):
		return fault.Invalid(field, "密码不能包含手机号")
	}
	return nil
}

// Credentials are what signing in with a password needs to know of an account.
type Credentials struct {
	ID    string
	State State
	Hash  string // "" where no password was set
}

// Credentials gives those of the mobile number (E.164); empty where there is no
// such account. For package session.
func (s *Service) Credentials(ctx context.Context, mobile string) (Credentials, error) {
	return s.credentials(ctx, `mobile_index = ANY($1)`, pq.Array(s.index.All(mobile)))
}

// CredentialsOf gives those of the account.
func (s *Service) CredentialsOf(ctx context.Context, id string) (Credentials, error) {
	return s.credentials(ctx, `id = $1`, id)
}

func (s *Service) credentials(ctx context.Context, condition string, arg any) (found Credentials, err error) {
	err = s.db.Read(access.AsSystem(ctx, "citizen"), func(tx *sqlx.Tx) error {
		err := tx.QueryRowxContext(ctx, `SELECT id, state, coalesce(password_hash, '') FROM platform.citizen WHERE `+condition, arg).
			Scan(&found.ID, &found.State, &found.Hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("citizen: credentials: %w", err)
		}
		return nil
	})
	return found, err
}

// SetPassword keeps the hash of a new password in the transaction, which is the
// system's; before is the hash that was looked at, so that of two changes at
// the same time one is a conflict.
func (s *Service) SetPassword(ctx context.Context, tx sqlx.ExtContext, id, before, hash string, action Action) error {
	now := s.now()
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.citizen SET password_hash = $3, password_changed_at = $4, version = version + 1, updated_at = $4
		WHERE id = $1 AND coalesce(password_hash, '') = $2 AND state = 'ACTIVE'`, id, before, hash, now)
	if err != nil {
		return fmt.Errorf("citizen: setting the password: %w", err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return fault.New(fault.Conflict, "密码刚刚已被修改，或账户当前状态不允许修改")
	}
	return s.record(ctx, tx, id, action, "", now, map[string]any{"passwordChanged": now})
}

// PasswordSet says whether the signed-in citizen's own account has a password.
func (s *Service) PasswordSet(ctx context.Context, id string) (bool, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return false, err
	}
	if p.ID != id {
		return false, fault.New(fault.Forbidden, "登录方式仅限本人查看")
	}
	found, err := s.CredentialsOf(ctx, id)
	return found.Hash != "", err
}
