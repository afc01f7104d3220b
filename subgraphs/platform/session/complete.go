package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/secondfactor"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// hat is the post that the session acts in.
func (r row) hat() worker.Hat {
	return worker.Hat{AssignmentID: r.AssignmentID, DelegationID: r.DelegationID}
}

// confine tells the principal what signing in still lacks: a first password to
// be changed, then the second factor, which administrators must have and others
// may.
func (s *Service) confine(ctx context.Context, tx sqlx.ExtContext, a *worker.Acting, factorShown bool) error {
	confirmed, err := s.Factors.Confirmed(ctx, tx, a.Principal.ID)
	if err != nil {
		return err
	}
	switch {
	case a.PasswordDue:
		a.Principal.Confined = access.PasswordDue
	case a.Administrator && !confirmed:
		a.Principal.Confined = access.EnrolmentDue
	case confirmed && !factorShown:
		a.Principal.Confined = access.FactorDue
	}
	return nil
}

// signedIn gives the worker who is signed in, wholly or not, and refuses all
// others.
func signedIn(ctx context.Context) (*access.Principal, error) {
	if p := access.ConfinedFrom(ctx); p != nil && p.Kind == access.Worker && p.Session != "" {
		return p, nil
	}
	p, err := access.RequireWorker(ctx)
	if err == nil && p.Session == "" {
		err = fault.New(fault.Unauthenticated, "请先登录")
	}
	return p, err
}

// EnrolSecondFactor makes a secret for the signed-in worker's authenticator
// application. Whoever has still to change the first password does that first.
func (s *Service) EnrolSecondFactor(ctx context.Context) (secondfactor.Enrolment, error) {
	p, err := signedIn(ctx)
	if err != nil {
		return secondfactor.Enrolment{}, err
	}
	if p.Confined == access.PasswordDue {
		return secondfactor.Enrolment{}, fault.New(fault.Forbidden, "请先修改初始密码")
	}
	login, err := s.Workers.LoginOf(ctx, p.ID)
	if err != nil {
		return secondfactor.Enrolment{}, err
	}
	return s.Factors.Enrol(ctx, p.ID, login)
}

// VerifySecondFactor completes the sign-in with a code, and gives the recovery
// codes where it was the first one.
func (s *Service) VerifySecondFactor(ctx context.Context, code string) (Tokens, *worker.Worker, []string, error) {
	p, err := signedIn(ctx)
	if err != nil {
		return Tokens{}, nil, nil, err
	}
	if p.Confined == access.PasswordDue {
		return Tokens{}, nil, nil, fault.New(fault.Forbidden, "请先修改初始密码")
	}
	audit.By(ctx, p)
	recovery, err := s.Factors.Verify(ctx, p.ID, code)
	if err != nil {
		return Tokens{}, nil, nil, err
	}
	tokens, w, err := s.renew(ctx, p, func(ctx context.Context, tx sqlx.ExtContext, r *row) error {
		now := s.Now()
		r.SecondFactorAt = &now
		return nil
	})
	return tokens, w, recovery, err
}

// ChangePassword changes the signed-in worker's password, and ends all their
// other sessions. Wrong present passwords count as at the sign-in.
func (s *Service) ChangePassword(ctx context.Context, present, next string) (Tokens, *worker.Worker, error) {
	p, err := signedIn(ctx)
	if err != nil {
		return Tokens{}, nil, err
	}
	if p.Confined == access.FactorDue {
		return Tokens{}, nil, fault.New(fault.Forbidden, "请先完成双因素验证")
	}
	if len(present) == 0 || len(present) > worker.MaxPassword {
		return Tokens{}, nil, fault.Invalid("input.currentPassword", "请输入当前密码")
	}
	audit.By(ctx, p)
	login, err := s.Workers.LoginOf(ctx, p.ID)
	if err != nil {
		return Tokens{}, nil, err
	}
	index := s.loginIndex.Of(worker.CanonicalLogin(login))
	var number int
	var until time.Time
	now := s.Now().Truncate(time.Microsecond)
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		number, until, err = reserve(ctx, tx, index, now)
		return err
	})
	if err != nil {
		return Tokens{}, nil, err
	}
	if number == 0 {
		return Tokens{}, nil, locked(until.Sub(now))
	}
	keep, right, err := s.Workers.Prepare(ctx, p.ID, present, next)
	if !right {
		if err == nil {
			err = fault.Invalid("input.currentPassword", "当前密码错误，还可尝试 %d 次", maxWrong-number)
		}
		return Tokens{}, nil, err
	}
	if err != nil {
		return Tokens{}, nil, errors.Join(err, s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return forgive(ctx, tx, index) }))
	}
	var ended []string
	tokens, w, err := s.renew(ctx, p, func(ctx context.Context, tx sqlx.ExtContext, r *row) error {
		if err := keep(ctx, tx); err != nil {
			return err
		}
		if err := forgive(ctx, tx, index); err != nil {
			return err
		}
		others, err := others(ctx, tx, p.ID, r.ID)
		for _, id := range others {
			one, failed := s.end(ctx, tx, access.Worker, p.ID, id, principal)
			ended, err = append(ended, one...), errors.Join(err, failed)
		}
		audit.Change(ctx, audit.Target{Kind: "Worker", ID: p.ID, Area: p.AreaCode}, nil, map[string]any{"passwordChanged": true})
		return err
	})
	if err == nil {
		s.forget(ctx, ended...)
	}
	return tokens, w, err
}

