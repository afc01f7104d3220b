package session

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// maxLogin bounds a login name, in characters.
const maxLogin = 64

// SignInWorker signs the worker in. Unknown names and wrong passwords get the
// same answer after the same work, and both lock the name after five tries.
// The worker's Viewer is set.
func (s *Service) SignInWorker(ctx context.Context, login, password string) (Tokens, *worker.Worker, error) {
	if n := utf8.RuneCountInString(login); n == 0 || n > maxLogin {
		return Tokens{}, nil, fault.Invalid("input.login", "请输入登录名")
	}
	if len(password) == 0 || len(password) > worker.MaxPassword {
		return Tokens{}, nil, fault.Invalid("input.password", "请输入密码，最长 %d 个字符", worker.MaxPassword)
	}
	id, err := s.authenticate(ctx, login, password)
	if err != nil {
		return Tokens{}, nil, err
	}
	var tokens Tokens
	var acting *worker.Acting
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		if err := forgive(ctx, tx, s.loginIndex.Of(worker.CanonicalLogin(login))); err != nil {
			return err
		}
		if acting, err = s.Workers.Acting(ctx, tx, id, worker.Hat{}); err != nil {
			return err
		}
		if acting == nil {
			return fault.New(fault.Forbidden, "您当前没有有效的任职，请联系管理员")
		}
		if err = s.confine(ctx, tx, acting, false); err != nil {
			return err
		}
		tokens, err = s.start(ctx, tx, acting.Principal)
		return err
	})
	if err != nil {
		return Tokens{}, nil, err
	}
	s.remember(ctx, acting.Principal.Session)
	w, err := s.viewer(ctx, acting.Principal)
	if err != nil {
		return Tokens{}, nil, err
	}
	return tokens, w, nil
}

// viewer gives the worker who is signed in now, as who asks for what follows.
func (s *Service) viewer(ctx context.Context, p *access.Principal) (*worker.Worker, error) {
	self := &access.Principal{Kind: access.Worker, ID: p.ID} // who is confined sees oneself, no more
	found, err := s.Workers.ByIDs(access.With(ctx, self), []string{p.ID})
	if err != nil {
		return nil, err
	}
	w := found[p.ID]
	if w == nil {
		return nil, fmt.Errorf("session: a worker signed in and cannot be seen")
	}
	w.Viewer = p
	return w, nil
}

// authenticate gives the ID of the active worker whose name and password these are.
func (s *Service) authenticate(ctx context.Context, login, password string) (string, error) {
	wrong := ""
	if from := limit.Network(access.RemoteOf(ctx).Address); from != "" {
		wrong = "platform:session:wrong:" + from
		wait, err := s.counter().Reached(ctx, wrong, s.WrongPasswords)
		if err != nil {
			return "", err
		}
		if wait > 0 {
			return "", limit.Refusal(wait)
		}
	}
	var number int
	var until time.Time
	now := s.Now().Truncate(time.Microsecond) // as PostgreSQL keeps it
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		number, until, err = reserve(ctx, tx, s.loginIndex.Of(worker.CanonicalLogin(login)), now)
		return err
	})
	if err != nil {
		return "", err
	}
	if number == 0 {
		return "", locked(until.Sub(now))
	}
	id, stored, err := s.Workers.Credentials(ctx, login)
	if err != nil {
		return "", err
	}
	right, err := s.Workers.Passwords.Verify(ctx, stored, password)
	if err != nil {
		return "", err
	}
	if right && id != "" {
		return id, nil
	}
	if wrong != "" {
		if _, err := s.counter().Take(ctx, wrong, s.WrongPasswords); err != nil {
			return "", err
		}
	}
	if number >= maxWrong {
		return "", locked(lockedFor)
	}
	return "", fault.New(fault.Unauthenticated, "登录名或密码错误，还可尝试 %d 次", maxWrong-number)
}

func (s *Service) counter() limit.Counter { return limit.Counter{Redis: s.Redis} }

func locked(wait time.Duration) error {
	seconds := max(limit.Seconds(wait), 1)
	f := fault.New(fault.Locked, "连续输错密码，已锁定，请 %d 分钟后重试", (seconds+59)/60)
	f.RetryAfter = seconds
	return f
}
