// Package delegation lets a worker who is away hand roles of their own post to
// another one, from then to then. Nobody delegates what they do not have, or
// what was delegated to them; a delegation ends by itself, and with the post
// behind it. Who receives it acts by it, one post at a time (package session).
//
// Start reading at Delegation, then Service; the SQL is in store.go.
package delegation

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
)

// State is where a delegation stands.
type State string

// The states: SCHEDULED→RUNNING→EXPIRED by time; SCHEDULED|RUNNING→REVOKED.
const (
	Scheduled State = "SCHEDULED"
	Running   State = "RUNNING"
	Expired   State = "EXPIRED"
	Revoked   State = "REVOKED"
)

// Longest is how long a delegation may last.
const Longest = 90 * 24 * time.Hour

// Delegation is one delegation.
type Delegation struct {
	ID           string
	AssignmentID string
	FromID, ToID string // workers
	AreaCode     string
	Roles        []access.Role
	Reason       string
	StartsAt     time.Time
	EndsAt       time.Time
	RevokedAt    *time.Time
	now          time.Time
}

// State is where the delegation stands when it was read.
func (d *Delegation) State() State {
	switch {
	case d.RevokedAt != nil:
		return Revoked
	case d.now.Before(d.StartsAt):
		return Scheduled
	case d.now.Before(d.EndsAt):
		return Running
	default:
		return Expired
	}
}

// Input is a new delegation of the caller's.
type Input struct {
	AssignmentID string
	ToID         string
	Roles        []access.Role
	Reason       string
	StartsAt     time.Time
	EndsAt       time.Time
}

// Service makes, revokes and lists delegations.
type Service struct {
	DB       *database.DB
	Now      func() time.Time
	Sessions Sessions // nil ends none
}

// Sessions ends what a delegation was used by; package session does.
type Sessions interface {
	// EndDelegated ends the sessions that act by the delegation.
	EndDelegated(ctx context.Context, delegationID string) error
}

// now is the moment, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.Now().Truncate(time.Microsecond) }

// Delegate hands roles of the caller's own present assignment to another active
// worker of the same unit, the one above it, or one below.
func (s *Service) Delegate(ctx context.Context, in Input) (*Delegation, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	if p.DelegationID != "" {
		return nil, fault.New(fault.Forbidden, "受托的权限不能再委托")
	}
	now := s.now()
	if in, err = in.check(now); err != nil {
		return nil, err
	}
	if in.ToID == p.ID {
		return nil, fault.Invalid("input.toWorkerId", "不能委托给本人")
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	d := &Delegation{ID: id, AssignmentID: in.AssignmentID, FromID: p.ID, ToID: in.ToID, Roles: in.Roles, Reason: in.Reason,
		StartsAt: in.StartsAt, EndsAt: in.EndsAt, now: now}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		held, err := own(ctx, tx, in.AssignmentID, p.ID, now)
		if err != nil {
			return err
		}
		if held == nil {
			return fault.Invalid("input.assignmentId", "没有这项现任的任职")
		}
		for _, role := range in.Roles {
			if !slices.Contains(held.Roles, role) {
				return fault.Invalid("input.roles", "您的这项任职没有角色 %s，不能委托", role)
			}
		}
		fits, err := receives(ctx, tx, in.ToID, held.UnitID, now)
		if err != nil {
			return err
		}
		if !fits {
			return fault.Invalid("input.toWorkerId", "受托人须为本机构、上级机构或下级机构的在职人员")
		}
		running, err := count(ctx, tx, p.ID, now)
		if err != nil {
			return err
		}
		if running >= maxGiven {
			return fault.New(fault.Conflict, "同时生效的委托不能超过 %d 项", maxGiven)
		}
		d.AreaCode = held.AreaCode
		if err := insert(ctx, tx, d, now); err != nil {
			return apart(err)
		}
		return s.record(ctx, tx, d, "DELEGATE", "委托："+in.Reason)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// maxGiven bounds the delegations that a worker has running.
const maxGiven = 10

func (in Input) check(now time.Time) (Input, error) {
	var err error
	if in.Reason, err = input.Text("input.reason", "委托事由", in.Reason, 2, 200); err != nil {
		return in, err
	}
	if !input.ID(in.AssignmentID) {
		return in, fault.Invalid("input.assignmentId", "请选择任职")
	}
	if !input.ID(in.ToID) {
		return in, fault.Invalid("input.toWorkerId", "请选择受托人")
	}
	in.Roles = slices.Clone(in.Roles)
	slices.Sort(in.Roles)
	if in.Roles = slices.Compact(in.Roles); len(in.Roles) == 0 {
		return in, fault.Invalid("input.roles", "请选择要委托的角色")
	}
	in.StartsAt, in.EndsAt = in.StartsAt.Truncate(time.Microsecond), in.EndsAt.Truncate(time.Microsecond)
	if in.StartsAt.Before(now) {
		in.StartsAt = now
	}
	if !in.EndsAt.After(in.StartsAt) {
		return in, fault.Invalid("input.endsAt", "结束时间须晚于开始时间和现在")
	}
	if in.EndsAt.Sub(in.StartsAt) > Longest {
		return in, fault.Invalid("input.endsAt", "委托最长 90 天")
	}
	return in, nil
}

// Revoke ends a delegation of the caller's before its time. Who acts by it is
// signed out at once.
func (s *Service) Revoke(ctx context.Context, id string) (*Delegation, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	refused := fault.New(fault.NotFound, "未找到您的这项委托")
	if !input.ID(id) {
		return nil, refused
	}
	now := s.now()
	var d *Delegation
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if d, err = locked(ctx, tx, id, p.ID); err != nil {
			return err
		}
		if d == nil {
			return refused
		}
		if d.now = now; d.State() == Expired || d.State() == Revoked {
			return fault.New(fault.Conflict, "该委托已结束")
		}
		d.RevokedAt = &now
		if err := revoke(ctx, tx, id, now); err != nil {
			return err
		}
		return s.record(ctx, tx, d, "REVOKE_DELEGATION", "收回委托")
	})
	if err != nil {
		return nil, err
	}
	if s.Sessions != nil {
		return d, s.Sessions.EndDelegated(ctx, id)
	}
	return d, nil
}

