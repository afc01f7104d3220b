package realname

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// CounterState is where a counter stands.
type CounterState string

// The states: OPEN→CLOSED.
const (
	CounterOpen   CounterState = "OPEN"
	CounterClosed CounterState = "CLOSED"
)

// RealNameCounter 线下核验点 is where people prove who they are in person.
type RealNameCounter struct {
	ID       string       `db:"id"`
	Name     string       `db:"name"`
	AreaCode string       `db:"area_code"` // a community
	Address  string       `db:"address"`
	State    CounterState `db:"state"`
	Version  int          `db:"version"`

	siblings *batch.Siblings[*RealNameCounter]
}

// Siblings are those of the same list; nil for one that was asked alone.
func (c *RealNameCounter) Siblings() *batch.Siblings[*RealNameCounter] { return c.siblings }

// CounterSlot is a time at a counter, with places.
type CounterSlot struct {
	ID        string    `db:"id"`
	CounterID string    `db:"counter_id"`
	StartsAt  time.Time `db:"starts_at"`
	EndsAt    time.Time `db:"ends_at"`
	Capacity  int       `db:"capacity"`
	Taken     int       `db:"taken"`

	siblings *batch.Siblings[*CounterSlot]
}

// Siblings are those that were read together.
func (s *CounterSlot) Siblings() *batch.Siblings[*CounterSlot] { return s.siblings }

// Remaining is the number of places that are left.
func (s *CounterSlot) Remaining() int { return s.Capacity - s.Taken }

// CreateRealNameCounterInput describes a new counter.
type CreateRealNameCounterInput struct {
	Name    string
	AreaID  string
	Address string
}

