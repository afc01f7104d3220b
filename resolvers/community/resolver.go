// Package community answers the fields of the community subgraph: each
// resolver is one call into a concept or into a loader.
//
// Start reading at New.
package community

import (
	"context"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access/can"
	"github.com/citizencloud/citizencloud/foundation/access/personal"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/token"
	loaders "github.com/citizencloud/citizencloud/loaders/community"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/board"
	"github.com/citizencloud/citizencloud/subgraphs/community/executable"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// Deps is what the subgraph stands on.
type Deps struct {
	DB          *database.DB
	Bus         *event.Bus
	Redis       redis.UniversalClient // not used by this subgraph
	Verifier    *token.Verifier
	Now         func() time.Time
	Log         *slog.Logger
	Development bool
}

// Resolver is the root of all resolvers.
type Resolver struct {
	accounts   *account.Follower
	cases      *feedback.Desk
	watch      *feedback.Watch
	activities *activity.Desk
	boards     *board.Hub
	calendar   *workday.Desk
	bus        *event.Bus
	log        *slog.Logger
	journal    *audit.Journal
}

// New makes the subgraph.
func New(d Deps) *Resolver {
	cases := &feedback.Desk{DB: d.DB, Receipts: d.Verifier, Clock: d.Now}
	activities := &activity.Desk{DB: d.DB, Clock: d.Now}
	return &Resolver{
		accounts:   &account.Follower{Subgraph: "community", DB: d.DB, Log: d.Log, Keepers: []account.Keeper{cases.Keeper(), activities.Keeper()}},
		cases:      cases,
		watch:      &feedback.Watch{Desk: cases, Source: d.Bus, Log: d.Log},
		activities: activities,
		boards:     &board.Hub{DB: d.DB, Source: d.Bus, Clock: d.Now, Log: d.Log},
		calendar:   &workday.Desk{DB: d.DB},
		bus:        d.Bus,
		log:        d.Log,
		journal:    &audit.Journal{Subgraph: "community", DB: d.DB, Now: d.Now, Log: d.Log},
	}
}

// Executable is the subgraph's schema with its resolvers.
func (r *Resolver) Executable() graphql.ExecutableSchema {
	return r.journal.Around(executable.NewExecutableSchema(executable.Config{Resolvers: r, Directives: executable.DirectiveRoot{Can: can.Field, Personal: personal.Field}}))
}

// Context puts the request's loaders into the context.
func (r *Resolver) Context(ctx context.Context) context.Context {
	return loaders.With(ctx, loaders.New(r.cases, r.activities))
}

// load gives the request's loaders, or fresh ones.
func (r *Resolver) load(ctx context.Context) *loaders.Loaders {
	if l := loaders.From(ctx); l != nil {
		return l
	}
	return loaders.New(r.cases, r.activities)
}

// Run listens for changes, keeps the deadlines, and hands over the work of who
// leaves, until the context ends.
func (r *Resolver) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.boards.Run(ctx) })
	group.Go(func() error { return r.watch.Run(ctx) })
	group.Go(func() error { return r.keepDeadlines(ctx) })
	group.Go(func() error { return r.accounts.Run(ctx, r.bus) })
	group.Go(func() error {
		return r.bus.ConsumeStored(ctx, "community-handover", feedback.SubjectLeft, r.cases.HandOver)
	})
	return group.Wait()
}

// deadlines is how often deadlines are looked after.
const deadlines = time.Minute

// keepDeadlines closes what is to close by itself, and tells what is overdue.
// Any number of processes may do so at once.
func (r *Resolver) keepDeadlines(ctx context.Context) error {
	ticker := time.NewTicker(deadlines)
	defer ticker.Stop()
	for {
		for _, keep := range []func(context.Context) error{r.cases.KeepDeadlines, r.activities.KeepDeadlines} {
			if err := keep(ctx); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "deadlines not kept, will try again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
