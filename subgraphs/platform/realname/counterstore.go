package realname

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const (
	counterColumns = `id, name, area_code, address, state, version`
	slotColumns    = `id, counter_id, starts_at, ends_at, capacity, taken`
)

func communityExists(ctx context.Context, tx sqlx.QueryerContext, code string) (exists bool, err error) {
	err = sqlx.GetContext(ctx, tx, &exists, `SELECT EXISTS (SELECT FROM platform.area WHERE code = $1 AND level = 'COMMUNITY' AND (valid_to IS NULL OR valid_to > current_date))`, code)
	if err != nil {
		return false, fmt.Errorf("realname: looking for the community: %w", err)
	}
	return exists, nil
}

func insertCounter(ctx context.Context, tx sqlx.ExecerContext, c *RealNameCounter, at time.Time) error {
	return execute(ctx, tx, "opening a counter", `
		INSERT INTO platform.realname_counter (id, name, area_code, address, state, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
		c.ID, c.Name, c.AreaCode, c.Address, c.State, c.Version, at)
}

func updateCounter(ctx context.Context, tx sqlx.ExecerContext, c *RealNameCounter, at time.Time) error {
	return execute(ctx, tx, "changing a counter", `UPDATE platform.realname_counter SET state = $2, version = $3, updated_at = $4 WHERE id = $1`, c.ID, c.State, c.Version, at)
}

func lockCounter(ctx context.Context, tx sqlx.QueryerContext, id string) (*RealNameCounter, error) {
	return one[RealNameCounter](ctx, tx, "a counter", `SELECT `+counterColumns+` FROM platform.realname_counter WHERE id = $1 FOR UPDATE`, id)
}

func countersByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*RealNameCounter, error) {
	return many[RealNameCounter](ctx, tx, "counters", `SELECT `+counterColumns+` FROM platform.realname_counter WHERE id = ANY($1::uuid[])`, pq.Array(ids))
}

// countersOf gives a page of the open counters of an area and all below it, by
// area and ID. ':' sorts after '9'.
func countersOf(ctx context.Context, tx sqlx.QueryerContext, areaCode string, page keyset.Page) ([]*RealNameCounter, error) {
	area, id := after(page)
	return many[RealNameCounter](ctx, tx, "counters of an area", `SELECT `+counterColumns+` FROM platform.realname_counter
		WHERE state = 'OPEN' AND area_code >= $1 AND area_code < $1 || ':' AND (area_code, id) > ($2, $3::uuid) ORDER BY area_code, id LIMIT $4`,
		division.Prefix(areaCode), area, id, page.Limit())
}

// after is the key of area and ID to go on behind.
func after(page keyset.Page) (area, id string) {
	if page.After == nil {
		return "", identifier.First
	}
	return page.After[0], page.After[1]
}

func insertSlot(ctx context.Context, tx sqlx.ExecerContext, s *CounterSlot) error {
	return execute(ctx, tx, "opening a slot", `
		INSERT INTO platform.realname_slot (id, counter_id, starts_at, ends_at, capacity) VALUES ($1, $2, $3, $4, $5)`, s.ID, s.CounterID, s.StartsAt, s.EndsAt, s.Capacity)
}

func slotsByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*CounterSlot, error) {
	return many[CounterSlot](ctx, tx, "slots", `SELECT `+slotColumns+` FROM platform.realname_slot WHERE id = ANY($1::uuid[])`, pq.Array(ids))
}

// comingSlots gives of each counter the first slots to come that have a place.
func comingSlots(ctx context.Context, tx sqlx.QueryerContext, counterIDs []string, now time.Time, first int) ([]*CounterSlot, error) {
	return many[CounterSlot](ctx, tx, "coming slots", `
		SELECT s.id, s.counter_id, s.starts_at, s.ends_at, s.capacity, s.taken FROM unnest($1::uuid[]) AS c (id)
		CROSS JOIN LATERAL (SELECT * FROM platform.realname_slot WHERE counter_id = c.id AND starts_at > $2 AND taken < capacity ORDER BY starts_at LIMIT $3) AS s
		ORDER BY s.counter_id, s.starts_at`, pq.Array(counterIDs), now, first)
}

// takeSlot takes a place of a slot to come at an open counter, and gives the
// counter; nil when there is none left.
func takeSlot(ctx context.Context, tx sqlx.QueryerContext, id string, now time.Time) (*RealNameCounter, error) {
	return one[RealNameCounter](ctx, tx, "taking a place", `
		UPDATE platform.realname_slot s SET taken = taken + 1 FROM platform.realname_counter c
		WHERE s.id = $1 AND c.id = s.counter_id AND c.state = 'OPEN' AND s.starts_at > $2 AND s.taken < s.capacity
		RETURNING c.id, c.name, c.area_code, c.address, c.state, c.version`, id, now)
}

// freeSlot gives the place back, where its time is still to come.
func freeSlot(ctx context.Context, tx sqlx.ExecerContext, id string, now time.Time) error {
	return execute(ctx, tx, "giving a place back", `UPDATE platform.realname_slot SET taken = taken - 1 WHERE id = $1 AND starts_at > $2 AND taken > 0`, id, now)
}