// CreateCounter opens a counter in a community of the caller's scope.
func (s *Service) CreateCounter(ctx context.Context, in CreateRealNameCounterInput) (*RealNameCounter, error) {
	p, err := access.Require(ctx, access.RealNameCounters)
	if err != nil {
		return nil, err
	}
	c := &RealNameCounter{AreaCode: in.AreaID, State: CounterOpen, Version: 1}
	if c.Name, err = input.Text("input.name", "名称", in.Name, 2, 60); err != nil {
		return nil, err
	}
	if c.Address, err = input.Text("input.address", "地址", in.Address, 2, 120); err != nil {
		return nil, err
	}
	if !division.Valid(in.AreaID) || division.LevelOf(in.AreaID) != division.Community || !p.Covers(in.AreaID) {
		return nil, fault.Invalid("input.areaId", "请选择管辖范围内的社区")
	}
	if c.ID, err = identifier.New(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		exists, err := communityExists(ctx, tx, c.AreaCode)
		if err != nil {
			return err
		}
		if !exists {
			return fault.Invalid("input.areaId", "请选择管辖范围内的社区")
		}
		audit.Change(ctx, audit.Target{Kind: "RealNameCounter", ID: c.ID, Area: c.AreaCode}, nil, c.audited())
		return insertCounter(ctx, tx, c, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *RealNameCounter) audited() map[string]any {
	return map[string]any{"name": c.Name, "state": c.State}
}

var errNoCounter = fault.New(fault.NotFound, "未找到该核验点，或不在您的管辖范围内")

// manage gives the counter of the caller's scope, locked.
func (s *Service) manage(ctx context.Context, tx sqlx.ExtContext, id string, p *access.Principal) (*RealNameCounter, error) {
	if !input.ID(id) {
		return nil, errNoCounter
	}
	c, err := lockCounter(ctx, tx, id)
	if err == nil && (c == nil || !p.Covers(c.AreaCode)) {
		err = errNoCounter
	}
	if err == nil && c.State != CounterOpen {
		err = fault.New(fault.Conflict, "该核验点已关闭")
	}
	return c, err
}

// CloseCounter takes the counter's places back; who has one there keeps it.
func (s *Service) CloseCounter(ctx context.Context, id string, version int) (c *RealNameCounter, err error) {
	p, err := access.Require(ctx, access.RealNameCounters)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if c, err = s.manage(ctx, tx, id, p); err != nil {
			return err
		}
		if c.Version != version {
			return fault.New(fault.Conflict, "该核验点刚刚已变化，请刷新后重试")
		}
		before := c.audited()
		c.State, c.Version = CounterClosed, c.Version+1
		audit.Change(ctx, audit.Target{Kind: "RealNameCounter", ID: c.ID, Area: c.AreaCode}, before, c.audited())
		return updateCounter(ctx, tx, c, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// OpenCounterSlotsInput makes times at a counter.
type OpenCounterSlotsInput struct {
	CounterID string
	StartsAt  []time.Time
	Minutes   int
	Capacity  int
}

const (
	maxSlots = 100
	// horizon is how far ahead times are opened and shown.
	horizon = 60 * day
)

// OpenSlots makes times with places at the counter.
func (s *Service) OpenSlots(ctx context.Context, in OpenCounterSlotsInput) ([]*CounterSlot, error) {
	p, err := access.Require(ctx, access.RealNameCounters)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	switch {
	case len(in.StartsAt) == 0 || len(in.StartsAt) > maxSlots:
		return nil, fault.Invalid("input.startsAt", "请选择 1 到 %d 个时段", maxSlots)
	case in.Minutes < 5 || in.Minutes > 480:
		return nil, fault.Invalid("input.minutes", "时长须为 5 到 480 分钟")
	case in.Capacity < 1 || in.Capacity > 100:
		return nil, fault.Invalid("input.capacity", "名额须为 1 到 100")
	}
	var made []*CounterSlot
	for _, at := range in.StartsAt {
		if !at.After(now) || at.After(now.Add(horizon)) {
			return nil, fault.Invalid("input.startsAt", "时段须在此后 %d 天内", horizon/day)
		}
		id, err := identifier.New()
		if err != nil {
			return nil, err
		}
		made = append(made, &CounterSlot{ID: id, CounterID: in.CounterID, StartsAt: at.Truncate(time.Minute), EndsAt: at.Truncate(time.Minute).Add(time.Duration(in.Minutes) * time.Minute), Capacity: in.Capacity})
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		c, err := s.manage(ctx, tx, in.CounterID, p)
		if err != nil {
			return err
		}
		for _, slot := range made {
			err := insertSlot(ctx, tx, slot)
			if database.Duplicate(err, "realname_slot_start") {
				return fault.New(fault.Conflict, "该核验点已有同一时间开始的时段")
			}
			if err != nil {
				return err
			}
		}
		audit.Change(ctx, audit.Target{Kind: "RealNameCounter", ID: c.ID, Area: c.AreaCode}, nil, map[string]any{"slots": len(made), "capacity": in.Capacity})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// shownSlots bounds the coming slots of a counter.
const shownSlots = 100

// Slots gives the coming times of the counters that have a place left, the
// first hundred of each. One statement.
func (s *Service) Slots(ctx context.Context, counterIDs []string) (map[string][]*CounterSlot, error) {
	found := map[string][]*CounterSlot{}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := comingSlots(ctx, tx, input.IDs(counterIDs), s.Now(), shownSlots)
		for _, slot := range together(list) {
			found[slot.CounterID] = append(found[slot.CounterID], slot)
		}
		return err
	})
}

// SlotsByIDs gives the times of the IDs. One statement.
func (s *Service) SlotsByIDs(ctx context.Context, ids []string) (map[string]*CounterSlot, error) {
	found := map[string]*CounterSlot{}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := slotsByIDs(ctx, tx, input.IDs(ids))
		for _, slot := range together(list) {
			found[slot.ID] = slot
		}
		return err
	})
}

func together(list []*CounterSlot) []*CounterSlot {
	siblings := batch.NewSiblings(list)
	for _, slot := range list {
		slot.siblings = siblings
	}
	return list
}

// CountersByIDs gives the counters of the IDs. One statement.
func (s *Service) CountersByIDs(ctx context.Context, ids []string) (map[string]*RealNameCounter, error) {
	found := map[string]*RealNameCounter{}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := countersByIDs(ctx, tx, input.IDs(ids))
		siblings := batch.NewSiblings(list)
		for _, c := range list {
			c.siblings, found[c.ID] = siblings, c
		}
		return err
	})
}
