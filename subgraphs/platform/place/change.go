package place

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/foundation/pattern"
	"github.com/citizencloud/citizencloud/foundation/position"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Changed is the event of a place that is new, changed or closed.
const Changed = "platform.place.changed"

// Description is what is said of a place.
type Description struct {
	Name         string
	Kind         PlaceKind
	AreaID       string
	Address      string
	Telephone    *string
	Longitude    float64
	Latitude     float64
	Datum        position.Datum
	OpeningHours *OpeningHours // nil where nobody knows
}

// telephone is a public number: of a land line, a service line or a mobile phone.
var telephone = pattern.New(`^[0-9]{3,4}-?[0-9]{5,8}(-[0-9]{1,6})?$|^1[0-9]{2,10}$|^400-?[0-9]{3}-?[0-9]{4}$`)

// fill checks the description and puts it into the place.
func (p *Place) fill(d Description) (Ranges, error) {
	r := Ranges{Days: "{}", Open: "{}"}
	at := position.Position{Longitude: d.Longitude, Latitude: d.Latitude, Datum: d.Datum}
	if err := checkWhere(at, d.AreaID); err != nil {
		return r, err
	}
	var err error
	if p.Name, err = input.Text("input.name", "名称", d.Name, 2, 60); err != nil {
		return r, err
	}
	if err := checkKinds([]PlaceKind{d.Kind}); err != nil {
		return r, fault.Invalid("input.kind", "没有这一类别")
	}
	if p.Address, err = input.Text("input.address", "地址", d.Address, 2, 120); err != nil {
		return r, err
	}
	if p.Telephone, err = input.Optional("input.telephone", "电话", d.Telephone, 20); err != nil {
		return r, err
	}
	if p.Telephone != nil && !telephone.MatchString(*p.Telephone) {
		return r, fault.Invalid("input.telephone", "电话须为对外公布的号码，例如 028-86601234")
	}
	stored := at.In(position.CGCS2000)
	p.Kind, p.AreaCode, p.Longitude, p.Latitude, p.Hours = d.Kind, d.AreaID, stored.Longitude, stored.Latitude, nil
	if d.OpeningHours != nil {
		hours, ranges, err := d.OpeningHours.Check("input.openingHours")
		if err != nil {
			return r, err
		}
		if p.Hours, err = json.Marshal(hours); err != nil {
			return r, fmt.Errorf("place: the hours: %w", err)
		}
		r = ranges
	}
	return r, nil
}

var notFound = fault.New(fault.NotFound, "未找到该地点，或不在您的管辖范围内")

// Create makes a place within the caller's data scope. It needs place.manage.
func (s *Service) Create(ctx context.Context, d Description) (*Place, error) {
	if _, err := access.Require(ctx, access.PlaceManage); err != nil {
		return nil, err
	}
	p := &Place{State: Operating, Version: 1}
	r, err := p.fill(d)
	if err != nil {
		return nil, err
	}
	if p.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	return s.write(ctx, p.ID, func(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
		if err := mayLie(ctx, tx, p.AreaCode); err != nil {
			return err
		}
		if err := put(ctx, tx, p, r, now); err != nil {
			return err
		}
		return record(ctx, tx, p, nil)
	})
}

// Update describes an operating place anew. It needs place.manage where the
// place lies, and where it moves to.
func (s *Service) Update(ctx context.Context, id string, version int, d Description) (*Place, error) {
	return s.change(ctx, id, version, func(ctx context.Context, tx *sqlx.Tx, p *Place, now time.Time) error {
		r, err := p.fill(d)
		if err != nil {
			return err
		}
		if err := mayLie(ctx, tx, p.AreaCode); err != nil {
			return err
		}
		return update(ctx, tx, p, r, now)
	})
}

// Close takes an operating place out of the lists for good. It needs place.manage.
func (s *Service) Close(ctx context.Context, id string, version int, reason string) (*Place, error) {
	reason, err := input.Text("input.reason", "关闭的原因", reason, 2, 100)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, version, func(ctx context.Context, tx *sqlx.Tx, p *Place, now time.Time) error {
		p.State, p.ClosedReason = Closed, &reason
		hours, err := p.OpeningHours()
		if err != nil {
			return err
		}
		r := Ranges{Days: "{}", Open: "{}"}
		if hours != nil {
			if _, r, err = hours.Check(""); err != nil {
				return err
			}
		}
		return update(ctx, tx, p, r, now)
	})
}

// mayLie refuses areas that are not there or not in the caller's scope.
func mayLie(ctx context.Context, tx sqlx.ExtContext, areaCode string) error {
	exists, err := areaExists(ctx, tx, areaCode)
	if err != nil {
		return err
	}
	if !exists || !manages(ctx, areaCode) {
		return fault.Invalid("input.areaId", "没有这个区划，或不在您的管辖范围内")
	}
	return nil
}

// change applies what apply does to an operating place of the caller's scope.
func (s *Service) change(ctx context.Context, id string, version int, apply func(context.Context, *sqlx.Tx, *Place, time.Time) error) (*Place, error) {
	if _, err := access.Require(ctx, access.PlaceManage); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound
	}
	return s.write(ctx, id, func(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
		p, err := locked(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case p == nil || !manages(ctx, p.AreaCode):
			return notFound
		case p.Version != version:
			return fault.New(fault.Conflict, "该地点已被他人修改，请刷新后重试")
		case p.State != Operating:
			return fault.New(fault.Conflict, "该地点已关闭，不能再修改")
		}
		before := p.audited()
		p.Version++
		if err := apply(ctx, tx, p, now); err != nil {
			return err
		}
		return record(ctx, tx, p, before)
	})
}

// write does the work in a transaction, and gives the place as it then stands.
func (s *Service) write(ctx context.Context, id string, work func(context.Context, *sqlx.Tx, time.Time) error) (*Place, error) {
	var made *Place
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		now := s.Now().Truncate(time.Microsecond)
		if err := work(ctx, tx, now); err != nil {
			return err
		}
		places, err := byIDs(ctx, tx, []string{id}, now)
		if err != nil || len(places) == 0 {
			return fmt.Errorf("place: what was written is not there: %w", err)
		}
		made = places[0]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// record tells the audit log and whoever listens.
func record(ctx context.Context, tx sqlx.ExtContext, p *Place, before map[string]any) error {
	var was any
	if before != nil {
		was = before
	}
	audit.Change(ctx, audit.Target{Kind: "Place", ID: p.ID, Area: p.AreaCode}, was, p.audited())
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: Changed, AreaCode: p.AreaCode,
		Payload: map[string]any{"placeId": p.ID, "kind": p.Kind, "state": p.State}})
}