// Side chooses delegations by the caller's part in them.
type Side string

// The sides.
const (
	Given    Side = "GIVEN"
	Received Side = "RECEIVED"
)

// Page is a page of delegations.
type Page struct {
	Delegations []*Delegation
	Info        *keyset.PageInfo
}

// Key is a delegation's key in lists.
func Key(d *Delegation) []string { return []string{d.ID} }

// Own gives a page of the delegations that the caller gave or received, the
// newest first.
func (s *Service) Own(ctx context.Context, side Side, page keyset.Page) (Page, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return Page{}, err
	}
	after := identifier.Last
	if page.After != nil {
		if after = page.After[0]; !input.ID(after) {
			return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	var rows []*Delegation
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, side, p.ID, after, page.Limit())
		return err
	})
	if err != nil {
		return Page{}, err
	}
	now := s.now()
	for _, d := range rows {
		d.now = now
	}
	found, info := keyset.Of(page, rows, Key)
	return Page{Delegations: found, Info: info}, nil
}

// Subject is the event of a delegation that was made or revoked.
const Subject = "platform.delegation.changed"

// Changed is the payload of Subject.
type Changed struct {
	DelegationID string        `json:"delegationId"`
	FromID       string        `json:"fromWorkerId"`
	ToID         string        `json:"toWorkerId"`
	Roles        []access.Role `json:"roles"`
	StartsAt     time.Time     `json:"startsAt"`
	EndsAt       time.Time     `json:"endsAt"`
	Revoked      bool          `json:"revoked"`
}

func (s *Service) record(ctx context.Context, tx *sqlx.Tx, d *Delegation, action, detail string) error {
	err := outbox.Append(ctx, tx, "platform", outbox.Message{Subject: Subject, AreaCode: d.AreaCode, Payload: Changed{
		DelegationID: d.ID, FromID: d.FromID, ToID: d.ToID, Roles: d.Roles, StartsAt: d.StartsAt, EndsAt: d.EndsAt, Revoked: d.RevokedAt != nil}})
	if err != nil {
		return err
	}
	names := ""
	for i, role := range d.Roles {
		if i > 0 {
			names += "、"
		}
		names += string(role)
	}
	return institution.Record(ctx, tx, s.now(), institution.Subject{Kind: institution.OfDelegation, ID: d.ID, Name: names, AreaCode: d.AreaCode}, action, detail,
		nil, map[string]any{"from": d.FromID, "to": d.ToID, "roles": d.Roles, "startsAt": d.StartsAt, "endsAt": d.EndsAt, "revoked": d.RevokedAt != nil})
}

// apart explains the refusal of a second administrator's role.
func apart(err error) error {
	if database.Violates(err, "one_administrator") {
		return fault.New(fault.Conflict, "三员分离：受托人不得兼任系统管理员、安全保密管理员、安全审计员").Because(err)
	}
	return err
}
