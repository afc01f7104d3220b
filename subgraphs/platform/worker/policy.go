package worker

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// The policy of passwords (等保 2.0, level three: complexity and change).
const (
	minPassword = 10 // characters
	minClasses  = 3  // of lower case, upper case, digits, others
	remembered  = 5  // passwords that may not come again
)

// Policy refuses a new password that is too weak for the worker of the login
// and name.
func Policy(field, password, login, name string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > MaxPassword {
		return fault.Invalid(field, "密码须为 %d 到 %d 个字符", minPassword, MaxPassword)
	}
	var classes [4]bool
	distinct := map[rune]bool{}
	for _, r := range password {
		distinct[r] = true
		switch {
		case unicode.IsControl(r) || r == utf8.RuneError:
			return fault.Invalid(field, "密码含有不允许的字符")
		case unicode.IsLower(r):
			classes[0] = true
		case unicode.IsUpper(r):
			classes[1] = true
		case unicode.IsDigit(r):
			classes[2] = true
		default:
			classes[3] = true
		}
	}
	count := 0
	for _, has := range classes {
		if has {
			count++
		}
	}
	lower := strings.ToLower(password)
	switch {
	case count < minClasses:
		return fault.Invalid(field, "密码须包含大写字母、小写字母、数字、其他字符中的至少 %d 类", minClasses)
	case len(distinct) < 6:
		return fault.Invalid(field, "密码中重复的字符太多")
	case strings.Contains(lower, strings.ToLower(login)) || name != "" && strings.Contains(lower, strings.ToLower(name)):
		return fault.Invalid(field, "密码不能包含登录名或姓名")
	}
	return nil
}

// alphabet has no characters that are taken for another when read aloud.
const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// Temporary makes a first password that the policy accepts: 16 characters, 92 bits.
func Temporary() string {
	for {
		random := make([]byte, 16)
		_, _ = rand.Read(random) // never fails
		for i, b := range random {
			random[i] = alphabet[int(b)%len(alphabet)]
		}
		if text := string(random); Policy("", text, "----", "") == nil {
			return text
		}
	}
}

// account is what a change of password needs to know.
type account struct {
	ID    string `db:"id"`
	Login string `db:"login"`
	Name  string `db:"name"`
	Hash  string `db:"password_hash"`
}

// LoginOf gives the worker's login name. For package
// session, as the system.
func (s *Service) LoginOf(ctx context.Context, id string) (string, error) {
	a, err := s.account(ctx, id)
	return a.Login, err
}

func (s *Service) account(ctx context.Context, id string) (a account, err error) {
	err = s.DB.Read(access.AsSystem(ctx, "worker"), func(tx *sqlx.Tx) error {
		return sqlx.GetContext(ctx, tx, &a, `SELECT id, login, name, password_hash FROM platform.worker WHERE id = $1`, id)
	})
	if err != nil {
		return account{}, fmt.Errorf("worker: reading an account: %w", err)
	}
	return a, nil
}

// Prepare checks the worker's present password and that the new one fits the
// policy and was not among the last ones. It gives what keeps it, for the
// transaction of the change, which is the system's; right is false when the
// present password is wrong.
func (s *Service) Prepare(ctx context.Context, id, present, next string) (keep func(context.Context, sqlx.ExtContext) error, right bool, err error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if right, err = s.Passwords.Verify(ctx, a.Hash, present); err != nil || !right {
		return nil, false, err
	}
	if err := Policy("input.newPassword", next, a.Login, a.Name); err != nil {
		return nil, true, err
	}
	var old []string
	err = s.DB.Read(access.AsSystem(ctx, "worker"), func(tx *sqlx.Tx) error {
		return sqlx.SelectContext(ctx, tx, &old, `
			SELECT password_hash FROM platform.password_history WHERE worker_id = $1 ORDER BY at DESC, id DESC LIMIT $2`, id, remembered-1)
	})
	if err != nil {
		return nil, true, fmt.Errorf("worker: reading old passwords: %w", err)
	}
	for _, hash := range append(old, a.Hash) {
		same, err := s.Passwords.Verify(ctx, hash, next)
		if err != nil {
			return nil, true, err
		}
		if same {
			return nil, true, fault.Invalid("input.newPassword", "不能使用最近 %d 次用过的密码", remembered)
		}
	}
	hash, err := s.Passwords.Hash(ctx, next)
	if err != nil {
		return nil, true, err
	}
	return func(ctx context.Context, tx sqlx.ExtContext) error {
		now := s.now()
		if err := remember(ctx, tx, a, now); err != nil {
			return err
		}
		return setPassword(ctx, tx, id, hash, false, now)
	}, true, nil
}

// remember puts the present password among the old ones, and forgets those
// that are too old. A change in between makes it a conflict.
func remember(ctx context.Context, tx sqlx.ExtContext, a account, at time.Time) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO platform.password_history (id, worker_id, password_hash, at)
		SELECT $1, id, password_hash, $3 FROM platform.worker WHERE id = $2 AND password_hash = $4 FOR UPDATE`, id, a.ID, at, a.Hash)
	if err != nil {
		return fmt.Errorf("worker: remembering a password: %w", err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return fault.New(fault.Conflict, "密码刚刚已被修改，请重新登录")
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM platform.password_history WHERE worker_id = $1 AND id NOT IN
			(SELECT id FROM platform.password_history WHERE worker_id = $1 ORDER BY at DESC, id DESC LIMIT $2)`, a.ID, remembered)
	if err != nil {
		return fmt.Errorf("worker: forgetting passwords: %w", err)
	}
	return nil
}
