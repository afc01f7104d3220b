// Package supply answers the subgraph supply's fields: each resolver is one
// call into a concept of subgraphs/supply or into a loader.
//
// Start reading at New; the fields are in <concept>.resolver.go.
package supply

import (
	"context"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/access/can"
	"github.com/citizencloud/citizencloud/foundation/access/personal"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/token"
	loaders "github.com/citizencloud/citizencloud/loaders/supply"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/demand"
	"github.com/citizencloud/citizencloud/subgraphs/supply/executable"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Deps is what every subgraph is given; this one uses DB, Now and Log.
type Deps struct {
	DB          *database.DB
	Bus         *event.Bus
	Redis       redis.UniversalClient
	Verifier    *token.Verifier
	Now         func() time.Time
	Log         *slog.Logger
	Development bool
}

// Resolver is the root of the resolvers, and the subgraph for who serves it.
type Resolver struct {
	bus          *event.Bus // nil where one process is alone
	accounts     *account.Follower
	log          *slog.Logger
	journal      *audit.Journal
	participants *participant.Participants
	services     *communityservice.Services
	demands      *demand.Demands
	loaders      loaders.Sources
}

// New makes the subgraph's resolvers.
func New(d Deps) *Resolver {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	r := &Resolver{bus: d.Bus, log: d.Log, journal: &audit.Journal{Subgraph: "supply", DB: d.DB, Now: d.Now, Log: d.Log},
		participants: participant.New(d.DB), services: communityservice.New(d.DB, d.Now), demands: demand.New(d.DB, d.Now)}
	r.accounts = &account.Follower{Subgraph: "supply", DB: d.DB, Log: d.Log, Keepers: []account.Keeper{participant.Keeper(), demand.Keeper()}}
	r.loaders = loaders.Sources{Participants: r.participants, Services: r.services, Demands: r.demands}
	return r
}

// Executable is the subgraph's schema with these resolvers; its mutations are recorded.
func (r *Resolver) Executable() graphql.ExecutableSchema {
	return r.journal.Around(executable.NewExecutableSchema(executable.Config{Resolvers: r, Directives: executable.DirectiveRoot{Can: can.Field, Personal: personal.Field}}))
}

// Context puts the request's loaders into the context.
func (r *Resolver) Context(ctx context.Context) context.Context { return r.loaders.With(ctx) }

// Run lets demands expire until the context ends.
func (r *Resolver) Run(ctx context.Context) error {
	if r.bus == nil {
		return r.demands.Run(ctx, r.log)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.demands.Run(ctx, r.log) })
	group.Go(func() error { return r.accounts.Run(ctx, r.bus) })
	return group.Wait()
}

func participantPayload(p *participant.Participant, err error) (*executable.ParticipantPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.ParticipantPayload{Participant: *p}, nil
}

func servicePayload(s *communityservice.CommunityService, err error) (*executable.CommunityServicePayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.CommunityServicePayload{CommunityService: *s}, nil
}

func demandPayload(d *demand.Demand, err error) (*executable.DemandPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.DemandPayload{Demand: *d}, nil
}

// self says whether the citizen of the answer is the one who asks.
func self(ctx context.Context, citizenID string) bool {
	p := access.From(ctx)
	return p != nil && p.Kind == access.Citizen && p.ID == citizenID
}

// text gives an optional text, "" for none.
func text(t *string) string {
	if t == nil {
		return ""
	}
	return *t
}

// inOrder puts what was found in the order of the IDs, nil where nothing was.
func inOrder[T any](ids []string, found map[string]*T) []*T {
	all := make([]*T, len(ids))
	for i, id := range ids {
		all[i] = found[id]
	}
	return all
}
