package clientapp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Changed is the event of an application that is new or changed: gateways
// forget then what they know of its tokens.
const Changed = "platform.clientapp.changed"

// Service reads and changes applications.
type Service struct {
	DB    *database.DB
	Redis redis.UniversalClient
	Now   func() time.Time
	// Operations are the names of the operations that partners may be granted;
	// nil for not known here: any name will do.
	Operations []string
}

func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "clientapp") }

var notFound = fault.New(fault.NotFound, "未找到该应用，或不在您的管辖范围内")

// Apply drafts an application for the caller's unit. It needs client.manage.
func (s *Service) Apply(ctx context.Context, d ClientAppDescription) (*ClientApp, error) {
	p, err := access.Require(ctx, access.ClientManage)
	if err != nil {
		return nil, err
	}
	if p.Kind != access.Worker || p.UnitID == "" {
		return nil, fault.New(fault.Forbidden, "请以所在单位的任职申请应用")
	}
	a := &ClientApp{State: Draft, Version: 1, UnitID: p.UnitID, CreatedBy: p.ID}
	if err := s.fill(a, d); err != nil {
		return nil, err
	}
	if a.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	a.ClientID = a.ID
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		now := s.now()
		a.CreatedAt, a.UpdatedAt = now, now
		if a.AreaCode, err = unitArea(ctx, tx, p.UnitID); err != nil {
			return err
		}
		if !p.Covers(a.AreaCode) {
			return notFound
		}
		if err := insert(ctx, tx, a); err != nil {
			return err
		}
		return record(ctx, tx, a, p, nil, Applied, "", now)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// who is who may do something to an application.
type who int

const (
	own      who = iota // client.manage, in the unit that it belongs to
	reviewer            // client.review, in scope, and not who submitted it
)

// Update describes a drafted or rejected application anew.
func (s *Service) Update(ctx context.Context, id string, version int, d ClientAppDescription) (*ClientApp, error) {
	return s.change(ctx, id, version, own, Updated, "", func(_ context.Context, _ *sqlx.Tx, a *ClientApp, _ *access.Principal, _ time.Time) error {
		return s.fill(a, d)
	})
}

// SetAddresses changes where sign-ins return to while the application is tried out.
func (s *Service) SetAddresses(ctx context.Context, id string, version int, redirects, logouts []string) (*ClientApp, error) {
	return s.change(ctx, id, version, own, Redirect, "", func(_ context.Context, _ *sqlx.Tx, a *ClientApp, _ *access.Principal, _ time.Time) (err error) {
		if a.State != Sandbox {
			return fault.New(fault.Conflict, "只有沙箱中的应用可以修改回调地址；已上线的应用请重新申请")
		}
		if a.RedirectURIs, err = addresses("input.redirectUris", a.Kind, redirects); err != nil {
			return err
		}
		if (len(a.RedirectURIs) == 0) != (a.Kind == KindDevice) {
			return fault.Invalid("input.redirectUris", "除设备应用外，请填写至少一个登录回调地址")
		}
		a.LogoutURIs, err = addresses("input.logoutUris", a.Kind, logouts)
		return err
	})
}

// Submit hands an application in for review.
func (s *Service) Submit(ctx context.Context, id string, version int) (*ClientApp, error) {
	return s.change(ctx, id, version, own, Submit, "", func(_ context.Context, _ *sqlx.Tx, a *ClientApp, p *access.Principal, _ time.Time) error {
		a.SubmittedBy, a.ReviewedBy = &p.ID, nil
		return nil
	})
}

// Grant is what a review gives; nil is all that was asked for.
type Grant struct {
	Scopes     []Scope
	Operations []string
	DailyQuota *int
	Rate       *int
	OwnClient  *string // makes it one of the platform's own clients
}

// Review approves an application, with what is granted, or rejects it with a
// reason. Who does so is another person than who made or submitted it.
func (s *Service) Review(ctx context.Context, id string, version int, approve bool, g Grant, reason string) (*ClientApp, error) {
	if !approve {
		return s.judge(ctx, id, version, Reject, reason)
	}
	return s.change(ctx, id, version, reviewer, Approve, strings.TrimSpace(reason), func(_ context.Context, _ *sqlx.Tx, a *ClientApp, p *access.Principal, _ time.Time) error {
		a.Granted, a.GrantedOperations, a.ReviewedBy = a.Asked, a.AskedOperations, &p.ID
		if g.Scopes != nil {
			granted, err := scopes("input.grantedScopes", g.Scopes)
			if err != nil {
				return err
			}
			if !subset(granted, a.Asked) {
				return fault.Invalid("input.grantedScopes", "授予的范围不能超出申请的范围")
			}
			a.Granted = granted
		}
		if g.Operations != nil {
			if !subset(g.Operations, a.AskedOperations) {
				return fault.Invalid("input.grantedOperations", "授予的操作不能超出申请的操作")
			}
			a.GrantedOperations = g.Operations
		}
		if g.DailyQuota != nil {
			if *g.DailyQuota < 1 || *g.DailyQuota > 100_000_000 {
				return fault.Invalid("input.dailyQuota", "每日调用量须在 1 到 1 亿之间")
			}
			a.DailyQuota = *g.DailyQuota
		}
		if g.Rate != nil {
			if *g.Rate < 1 || *g.Rate > 10_000 {
				return fault.Invalid("input.ratePerSecond", "每秒调用量须在 1 到 10000 之间")
			}
			a.RatePerSecond = *g.Rate
		}
		if g.OwnClient != nil && !slices.Contains([]string{"app", "miniprogram", "workbench", "screen"}, *g.OwnClient) {
			return fault.Invalid("input.ownClient", "没有这一客户端")
		}
		a.OwnClient = g.OwnClient
		return nil
	})
}

func subset(part, of []string) bool {
	return !slices.ContainsFunc(part, func(one string) bool { return !slices.Contains(of, one) })
}

// Turn launches, suspends, resumes or retires an application.
func (s *Service) Turn(ctx context.Context, id string, version int, action Action, reason string) (*ClientApp, error) {
	if action == Suspend || action == Retire {
		return s.judge(ctx, id, version, action, reason)
	}
	return s.change(ctx, id, version, reviewer, action, strings.TrimSpace(reason), func(_ context.Context, _ *sqlx.Tx, a *ClientApp, _ *access.Principal, _ time.Time) error {
		if action != Launch {
			return nil
		}
		for _, address := range slices.Concat(a.RedirectURIs, a.LogoutURIs) {
			if forDebugging(a.Kind, address) {
				return fault.New(fault.Conflict, "上线前须移除仅供调试的回调地址 %s", address)
			}
		}
		return nil
	})
}

// judge is a change by a reviewer who must say why.
func (s *Service) judge(ctx context.Context, id string, version int, action Action, reason string) (*ClientApp, error) {
	reason, err := input.Text("input.reason", "原因", reason, 2, 200)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, version, reviewer, action, reason, func(_ context.Context, _ *sqlx.Tx, a *ClientApp, p *access.Principal, _ time.Time) error {
		if action == Reject {
			a.ReviewedBy = &p.ID
		}
		return nil
	})
}

