// Package history keeps what was done to participants, services and demands:
// one line an action, never changed, written in the transaction of the change.
//
// Start reading at Line.
package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/subgraphs/supply/reference"
)

// Line is one action on one thing.
type Line struct {
	SubjectID string    `db:"subject_id"`
	Done      string    `db:"action"`
	Before    *string   `db:"from_state"` // nil for the first line
	After     string    `db:"to_state"`
	Note      *string   `db:"note"`
	ActorKind string    `db:"actor_kind"`
	ActorID   string    `db:"actor_id"`
	At        time.Time `db:"at"`
}

// Worker is who did it; nil when the owner or the platform did.
func (l *Line) Worker() *reference.Worker {
	if l.ActorKind != string(access.Worker) {
		return nil
	}
	return &reference.Worker{ID: l.ActorID}
}

// Subject is the thing that a line is about: row-level security shows the line
// to its owner and to the workers of its area.
type Subject struct {
	Kind     string // its type in the schema, for the audit log
	ID       string
	AreaCode string
	OwnerID  *string // of a citizen; nil when no citizen owns it
}

// Append writes a line; from is "" for the first.
func Append(ctx context.Context, tx sqlx.ExecerContext, s Subject, action, from, to string, note *string) error {
	by := access.From(ctx)
	var before *string
	if from != "" {
		before = &from
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO supply.history (subject_id, area_code, citizen_id, action, from_state, to_state, note, actor_kind, actor_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, s.ID, s.AreaCode, s.OwnerID, action, before, to, note, string(by.Kind), by.ID)
	if err != nil {
		return fmt.Errorf("history: %s of %s: %w", action, s.ID, err)
	}
	audit.Change(ctx, audit.Target{Kind: s.Kind, ID: s.ID, Area: s.AreaCode}, stateOf(from, nil), stateOf(to, note))
	return nil
}

// stateOf is what the audit log says of a state; nil where there was none.
func stateOf(state string, note *string) any {
	if state == "" {
		return nil
	}
	return map[string]any{"state": state, "note": note}
}

// limit bounds the lines that are shown of one thing.
const limit = 50

// Newest reads the newest lines of each thing, newest first.
func Newest(ctx context.Context, tx sqlx.QueryerContext, ids []string) (map[string][]Line, error) {
	var lines []Line
	err := sqlx.SelectContext(ctx, tx, &lines, `SELECT h.subject_id, h.action, h.from_state, h.to_state, h.note, h.actor_kind, h.actor_id, h.at
		FROM unnest($1::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
			SELECT id, subject_id, action, from_state, to_state, note, actor_kind, actor_id, at FROM supply.history
			WHERE subject_id = wanted.id ORDER BY id DESC LIMIT $2) h
		ORDER BY h.subject_id, h.id DESC`, pq.Array(ids), limit)
	if err != nil {
		return nil, fmt.Errorf("history: reading: %w", err)
	}
	by := make(map[string][]Line, len(ids))
	for _, line := range lines {
		by[line.SubjectID] = append(by[line.SubjectID], line)
	}
	return by, nil
}
