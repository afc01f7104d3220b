// Package citizen answers the subgraph citizen's fields: each resolver is one
// call into a concept of subgraphs/citizen or into a loader.
//
// Start reading at New; the fields are in <concept>.resolver.go.
package citizen

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
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/token"
	loaders "github.com/citizencloud/citizencloud/loaders/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/entry"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/executable"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/favourite"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/simulator"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/usage"
)

// Deps is what every subgraph is given; this one uses DB, Bus, Now, Log and
// what is its own.
type Deps struct {
	DB          *database.DB
	Bus         *event.Bus
	Redis       redis.UniversalClient
	Verifier    *token.Verifier
	Now         func() time.Time
	Log         *slog.Logger
	Development bool
	// Channels are the payment channels; nil simulates them in development mode
	// or where SimulatePayments says so, and else opens none.
	Channels         map[channel.Name]channel.Channel
	SimulatePayments bool
}

// Resolver is the root of the resolvers, and the subgraph for who serves it.
type Resolver struct {
	accounts   *account.Follower
	db         *database.DB
	bus        *event.Bus // nil where one process is alone
	log        *slog.Logger
	journal    *audit.Journal
	catalogue  *catalogue.Catalogue
	entries    *entry.Entries
	favourites *favourite.Favourites
	usage      *usage.Usage
	payments   *payment.Payments
	simulator  func() *simulator.Simulator // nil where nothing is simulated
	loaders    loaders.Sources
}

// New makes the subgraph's resolvers.
func New(d Deps) *Resolver {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	r := &Resolver{db: d.DB, bus: d.Bus, log: d.Log, catalogue: catalogue.New(d.DB),
		journal: &audit.Journal{Subgraph: "citizen", DB: d.DB, Now: d.Now, Log: d.Log}}
	r.entries = entry.New(d.DB, r.catalogue)
	r.favourites = favourite.New(d.DB, r.catalogue, d.Now)
	r.usage = usage.New(d.DB, r.catalogue, d.Now)
	r.payments, r.simulator = cashier(d)
	r.accounts = &account.Follower{Subgraph: "citizen", DB: d.DB, Log: d.Log, Keepers: []account.Keeper{r.favourites.Keeper(), r.usage.Keeper(), r.payments.Keeper()}}
	r.loaders = loaders.Sources{Catalogue: r.catalogue, Favourites: r.favourites, Usage: r.usage, Payments: r.payments}
	return r
}

// Executable is the subgraph's schema with these resolvers; its mutations are recorded.
func (r *Resolver) Executable() graphql.ExecutableSchema {
	return r.journal.Around(executable.NewExecutableSchema(executable.Config{Resolvers: r, Directives: executable.DirectiveRoot{Can: can.Field, Personal: personal.Field}}))
}

// Context puts the request's loaders into the context.
func (r *Resolver) Context(ctx context.Context) context.Context { return r.loaders.With(ctx) }

// Run brings the checked-in catalogue into the database, then counts uses and
// watches the catalogue for others' changes until the context ends.
func (r *Resolver) Run(ctx context.Context) error {
	if err := catalogue.Load(ctx, r.db); err != nil {
		return err
	}
	r.catalogue.Renew(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.payments.Run(ctx) })
	if r.bus == nil {
		group.Go(func() error { return r.usage.Run(ctx, r.log) })
		return group.Wait()
	}
	group.Go(func() error { r.catalogue.Watch(ctx, r.bus, r.log); return nil })
	group.Go(func() error { return r.usage.Run(ctx, r.log) })
	group.Go(func() error { return r.accounts.Run(ctx, r.bus) })
	return group.Wait()
}

// payload answers a change of a service.
func payload(s *catalogue.Service, err error) (*executable.ServicePayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.ServicePayload{Service: *s}, nil
}

// length checks the argument first of a plain list.
func length(first *int) (int, error) {
	page, err := keyset.Parse(first, nil, 1)
	return page.Size, err
}

// own loads a list for the citizen who asks; everybody else's is nil.
func (r *Resolver) own(ctx context.Context, list *batch.Loader[int, []*catalogue.Service], citizens []*executable.Citizen, first *int) ([][]*catalogue.Service, error) {
	n, err := length(first)
	if err != nil {
		return nil, err
	}
	p := access.From(ctx)
	return batch.Each(ctx, list, citizens, func(c *executable.Citizen) (int, bool) {
		return n, p != nil && p.Kind == access.Citizen && p.ID == c.ID
	})
}

// viewer is the ID of the principal, "" for nobody.
func viewer(ctx context.Context) string {
	if p := access.From(ctx); p != nil {
		return p.ID
	}
	return ""
}

func id(s *catalogue.Service) (string, bool) { return s.ID, true }

// text gives an optional text, "" for none.
func text(t *string) string {
	if t == nil {
		return ""
	}
	return *t
}
