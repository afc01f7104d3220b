package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// horizon is how far ahead the calendar is read: the longest time limit, over
// the longest holidays.
const horizon = 150 * 24 * time.Hour

// maxHolders bounds the holders of one post.
const maxHolders = 200

// world tells the engine what it needs to know, within one transaction as the
// system. What cannot be read is kept as err, to be asked after the step.
type world struct {
	ctx     context.Context
	tx      sqlx.QueryerContext
	now     time.Time
	holders map[engine.Post][]string
	active  map[string]bool
	days    *workday.Calendar
	err     error
}

func newWorld(ctx context.Context, tx sqlx.QueryerContext, now time.Time) *world {
	return &world{ctx: ctx, tx: tx, now: now, holders: map[engine.Post][]string{}, active: map[string]bool{}}
}

func (w *world) engine() engine.World {
	return engine.World{Now: w.now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Holders: w.holdersOf, Active: w.isActive, Due: w.due}
}

func (w *world) failed(err error) { // the first failure counts
	if w.err == nil {
		w.err = err
	}
}

func (w *world) holdersOf(p engine.Post) []string {
	if known, ok := w.holders[p]; ok {
		return known
	}
	var ids []string
	err := sqlx.SelectContext(w.ctx, w.tx, &ids, `
		SELECT DISTINCT a.worker_id FROM platform.assignment a JOIN platform.worker w ON w.id = a.worker_id
		WHERE a.area_code = $1 AND $2 = ANY (a.roles) AND w.state = 'ACTIVE' AND a.valid_from <= $3 AND (a.valid_to IS NULL OR a.valid_to >= $3)
		ORDER BY a.worker_id LIMIT $4`, p.Area, string(p.Role), workday.Day(w.now), maxHolders)
	if err != nil {
		w.failed(fmt.Errorf("workflow: who is %s of %s: %w", p.Role, p.Area, err))
	}
	w.holders[p] = ids
	return ids
}

func (w *world) isActive(id string) bool {
	if known, ok := w.active[id]; ok {
		return known
	}
	if uuid.Validate(id) != nil {
		return false
	}
	var active bool
	err := sqlx.GetContext(w.ctx, w.tx, &active, `SELECT EXISTS (SELECT FROM platform.worker WHERE id = $1 AND state = 'ACTIVE')`, id)
	if err != nil {
		w.failed(fmt.Errorf("workflow: is worker %s active: %w", id, err))
	}
	w.active[id] = active
	return active
}

func (w *world) due(workdays int) time.Time {
	if w.days == nil {
		var rows []struct {
			Day  string `db:"day"`
			Work bool   `db:"work"`
		}
		err := sqlx.SelectContext(w.ctx, w.tx, &rows, `SELECT to_char(day, 'YYYY-MM-DD') AS day, work FROM platform.workday WHERE day BETWEEN $1::date AND $2::date`,
			workday.Day(w.now), workday.Day(w.now.Add(horizon)))
		if err != nil {
			w.failed(fmt.Errorf("workflow: reading the calendar: %w", err))
		}
		departures := make(map[string]bool, len(rows))
		for _, row := range rows {
			departures[row.Day] = row.Work
		}
		calendar := workday.New(departures)
		w.days = &calendar
	}
	return w.days.Add(w.now, workdays)
}
