// Package account follows the ends of citizens' accounts in a subgraph that
// keeps rows of citizens: when an account was merged its rows become the
// successor's, when it was cancelled what is personal in them is erased or
// loses its owner. Both come as events of the platform, perhaps twice, late or
// in another order than they happened; the subgraph's table ended_account
// remembers what became of each account.
//
// Start reading at Follower; what to do with rows the concepts say, as Keepers.
package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// The platform's events.
const (
	MergedSubject    = "platform.citizen.merged"
	CancelledSubject = "platform.citizen.cancelled"
)

// Keeper keeps rows of citizens. Both functions work in the transaction, as the
// system, and find nothing left to do when they are called again.
type Keeper struct {
	Name string // of the concept, for errors
	// Merge makes the rows of one citizen those of another; where both have what
	// one may have once, one of the two goes.
	Merge func(ctx context.Context, tx *sqlx.Tx, from, to string) error
	// Erase takes the citizen and what is personal out of the rows; what is
	// counted stays countable.
	Erase func(ctx context.Context, tx *sqlx.Tx, citizenID string) error
}

// Follower is one subgraph's.
type Follower struct {
	Subgraph string // also its schema in the database
	DB       *database.DB
	Keepers  []Keeper
	Log      *slog.Logger // nil is slog.Default
}

// Consumer is where events come from; *event.Bus is the real one.
type Consumer interface {
	ConsumeAll(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error
}

// Run follows both events until the context ends. None is given up: rows that
// stay behind would be somebody's personal data without an owner.
func (f *Follower) Run(ctx context.Context, from Consumer) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return from.ConsumeAll(ctx, f.Subgraph+"-accounts-merged", MergedSubject, f.Handle) })
	group.Go(func() error {
		return from.ConsumeAll(ctx, f.Subgraph+"-accounts-cancelled", CancelledSubject, f.Handle)
	})
	return group.Wait()
}

// Handle does what the event asks for; events about anything else are left.
func (f *Follower) Handle(ctx context.Context, e event.Event) error {
	if e.Subject != MergedSubject && e.Subject != CancelledSubject {
		return nil
	}
	var ended struct {
		CitizenID   string `json:"citizenId"`
		SuccessorID string `json:"successorId"`
	}
	merged := e.Subject == MergedSubject
	if err := e.Read(&ended); err != nil || !input.ID(ended.CitizenID) || merged && (!input.ID(ended.SuccessorID) || ended.SuccessorID == ended.CitizenID) {
		f.log().ErrorContext(ctx, "the end of an account cannot be read", "event", e.ID, "error", err)
		return nil // it will not be readable next time either
	}
	var successor *string
	if merged {
		successor = &ended.SuccessorID
	}
	err := f.DB.Write(access.AsSystem(ctx, "account"), func(tx *sqlx.Tx) error {
		return f.end(ctx, tx, ended.CitizenID, successor)
	})
	if err != nil {
		f.log().WarnContext(ctx, "the end of an account is not followed yet, will try again", "subgraph", f.Subgraph, "subject", e.Subject, "error", err)
	}
	return err
}

// longest bounds a chain of successors.
const longest = 50

func (f *Follower) end(ctx context.Context, tx *sqlx.Tx, id string, successor *string) error {
	// One end after the other: two of one chain at once would miss each other's rows.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, f.Subgraph+".ended_account"); err != nil {
		return fmt.Errorf("account: waiting for another end: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO `+f.Subgraph+`.ended_account (citizen_id, successor_id) VALUES ($1, $2) ON CONFLICT (citizen_id) DO NOTHING`, id, successor)
	if err != nil {
		return fmt.Errorf("account: remembering an end: %w", err)
	}
	// The successor's own end may have been told before.
	for range longest {
		if successor == nil {
			break
		}
		var next *string
		err := tx.GetContext(ctx, &next, `SELECT successor_id FROM `+f.Subgraph+`.ended_account WHERE citizen_id = $1`, *successor)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return fmt.Errorf("account: looking for the successor: %w", err)
		}
		successor = next
	}
	for _, k := range f.Keepers {
		if successor == nil {
			err = k.Erase(ctx, tx, id)
		} else {
			err = k.Merge(ctx, tx, id, *successor)
		}
		if err != nil {
			return fmt.Errorf("account: %s: %w", k.Name, err)
		}
	}
	return nil
}

// Each runs the statements, each with the same arguments: what a Keeper mostly does.
func Each(ctx context.Context, tx *sqlx.Tx, statements []string, args ...any) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

func (f *Follower) log() *slog.Logger {
	if f.Log != nil {
		return f.Log
	}
	return slog.Default()
}
