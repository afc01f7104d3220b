package clientapp

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
)

// Meter bounds and counts what applications call: in Redis, so that all
// gateways count together; what becomes of the calls is counted here and
// written every few seconds.
type Meter struct {
	DB    *database.DB
	Redis redis.UniversalClient
	Now   func() time.Time
	Log   *slog.Logger

	mu    sync.Mutex
	tally map[string]*Day // by application and day
}

// beijing is where days begin and end.
var beijing = time.FixedZone("CST", 8*3600)

func dayOf(at time.Time) string { return at.In(beijing).Format(time.DateOnly) }

// take counts a call of the second and, where that lets it through, of the day.
var take = redis.NewScript(`
local second = redis.call('INCR', KEYS[1])
if second == 1 then redis.call('PEXPIRE', KEYS[1], 2000) end
if second > tonumber(ARGV[1]) then return 1 end
if tonumber(ARGV[2]) == 0 then return 0 end
local day = redis.call('INCR', KEYS[2])
if day == 1 then redis.call('EXPIRE', KEYS[2], 172800) end
if day > tonumber(ARGV[2]) then return 2 end
return 0`)

const meterTimeout = time.Second

// Take lets one call of the application through, or refuses it with a fault:
// over the rate of the second, or over the quota of the day (0 for none).
func (m *Meter) Take(ctx context.Context, appID string, day, second int) error {
	now := m.Now()
	ctx, cancel := context.WithTimeout(ctx, meterTimeout)
	defer cancel()
	keys := []string{
		"platform:clientapp:{" + appID + "}:second:" + now.UTC().Format("150405"),
		"platform:clientapp:{" + appID + "}:day:" + dayOf(now),
	}
	reached, err := take.Run(ctx, m.Redis, keys, second, day).Int()
	switch {
	case err != nil:
		return limit.Away(err)
	case reached == 1:
		f := fault.New(fault.RateLimited, "应用的调用过于频繁，每秒最多 %d 次", second)
		f.RetryAfter = 1
		return f
	case reached == 2:
		f := fault.New(fault.RateLimited, "应用今日的调用量已用完，每日最多 %d 次", day)
		tomorrow := now.In(beijing).AddDate(0, 0, 1)
		f.RetryAfter = int(time.Date(tomorrow.Year(), tomorrow.Month(), tomorrow.Day(), 0, 0, 0, 0, beijing).Sub(now).Seconds()) + 1
		return f
	}
	return nil
}

// maxTally bounds what is counted before it is written.
const maxTally = 10_000

// Called counts a call that ran, with whether it had errors.
func (m *Meter) Called(appID string, failed bool) {
	m.count(appID, func(d *Day) {
		d.Calls++
		if failed {
			d.Errors++
		}
	})
}

// Refused counts a call that did not run.
func (m *Meter) Refused(appID string) { m.count(appID, func(d *Day) { d.Refusals++ }) }

func (m *Meter) count(appID string, add func(*Day)) {
	day := dayOf(m.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tally == nil {
		m.tally = map[string]*Day{}
	}
	d := m.tally[appID+day]
	if d == nil {
		if len(m.tally) >= maxTally {
			return
		}
		d = &Day{ClientAppID: appID, Day: day}
		m.tally[appID+day] = d
	}
	add(d)
}

// Flush writes what was counted; what cannot be written is kept.
func (m *Meter) Flush(ctx context.Context) error {
	m.mu.Lock()
	counted := m.tally
	m.tally = nil
	m.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	err := m.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		for _, d := range counted {
			if err := add(ctx, tx, *d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for _, d := range counted {
			m.back(*d)
		}
	}
	return err
}

func (m *Meter) back(lost Day) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tally == nil {
		m.tally = map[string]*Day{}
	}
	if d := m.tally[lost.ClientAppID+lost.Day]; d != nil {
		d.Calls, d.Errors, d.Refusals = d.Calls+lost.Calls, d.Errors+lost.Errors, d.Refusals+lost.Refusals
	} else {
		m.tally[lost.ClientAppID+lost.Day] = &lost
	}
}

// flushEvery is how long figures may wait.
const flushEvery = 5 * time.Second

// Run writes what is counted until the context ends, and then once more.
func (m *Meter) Run(ctx context.Context) error {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return m.Flush(last)
		case <-ticker.C:
			if err := m.Flush(ctx); err != nil && ctx.Err() == nil {
				m.Log.WarnContext(ctx, "calls of applications not written, will try again", "error", err)
			}
		}
	}
}
