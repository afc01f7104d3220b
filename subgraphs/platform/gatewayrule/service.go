package gatewayrule

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Service changes and reads the rules.
type Service struct{ DB *database.DB }

// InForce are the enabled rules, for the gateway.
func (s *Service) InForce(ctx context.Context) ([]Rule, error) {
	var rules []Rule
	ctx = access.AsSystem(ctx, "gateway")
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) { rules, err = inForce(ctx, tx); return err })
	return rules, err
}

// Page is a page of rules.
type Page struct {
	Rules []*Rule
	Info  *keyset.PageInfo
}

// Key is what a cursor holds of a rule.
func (r *Rule) Key() []string { return []string{r.Resource, string(r.Kind)} }

// List gives a page of the rules, of one kind or all (""), by resource and
// kind, to those who may manage them.
func (s *Service) List(ctx context.Context, kind Kind, enabledOnly bool, page keyset.Page) (Page, error) {
	if _, err := s.manager(ctx); err != nil {
		return Page{}, err
	}
	var rows []*Rule
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) { rows, err = list(ctx, tx, kind, enabledOnly, page); return err })
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, (*Rule).Key)
	return Page{found, info}, nil
}

// manager is who may manage the gateway: it serves the whole city.
func (s *Service) manager(ctx context.Context) (*access.Principal, error) {
	return access.RequireArea(ctx, access.GatewayManage, division.CityCode)
}

// Put makes the rule of its resource and kind, or changes it; Enabled false
// takes it out of force. The version that the caller saw must be the present
// one, 0 of a new rule.
func (s *Service) Put(ctx context.Context, wanted Rule) (*Rule, error) {
	if _, err := s.manager(ctx); err != nil {
		return nil, err
	}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	var made *Rule
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		before, err := find(ctx, tx, wanted.Resource, wanted.Kind)
		if err != nil {
			return err
		}
		if before == nil {
			if wanted.Version != 0 {
				return fault.New(fault.Conflict, "该规则已被他人删除，请刷新后重试")
			}
			if n, err := count(ctx, tx); err != nil {
				return err
			} else if n >= mostRules {
				return fault.New(fault.Full, "规则最多 %d 条", mostRules)
			}
			if wanted.ID, err = identifier.New(); err != nil {
				return err
			}
			made, err = insert(ctx, tx, &wanted)
			if err != nil {
				return err
			}
			audit.Change(ctx, target(made), nil, shown(made))
		} else {
			if before.Version != wanted.Version {
				return fault.New(fault.Conflict, "该规则已被他人修改，请刷新后重试")
			}
			if made, err = update(ctx, tx, before.ID, &wanted); err != nil {
				return err
			}
			audit.Change(ctx, target(made), shown(before), shown(made))
		}
		return tell(ctx, tx, made.Resource)
	})
	return made, err
}

// Remove takes a rule of which the caller saw the version away for good.
func (s *Service) Remove(ctx context.Context, id string, version int) error {
	if _, err := s.manager(ctx); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		before, err := remove(ctx, tx, id)
		if err != nil {
			return err
		}
		if before == nil {
			return fault.New(fault.NotFound, "未找到该规则")
		}
		if before.Version != version {
			return fault.New(fault.Conflict, "该规则已被他人修改，请刷新后重试")
		}
		audit.Change(ctx, target(before), shown(before), nil)
		return tell(ctx, tx, before.Resource)
	})
}

// tell lets every gateway know.
func tell(ctx context.Context, tx sqlx.ExtContext, resource string) error {
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: Changed, Payload: map[string]string{"resource": resource}})
}

func target(r *Rule) audit.Target { return audit.Target{Kind: "GatewayRule", ID: r.ID} }

// shown is what an auditor sees of a rule.
func shown(r *Rule) map[string]any {
	return map[string]any{
		"resource": r.Resource, "kind": r.Kind, "threshold": r.Threshold, "burst": r.Burst,
		"pauseSeconds": r.PauseSeconds, "message": r.Message, "enabled": r.Enabled,
	}
}
