package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/graph/persisted"
	"github.com/citizencloud/citizencloud/resolvers/citizen"
	"github.com/citizencloud/citizencloud/resolvers/community"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/resolvers/supply"
	citizendemo "github.com/citizencloud/citizencloud/subgraphs/citizen/demonstration"
	citizenmigrations "github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
	communitydemo "github.com/citizencloud/citizencloud/subgraphs/community/demonstration"
	communitymigrations "github.com/citizencloud/citizencloud/subgraphs/community/migrations"
	platformdemo "github.com/citizencloud/citizencloud/subgraphs/platform/demonstration"
	platformmigrations "github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	supplydemo "github.com/citizencloud/citizencloud/subgraphs/supply/demonstration"
	supplymigrations "github.com/citizencloud/citizencloud/subgraphs/supply/migrations"
)

// component is one subgraph: what is known of it before it runs.
type component struct {
	name       string // in the supergraph, and of its PostgreSQL schema
	migrations fs.FS
	// resolvers builds the running subgraph.
	resolvers func(g *ground, in installation) resolvers
	// demonstrate brings in base data, and the story when the cast has one.
	demonstrate func(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast, g *ground) error
}

// resolvers is a subgraph at work; every resolvers/<name> offers it.
type resolvers interface {
	// Executable is the schema with its resolvers.
	Executable() graphql.ExecutableSchema
	// Context readies the context of one fetch: loaders.
	Context(ctx context.Context) context.Context
	// Run does the background work until the context ends.
	Run(ctx context.Context) error
}

// handlers is what the platform subgraph serves beside GraphQL.
type handlers interface {
	FileHandler() http.Handler
	InboxHandler() http.Handler
	ReceiptHandler() http.Handler
	OpenIDHandler() http.Handler
}

// partnerOperations are the names of what third-party applications may be
// granted; nil where their manifest cannot be read, which the gateway refuses.
func partnerOperations() []string {
	manifest, err := clients.Manifest(clients.Partner)
	if err != nil {
		return nil
	}
	manifests, err := persisted.Load(map[string][]byte{clients.Partner: manifest})
	if err != nil {
		return nil
	}
	var names []string
	for _, operation := range manifests.Operations(clients.Partner) {
		names = append(names, operation.Name)
	}
	return names
}

// payee is what the citizen subgraph serves beside GraphQL.
type payee interface {
	NoticeHandler() http.Handler
	CashierHandler() http.Handler
}

// components are the four subgraphs; platform is first, the others' data refers to its.
func components() []component {
	return []component{
		{
			name: "platform", migrations: platformmigrations.FS,
			resolvers: func(g *ground, in installation) resolvers {
				return platform.New(platform.Deps{DB: g.db, Bus: g.bus, Redis: g.redis, Signer: g.signer, Verifier: g.verifier,
					Files: g.files, Keys: g.personal, Seals: g.seals, Scanner: in.Outside.scanner, SMS: in.Outside.sms, Others: in.Outside.others, Carriers: in.Outside.carriers,
					Register: in.Outside.register, Face: in.Outside.face, RealName: in.Outside.realName, Now: g.now, Log: g.log, LogMonths: in.LogMonths, Development: in.Development,
					PublicURL: in.PublicURL, Proxies: in.Proxies, PartnerOperations: partnerOperations()})
			},
			demonstrate: func(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast, g *ground) error {
				return platformdemo.Load(ctx, owner, cast, g.personal, g.files)
			},
		},
		{
			name: "citizen", migrations: citizenmigrations.FS,
			resolvers: func(g *ground, in installation) resolvers {
				return citizen.New(citizen.Deps{DB: g.db, Bus: g.bus, Redis: g.redis, Verifier: g.verifier, Now: g.now, Log: g.log, Development: in.Development,
					SimulatePayments: in.Outside.simulatePayments})
			},
			demonstrate: func(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast, _ *ground) error {
				return citizendemo.Load(ctx, owner, cast)
			},
		},
		{
			name: "community", migrations: communitymigrations.FS,
			resolvers: func(g *ground, in installation) resolvers {
				return community.New(community.Deps{DB: g.db, Bus: g.bus, Redis: g.redis, Verifier: g.verifier, Now: g.now, Log: g.log, Development: in.Development})
			},
			demonstrate: func(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast, _ *ground) error {
				return communitydemo.Load(ctx, owner, cast)
			},
		},
		{
			name: "supply", migrations: supplymigrations.FS,
			resolvers: func(g *ground, in installation) resolvers {
				return supply.New(supply.Deps{DB: g.db, Bus: g.bus, Redis: g.redis, Verifier: g.verifier, Now: g.now, Log: g.log, Development: in.Development})
			},
			demonstrate: func(ctx context.Context, owner *sqlx.DB, cast *demonstration.Cast, _ *ground) error {
				return supplydemo.Load(ctx, owner, cast)
			},
		},
	}
}

// componentNamed finds one of them.
func componentNamed(name string) (component, error) {
	for _, c := range components() {
		if c.name == name {
			return c, nil
		}
	}
	return component{}, fmt.Errorf("there is no subgraph %q", name)
}

// relay moves the subgraph's committed events to the bus.
func (c component) relay(g *ground, in installation) *outbox.Relay {
	return &outbox.Relay{DB: g.db, URL: in.State.DatabaseAppURL, Subgraph: c.name, Publisher: g.bus, Log: g.log}
}
