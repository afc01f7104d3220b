package session

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// Proven is an access token that carries a proof of who its bearer is.
type Proven struct {
	AccessToken          string
	AccessTokenExpiresAt time.Time
	ProvenUntil          time.Time // what needs a recent proof is refused from then on
}

// StepUp proves once more who the signed-in citizen is, by their password or by
// a code to their number: exactly one. What needs that asks access.RequireRecent.
func (s *Service) StepUp(ctx context.Context, password, code *string) (*Proven, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if p.Session == "" {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	by := access.ByCode
	switch {
	case (password == nil) == (code == nil):
		return nil, fault.Invalid("input", "请填写密码或短信验证码，二选一")
	case password != nil:
		by = access.ByPassword
		err = s.ownPassword(ctx, p.ID, "input.password", *password)
	default:
		var mobile string
		if mobile, err = s.Citizens.Mobile(ctx, p.ID); err == nil && mobile == "" {
			err = fault.New(fault.Conflict, "账户尚未绑定手机号")
		}
		if err == nil {
			err = s.Codes.Verify(ctx, mobile, sms.StepUp, p.ID, "input.code", *code)
		}
	}
	if err != nil {
		return nil, err
	}
	made := &Proven{}
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.Now().Truncate(time.Second) // as a token says it
		r, err := s.living(ctx, tx, p)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE platform.session SET proven_at = $2, proven_by = $3 WHERE id = $1`, r.ID, now, by); err != nil {
			return fmt.Errorf("session: keeping a proof: %w", err)
		}
		acting, err := s.Citizens.Acting(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if acting == nil {
			return errOver
		}
		acting.Session, acting.Client, acting.ProvenAt, acting.ProvenBy = r.ID, r.Client, now, by
		made.ProvenUntil = now.Add(access.Recent)
		audit.Change(ctx, audit.Target{Kind: "Session", ID: r.ID, Area: acting.AreaCode}, nil, map[string]any{"provenBy": by, "provenAt": now})
		made.AccessToken, made.AccessTokenExpiresAt, err = s.Signer.AccessUntil(acting, r.ExpiresAt)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

var errOver = fault.New(fault.Unauthenticated, "登录已失效，请重新登录")

// living locks the caller's session, which must be living.
func (s *Service) living(ctx context.Context, tx sqlx.ExtContext, p *access.Principal) (*row, error) {
	r, err := lockSession(ctx, tx, p.Session)
	if err != nil {
		return nil, err
	}
	if r == nil || r.EndedAt != nil || !s.Now().Before(r.ExpiresAt) || r.Kind != p.Kind || r.PrincipalID != p.ID {
		return nil, errOver
	}
	return r, nil
}

// prove gives the principal the session's proof while it counts.
func (r row) prove(p *access.Principal, now time.Time) {
	if r.ProvenAt != nil && r.ProvenBy != nil && now.Sub(*r.ProvenAt) < access.Recent {
		p.ProvenAt, p.ProvenBy = *r.ProvenAt, *r.ProvenBy
	}
}
