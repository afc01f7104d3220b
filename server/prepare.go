package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/server/migration"
	platformdemo "github.com/citizencloud/citizencloud/subgraphs/platform/demonstration"
)

// prepareDatabase migrates the subgraphs' schemas and brings in their base data
// and, for a scale other than none, the demonstration data; what is there stays.
func prepareDatabase(ctx context.Context, in installation, g *ground, all []component) error {
	sources := make([]migration.Source, len(all))
	for i, c := range all {
		sources[i] = migration.Source{Subgraph: c.name, Files: c.migrations}
	}
	if err := migration.Up(ctx, in.State.DatabaseURL, sources, in.Log); err != nil {
		return err
	}
	owner, err := sqlx.Open("postgres", in.State.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connecting as the owner: %w", err)
	}
	defer func() { _ = owner.Close() }()
	cast := demonstration.New(demonstration.Scale(in.Scale), g.now())
	for _, c := range all {
		began := time.Now()
		if err := c.demonstrate(ctx, owner, cast, g); err != nil {
			return fmt.Errorf("loading the data of %s: %w", c.name, err)
		}
		if took := time.Since(began); took > time.Second {
			in.Log.InfoContext(ctx, "loaded", "subgraph", c.name, "scale", in.Scale, "took", took.Round(time.Millisecond))
		}
	}
	return showAdministrator(ctx, in, g, owner)
}

// showAdministrator tells, in an installation without demonstration data, who
// may sign in first, until the system administrator has.
func showAdministrator(ctx context.Context, in installation, g *ground, owner *sqlx.DB) error {
	if in.Scale != string(demonstration.None) || in.Greet == nil {
		return nil
	}
	isNew, err := platformdemo.AdministratorIsNew(ctx, owner)
	if err != nil || !isNew {
		return err
	}
	for _, login := range platformdemo.AdministratorLogins() {
		in.Greet(login, platformdemo.AdministratorPassword(demonstration.None, g.personal, login))
	}
	return nil
}
