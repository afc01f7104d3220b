package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/embedded"
	"github.com/citizencloud/citizencloud/server/lifecycle"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
)

// serve runs the whole platform: listener, then state, then the service that
// wirePlatform builds over both; they stop in the opposite order.
func serve(ctx context.Context, line *config.Line, at terminal) error {
	settings := line.Serve
	for name := range settings.Subgraphs {
		if !config.KnownSubgraph(name) {
			return fmt.Errorf("--subgraph names %q; there are %s", name, config.SubgraphNames)
		}
	}
	development := settings.Mode == "development"
	proxies, err := settings.Proxies()
	if err != nil {
		return err
	}
	months, err := settings.Months()
	if err != nil {
		return err
	}
	costs, err := clientCosts(settings.MaxCost, development)
	if err != nil {
		return err
	}
	if err := checkPublicURL(settings.Public); err != nil {
		return err
	}
	p := newProcess(line, settings.Listener, development, true, at)
	state := p.state(settings.State, embedded.OpenAlone)
	p.serve(func(ctx context.Context) (*service, error) {
		outside, err := newProviders(settings.Providers, development, p.log)
		if err != nil {
			return nil, err
		}
		return wirePlatform(ctx, installation{
			State:       state(),
			Development: development,
			Outside:     outside,
			Scale:       settings.Scale,
			Remote:      settings.Subgraphs,
			Dedupe:      dedupe(settings.Dedupe),
			MaxCosts:    costs,
			Log:         p.log,
			Logs:        p.shipper,
			LogMonths:   months,
			Metrics:     p.counted(),
			Tracer:      p.tracing.Tracer(),
			Proxies:     proxies,
			Greet: func(login, password string) {
				_, _ = fmt.Fprintf(at.out, "citizencloud: nobody has signed in yet; the first administrator is %s, password %s\n", login, password)
			},
			URL:       "http://" + p.listener.bound(),
			PublicURL: publicURL(settings.Public, development, p.listener),
		})
	})
	return p.run(ctx, func(url string) {
		if development {
			fmt.Fprintf(at.out, "  big screen   %s/screen/\n  explorer     %s/explorer/\n  GraphQL      %s/graphql\n  health       %s/health\nCtrl-C stops it.\n", url, url, url, url)
		}
	})
}

// state adds the state to the parts; the returned function gives it once it is open.
func (p *process) state(settings config.State, open func(context.Context, embedded.Settings) (*embedded.State, error)) func() *embedded.State {
	var state *embedded.State
	p.parts.Add(lifecycle.Part{
		Name: "state",
		Start: func(ctx context.Context) (<-chan error, error) {
			opened, err := open(ctx, stateSettings(settings, p.log))
			if err != nil {
				return nil, err
			}
			state = opened
			return state.Ended(), nil
		},
		Stop:     func(ctx context.Context) error { return state.Close(ctx) },
		Patience: statePatience,
	})
	return func() *embedded.State { return state }
}

func stateSettings(settings config.State, log *slog.Logger) embedded.Settings {
	return embedded.Settings{
		Dir:            settings.Data,
		DatabaseURL:    settings.DatabaseURL,
		DatabaseAppURL: settings.DatabaseAppURL,
		RedisURL:       settings.RedisURL,
		NatsURL:        settings.NatsURL,
		FilesURL:       settings.FilesURL,
		Log:            log,
	}
}

// checkPublicURL refuses an address that browsers cannot reach the platform at.
func checkPublicURL(public config.Public) error {
	if public.PublicURL == "" {
		return nil
	}
	if err := oidc.CheckPublicURL(public.PublicURL); err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	return nil
}

// publicURL is where browsers reach the platform; in development mode that is
// where it listens.
func publicURL(public config.Public, development bool, l *listener) string {
	if public.PublicURL == "" && development {
		return "http://" + l.bound()
	}
	return public.PublicURL
}