// SwitchPost lets the signed-in worker act in another post of their own, or by a
// delegation, that counts now.
func (s *Service) SwitchPost(ctx context.Context, to worker.Hat) (Tokens, *worker.Worker, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return Tokens{}, nil, err
	}
	refused := fault.New(fault.NotFound, "没有这项现任的任职或委托")
	if to.AssignmentID != "" && !input.ID(to.AssignmentID) || to.DelegationID != "" && !input.ID(to.DelegationID) || (to.AssignmentID == "") == (to.DelegationID == "") {
		return Tokens{}, nil, refused
	}
	return s.renew(ctx, p, func(ctx context.Context, tx sqlx.ExtContext, r *row) error {
		acting, err := s.Workers.Acting(ctx, tx, p.ID, to)
		if err != nil {
			return err
		}
		if acting == nil || to.DelegationID != acting.Principal.DelegationID || to.AssignmentID != "" && to.AssignmentID != acting.Principal.AssignmentID {
			return refused
		}
		r.AssignmentID, r.DelegationID = to.AssignmentID, to.DelegationID
		return nil
	})
}

// renew changes the caller's living session and gives new tokens in the place
// of its old ones.
func (s *Service) renew(ctx context.Context, p *access.Principal, change func(context.Context, sqlx.ExtContext, *row) error) (Tokens, *worker.Worker, error) {
	refused := fault.New(fault.Unauthenticated, "登录已失效，请重新登录")
	var tokens Tokens
	var renewed *access.Principal
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.Now()
		r, err := lockSession(ctx, tx, p.Session)
		if err != nil {
			return err
		}
		if r == nil || r.EndedAt != nil || !now.Before(r.ExpiresAt) || r.Kind != access.Worker || r.PrincipalID != p.ID {
			return refused
		}
		if err := change(ctx, tx, r); err != nil {
			return err
		}
		acting, until, err := s.acting(ctx, tx, *r)
		if err != nil {
			return err
		}
		if acting == nil {
			return refused
		}
		if err := keepSession(ctx, tx, r, now); err != nil {
			return err
		}
		acting.Session, acting.Client, renewed = r.ID, r.Client, acting
		tokens, err = s.issue(ctx, tx, acting, now, r.ExpiresAt, until)
		return err
	})
	if err != nil {
		return Tokens{}, nil, err
	}
	w, err := s.viewer(ctx, renewed)
	return tokens, w, err
}

// End ends all sessions of the workers, in a transaction of whoever manages
// them, and gives their IDs; after the commit call Forget.
func (s *Service) End(ctx context.Context, tx sqlx.ExtContext, workerIDs ...string) ([]string, error) {
	var ended []struct {
		SessionID string `db:"session_id"`
		WorkerID  string `db:"worker_id"`
	}
	err := sqlx.SelectContext(ctx, tx, &ended, `SELECT session_id, worker_id FROM platform.end_worker_sessions($1::uuid[], $2)`, pq.Array(workerIDs), s.Now())
	if err != nil {
		return nil, fmt.Errorf("session: ending those of workers: %w", err)
	}
	ids, messages := make([]string, len(ended)), make([]outbox.Message, len(ended))
	for i, e := range ended {
		ids[i] = e.SessionID
		messages[i] = outbox.Message{Subject: EndedSubject, Payload: Ended{SessionID: e.SessionID, Kind: access.Worker, PrincipalID: e.WorkerID, Reason: string(principal)}}
	}
	return ids, outbox.Append(ctx, tx, "platform", messages...)
}

// EndDelegated ends the sessions that act by the delegation.
func (s *Service) EndDelegated(ctx context.Context, delegationID string) error {
	var ended []string
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		var sessions []struct {
			ID          string `db:"id"`
			PrincipalID string `db:"principal_id"`
		}
		err := sqlx.SelectContext(ctx, tx, &sessions, `
			SELECT id, principal_id FROM platform.session WHERE kind = 'worker' AND ended_at IS NULL AND delegation_id = $1
				AND principal_id = (SELECT to_worker_id FROM platform.delegation WHERE id = $1)`, delegationID)
		if err != nil {
			return fmt.Errorf("session: reading those of a delegation: %w", err)
		}
		for _, one := range sessions {
			ids, err := s.end(ctx, tx, access.Worker, one.PrincipalID, one.ID, principal)
			if err != nil {
				return err
			}
			ended = append(ended, ids...)
		}
		return nil
	})
	if err == nil {
		s.forget(ctx, ended...)
	}
	return err
}

// Forget tells Redis of sessions that ended.
func (s *Service) Forget(ctx context.Context, ids ...string) { s.forget(ctx, ids...) }

func lockSession(ctx context.Context, tx sqlx.ExtContext, id string) (*row, error) {
	var r row
	err := sqlx.GetContext(ctx, tx, &r, `SELECT `+columns+` FROM platform.session s WHERE s.id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("session: locking: %w", err)
	}
	return &r, nil
}

// keepSession keeps what changed of the session; its old refresh tokens are
// used up.
func keepSession(ctx context.Context, tx sqlx.ExtContext, r *row, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.session SET assignment_id = nullif($2, '')::uuid, delegation_id = nullif($3, '')::uuid, second_factor_at = $4, refreshed_at = $5
		WHERE id = $1`, r.ID, r.AssignmentID, r.DelegationID, r.SecondFactorAt, at)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE platform.refresh_token SET rotated_at = $2 WHERE session_id = $1 AND rotated_at IS NULL`, r.ID, at)
	}
	if err != nil {
		return fmt.Errorf("session: changing: %w", err)
	}
	return nil
}

// others gives the worker's living sessions but the one.
func others(ctx context.Context, tx sqlx.ExtContext, workerID, id string) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT id FROM platform.session WHERE kind = 'worker' AND principal_id = $1 AND id <> $2 AND ended_at IS NULL ORDER BY id`, workerID, id)
	if err != nil {
		return nil, fmt.Errorf("session: reading the others: %w", err)
	}
	return ids, nil
}