type applied func(context.Context, *sqlx.Tx, *ClientApp, *access.Principal, time.Time) error

// change does the action to the application in one transaction with its history
// and its event.
func (s *Service) change(ctx context.Context, id string, version int, by who, action Action, reason string, apply applied) (*ClientApp, error) {
	need := access.ClientManage
	if by == reviewer {
		need = access.ClientReview
	}
	p, err := access.Require(ctx, need)
	if err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound
	}
	if len([]rune(reason)) > 200 {
		return nil, fault.Invalid("input.reason", "原因最长 200 个字")
	}
	var changed *ClientApp
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		now := s.now()
		a, err := locked(ctx, tx, id)
		if err != nil {
			return err
		}
		if a == nil || !p.Covers(a.AreaCode) || by == own && a.UnitID != p.UnitID {
			return notFound
		}
		if by == reviewer && (a.CreatedBy == p.ID || a.SubmittedBy != nil && *a.SubmittedBy == p.ID) {
			return fault.New(fault.Forbidden, "申请人不能审核或处置自己申请的应用")
		}
		if a.Version != version {
			return fault.New(fault.Conflict, "该应用已被他人修改，请刷新后重试")
		}
		before := *a
		if _, moves := steps[action]; moves {
			to, ok := a.State.After(action)
			if !ok {
				return fault.New(fault.Conflict, "应用当前的状态不允许此操作")
			}
			a.State, a.StateReason = to, reason
		}
		if err := apply(ctx, tx, a, p, now); err != nil {
			return err
		}
		a.Version, a.UpdatedAt = a.Version+1, now
		if err := update(ctx, tx, a); err != nil {
			return err
		}
		changed = a
		return record(ctx, tx, a, p, &before, action, reason, now)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// record writes the history line, tells the audit log and whoever listens.
func record(ctx context.Context, tx sqlx.ExtContext, a *ClientApp, p *access.Principal, before *ClientApp, action Action, reason string, now time.Time) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	from, was := State(""), any(nil)
	if before != nil {
		from, was = before.State, before.audited()
	}
	if err := insertHistory(ctx, tx, id, a.ID, now, p.ID, action, from, a.State, reason); err != nil {
		return err
	}
	audit.Change(ctx, audit.Target{Kind: "ClientApp", ID: a.ID, Area: a.AreaCode}, was, a.audited())
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: Changed, AreaCode: a.AreaCode,
		Payload: map[string]any{"clientAppId": a.ID, "clientId": a.ClientID, "state": a.State, "action": action}})
}

func (a *ClientApp) audited() map[string]any {
	return map[string]any{"name": a.Name, "state": a.State, "reason": a.StateReason, "redirectUris": a.RedirectURIs, "logoutUris": a.LogoutURIs,
		"grantedScopes": a.Granted, "grantedOperations": a.GrantedOperations, "dailyQuota": a.DailyQuota, "ratePerSecond": a.RatePerSecond, "ownClient": a.OwnClient}
}

// ByClientID gives the application of the name in OAuth whatever its state, nil
// if there is none. For package oidc, as the system.
func (s *Service) ByClientID(ctx context.Context, clientID string) (a *ClientApp, err error) {
	if len(clientID) > 40 {
		return nil, nil
	}
	err = s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		a, err = one(ctx, tx, `client_id = $1`, clientID)
		return err
	})
	return a, err
}

// BySystem gives the applications of the IDs, whoever asks: for names in lists
// of what is somebody's own.
func (s *Service) BySystem(ctx context.Context, ids []string) (map[string]*ClientApp, error) {
	found := make(map[string]*ClientApp, len(ids))
	err := s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, input.IDs(ids))
		for _, a := range list {
			found[a.ID] = a
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("clientapp: %w", err)
	}
	return found, nil
}
