package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Appender takes what the subgraphs record into the log. Any number of
// processes may run one: a lock lets one at a time work, so that there is one chain.
type Appender struct {
	DB     *database.DB
	Sealer *Sealer
	Now    func() time.Time
	Log    *slog.Logger
}

// Source is where records come from; *event.Bus is the real one.
type Source interface {
	Gather(ctx context.Context, durable string, size int, handle func(context.Context, []event.Event) error) error
}

const (
	durable = "platform-audit"
	// batch is how many records are appended at once, under one signature.
	batch = 500
	// closing is how often a day that is over is looked for.
	closing = time.Minute
)

// Run appends until the context ends, and closes each day once it is over.
func (a *Appender) Run(ctx context.Context, from Source) error {
	stop := make(chan struct{})
	defer close(stop)
	go a.keepClosing(ctx, stop)
	return from.Gather(ctx, durable, batch, a.Append)
}

func (a *Appender) keepClosing(ctx context.Context, stop <-chan struct{}) {
	ticker := time.NewTicker(closing)
	defer ticker.Stop()
	for {
		if err := a.Close(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "audit: the day before is not sealed, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

// Append takes the events' records into the log, each once however often it
// comes. An error says that none was taken, and that it may work later.
func (a *Appender) Append(ctx context.Context, events []event.Event) error {
	var entries []*AuditEntry
	for _, e := range events {
		var r record.Record
		if err := e.Read(&r); err != nil || !input.ID(e.ID) {
			a.Log.ErrorContext(ctx, "audit: a record cannot be read", "event", e.ID, "payload", string(e.Payload), "error", err)
			r = record.Record{At: e.At, Action: "unreadable", Result: "INTERNAL", Changes: []record.Entry{{}}}
			r.Subgraph, _, _ = strings.Cut(e.Subject, ".")
		}
		entries = append(entries, entriesOf(e.ID, r)...)
	}
	return a.turn(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return a.extend(ctx, tx, entries) })
}

// Close makes the seal of a day that is over final.
func (a *Appender) Close(ctx context.Context) error {
	return a.turn(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		last, err := lastSeal(ctx, tx)
		if err != nil || last == nil || last.Final || last.Day >= dayOf(a.Now()) {
			return err
		}
		return a.seal(ctx, tx, last, true)
	})
}

// turn runs fn as the only one who appends.
func (a *Appender) turn(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "audit"), 30*time.Second)
	defer cancel()
	return a.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('platform.audit_entry'))`); err != nil {
			return fmt.Errorf("audit: waiting for the turn: %w", err)
		}
		return fn(ctx, tx)
	})
}

// extend chains the new ones among the entries to the log.
func (a *Appender) extend(ctx context.Context, tx *sqlx.Tx, entries []*AuditEntry) error {
	entries, err := unseen(ctx, tx, entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	if err := fillPosts(ctx, tx, entries); err != nil {
		return err
	}
	head, err := lastSeal(ctx, tx)
	if err != nil {
		return err
	}
	today := dayOf(a.Now())
	switch {
	case head == nil:
		head = &Seal{Day: today, Previous: nothing}
	case head.Final && head.Day >= today: // the clock went back over midnight
		return fmt.Errorf("audit: %s is sealed, and today is %s", head.Day, today)
	case head.Day < today:
		if !head.Final {
			if err := a.seal(ctx, tx, head, true); err != nil {
				return err
			}
		}
		head = &Seal{Day: today, Previous: head.Root}
	}
	if head.Count == 0 {
		if err := partition(ctx, tx, head.Day); err != nil {
			return err
		}
		head.Root = origin(head.Day, head.Previous)
	}
	for _, e := range entries {
		head.Count++
		e.Day, e.Seq = head.Day, head.Count
		e.Digest = e.chained(head.Root)
		head.Root = e.Digest
	}
	if err := insert(ctx, tx, entries); err != nil {
		return err
	}
	return a.seal(ctx, tx, head, false)
}

// seal signs what the day has come to.
func (a *Appender) seal(ctx context.Context, tx *sqlx.Tx, s *Seal, final bool) error {
	s.Final, s.SealedAt = final, a.Now().UTC().Truncate(time.Microsecond)
	if err := a.Sealer.sign(s); err != nil {
		return err
	}
	return putSeal(ctx, tx, s)
}

// entriesOf are the entries of a record, one a target. Each has an ID that
// follows from the event's, so that the same event makes the same entries.
func entriesOf(eventID string, r record.Record) []*AuditEntry {
	if len(r.Changes) == 0 {
		r.Changes = []record.Entry{{}}
	}
	entries := make([]*AuditEntry, len(r.Changes))
	for i, change := range r.Changes {
		e := &AuditEntry{
			ID: eventID, At: r.At.UTC().Truncate(time.Microsecond), Subgraph: r.Subgraph, Action: r.Action, Result: r.Result,
			ActorKind: string(r.Actor.Kind), ActorID: r.Actor.ID, ActorName: r.Actor.Name, ActorUnit: r.Actor.Unit, Delegation: r.Actor.Delegation, assignment: r.Actor.Assignment, Session: r.Actor.Session,
			AreaCode: division.CityCode, Client: r.Client, Address: r.Address, RequestID: r.Request, TraceID: r.Trace, Purpose: r.Purpose,
			TargetKind: change.Kind, TargetID: change.ID, Before: text(change.Before), After: text(change.After), Input: text(r.Input),
			Roles: []string{},
		}
		for _, role := range r.Actor.Roles {
			e.Roles = append(e.Roles, string(role))
		}
		for _, area := range []string{r.Actor.Area, change.Area} {
			if division.Valid(area) {
				e.AreaCode = area
			}
		}
		if i > 0 {
			e.ID = uuid.NewSHA1(uuid.MustParse(eventID), fmt.Append(nil, i)).String()
		}
		entries[i] = e.clean()
	}
	return entries
}

// text is the JSON as it is kept; "" for none.
func text(raw json.RawMessage) string {
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

// clean takes out what PostgreSQL's texts cannot hold.
func (e *AuditEntry) clean() *AuditEntry {
	for _, field := range []*string{&e.Subgraph, &e.Action, &e.Result, &e.ActorKind, &e.ActorID, &e.ActorName, &e.ActorUnit, &e.Delegation, &e.Session, &e.Client,
		&e.Address, &e.RequestID, &e.TraceID, &e.Purpose, &e.TargetKind, &e.TargetID, &e.Before, &e.After, &e.Input} {
		*field = strings.ToValidUTF8(strings.ReplaceAll(*field, "\x00", ""), "\uFFFD")
	}
	return e
}
